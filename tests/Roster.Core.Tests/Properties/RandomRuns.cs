using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Properties;

/// <summary>Random workflows and inputs from one seed.</summary>
internal sealed class RandomRuns(int seed)
{
    private static readonly string[] Texts = ["", "a", "b", "c", "lead"];
    private readonly Random _random = new(seed);
    private readonly List<EventInput> _sent = [];
    private int _ids;

    public World World { get; } = new(TenantSettings.Default with
    {
        RoundsMax = 1 + (seed % 7),
        StepsPerTurnMax = 10 + (seed % 30),
        StepRunsPerHourMax = 1 + (seed % 9),
        EnrollmentsPerHourMax = 1 + (seed % 11),
        ActiveEnrollmentsPerRecordMax = 1 + (seed % 5),
        DedupeIds = 100,
    });

    public int Next(int below) => _random.Next(below);

    public void PublishAll()
    {
        for (var i = 0; i < 1 + Next(5); i++)
        {
            World.Publish(Workflow(i));
        }
    }

    public WorkflowDefinition Workflow(int index)
    {
        var ids = Enumerable.Range(0, 1 + Next(6)).Select(i => $"s{i}").ToArray();
        var steps = ids.Select(id => Step(id, ids)).ToArray();
        var start = Next(4) switch
        {
            0 => Define.ByHand(Next(2) == 0),
            1 => Define.OnEvent("clicked", reenroll: Next(2) == 0, onlyIf: Next(2) == 0 ? Criteria() : null, allowNew: Next(2) == 0),
            _ => Define.OnFilter(Criteria(), fireOnCreate: Next(3) > 0, reenroll: Next(2) == 0, reenrollWhen: Next(2) == 0 ? [] : [Define.Any(Define.Eq("name", "a"), Define.Is("other", Operator.IsKnown))]),
        };
        var workflow = Define.Workflow($"w{index}", start, steps);
        return Next(2) == 0 ? workflow.WithGoal(Criteria()) : workflow;
    }

    public TurnResult Input()
    {
        World.Now = World.Now.PlusMs(Next(3) == 0 ? Next(1000) : 0);
        var workflows = World.Catalog.Workflows;
        switch (Next(12))
        {
            case 0 when !workflows.IsEmpty:
                return World.Enroll(workflows[Next(workflows.Length)].Identity.Id);
            case 1 when !workflows.IsEmpty:
                return World.Unenroll(workflows[Next(workflows.Length)].Identity.Id);
            case 2:
                World.Pass(TimeSpan.FromMinutes(Next(3) == 0 ? Next(100_000) : Next(200)));
                return default;
            case 3 when World.State.OpenEffects.Length > 0:
                var effect = World.State.OpenEffects[Next(World.State.OpenEffects.Length)];
                return World.Run(new CompletionInput(effect.Enrollment, effect.Step, effect.Execution, (StepResult)new[] { 1, 2, 11 }[Next(3)], "WORKER", "text", []));
            case 4 when _sent.Count > 0:
                return World.Run(_sent[Next(_sent.Count)]);
            case 5 when Next(4) == 0 && !workflows.IsEmpty:
                World.Switch(workflows[Next(workflows.Length)].Identity.Id, Next(2) == 0 ? WorkflowState.On : WorkflowState.Off);
                return default;
            case 6 when Next(6) == 0 && !workflows.IsEmpty:
                var index = Next(workflows.Length);
                var changed = Workflow(index);
                World.Publish(changed with { Id = workflows[index].Identity.Id });
                return default;
            default:
                var writes = Enumerable.Range(0, Next(3)).Select(_ => Write()).DistinctBy(w => w.Item1).ToArray();
                var occurredAt = Next(3) == 0 ? World.Now.PlusMs(Next(20_000) - 10_000) : Timestamp.None;
                var input = new EventInput(
                    $"e{++_ids}", Next(2) == 0 ? 1 : World.Schema.FindEventType("clicked"), occurredAt, "src", [], [.. writes.Select(w => World.Write(w.Item1, w.Item2))], Next(20) == 0);
                _sent.Add(input);
                return World.Run(input);
        }
    }

    private (string, string) Write() => Next(5) switch
    {
        0 => ("score", Next(4) == 0 ? "" : $"{Next(6)}"),
        1 => ("tags", new[] { "", "a", "a;b", "b", "c;d" }[Next(5)]),
        2 => ("other", Texts[Next(Texts.Length)]),
        3 => ("name", Texts[Next(Texts.Length)]),
        _ => ("stage", Texts[Next(Texts.Length)]),
    };

    private CriteriaDefinition Criteria() => Next(2) == 0 ? Define.All(Filter()) : Next(2) == 0 ? Define.All(Filter(), Filter()) : Define.Any(Filter(), Filter());

    private FilterDefinition Filter() => Next(10) switch
    {
        0 => Define.Is("score", Operator.IsBetween, "1", "3"),
        1 => Define.Is("score", Operator.IsGreaterThan, "2"),
        2 => Define.Is("tags", Operator.IsAnyOf, "a", "c"),
        3 => Define.Is("stage", Operator.HasEverBeenEqualTo, "b"),
        4 => Define.Is("stage", Operator.HasNeverBeenEqualTo, "c"),
        5 => Define.Is("name", Operator.IsUnknown),
        6 => Define.Is("stage", Operator.IsNotEqualTo, "a") with { IncludeUnknown = Next(2) == 0 },
        7 => Define.Eq("name", "b"),
        8 => Define.Is("other", Operator.IsKnown),
        _ => Define.Eq("stage", Texts[1 + Next(4)]),
    };

    private StepDefinition Step(string id, string[] ids)
    {
        var next = Next(4) == 0 ? "" : ids[Next(ids.Length)];
        return Next(5) switch
        {
            0 => Define.Delay(id, Next(3) == 0 ? 0 : Next(50), (DelayUnit)(1 + Next(4)), next),
            1 => Define.Branch(id, next, ("one", Criteria(), ids[Next(ids.Length)]), ("two", Criteria(), ids[Next(ids.Length)])),
            2 => Define.Work(id, next, wait: Next(2) == 0, timeout: TimeSpan.FromMinutes(1 + Next(100)), properties: ["stage"]),
            _ when Write() is var (property, value) => Define.Set(id, property, value, next),
            _ => throw new InvalidOperationException(),
        };
    }
}
