using Roster.Core.Journal;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>One turn: the phases of section 2 as loops.</summary>
internal sealed partial class NaiveTurn(NaiveEngine engine, long now)
{
    private const long HourMs = 3_600_000;

    private readonly NaiveRecord _record = engine.Record;

    /// <summary>Enrollments that go on in phase 9; the step to enter is in them.</summary>
    private readonly List<NaiveEnrollment> _ready = [];

    private readonly Dictionary<int, int> _stepsRun = [];
    private readonly int _turn = ++engine.Turns;
    private List<Change> _present = [];
    private List<Change> _queued = [];
    private NaiveSide _before = new(new Dictionary<string, NaiveProperty>(), new HashSet<string>());
    private EventCase? _event;
    private string? _rechecked;
    private NaiveTask? _completed;
    private (StepResult Result, bool IsTimeout) _completion;
    private long? _fired;
    private bool _isNew;
    private int _round;

    public List<string> Lines { get; } = [];

    private NaiveSide Now => new(_record.Properties, _record.Lists);

    /// <summary>One change, numbered (ENG-06). What happened, or which workflow is asked for.</summary>
    private sealed record Change(int Number, NaiveOccurrence? Occurrence, string? Property = null, string? Joined = null, string? Enroll = null, string? Unenroll = null, EndReason Reason = EndReason.None);

    /// <summary>Takes up an input; false when there is nothing to do.</summary>
    public bool Begin(CaseInput? input)
    {
        switch (input)
        {
            case null:
                _fired = engine.NextDueAt();
                return _fired <= now;
            case CompleteCase complete:
                var task = engine.Task(complete.Pick);
                _completed = task is null ? null : _record.Tasks.Find(t => t.Enrollment == task.Enrollment && t.Step == task.Step && t.Execution == task.Execution);
                _completion = (complete.Result, false);
                return _completed is not null;
            case RefreshCase refresh:
                _rechecked = refresh.Workflow;
                return _record.Exists;
            default:
                return true;
        }
    }

    public void Run(CaseInput? input)
    {
        _record.LastTurnAt = now;
        Adapt();
        TakeSnapshot();
        switch (input)
        {
            case EventCase sent:
                Admit(sent);
                break;
            case CommandCase command:
                Obey(command);
                break;
            case CompleteCase:
                Complete(_completed!);
                break;
            case null:
                FireTimer();
                break;
            default:
                break;
        }

        Rounds();
    }

    /// <summary>Phases 4 to 10.</summary>
    private void Rounds()
    {
        RecomputeLists(_present);
        for (_round = 0; ; _round++)
        {
            var isLast = _round > engine.Settings.RoundsMax;
            CheckExits();
            CheckGoals();
            CheckWatched();
            FollowProperties();
            ReleaseWaits();
            Consider(isLast);
            TakeSnapshot();
            if (isLast)
            {
                // ENG-08: what was to go on is ended.
                foreach (var enrollment in ActiveInOrder().Where(_ready.Contains))
                {
                    End(enrollment, EndReason.LoopGuard);
                }

                return;
            }

            RunReady();
            if (_queued.Count == 0)
            {
                return;
            }

            _present = _queued;
            _queued = [];
        }
    }

    private void TakeSnapshot() => _before = new NaiveSide(
        _record.Properties.ToDictionary(p => p.Key, p => p.Value.Copy()), new HashSet<string>(_record.Lists));

    private void Admit(EventCase sent)
    {
        _event = sent;
        var at = sent.OccurredAt is null || sent.OccurredAt > now ? now : sent.OccurredAt.Value;
        var occurrence = new NaiveOccurrence(++engine.Sequence, sent.Type, sent.Properties.ToDictionary(p => p.Name, p => p.Value), at, IsClient: true);
        _record.History.Add(occurrence);
        _present.Add(new Change(occurrence.Number, occurrence));
        Create(at);
        foreach (var write in sent.Writes)
        {
            Write(_present, write.Name, write.Value.Length == 0 ? null : NaiveFilters.Canonical(write.Name, write.Value), at);
        }
    }

    private void Obey(CommandCase command)
    {
        Create(now);
        switch (command.Kind)
        {
            case CommandKind.Enroll:
                _present.Add(new Change(++engine.Sequence, null, Enroll: command.Target));
                break;
            case CommandKind.Unenroll:
                _present.Add(new Change(++engine.Sequence, null, Unenroll: command.Target, Reason: EndReason.Manual));
                break;
            case CommandKind.AddToList or CommandKind.RemoveFromList:
                ChangeMembership(_present, command.Target, command.Kind == CommandKind.AddToList);
                break;
            default:
                throw new NotSupportedException($"{command}");
        }
    }

    private void Create(long at)
    {
        if (_record.Exists)
        {
            return;
        }

        _record.Exists = true;
        _record.CreatedAt = at;
        _isNew = true;
        Happen(_present, "record_created", at, []);
    }

    /// <summary>The newest <c>occurred_at</c> wins (REC-04); late and same values change nothing (REC-05, REC-06).</summary>
    private void Write(List<Change> changes, string name, string? value, long at)
    {
        var property = _record.Properties.GetValueOrDefault(name) ?? (_record.Properties[name] = new NaiveProperty());
        if (at < property.OccurredAt)
        {
            Lines.Add(CaseWords.Late(name));
            return;
        }

        property.OccurredAt = at;
        if (property.Value == value)
        {
            return;
        }

        property.Value = value;
        if (value is not null)
        {
            property.Ever.Add(value);
        }

        Lines.Add(CaseWords.Wrote(name, value));
        Dictionary<string, string> about = new() { ["property"] = name };
        if (value is not null)
        {
            about["value"] = value;
        }

        var occurrence = new NaiveOccurrence(++engine.Sequence, "property_changed", about, at, IsClient: false);
        changes.Add(new Change(occurrence.Number, occurrence, Property: name));
    }

    private void ChangeMembership(List<Change> changes, string list, bool joins)
    {
        if (_record.Lists.Contains(list) == joins)
        {
            return;
        }

        if (joins)
        {
            _record.Lists.Add(list);
        }
        else
        {
            _record.Lists.Remove(list);
        }

        Lines.Add(CaseWords.List(list, joins));
        var occurrence = new NaiveOccurrence(
            ++engine.Sequence, joins ? "list_joined" : "list_left", new Dictionary<string, string> { ["list"] = list }, now, IsClient: false);
        changes.Add(new Change(occurrence.Number, occurrence, Joined: joins ? list : null));
    }

    /// <summary>Active lists follow their criteria (LST-02), in the order of their dependencies (LST-04).</summary>
    private void RecomputeLists(List<Change> changes)
    {
        foreach (var list in engine.Lists.Where(l => l.Criteria is not null))
        {
            ChangeMembership(changes, list.Id, NaiveFilters.Holds(list.Criteria!, Now));
        }
    }

    private void Happen(List<Change> changes, string type, long at, Dictionary<string, string> properties)
    {
        var occurrence = new NaiveOccurrence(++engine.Sequence, type, properties, at, IsClient: false);
        changes.Add(new Change(occurrence.Number, occurrence));
    }

    private void Complete(NaiveTask task)
    {
        _record.Tasks.Remove(task);
        var enrollment = _record.Active.Find(e => e.Number == task.Enrollment);
        if (enrollment is null || enrollment.Standing != Standing.Task || enrollment.Step != task.Step || enrollment.Execution != task.Execution)
        {
            return;
        }

        // A task in flight at a step that was removed, or has another kind now, is not recalled (EDT-10).
        var step = Find(enrollment.Workflow, task.Step);
        var next = step is null ? Surviving(enrollment.Workflow, task.Step) : step is WorkerStepDefinition ? NullIfEmpty(step.Next) : step.Id;
        Leave(enrollment, _completion.IsTimeout ? nameof(StepResult.Failed) : _completion.Result.ToString(), next);
    }

    /// <summary>The first of what is due: by enrollment number, then step id (ENG-04).</summary>
    private void FireTimer()
    {
        var first = _record.Active.Where(e => e.DueAt == _fired)
            .Select(e => (e.Number, Step: e.Step!, Execution: 0, Enrollment: (NaiveEnrollment?)e, Task: (NaiveTask?)null))
            .Concat(_record.Tasks.Where(t => t.TimesOutAt == _fired)
                .Select(t => (Number: t.Enrollment, t.Step, t.Execution, Enrollment: (NaiveEnrollment?)null, Task: (NaiveTask?)t)))
            .OrderBy(d => d.Number).ThenBy(d => d.Step, StringComparer.Ordinal).ThenBy(d => d.Execution).FirstOrDefault();
        if (first.Task is not null)
        {
            _completion = (StepResult.Failed, true);
            Complete(first.Task);
        }
        else if (first.Enrollment is { } enrollment)
        {
            var step = Find(enrollment.Workflow, enrollment.Step!)!;
            var next = step is WaitStepDefinition { TimeoutNext.Length: > 0 } wait ? wait.TimeoutNext : NullIfEmpty(step.Next);
            Leave(enrollment, step is WaitStepDefinition ? "met=false" : nameof(StepResult.Success), next);
        }
    }

    /// <summary>The present step is over: the enrollment is ready for the next one.</summary>
    private void Leave(NaiveEnrollment enrollment, string how, string? next)
    {
        Lines.Add(CaseWords.Left(enrollment.Workflow, enrollment.Number, enrollment.Step!, how));
        GoOn(enrollment, next);
    }

    private void GoOn(NaiveEnrollment enrollment, string? next)
    {
        enrollment.Standing = Standing.Ready;
        enrollment.DueAt = null;
        enrollment.Step = next;
        _ready.Add(enrollment);
    }

    private StepDefinition? Find(string workflow, string step) => engine.Newest(workflow).Steps.FirstOrDefault(s => s.Id == step);

    private static string? NullIfEmpty(string step) => step.Length == 0 ? null : step;
}
