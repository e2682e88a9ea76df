using Google.Protobuf.WellKnownTypes;
using Roster.V1;
using Enum = System.Enum;
using Value = Roster.V1.Value;

namespace Roster.Simulator;

/// <summary>Random definitions and events. Whole kinds of things are switched off per seed, so that what is left happens more often.</summary>
internal sealed class RandomWorld(Random random)
{
    private static readonly string[] Texts = ["", "a", "b", "c", "lead", "won"];
    private static readonly string[] Sets = ["", "a", "a;b", "b;c", "d"];

    public Dictionary<string, bool> Features { get; } = new[] { "goals", "branches", "delays", "tasks", "sets", "events", "filters", "history", "unknown", "reenroll", "edits", "switch", "restart", "full", "late", "bursts", "baseline" }
        .ToDictionary(f => f, _ => random.Next(4) > 0);

    public int Next(int below) => random.Next(below);

    public bool Has(string feature) => Features[feature];

    public Workflow Workflow(string id)
    {
        var steps = Enumerable.Range(0, 1 + Next(6)).Select(Kind).ToList();
        var workflow = new Workflow { Id = id, ObjectType = "contact", Start = Start() };
        for (var i = 0; i < steps.Count; i++)
        {
            workflow.Steps.Add(Step(steps, i));
        }

        if (Has("goals") && Next(2) == 0)
        {
            workflow.Goals.Add(new Goal { Id = "goal", Criteria = Criteria() });
        }

        return workflow;
    }

    /// <summary>Another version: some steps go, some come, some change.</summary>
    public Workflow Edit(Workflow present)
    {
        var other = Workflow(present.Id);
        return Next(3) == 0 ? other : Next(2) == 0 ? Shortened(present) : Changed(present, other);
    }

    public Event Event(string record, string id, DateTimeOffset now)
    {
        var sent = new Event { EventId = id, ObjectType = "contact", RecordId = record, Source = "sim", Type = Has("events") && Next(2) == 0 ? Next(2) == 0 ? "clicked" : "bought" : "" };
        if (sent.Type == "clicked")
        {
            sent.Properties.Add(new PropertyValue { Name = "kind", Value = new Value { Text = Texts[1 + Next(3)] } });
        }

        foreach (var write in Enumerable.Range(0, Next(4)).Select(_ => Write()).DistinctBy(w => w.Name))
        {
            sent.Writes.Add(write);
        }

        if (Has("late") && Next(3) == 0)
        {
            sent.OccurredAt = Timestamp.FromDateTimeOffset(now.AddMinutes(Next(3000) - 2800));
        }

        sent.Baseline = Has("baseline") && Next(30) == 0;
        return sent;
    }

    private Workflow Shortened(Workflow present)
    {
        var shorter = present.Clone();
        if (shorter.Steps.Count > 1)
        {
            var gone = shorter.Steps[Next(shorter.Steps.Count)];
            shorter.Steps.Remove(gone);
            foreach (var step in shorter.Steps)
            {
                step.Next = step.Next == gone.Id ? "" : step.Next;
                if (step.KindCase == V1.Step.KindOneofCase.Branch)
                {
                    step.Branch.DefaultNext = step.Branch.DefaultNext == gone.Id ? "" : step.Branch.DefaultNext;
                    foreach (var branch in step.Branch.Branches)
                    {
                        branch.Next = branch.Next == gone.Id ? "" : branch.Next;
                    }
                }
            }
        }

        return shorter;
    }

    private static Workflow Changed(Workflow present, Workflow other)
    {
        var changed = present.Clone();
        changed.Start = other.Start;
        changed.Goals.Clear();
        changed.Goals.AddRange(other.Goals);
        return changed;
    }

    private string Kind(int index)
    {
        var kinds = new[] { "delays", "branches", "tasks", "sets" }.Where(Has).DefaultIfEmpty("sets").ToList();
        return $"{kinds[Next(kinds.Count)][0]}{index}";
    }

    private Step Step(List<string> ids, int index)
    {
        var id = ids[index];
        var next = Following(ids, index);
        var step = new Step { Id = id, Next = next };
        switch (id[0])
        {
            case 'd':
                step.Delay = new Delay { Amount = Next(5) == 0 ? 0 : Next(100), Unit = (Delay.Types.Unit)(1 + Next(4)) };
                break;
            case 'b':
                step.Next = "";
                step.Branch = new Branch { DefaultNext = next };
                foreach (var name in new[] { "one", "two" }.Take(1 + Next(2)))
                {
                    step.Branch.Branches.Add(new IfBranch { Name = name, Criteria = Criteria(), Next = Following(ids, index) });
                }

                break;
            case 't':
                step.Worker = new WorkerAction { Queue = "mail" };
                if (Next(2) == 0)
                {
                    step.Worker.Wait = false;
                }

                if (Next(2) == 0)
                {
                    step.Worker.Timeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(1 + Next(5000)));
                }

                step.Worker.Properties.Add("stage");
                break;
            default:
                var write = Write();
                var value = Reference.Values.Read(write.Value) ?? "";
                step.SetProperty = new SetProperty { Property = write.Name, Value = value, Clear = value.Length == 0 };
                break;
        }

        return step;
    }

    /// <summary>Forward mostly; back only from a delay of days, so that loops take time.</summary>
    private string Following(List<string> ids, int index) => Next(5) == 0 ? ""
        : index + 1 < ids.Count ? ids[index + 1 + Next(ids.Count - index - 1)]
        : "";

    private Start Start()
    {
        var start = new Start { Reenroll = Has("reenroll") && Next(2) == 0 };
        var kind = Next(5);
        if (kind <= 1 && Has("filters"))
        {
            start.Filter = new FilterStart { Criteria = Criteria() };
            if (Next(4) == 0)
            {
                start.Filter.FireOnCreate = false;
            }

            for (var i = Next(3); start.Reenroll && i > 0; i--)
            {
                start.ReenrollWhen.Add(Next(2) == 0 ? All(Filter("name", V1.Filter.Types.Operator.IsKnown)) : All(Filter("stage", V1.Filter.Types.Operator.IsEqualTo, "lead")));
            }
        }
        else if (kind <= 3 && Has("events"))
        {
            start.Event = new EventStart();
            foreach (var type in new[] { "clicked", "bought" }.Take(1 + Next(2)))
            {
                var trigger = new EventTrigger { EventType = type };
                if (Next(3) == 0)
                {
                    trigger.OnlyIf = Criteria();
                }

                if (type == "clicked" && Next(3) == 0)
                {
                    trigger.Where.Add(Filter("kind", V1.Filter.Types.Operator.IsEqualTo, "a"));
                }

                if (Next(2) == 0)
                {
                    trigger.AllowNewRecord = Next(2) == 0;
                }

                start.Event.AnyOf.Add(trigger);
            }
        }
        else
        {
            start.Manual = new ManualStart();
        }

        return start;
    }

    private Criteria Criteria() => Next(3) switch
    {
        0 => All(Filter()),
        1 => All(Filter(), Filter()),
        _ => new Criteria { AnyOf = { new FilterGroup { AllOf = { Filter() } }, new FilterGroup { AllOf = { Filter() } } } },
    };

    private static Criteria All(params Filter[] filters) => new() { AnyOf = { new FilterGroup { AllOf = { filters } } } };

    private static Filter Filter(string property, Filter.Types.Operator op, params string[] values) => new() { Property = property, Operator = op, Values = { values } };

    private Filter Filter()
    {
        var filter = Next(12) switch
        {
            0 => Filter("score", V1.Filter.Types.Operator.IsBetween, "1", "3"),
            1 => Filter("score", V1.Filter.Types.Operator.IsGreaterThan, "2"),
            2 => Filter("tags", V1.Filter.Types.Operator.IsAnyOf, "a", "c"),
            3 => Filter("tags", V1.Filter.Types.Operator.ContainsAll, "a", "b"),
            4 when Has("history") => Filter("stage", V1.Filter.Types.Operator.HasEverBeenEqualTo, "b"),
            5 when Has("history") => Filter("stage", V1.Filter.Types.Operator.HasNeverBeenEqualTo, "c"),
            6 => Filter("name", V1.Filter.Types.Operator.IsUnknown),
            7 => Filter("name", V1.Filter.Types.Operator.IsKnown),
            8 => Filter("stage", V1.Filter.Types.Operator.IsNotEqualTo, "A"),
            9 => Filter("stage", V1.Filter.Types.Operator.Contains, "E"),
            _ => Filter("stage", V1.Filter.Types.Operator.IsEqualTo, Texts[1 + Next(5)]),
        };
        filter.IncludeUnknown = Has("unknown") && Next(4) == 0;
        return filter;
    }

    private PropertyValue Write() => Next(5) switch
    {
        0 => new PropertyValue { Name = "score", Value = Next(4) == 0 ? null : new Value { Number = $"{Next(6)}{(Next(3) == 0 ? ".50" : "")}" } },
        1 => new PropertyValue { Name = "tags", Value = new Value { Options = new OptionSet { Options = { Sets[Next(Sets.Length)].Split(';', StringSplitOptions.RemoveEmptyEntries).Reverse() } } } },
        2 => new PropertyValue { Name = "name", Value = new Value { Text = Texts[Next(Texts.Length)] } },
        _ => new PropertyValue { Name = "stage", Value = new Value { Text = Texts[Next(Texts.Length)] } },
    };
}
