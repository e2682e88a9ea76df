using Roster.V1;

namespace Roster.Simulator.Linked;

/// <summary>Random definitions over contacts, deals and line items that look at each other, and edits of them.</summary>
internal sealed class LinkedWorld(Random random)
{
    public static readonly string[] Types = ["contact", "deal", "line_item"];

    /// <summary>A text property of each type, of which others keep copies. Its values begin with one of <see cref="Values"/>.</summary>
    public static readonly IReadOnlyDictionary<string, string> TextOf = new Dictionary<string, string> { ["contact"] = "name", ["deal"] = "stage", ["line_item"] = "sku" };

    public static readonly string[] Values = ["apple", "berry", "cherry"];

    private static readonly string[] Labels = ["", "", "buyer", "user"];

    public int Next(int below) => random.Next(below);

    public string Label() => Labels[Next(Labels.Length)];

    /// <summary>What records of a type are looked at by: themselves, or by what they are linked to.</summary>
    public Criteria Criteria(string type)
    {
        var criteria = new Criteria();
        for (var groups = 1 + (Next(4) == 0 ? 1 : 0); groups > 0; groups--)
        {
            var group = new FilterGroup();
            group.AllOf.Add(Next(4) == 0 ? Own(type) : Linked(type));
            if (Next(3) == 0)
            {
                group.AllOf.Add(Own(type));
            }

            criteria.AnyOf.Add(group);
        }

        return criteria;
    }

    public List List(string id, string type) => new() { Id = id, ObjectType = type, Criteria = Criteria(type) };

    public Workflow Workflow(string id, string type)
    {
        var workflow = new Workflow { Id = id, ObjectType = type, Start = Start(type) };
        foreach (var (name, other) in Types.Where(t => t != type).Select(t => ($"the_{t}", t)))
        {
            workflow.DataSources.Add(new DataSource { Name = name, ObjectType = other });
        }

        foreach (var i in Enumerable.Range(0, 1 + Next(5)))
        {
            workflow.Steps.Add(Step($"s{i}", type));
        }

        if (Next(3) == 0)
        {
            workflow.Goals.Add(new Goal { Id = "goal", Criteria = Criteria(type) });
        }

        workflow.UnenrollIfNotMeeting = workflow.Start.Filter is not null && Next(3) == 0;
        workflow.EnrollOnMerge = Next(4) == 0;
        return workflow;
    }

    /// <summary>Another version: steps come, go, change places or delays, and criteria change.</summary>
    public Workflow Edit(Workflow present)
    {
        var edited = present.Clone();
        for (var edits = 1 + Next(3); edits > 0; edits--)
        {
            var at = Next(edited.Steps.Count);
            switch (Next(5))
            {
                case 0:
                    edited.Steps.Insert(at, Step($"n{Next(1_000_000)}", edited.ObjectType));
                    break;
                case 1 when edited.Steps.Count > 1:
                    edited.Steps.RemoveAt(at);
                    break;
                case 2 when edited.Steps[at].Delay is { } delay:
                    delay.Amount = 1 + Next(200);
                    break;
                case 3:
                    edited.Steps[at] = Step(edited.Steps[at].Id, edited.ObjectType);
                    break;
                default:
                    edited.Start = Start(edited.ObjectType);
                    edited.UnenrollIfNotMeeting = edited.Start.Filter is not null && Next(3) == 0;
                    break;
            }
        }

        return edited;
    }

    private Start Start(string type) => Next(4) switch
    {
        0 => new Start { Manual = new ManualStart() },
        1 => new Start { Event = new EventStart { AnyOf = { new EventTrigger { EventType = "clicked", AllowNewRecord = true } } }, Reenroll = Next(2) == 0 },
        _ => new Start { Filter = new FilterStart { Criteria = Criteria(type) } },
    };

    private Step Step(string id, string type)
    {
        var others = Types.Where(t => t != type).ToArray();
        var other = others[Next(others.Length)];
        return Next(6) switch
        {
            0 => new Step { Id = id, Worker = new WorkerAction { Queue = "mail" } },

            // Nobody looks at hits, so this never goes round in circles.
            1 => new Step { Id = id, SetProperty = new SetProperty { Property = "hits", DataSource = $"the_{other}", Mode = SetProperty.Types.Mode.Increment, Value = "1" } },
            2 => new Step { Id = id, SetProperty = new SetProperty { Property = "score", Value = $"{Next(10)}" } },
            3 => new Step { Id = id, CreateNote = new CreateNote { Body = "seen" } },
            _ => new Step { Id = id, Delay = new Delay { Amount = 1 + Next(100), Unit = (Delay.Types.Unit)(1 + Next(3)) } },
        };
    }

    private Filter Linked(string type)
    {
        var other = Types.Where(t => t != type).ElementAt(Next(2));
        var filter = new Filter { Associated = new AssociatedFilter { ObjectType = other, Label = Label() } };
        if (type == "contact" && other == "deal" && Next(2) == 0)
        {
            filter.Associated.AllOf.Add(new Filter { Associated = new AssociatedFilter { ObjectType = "line_item", Label = Label(), AllOf = { Own("line_item") } } });
        }

        if (filter.Associated.AllOf.Count == 0 || Next(3) == 0)
        {
            filter.Associated.AllOf.Add(Own(other));
        }

        return filter;
    }

    private Filter Own(string type) => Next(4) == 0
        ? new Filter { Property = "score", Operator = Filter.Types.Operator.IsGreaterThan, Values = { $"{Next(10)}" } }
        : new Filter { Property = TextOf[type], Operator = Filter.Types.Operator.StartsWith, Values = { Values[Next(Values.Length)] } };
}
