using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Delays, windows, anchors: when a step goes on by itself.</content>
public sealed partial class Turn
{
    /// <summary>Enrollments whose timer is later than the grace of their workflow: their actions are skipped in this turn (DLY-17).</summary>
    private readonly HashSet<int> _late = [];

    private DelayDue DueOf(CompiledDelay delay, Timestamp start) =>
        delay.Timing.Due(start, delay.Zone.Of(_state), _catalog.Business, delay.Property == 0 ? Value.Unknown : ValueOf(delay.Property));

    private int? EnterDelay(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledDelay delay, int execution)
    {
        var due = DueOf(delay, _now);
        if (due.IsMissed || due.At <= _now)
        {
            Entered(steps, enrollment, delay, execution, Timestamp.None);
            Finished(steps, enrollment, delay, execution, due.IsMissed ? StepResult.Skipped : StepResult.Success, due.IsMissed ? 1 : 0, due.IsMissed ? "missed" : null);
            return due.IsMissed ? delay.MissedNext : delay.Next;
        }

        Entered(steps, enrollment, delay, execution, due.At, StepPhase.Delay);
        return null;
    }

    /// <summary>The timer of a step is due: a delay is over, a wait has timed out, an action may run.</summary>
    private void FireStep(in EnrollmentState enrollment, Timestamp due)
    {
        var number = enrollment.Number;
        var newest = _catalog.FindWorkflow(enrollment.Workflow);
        if (newest is not null && _now.Ms - due.Ms > newest.Settings.CatchUpGraceMs && !CatchUpWith(newest, enrollment))
        {
            return;
        }

        switch (enrollment.Phase)
        {
            case StepPhase.Wait:
                var wait = newest is null ? null : StepsOf(newest, enrollment).Find(enrollment.Step) as CompiledWait;
                FinishWait(enrollment, wait, isMet: false);
                break;
            case StepPhase.Window or StepPhase.Anchor or StepPhase.Slot or StepPhase.Held:
                MakeReady(number);
                break;
            default:
                FinishStep(enrollment, StepResult.Success);
                break;
        }
    }

    /// <summary>A timer that is too late, by the workflow's policy (DLY-17); false when it is moved and does not fire now.</summary>
    private bool CatchUpWith(CompiledWorkflow workflow, in EnrollmentState enrollment)
    {
        switch (workflow.Settings.CatchUp)
        {
            case CatchUp.Skip:
                _late.Add(enrollment.Number);
                return true;
            case CatchUp.Spread:
                var offset = (long)(KeyHash(enrollment, enrollment.Step, enrollment.Execution) % (ulong)workflow.Settings.CatchUpSpreadMs);
                Write(JournalEntry.StepRescheduled(
                    enrollment.Workflow, enrollment.Version, enrollment.Number, enrollment.Step, enrollment.Execution, _now.PlusMs(offset + 1)));
                return false;
            default:
                return true;
        }
    }

    /// <summary>Hash of the effect key (ACT-03), for spreading.</summary>
    private ulong KeyHash(in EnrollmentState enrollment, int step, int execution) =>
        StableHash.Hash64(StableHash.Hash64((ulong)_state.Number, (ulong)enrollment.Number), StableHash.Hash64((ulong)step, (ulong)execution));

    /// <summary>
    /// Whether an action must wait: for its instant in a date-anchored workflow, then for a window. Null: it may run now. Otherwise what
    /// becomes of the enrollment: null inside when it waits, a step when the action is passed over.
    /// </summary>
    private (bool Waits, int? Next) WaitForInstant(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, int execution, bool isEntered)
    {
        var (isPassed, instant) = InstantOf(steps, enrollment, step);
        if (isPassed)
        {
            if (!isEntered)
            {
                Entered(steps, enrollment, step, execution, Timestamp.None);
            }

            Finished(steps, enrollment, step, execution, StepResult.SkippedPast);
            return (true, step.Next);
        }

        if (instant > _now)
        {
            MoveAction(steps, enrollment, step, execution, instant, StepPhase.Anchor, isEntered);
            return (true, null);
        }

        var windows = steps.Settings.Windows;
        if (windows is null || windows.IsAlways || windows.IsOpen(_now))
        {
            return (false, null);
        }

        // Nothing opens for long: it is looked at again then, since an action never runs outside its windows (WIN-05).
        var opens = windows.NextRun(_now, KeyHash(enrollment, step.Number, execution));
        opens = opens.IsNone ? _now.PlusMs(ExecutionWindows.HorizonDays * DayMs) : opens;
        MoveAction(steps, enrollment, step, execution, opens, StepPhase.Window, isEntered);
        return (true, null);
    }

    /// <summary>An action waits for an instant. It is entered once, whatever it waits for one after the other (MET-02).</summary>
    private void MoveAction(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, int execution, Timestamp at, StepPhase phase, bool isEntered)
    {
        if (!isEntered)
        {
            Entered(steps, enrollment, step, execution, at, phase);
        }
        else if (at != enrollment.DueAt || phase != enrollment.Phase)
        {
            Write(JournalEntry.StepRescheduled(steps.Number, steps.Version, enrollment.Number, step.Number, execution, at, phase == enrollment.Phase ? StepPhase.Ready : phase));
        }
    }

    /// <summary>The instant of an action of a date-anchored workflow (SCH-06); passed when it is before the enrollment (SCH-08).</summary>
    private (bool IsPassed, Timestamp At) InstantOf(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step)
    {
        if (step.At is not { } offset || steps.Start.Anchor is not { } anchor || AnchorOf(steps, anchor, enrollment.EnrolledAt) is not { } date)
        {
            return (false, _now);
        }

        var at = AnchorTiming.InstantOf(date, offset.OffsetDays, offset.Time, steps.Zone);
        return (at < enrollment.EnrolledAt, at);
    }

    private LocalDate? AnchorOf(CompiledWorkflow workflow, CompiledAnchor anchor) => AnchorOf(workflow, anchor, _now);

    /// <summary>The date that steps are relative to: with annual recurrence the first one, year ignored, of which a step is still ahead.</summary>
    private LocalDate? AnchorOf(CompiledWorkflow workflow, CompiledAnchor anchor, Timestamp from) => WrittenAnchor(workflow, anchor) is not { } date
        ? null
        : anchor.RecurAnnually ? AnchorTiming.NextAnchor(date, LocalTimes.Of(from, workflow.Zone).Date.PlusDays(-anchor.LastOffsetDays)) : date;

    private LocalDate? WrittenAnchor(CompiledWorkflow workflow, CompiledAnchor anchor)
    {
        var date = anchor.Date;
        if (anchor.Property != 0)
        {
            var value = ValueOf(anchor.Property);
            date = value.Type switch
            {
                PropertyType.Date => value.Date,
                PropertyType.DateTime => LocalTimes.Of(value.DateTime, workflow.Zone).Date,
                _ => null,
            };
        }

        return date;
    }

    /// <summary>Annual recurrence enrolls again by itself, at the start of the day of next year's first step (SCH-09).</summary>
    private void SetRecurrence(CompiledWorkflow workflow)
    {
        if (workflow.Start.Anchor is { RecurAnnually: true } anchor && WrittenAnchor(workflow, anchor) is { } written && AnchorOf(workflow, anchor) is { } present)
        {
            var at = AnchorTiming.RecurrenceAt(written, present.Year, anchor.FirstOffsetDays, workflow.Zone, _now);
            Write(JournalEntry.RecurrenceSet(workflow.Number, workflow.Version, at));
        }
    }

    private void FireRecurrence(Timestamp due)
    {
        foreach (ref readonly var summary in _state.Summaries)
        {
            if (summary.RecurrenceAt != due)
            {
                continue;
            }

            var workflow = _catalog.FindWorkflow(summary.Workflow);
            Write(JournalEntry.RecurrenceSet(summary.Workflow, workflow?.Version ?? 0, Timestamp.None));
            if (workflow is { Start.Anchor.RecurAnnually: true })
            {
                SetRecurrence(workflow);
                if (workflow.IsEnrolling)
                {
                    _present.Enrolls.Add(new Request(workflow.Number, TriggerKind.Recurrence, 0));
                }
            }

            return;
        }
    }

    /// <summary>The anchor changed: the recurrence of the same year is at another instant. One that is cleared may still come back by then.</summary>
    private void FollowRecurrences()
    {
        for (var i = 0; i < _state.Summaries.Length; i++)
        {
            var summary = _state.Summaries[i];
            if (summary.RecurrenceAt.IsNone || _catalog.FindWorkflow(summary.Workflow) is not { Start.Anchor: { RecurAnnually: true } anchor } workflow
                || !HasChanged(anchor.Property) || WrittenAnchor(workflow, anchor) is not { } written)
            {
                continue;
            }

            var year = LocalTimes.Of(summary.RecurrenceAt, workflow.Zone).Date.PlusDays(-anchor.FirstOffsetDays).Year;
            var at = AnchorTiming.RecurrenceAt(written, year - 1, anchor.FirstOffsetDays, workflow.Zone, _now);
            if (at != summary.RecurrenceAt)
            {
                Write(JournalEntry.RecurrenceSet(workflow.Number, workflow.Version, at));
            }
        }
    }
}
