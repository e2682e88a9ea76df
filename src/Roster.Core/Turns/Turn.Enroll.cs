using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phase 8: considerations, and what becomes of them.</content>
public sealed partial class Turn
{
    private struct Consideration
    {
        public bool IsExplicit;
        public TriggerKind Trigger;
        public int Detail;
        public NamedValue[]? EventProperties;
        public bool IsNewRecordBarred;
        public bool IsEvaluationFailed;
        public bool IsRefinementFailed;
        public bool IsReenrollFired;
        public bool IsLastRound;
    }

    private void ConsiderAll(bool isLastRound)
    {
        CollectCandidates();
        for (var i = 0; i < _candidates.Count; i++)
        {
            var workflow = _catalog.Workflows[_candidates[i]];
            var consideration = new Consideration { IsLastRound = isLastRound };
            if (Fires(workflow, ref consideration))
            {
                var decision = CheckSafely(workflow, consideration, out var detail);
                Conclude(workflow, consideration, decision, detail);
            }
        }
    }

    /// <summary>All triggers that fired count together; a request by name comes before them (ENR-01).</summary>
    private bool Fires(CompiledWorkflow workflow, ref Consideration consideration)
    {
        var hasFired = workflow.IsEnrolling && workflow.ObjectType.Number == _state.ObjectType && workflow.Start.Kind switch
        {
            StartKind.Event => FiresByEvent(workflow, ref consideration),
            StartKind.Schedule => FiresByDate(workflow, ref consideration),
            _ => FiresByFilter(workflow, ref consideration),
        };
        if (hasFired && _isAbsorbing && _isFirstRound)
        {
            consideration.Trigger = TriggerKind.Merge;
        }

        foreach (var request in _present.Enrolls)
        {
            if (request.Workflow == workflow.Number)
            {
                consideration.IsExplicit = true;
                consideration.Trigger = request.Trigger;
                consideration.Detail = request.By;
                consideration.EventProperties = null;
                consideration.IsNewRecordBarred = false;
                consideration.IsEvaluationFailed = false;
                consideration.IsRefinementFailed = false;
                return true;
            }
        }

        return hasFired;
    }

    /// <summary>Event triggers are OR-ed; one that passes is enough (TRG-05, TRG-06, REC-10).</summary>
    private bool FiresByEvent(CompiledWorkflow workflow, ref Consideration consideration)
    {
        var hasFired = false;
        consideration.Trigger = TriggerKind.Event;
        foreach (var occurred in _present.Occurred)
        {
            foreach (var trigger in workflow.Start.Events)
            {
                if (!trigger.Fires(occurred, _now))
                {
                    continue;
                }

                Take(trigger, occurred, hasFired, ref consideration);
                hasFired = true;
            }
        }

        return hasFired;
    }

    /// <summary>
    /// Notes that an event trigger fired. Triggers count together: a check fails when it fails for each that passed the checks before it
    /// (ENR-01, ENR-02), so the one that gets furthest decides; of several that pass the latest.
    /// </summary>
    private void Take(CompiledEventTrigger trigger, in Occurred occurred, bool hasFired, ref Consideration consideration)
    {
        var isBarred = !trigger.AllowNewRecord && IsOfNewRecord(occurred);
        var isMet = TryAccept(trigger.OnlyIf);
        var failing = isBarred ? Decision.NewRecord : isMet is null ? Decision.EvaluationFailed : isMet == false ? Decision.RefinementNotMet : Decision.Enrolled;
        if (!hasFired || failing > FailingOfTrigger(consideration) || failing == Decision.Enrolled)
        {
            consideration.IsNewRecordBarred = isBarred;
            consideration.IsEvaluationFailed = isMet is null;
            consideration.IsRefinementFailed = isMet == false;
            consideration.Detail = occurred.EventType;
            consideration.EventProperties = occurred.Properties;
        }
    }

    /// <summary>The check of the trigger that fails; <see cref="Decision.Enrolled"/> for none.</summary>
    private static Decision FailingOfTrigger(in Consideration consideration) =>
        consideration.IsNewRecordBarred ? Decision.NewRecord
        : consideration.IsEvaluationFailed ? Decision.EvaluationFailed
        : consideration.IsRefinementFailed ? Decision.RefinementNotMet
        : Decision.Enrolled;

    /// <summary>Whether criteria hold; true without any, null when they cannot be judged (ENG-12).</summary>
    private bool? TryAccept(Criteria? criteria)
    {
        try
        {
            return criteria?.Accepts(Now) ?? true;
        }
        catch (EvaluationException)
        {
            return null;
        }
    }

    private bool IsOfNewRecord(in Occurred occurred) => occurred.IsEvent && (_isNewRecord || occurred.OccurredAt < _state.CreatedAt);

    /// <summary>Values set at creation fire filter triggers, unless the start says otherwise (REC-11).</summary>
    private bool IsBarredAsNew(CompiledStart start) => _isFirstRound && _isNewRecord && !start.FireOnCreate;

    /// <summary>Criteria that go from false to true, of the start or of a re-enrollment trigger (TRG-07, REN-02, REN-04, REN-07).</summary>
    private bool FiresByFilter(CompiledWorkflow workflow, ref Consideration consideration)
    {
        var start = workflow.Start;
        consideration.Trigger = TriggerKind.Filter;
        consideration.IsNewRecordBarred = IsBarredAsNew(start);
        try
        {
            // As if just created: what holds has become true (REC-14).
            var isAsNew = _isAbsorbing && _isFirstRound && workflow.Settings.EnrollOnMerge;
            var hasStarted = start.Criteria is not null && (isAsNew ? start.Criteria.Accepts(Now) : BecameTrue(start.Criteria));
            if (start.Reenroll)
            {
                foreach (var criteria in start.ReenrollWhen)
                {
                    consideration.IsReenrollFired |= BecameTrue(criteria) || (IsTouched(criteria) && criteria.HoldsForAnotherValue(Now)) || FiresAgain(criteria);
                }
            }

            return hasStarted || consideration.IsReenrollFired;
        }
        catch (EvaluationException)
        {
            consideration.IsEvaluationFailed = true;
            return true;
        }
    }

    /// <summary>A re-enrollment trigger fires on each occurrence that passes and on each join of a list, also when it held before (REN-03).</summary>
    private bool FiresAgain(Criteria criteria) =>
        (criteria.EventTypes.Count > 0 && LooksAtEvent(criteria) && criteria.HoldsForOccurrence(Now))
        || (criteria.Lists.Count > 0 && Shares(criteria.Lists, _present.Joined) && criteria.HoldsForJoin(Now, _present.Joined));

    /// <summary>An instant relative to a date of the record has come (SCH-01).</summary>
    private bool FiresByDate(CompiledWorkflow workflow, ref Consideration consideration)
    {
        consideration.Trigger = TriggerKind.Schedule;
        if (!_isClockRound || workflow.Start.Schedule is not { Dates: { } dates } schedule)
        {
            return false;
        }

        var due = dates.NextAfter(ValueOf(schedule.DateProperty), BeforeAt, workflow.Zone);
        return !due.IsNone && due <= _now && workflow.Runs(due, _now, workflow.Settings.CatchUpGraceMs);
    }

    private Value ValueOf(int property) => _state.TryGetProperty(property, isBefore: false, out var view) ? view.Value : Value.Unknown;

    private void Conclude(CompiledWorkflow workflow, in Consideration consideration, Decision decision, int detail)
    {
        if (decision == Decision.Enrolled && workflow.Settings.Sequence is { } sequence)
        {
            AskToEnroll(workflow, sequence, consideration);
            return;
        }

        if (_command is { Kind: CommandKind.Enroll } command && command.Target == workflow.Number && _decision == Decision.None)
        {
            _decision = decision;
            _enrollmentOfCommand = decision == Decision.Enrolled ? _state.LastEnrollment + 1 : 0;
        }

        if (decision != Decision.Enrolled)
        {
            Write(JournalEntry.Refused(workflow.Number, workflow.Version, consideration.Trigger, decision, detail));
            return;
        }

        var isFirst = !_state.TryGetSummary(workflow.Number, out var summary) || summary.TimesEnrolled == 0;
        var number = _state.LastEnrollment + 1;
        var kept = workflow.Settings.ReadsEventProperties ? consideration.EventProperties : null;
        Write(JournalEntry.Enrolled(workflow.Number, workflow.Version, number, consideration.Trigger, workflow.FirstStep, isFirst, consideration.Detail, kept));
        MakeReady(number);
        Latch(workflow, number);
        SetRecurrence(workflow);
        KickOut(workflow);
        QueueStatus(workflow.Number, _index.Types.Enrolled);
    }

    /// <summary>What the enrollment has to remember of its beginning: criteria that hold (UNE-02), goals that hold already (GOAL-02).</summary>
    private void Latch(CompiledWorkflow workflow, int enrollment)
    {
        var hasMatched = workflow.Settings.UnenrollIfNotMeeting && AcceptsSafely(workflow.Start.Criteria!);
        var held = 0UL;
        foreach (var goal in workflow.Goals)
        {
            held |= !goal.IsExit && AcceptsSafely(goal.Criteria) ? goal.Bit : 0;
        }

        if (workflow.Settings.UnenrollWhen is { } unenroll)
        {
            // They were just found not to hold: from here on they are watched.
            Remember(unenroll, holds: false);
        }

        if (hasMatched || held != 0)
        {
            Write(JournalEntry.EnrollmentLatched(workflow.Number, workflow.Version, enrollment, hasMatched, held));
        }
    }

    /// <summary>At the moment a record is enrolled it leaves the workflows that are named (UNE-05).</summary>
    private void KickOut(CompiledWorkflow workflow)
    {
        if (!workflow.Settings.UnenrollFromAll && workflow.Settings.UnenrollFrom.Length == 0)
        {
            return;
        }

        _exits.Clear();
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (enrollment.Workflow != workflow.Number && !_catalog.IsSequence(enrollment.Workflow) && (workflow.Settings.UnenrollFromAll || workflow.Settings.UnenrollFrom.Contains(enrollment.Workflow)))
            {
                _exits.Add(enrollment.Number);
            }
        }

        while (_exits.Count > 0)
        {
            End(_state.FindEnrollment(TakeFirst(_exits)), EndReason.EnrolledInOther, workflow.Number);
        }
    }
}
