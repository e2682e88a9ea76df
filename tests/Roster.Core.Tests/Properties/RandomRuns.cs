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
    private static readonly string[] Lists = ["static", "active", "second", "old"];
    private static readonly string[] Signals = ["property_changed", "list_joined", "list_left", "record_created", "workflow_enrolled", "workflow_unenrolled", "workflow_completed", "workflow_goal"];
    private readonly Random _random = new(seed);
    private readonly List<EventInput> _sent = [];
    private int _ids;
    private int _count;

    public World World { get; private set; } = Of(seed, isForgetful: false);

    public int Next(int below) => _random.Next(below);

    /// <summary>The same runs in a world that keeps nothing between turns.</summary>
    public RandomRuns Forgetful()
    {
        World = Of(seed, isForgetful: true);
        return this;
    }

    private static World Of(int seed, bool isForgetful) => new World(TenantSettings.Default with
    {
        RoundsMax = 1 + (seed % 7),
        StepsPerTurnMax = 10 + (seed % 30),
        StepRunsPerHourMax = 1 + (seed % 9),
        EnrollmentsPerHourMax = 1 + (seed % 11),
        ActiveEnrollmentsPerRecordMax = 1 + (seed % 5),
        EventHistoryDays = 1 + (seed % 20),
        EventHistoryMax = 10 + (seed % 40),
        DedupeIds = 100,
    })
    { IsForgetful = isForgetful };

    public void PublishAll()
    {
        _count = 1 + Next(5);
        World.List("static");
        World.List("active", Define.All(Define.Is("score", Operator.IsGreaterThan, "2")));
        World.List("second", Define.Any(Define.InList("active"), Define.InList("static")));
        World.List("old", Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1")));
        World.Together([.. Enumerable.Range(0, _count).Select(Workflow)]);
    }

    public WorkflowDefinition Workflow(int index)
    {
        var ids = Enumerable.Range(0, 1 + Next(6)).Select(i => $"s{i}").ToArray();
        var steps = ids.Select(id => Step(id, ids)).ToArray();
        var start = Next(6) switch
        {
            0 => Define.ByHand(Next(2) == 0),
            1 => Define.OnEvent("clicked", reenroll: Next(2) == 0, onlyIf: Next(2) == 0 ? Criteria() : null, allowNew: Next(2) == 0),
            2 => Define.OnEvent(Signals[Next(Signals.Length)], reenroll: Next(2) == 0),
            3 when Next(2) == 0 => Define.OnDate(Next(2) == 0 ? "day" : "at", Next(3) - 1, "09:00", yearly: Next(2) == 0, reenroll: Next(2) == 0),
            _ => Define.OnFilter(Criteria(), fireOnCreate: Next(3) > 0, reenroll: Next(2) == 0, reenrollWhen: Next(2) == 0 ? [] : [Define.Any(Define.Eq("name", "a"), Define.Is("other", Operator.IsKnown))]),
        };
        if (Next(8) == 0)
        {
            start = Define.OnAnchor(property: "day", annually: Next(2) == 0, criteria: Next(2) == 0 ? Criteria() : null, reenroll: Next(2) == 0);
            steps = [.. ids.Select(id => Define.Set(id, "name", Texts[1 + Next(4)]).At(Next(9) - 4, "10:00"))];
        }

        return Settings(Define.Workflow($"w{index}", start, steps), index);
    }

    private WorkflowDefinition Settings(WorkflowDefinition workflow, int index)
    {
        var goals = Enumerable.Range(0, Next(3)).Select(i => new GoalDefinition($"g{i}", Criteria()) { Exit = Next(3) == 0 ? null : Next(2) == 0, Count = (GoalCount)Next(3) });
        return workflow.WithGoals([.. goals]) with
        {
            SuppressionLists = Next(4) == 0 ? [Lists[Next(Lists.Length)]] : [],
            UnenrollWhen = Next(4) == 0 ? Criteria() : null,
            UnenrollIfNotMeeting = workflow.Start!.Kind == StartKind.Filter && Next(3) == 0,
            UnenrollFromAll = Next(10) == 0,
            UnenrollFrom = Next(10) == 0 && index > 0 ? ["w0"] : [],
            Windows = Next(4) == 0 ? Define.Open("09:00", Next(2) == 0 ? "11:00" : "20:00", TimeSpan.FromMinutes(Next(30))) : null,
            CatchUp = (CatchUp)Next(4),
            PublishPolicy = (PublishPolicy)Next(3),
        } is var complete && complete.UnenrollFromAll && complete.UnenrollFrom.Count > 0 ? complete with { UnenrollFrom = [] } : complete;
    }

    public TurnResult Input()
    {
        World.Now = World.Now.PlusMs(Next(3) == 0 ? Next(1000) : 0);
        var workflows = World.Catalog.Workflows;
        var id = workflows[Next(workflows.Length)].Identity.Id;
        switch (Next(16))
        {
            case 0:
                return World.Enroll(id, trigger: (TriggerKind)new[] { 3, 3, 5, 6, 7 }[Next(5)]);
            case 1:
                return World.Unenroll(id);
            case 2:
                World.Pass(TimeSpan.FromMinutes(Next(3) == 0 ? Next(30_000) : Next(200)));
                return default;
            case 3 when World.State.OpenEffects.Length > 0:
                var effect = World.State.OpenEffects[Next(World.State.OpenEffects.Length)];
                return World.Run(new CompletionInput(effect.Enrollment, effect.Step, effect.Execution, (StepResult)new[] { 1, 2, 11 }[Next(3)], "WORKER", "text", [new NamedValue("id", Values.Value.OfText("a"))]));
            case 4 when _sent.Count > 0:
                return World.Run(_sent[Next(_sent.Count)]);
            case 5 when Next(2) == 0:
                World.Switch(id, (WorkflowState)new[] { 2, 2, 3, 4 }[Next(4)]);
                return Next(2) == 0 ? World.Refresh(id, armsSince: Next(2) == 0 ? World.Now : default) : default;
            case 6 when Next(3) == 0:
                World.Publish(Workflow(int.Parse(id.AsSpan()[1..], provider: null)));
                return Next(2) == 0 ? World.Refresh(id, movesPinned: Next(2) == 0) : default;
            case 7:
                return Next(2) == 0 ? World.AddToList("static") : World.RemoveFromList("static");
            case 8 when Next(3) == 0:
                World.Down(TimeSpan.FromMinutes(Next(10_000)));
                return default;
            case 9 when Next(4) == 0:
                return World.Delete();
            default:
                return Event();
        }
    }

    private TurnResult Event()
    {
        World.Restore();
        var writes = Enumerable.Range(0, Next(3)).Select(_ => Write()).DistinctBy(w => w.Item1).ToArray();
        var occurredAt = Next(3) == 0 ? World.Now.PlusMs(Next(20_000) - 10_000) : Timestamp.None;
        var input = new EventInput(
            $"e{++_ids}", Next(2) == 0 ? 1 : World.Schema.FindEventType("clicked"), occurredAt, "src", [], [.. writes.Select(w => World.Write(w.Item1, w.Item2))], Next(20) == 0);
        _sent.Add(input);
        return World.Run(input);
    }

    private (string, string) Write() => Next(8) switch
    {
        5 => ("day", Next(3) == 0 ? "" : $"2026-01-{1 + Next(28):00}"),
        6 => ("at", Next(3) == 0 ? "" : $"2026-01-{1 + Next(28):00}T{Next(24):00}:00:00Z"),
        0 => ("score", Next(4) == 0 ? "" : $"{Next(6)}"),
        1 => ("tags", new[] { "", "a", "a;b", "b", "c;d" }[Next(5)]),
        2 => ("other", Texts[Next(Texts.Length)]),
        3 => ("name", Texts[Next(Texts.Length)]),
        _ => ("stage", Texts[Next(Texts.Length)]),
    };

    private CriteriaDefinition Criteria() => Next(2) == 0 ? Define.All(Filter()) : Next(2) == 0 ? Define.All(Filter(), Filter()) : Define.Any(Filter(), Filter());

    private FilterDefinition Filter() => Next(18) switch
    {
        10 => Define.InList(Lists[Next(Lists.Length)], negate: Next(4) == 0),
        11 => Define.Status($"w{Next(_count)}", (WorkflowStatus)(1 + Next(3)), negate: Next(4) == 0),
        12 => new EventHistoryFilterDefinition("clicked", [], Next(3) == 0, null),
        13 => new EventHistoryFilterDefinition("clicked", [], false, new RefinementDefinition(null, new OccurrencesDefinition(Next(4), 3 + Next(9)))),
        14 => Define.Is("at", Operator.IsMoreThanXDaysAgo, $"{Next(4)}"),
        15 => Define.Is("day", Operator.IsLessThanXDaysFromNow, $"{Next(9)}"),
        16 => new EventHistoryFilterDefinition("clicked", [], false, new RefinementDefinition(new TimeRangeDefinition(TimeRangeKind.After, new RangeBoundDefinition(string.Empty, -1 - Next(3)), null), null)),
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
        return Next(14) switch
        {
            0 => Define.Delay(id, Next(3) == 0 ? 0 : Next(50), (DelayUnit)(1 + Next(5)), next),
            1 => Define.Branch(id, next, ("one", Criteria(), ids[Next(ids.Length)]), ("two", Criteria(), ids[Next(ids.Length)])),
            2 => Define.Work(id, next, wait: Next(2) == 0, timeout: TimeSpan.FromMinutes(1 + Next(100)), properties: ["stage"]),
            3 => Define.WaitEvent(id, Next(2) == 0 ? "clicked" : Signals[Next(Signals.Length)], next, Next(2) == 0 ? null : TimeSpan.FromMinutes(1 + Next(500)), Next(2) == 0 ? "" : ids[Next(ids.Length)], lookback: Next(3) == 0),
            4 => Define.WaitFor(id, Criteria(), next, Next(2) == 0 ? null : TimeSpan.FromMinutes(1 + Next(500)), lookback: Next(3) == 0),
            5 => Define.Values(id, "stage", next, ("a", ids[Next(ids.Length)]), ("B", ids[Next(ids.Length)])),
            6 => Define.Split(id, Next(2) == 0, ("one", null, ids[Next(ids.Length)]), ("two", null, ids[Next(ids.Length)])),
            7 => Next(2) == 0 ? Define.AddTo(id, "static", next) : Define.RemoveFrom(id, "static", next),
            8 => Next(3) > 0 ? Define.EnrollIn(id, $"w{Next(_count)}", next) : Define.UnenrollFrom(id, $"w{Next(_count)}", next),
            9 => Define.Delay(id, new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition(Next(2) == 0 ? "day" : "at", Next(5) - 2, 0, Next(2) == 0) }, next, Next(2) == 0 ? "" : ids[Next(ids.Length)]),
            10 => Next(3) == 0 ? Define.Email(id, next, wait: Next(2) == 0) : Define.Put(id, "score", SetMode.Increment, value: "1", next: next),
            11 when Next(10) == 0 => Define.DeleteRecord(id, next),
            12 => Define.GoTo(id, ids[Next(ids.Length)]),
            _ when Write() is var (property, value) => Define.Set(id, property, value, next),
            _ => throw new InvalidOperationException(),
        };
    }
}
