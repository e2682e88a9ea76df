using Roster.Core.Calendars;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Live editing: enrollments follow what was published, first thing in a turn (EDT-06 to EDT-12).</content>
public sealed partial class Turn
{
    private readonly List<int> _following = [];
    private RefreshInput? _refreshed;

    private TurnResult DecideRefresh(RefreshInput input)
    {
        if (!_state.IsLive)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        _refreshed = input;
        if ((FindMissingOfLists() ?? BeginTurn()) is { } missing)
        {
            return missing;
        }

        if (input.List != 0)
        {
            RecomputeOne(input.List);
        }

        // A flip between the publish and this turn fires now (TRG-09).
        _isClockRound = input.ArmsSince != Timestamp.None;
        var result = RunRounds();
        return result.Status == TurnStatus.Applied && _entries.Count == 0 ? new TurnResult(TurnStatus.Nothing) : result;
    }

    /// <summary>A list got other criteria: this record is computed again, and what comes of it fires like any change (LST-05).</summary>
    private void RecomputeOne(int number)
    {
        var index = Array.FindIndex(_index.Lists, l => l.Info.Number == number);
        if (index >= 0)
        {
            _touchedLists.Clear();
            _touchedLists.Add(index);
            RecomputeTouched(_present);
        }
        else if (_state.IsMember(number) && _catalog.FindList(number) is null)
        {
            // A deleted list has no members (LST-06).
            Write(JournalEntry.ListChanged(number, hasJoined: false));
            _present.Lists.Add(number);
        }
    }

    /// <summary>Whether this turn re-checks all goals and exits of a workflow because of a publish (GOAL-12, SUP-05).</summary>
    private bool IsRechecked(CompiledWorkflow workflow) => _refreshed is { } refreshed && refreshed.Workflow == workflow.Number;

    private void Adapt()
    {
        for (var i = _state.Enrollments.Length - 1; i >= 0; i--)
        {
            var enrollment = _state.Enrollments[i];
            if (_catalog.FindWorkflow(enrollment.Workflow) is not { } newest)
            {
                End(i, _catalog.IsSequence(enrollment.Workflow) ? EndReason.SequenceDeleted : EndReason.WorkflowDeleted);
                continue;
            }

            if (enrollment.Version != newest.Version && (newest.Settings.PublishPolicy != PublishPolicy.Pinned || (IsRechecked(newest) && _refreshed!.MovesPinned)))
            {
                AdaptEnrollment(newest, enrollment);
            }
            if (_refreshed is { RecomputesDelays: true })
            {
                RecomputeDue(StepsOf(newest, _state.Enrollments[i]), _state.Enrollments[i]);
            }

            Resume(newest, _state.Enrollments[i]);
        }
    }

    /// <summary>What a pause held goes on when it is over, by the workflow's policy (EDT-05, DLY-17).</summary>
    private void Resume(CompiledWorkflow newest, in EnrollmentState enrollment)
    {
        if (enrollment.Phase != StepPhase.Held || newest.Identity.State == WorkflowState.Paused || !enrollment.DueAt.IsNone)
        {
            return;
        }

        var isLate = _now.Ms - enrollment.EnteredAt.Ms > newest.Settings.CatchUpGraceMs;
        if (isLate && newest.Settings.CatchUp == CatchUp.Spread)
        {
            var offset = (long)(KeyHash(enrollment, enrollment.Step, enrollment.Number) % (ulong)newest.Settings.CatchUpSpreadMs);
            Write(JournalEntry.StepHeld(enrollment.Workflow, enrollment.Version, enrollment.Number, enrollment.Step, _now.PlusMs(offset + 1)));
            return;
        }

        if (isLate && newest.Settings.CatchUp == CatchUp.Skip)
        {
            _late.Add(enrollment.Number);
        }

        MakeReady(enrollment.Number);
    }

    private void AdaptEnrollment(CompiledWorkflow newest, EnrollmentState enrollment)
    {
        var isEdited = newest.Former.IsEdited(enrollment.Version, enrollment.Step);
        Write(JournalEntry.EnrollmentAdapted(
            newest.Number, newest.Version, enrollment.Number, enrollment.Version, enrollment.Phase is StepPhase.Ready or StepPhase.Held ? 0 : enrollment.Step));
        if (newest.Settings.UnenrollIfNotMeeting && newest.Start.Criteria is { } criteria && AcceptsOr(criteria, enrollment.HasMatched) != enrollment.HasMatched)
        {
            // Nobody leaves by the publish itself (UNE-02).
            Write(JournalEntry.EnrollmentLatched(newest.Number, newest.Version, enrollment.Number, !enrollment.HasMatched, enrollment.GoalsHeld));
        }

        enrollment = _state.Enrollments[_state.FindEnrollment(enrollment.Number)];
        var step = newest.Find(enrollment.Step);
        switch (enrollment.Phase)
        {
            case StepPhase.Effect when step is not CompiledWorker:
                // A task in flight is not recalled; the enrollment moves on at its completion (EDT-10).
                break;
            case StepPhase.Held when enrollment.Step != 0 && step is null:
                Write(JournalEntry.StepHeld(newest.Number, newest.Version, enrollment.Number, newest.Moved.GetValueOrDefault(enrollment.Step)));
                break;
            case StepPhase.Delay:
                AdaptDelay(newest, enrollment, step, isEdited);
                break;
            case StepPhase.Wait:
                AdaptWait(newest, enrollment, step, isEdited);
                break;
            case StepPhase.Window or StepPhase.Anchor:
                AdaptMoved(newest, enrollment, step);
                break;
            default:
                break;
        }
    }

    /// <summary>The step is gone or of another kind: the enrollment goes on at its successor, or enters it anew (EDT-09, EDT-10).</summary>
    private void MoveOn(CompiledWorkflow newest, in EnrollmentState enrollment, CompiledStep? step)
    {
        var next = step?.Number ?? newest.Moved.GetValueOrDefault(enrollment.Step);
        Write(JournalEntry.StepMoved(newest.Number, newest.Version, enrollment.Number, enrollment.Step, next));
        _goesOn[enrollment.Number] = next;
        MakeReady(enrollment.Number);
    }

    /// <summary>
    /// The due instant of an edited delay is computed from the original start with the new setting; what is past goes on at once (EDT-08).
    /// One that was not edited stays due when it was, also when that no longer is what its property says (DLY-10): its timer has a turn of its own.
    /// </summary>
    private void AdaptDelay(CompiledWorkflow newest, in EnrollmentState enrollment, CompiledStep? step, bool isEdited)
    {
        if (step is not CompiledDelay delay)
        {
            MoveOn(newest, enrollment, step);
        }
        else if (isEdited)
        {
            GoOnAt(newest, enrollment, delay, DueOf(delay, enrollment.EnteredAt));
        }
    }

    /// <summary>The rules of a zone changed: a pending due instant is computed again from its local target (DLY-18).</summary>
    private void RecomputeDue(CompiledWorkflow steps, in EnrollmentState enrollment)
    {
        if (enrollment.Phase == StepPhase.Delay && steps.Find(enrollment.Step) is CompiledDelay delay && (delay.Property == 0 || delay.FollowsProperty))
        {
            GoOnAt(steps, enrollment, delay, DueOf(delay, enrollment.EnteredAt));
        }
        else if (enrollment.Phase is StepPhase.Window or StepPhase.Anchor)
        {
            MoveAgain(steps, enrollment);
        }
    }

    private void GoOnAt(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledDelay delay, DelayDue due)
    {
        if (due.IsMissed)
        {
            FinishStep(enrollment, StepResult.Skipped, 1, "missed", next: delay.MissedNext);
        }
        else if (due.At <= _now)
        {
            FinishStep(enrollment, StepResult.Success);
        }
        else if (due.At != enrollment.DueAt)
        {
            Write(JournalEntry.StepRescheduled(steps.Number, steps.Version, enrollment.Number, enrollment.Step, enrollment.Execution, due.At));
        }
    }

    private void AdaptWait(CompiledWorkflow newest, in EnrollmentState enrollment, CompiledStep? step, bool isEdited)
    {
        if (step is not CompiledWait wait)
        {
            MoveOn(newest, enrollment, step);
            return;
        }

        if (!isEdited)
        {
            return;
        }

        var due = wait.TimeoutMs == 0 ? Timestamp.None : enrollment.EnteredAt.PlusMs(wait.TimeoutMs);
        if (!due.IsNone && due <= _now)
        {
            FinishWait(enrollment, wait, isMet: false);
        }
        else if (due != enrollment.DueAt)
        {
            Write(JournalEntry.StepRescheduled(newest.Number, newest.Version, enrollment.Number, enrollment.Step, enrollment.Execution, due));
        }
    }

    /// <summary>A moved action is computed again with the new windows and offsets (WIN-08, EDT-12).</summary>
    private void AdaptMoved(CompiledWorkflow newest, in EnrollmentState enrollment, CompiledStep? step)
    {
        if (step is not { IsAction: true })
        {
            MoveOn(newest, enrollment, step);
            return;
        }

        MoveAgain(newest, enrollment);
    }

    private void MoveAgain(CompiledWorkflow steps, in EnrollmentState enrollment)
    {
        // From when it was moved, as at first: windows that are the same give the same instant.
        var opens = enrollment.Phase == StepPhase.Window && steps.Settings.Windows is { } windows
            ? windows.NextRun(enrollment.EnteredAt, KeyHash(enrollment, enrollment.Step, enrollment.Execution))
            : Timestamp.None;
        if (opens.IsNone || (opens <= _now && opens != enrollment.DueAt))
        {
            MakeReady(enrollment.Number);
        }
        else if (opens != enrollment.DueAt)
        {
            Write(JournalEntry.StepRescheduled(steps.Number, steps.Version, enrollment.Number, enrollment.Step, enrollment.Execution, opens));
        }
    }

    /// <summary>Delays and anchors that follow a property are due at another instant when it changed (DLY-10, SCH-07).</summary>
    private void FollowProperties()
    {
        if (_state.ChangedCount == 0)
        {
            return;
        }

        FollowRecurrences();
        _following.Clear();
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (enrollment.Phase is StepPhase.Delay or StepPhase.Anchor or StepPhase.Window
                && _catalog.FindWorkflow(enrollment.Workflow) is { } newest && IsFollowing(StepsOf(newest, enrollment), enrollment))
            {
                _following.Add(enrollment.Number);
            }
        }

        while (_following.Count > 0)
        {
            var number = TakeFirst(_following);
            var enrollment = _state.Enrollments[_state.FindEnrollment(number)];
            var steps = StepsOf(WorkflowOf(number)!, enrollment);
            if (enrollment.Phase == StepPhase.Delay && steps.Find(enrollment.Step) is CompiledDelay delay)
            {
                GoOnAt(steps, enrollment, delay, DueOf(delay, _now));
            }
            else
            {
                // It is entered again: run now, passed over, or due at another instant.
                MakeReady(number);
            }
        }
    }

    /// <summary>Whether an enrollment waits for an instant that a changed property moves.</summary>
    private bool IsFollowing(CompiledWorkflow steps, in EnrollmentState enrollment) => enrollment.Phase switch
    {
        StepPhase.Delay => steps.Find(enrollment.Step) is CompiledDelay { FollowsProperty: true } delay && HasChanged(delay.Property),
        StepPhase.Anchor or StepPhase.Window => steps.Find(enrollment.Step) is { At: not null } && steps.Start.Anchor is { Property: > 0 } anchor && HasChanged(anchor.Property),
        _ => false,
    };

    private bool HasChanged(int property)
    {
        for (var i = 0; i < _state.ChangedCount; i++)
        {
            if (_state.ChangedAt(i) == property)
            {
                return true;
            }
        }

        return false;
    }
}
