using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <content>Workflows, their steps, and how a publish changes them.</content>
internal sealed partial class CaseGenerator
{
    private int _steps;

    private WorkflowDefinition Workflow(string id)
    {
        var start = Start();
        var workflow = new WorkflowDefinition(id, CaseSchema.ObjectType, start, Goals(), Steps(2 + _random.Next(5)), string.Empty, Pick(Zones))
        {
            SuppressionLists = Chance(25) ? [Pick(_lists).Id] : [],
            UnenrollWhen = Chance(20) ? Criteria() : null,
            UnenrollIfNotMeeting = start.Kind == StartKind.Filter && Chance(45),
        };
        var others = _workflows.Where(w => w != id).ToList();
        return others.Count == 0 || !Chance(20) ? workflow
            : Chance(40) ? workflow with { UnenrollFromAll = true }
            : workflow with { UnenrollFrom = [Pick(others)] };
    }

    private StartDefinition Start()
    {
        var reenroll = Chance(60);
        return _random.Next(100) switch
        {
            < 45 => new StartDefinition(StartKind.Filter, Criteria(), Chance(85), [], reenroll, [.. Enumerable.Range(0, reenroll ? _random.Next(3) : 0).Select(_ => Criteria(isReenrollment: true))]),
            < 90 => new StartDefinition(StartKind.Event, null, true, [.. Enumerable.Range(0, 1 + _random.Next(2)).Select(_ => Trigger(isWait: false))], reenroll, []),
            _ => new StartDefinition(StartKind.Manual, null, true, [], reenroll, []),
        };
    }

    private List<GoalDefinition> Goals() => [.. Enumerable.Range(1, Chance(60) ? 0 : 1 + _random.Next(3)).Select(i =>
        new GoalDefinition($"g{i}", Criteria()) { Count = GoalCount.All, Exit = Chance(50) ? null : Chance(50) })];

    private List<StepDefinition> Steps(int count)
    {
        var ids = Enumerable.Range(0, count).Select(_ => $"s{++_steps}").ToList();
        return [.. ids.Select((id, i) => Step(id, ids, i))];
    }

    /// <summary>A step that goes on to the next one, mostly.</summary>
    private StepDefinition Step(string id, List<string> ids, int index)
    {
        var next = index + 1 < ids.Count ? ids[index + 1] : string.Empty;
        return _random.Next(100) switch
        {
            < 20 => Delay(id, next, ids, index),
            < 36 => Wait(id, next, ids, index),
            < 46 => Branch(id, ids, index),
            < 51 => new ValueBranchStepDefinition(id, string.Empty, "stage", [new ValueCaseDefinition("a", Any(ids, index)), new ValueCaseDefinition("b", Any(ids, index))], Any(ids, index)),
            < 55 => new SplitStepDefinition(id, string.Empty, [new SplitPathDefinition("x", 50, Ahead(ids, index)), new SplitPathDefinition("y", 50, Any(ids, index))], Chance(70)),
            < 58 => new GoToStepDefinition(id, string.Empty, Pick(ids)),
            < 75 => SetProperty(id, next),
            < 84 => new WorkerStepDefinition(id, next, "mail", [], [], Chance(70), Chance(50) ? null : TimeSpan.FromHours(Pick(1, 24))),
            < 93 => new OtherWorkflowStepDefinition(id, next, AnyWorkflow(), Chance(60)),
            _ => _lists.Find(l => l.Criteria is null) is { } list ? new ListStepDefinition(id, next, list.Id, Chance(65)) : SetProperty(id, next),
        };
    }

    /// <summary>A step further on, or the end.</summary>
    private string Ahead(List<string> ids, int index) => Chance(15) || index + 1 >= ids.Count ? string.Empty : ids[_random.Next(index + 1, ids.Count)];

    /// <summary>Mostly a step further on; now and then one that was there before.</summary>
    private string Any(List<string> ids, int index) => Chance(12) ? Pick(ids) : Ahead(ids, index);

    private string AnyStep(List<string> ids, int index) => Chance(50) ? string.Empty : Any(ids, index);

    private DelayStepDefinition Delay(string id, string next, List<string> ids, int index)
    {
        var delay = Setting();
        return new DelayStepDefinition(id, next, delay.Amount, delay.Unit) { Delay = delay, MissedNext = delay.Property is null ? string.Empty : AnyStep(ids, index) };
    }

    private DelayDefinition Setting() => _random.Next(100) switch
    {
        < 30 => new DelayDefinition(Pick(0, 1, 30, 60), DelayUnit.Minutes),
        < 50 => new DelayDefinition(Pick(0, 1, 6), DelayUnit.Hours),
        < 65 => new DelayDefinition(Pick(0, 1, 2), DelayUnit.Days) { TimeOfDay = Chance(30) ? Pick("02:30", "09:00", "12:00") : string.Empty, TimeZone = Chance(20) ? Pick(Zones) : string.Empty },
        < 70 => new DelayDefinition(1, DelayUnit.Weeks),
        < 85 => new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("day", Pick(-1, 0, 1), 0, Chance(75)), TimeOfDay = Chance(40) ? Pick("02:30", "09:00") : string.Empty },
        _ => new DelayDefinition(null, DelayUnit.None) { Property = Chance(50) ? new PropertyDateDefinition("at", Pick(-1, 0, 1), 0, Chance(75)) : new PropertyDateDefinition("at", 0, Pick(-6, 1, 6), Chance(75)) },
    };

    private WaitStepDefinition Wait(string id, string next, List<string> ids, int index)
    {
        var lookback = Chance(25);
        var isFilter = Chance(45);
        return new WaitStepDefinition(id, next, isFilter ? [] : [.. Enumerable.Range(0, Chance(80) ? 1 : 2).Select(_ => Trigger(isWait: true, lookback))], isFilter ? Criteria() : null)
        {
            Lookback = lookback,
            Timeout = Timeout(),
            TimeoutNext = AnyStep(ids, index),
        };
    }

    private TimeSpan? Timeout() => Chance(35) ? null : Pick(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30), TimeSpan.FromHours(6), TimeSpan.FromDays(2));

    private BranchStepDefinition Branch(string id, List<string> ids, int index) => new(
        id, string.Empty, [.. Enumerable.Range(1, 1 + _random.Next(2)).Select(i => new IfBranchDefinition($"b{i}", Criteria(), Any(ids, index)))], Any(ids, index));

    private SetPropertyStepDefinition SetProperty(string id, string next) => _random.Next(100) switch
    {
        < 15 => new SetPropertyStepDefinition(id, next, Pick("stage", "score", "tags", "day", "at"), string.Empty, Clear: true),
        < 35 => new SetPropertyStepDefinition(id, next, "score", Pick("1", "-1"), Clear: false) { Mode = SetMode.Increment },
        < 45 => new SetPropertyStepDefinition(id, next, "tags", Pick("a", "b", "c"), Clear: false) { Mode = SetMode.Append },
        < 50 => new SetPropertyStepDefinition(id, next, "stage", Pick("a", "b"), Clear: false) { Mode = SetMode.Append },
        _ => SetAny(id, next, Pick("stage", "stage", "stage", "score", "score", "tags", "day", "at")),
    };

    private SetPropertyStepDefinition SetAny(string id, string next, string property) => new(id, next, property, ValueOf(property), Clear: false);

    private PublishCase Publish()
    {
        var id = AnyWorkflow();
        var workflow = _newest[id];
        var changes = 1 + _random.Next(2);
        for (var i = 0; i < changes; i++)
        {
            workflow = Mutate(workflow);
        }

        _needsJob = Chance(50) ? id : null;
        _newest[id] = workflow;
        return new PublishCase(workflow);
    }

    private WorkflowDefinition Mutate(WorkflowDefinition w)
    {
        var start = w.Start!;
        switch (_random.Next(12))
        {
            case 0 or 1:
                return ChangeDelay(w);
            case 2 or 3:
                return Remove(w, Chance(60) && w.Steps.Where(IsStay).ToList() is { Count: > 0 } stays ? Pick(stays) : Pick(w.Steps));
            case 4 or 5:
                return Insert(w, _random.Next(w.Steps.Count));
            case 6:
                var index = _random.Next(w.Steps.Count);
                var ids = w.Steps.Select(s => s.Id).ToList();
                var other = Step(w.Steps[index].Id, ids, index);
                return w with { Steps = [.. w.Steps.Select((s, i) => i == index ? other : s)] };
            case 7:
                return w with { Goals = Goals() };
            case 8:
                return w with { SuppressionLists = w.SuppressionLists.Count > 0 ? [] : [Pick(_lists).Id] };
            case 9:
                return w with { UnenrollWhen = Chance(30) ? null : Criteria() };
            case 10 when start.Kind == StartKind.Filter:
                return w with { UnenrollIfNotMeeting = !w.UnenrollIfNotMeeting };
            default:
                return w with { Start = start.Kind == StartKind.Filter ? start with { Criteria = Criteria() } : start with { Reenroll = !start.Reenroll } };
        }
    }

    /// <summary>Whether records stay in a step, so that a publish finds some there.</summary>
    private static bool IsStay(StepDefinition step) => step is DelayStepDefinition or WaitStepDefinition or WorkerStepDefinition;

    private WorkflowDefinition ChangeDelay(WorkflowDefinition w) => w with
    {
        Steps = [.. w.Steps.Select(s => s switch
        {
            DelayStepDefinition when Setting() is var delay => new DelayStepDefinition(s.Id, s.Next, delay.Amount, delay.Unit) { Delay = delay, MissedNext = delay.Property is null ? string.Empty : ((DelayStepDefinition)s).MissedNext },
            WaitStepDefinition wait => wait with { Timeout = Timeout() },
            _ => s,
        })],
    };

    /// <summary>Removes a step; whoever led to it leads to one of the others, or the end.</summary>
    public static WorkflowDefinition Remove(WorkflowDefinition w, StepDefinition gone)
    {
        if (w.Steps.Count == 1)
        {
            return w;
        }

        var next = gone.Next == gone.Id ? string.Empty : gone.Next;
        var first = w.FirstStep == gone.Id ? string.Empty : w.FirstStep;
        return w with { Steps = [.. w.Steps.Where(s => s.Id != gone.Id).Select(s => CaseSteps.Redirect(s, gone.Id, next))], FirstStep = first };
    }

    /// <summary>Puts a new step before an old one.</summary>
    private WorkflowDefinition Insert(WorkflowDefinition w, int index)
    {
        var id = $"s{++_steps}";
        var at = w.Steps[index].Id;
        var ids = w.Steps.Select(s => s.Id).ToList();
        ids.Insert(index, id);
        var added = Step(id, ids, index);
        var steps = w.Steps.Select(s => CaseSteps.Redirect(s, at, id)).ToList();
        steps.Insert(index, added);
        return w with { Steps = steps, FirstStep = w.FirstStep == at ? id : w.FirstStep };
    }
}

/// <summary>Connections of steps.</summary>
internal static class CaseSteps
{
    /// <summary>The step with every connection to one step led to another.</summary>
    public static StepDefinition Redirect(StepDefinition step, string from, string to)
    {
        // A go-to to nowhere ends nothing: it becomes a delay of no time.
        return step switch
        {
            BranchStepDefinition b => b with { Branches = [.. b.Branches.Select(i => i with { Next = New(i.Next) })], DefaultNext = New(b.DefaultNext) },
            ValueBranchStepDefinition v => v with { Cases = [.. v.Cases.Select(c => c with { Next = New(c.Next) })], DefaultNext = New(v.DefaultNext) },
            SplitStepDefinition s => s with { Paths = [.. s.Paths.Select(p => p with { Next = New(p.Next) })] },
            GoToStepDefinition g => New(g.Step).Length == 0 ? new DelayStepDefinition(g.Id, string.Empty, 0, DelayUnit.Minutes) : g with { Step = New(g.Step) },
            WaitStepDefinition w => w with { Next = New(w.Next), TimeoutNext = New(w.TimeoutNext) },
            DelayStepDefinition d => d with { Next = New(d.Next), MissedNext = New(d.MissedNext) },
            _ => step with { Next = New(step.Next) },
        };

        string New(string next) => next == from ? to : next;
    }
}
