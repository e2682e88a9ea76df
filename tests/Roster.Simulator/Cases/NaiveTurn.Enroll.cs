using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <content>Phase 8: considerations and decisions (sections 7 and 8).</content>
internal sealed partial class NaiveTurn
{
    /// <summary>What started a consideration.</summary>
    private sealed record Trigger(bool IsExplicit, bool IsNewRecord, bool IsRefined, bool IsReenrollment, bool IsFilter);

    private void Consider(bool isLast)
    {
        foreach (var workflow in engine.Workflows)
        {
            var trigger = FindTrigger(workflow);
            if (trigger is null)
            {
                continue;
            }

            var decision = Decide(workflow, trigger, isLast);
            if (decision == Decision.Enrolled)
            {
                Enroll(workflow);
            }
            else
            {
                Lines.Add(CaseWords.Refused(workflow, decision));
            }
        }
    }

    /// <summary>All triggers that fired count together (ENR-01); null when none did.</summary>
    private Trigger? FindTrigger(string workflow)
    {
        if (_present.Exists(c => c.Enroll == workflow))
        {
            return new Trigger(IsExplicit: true, IsNewRecord: false, IsRefined: true, IsReenrollment: false, IsFilter: false);
        }

        // TRG-04: only what is on or paused considers triggers.
        if (!engine.IsRunning(workflow))
        {
            return null;
        }

        var start = engine.Newest(workflow).Start!;
        return start.Kind switch
        {
            StartKind.Event => FindEvent(start),
            StartKind.Filter => FindFlip(start),
            _ => null,
        };
    }

    private Trigger? FindEvent(StartDefinition start)
    {
        var fired = _present.Where(c => c.Occurrence is not null)
            .SelectMany(c => start.Events.Where(t => Matches(t, c.Occurrence!)).Select(t => (Trigger: t, Occurrence: c.Occurrence!))).ToList();
        if (fired.Count == 0)
        {
            return null;
        }

        var open = fired.Where(f => !NeedsEarlierRecord(f.Trigger, f.Occurrence)).ToList();
        return new Trigger(
            IsExplicit: false, IsNewRecord: open.Count == 0, IsRefined: open.Exists(f => f.Trigger.OnlyIf is null || NaiveFilters.Holds(f.Trigger.OnlyIf, Now)),
            IsReenrollment: false, IsFilter: false);
    }

    /// <summary>REC-10: of the events of cases only the custom one needs a record that existed before.</summary>
    private bool NeedsEarlierRecord(EventTriggerDefinition trigger, NaiveOccurrence occurrence) =>
        trigger.EventType == "clicked" && trigger.AllowNewRecord != true && (_isNew || occurrence.OccurredAt < _record.CreatedAt);

    private Trigger? FindFlip(StartDefinition start)
    {
        var isReenrollment = start.Reenroll && start.ReenrollWhen.Any(Fires);
        if (!isReenrollment && !Became(start.Criteria!))
        {
            return null;
        }

        // REC-11: values set at creation.
        var isNewRecord = _isNew && _round == 0 && !start.FireOnCreate;
        return new Trigger(IsExplicit: false, isNewRecord, IsRefined: true, isReenrollment, IsFilter: true);
    }

    /// <summary>A re-enrollment trigger: its condition becomes true, a value is known anew, a list is joined again (REN-03, REN-04).</summary>
    private bool Fires(CriteriaDefinition criteria) => Became(criteria) || criteria.AnyOf.Any(group => NaiveFilters.Holds(group, Now) && group.AllOf.Any(IsAnew));

    private bool IsAnew(FilterDefinition filter) => filter switch
    {
        PropertyFilterDefinition { Operator: Operator.IsKnown } known => _record.Value(known.Property) != _before.Value(known.Property),
        ListFilterDefinition list => _present.Exists(c => c.Joined == list.ListId),
        _ => false,
    };

    /// <summary>The table of section 7, in its order.</summary>
    private Decision Decide(string workflow, Trigger trigger, bool isLast)
    {
        if (!engine.IsRunning(workflow))
        {
            return Decision.WorkflowOff;
        }

        var definition = engine.Newest(workflow);
        var start = definition.Start!;
        var summary = _record.Summaries.GetValueOrDefault(workflow);
        var wasEnrolled = summary is not null;
        return trigger.IsNewRecord ? Decision.NewRecord
            : !trigger.IsRefined ? Decision.RefinementNotMet
            : _record.Active.Exists(e => e.Workflow == workflow) ? Decision.AlreadyActive
            : wasEnrolled && !start.Reenroll ? Decision.ReenrollmentOff
            : wasEnrolled && trigger.IsFilter && !trigger.IsReenrollment ? Decision.ReenrollmentTriggerNotSelected
            : trigger.IsFilter && trigger.IsReenrollment && !NaiveFilters.Holds(start.Criteria!, Now) ? Decision.CriteriaNotMet
            : definition.SuppressionLists.Any(_record.Lists.Contains) ? Decision.Suppressed
            : definition.UnenrollWhen is { } when && NaiveFilters.Holds(when, Now) ? Decision.UnenrollmentTriggerMet
            : definition.Goals.Where((g, i) => IsExit(definition.Goals, i) && NaiveFilters.Holds(g.Criteria!, Now)).Any() ? Decision.GoalAlreadyMet
            : isLast || (summary?.EnrolledAt.Count(at => at > now - HourMs) ?? 0) >= engine.Settings.EnrollmentsPerHourMax ? Decision.LoopGuard
            : _record.Active.Count >= engine.Settings.ActiveEnrollmentsPerRecordMax ? Decision.LimitReached
            : Decision.Enrolled;
    }

    private void Enroll(string workflow)
    {
        var definition = engine.Newest(workflow);
        var enrollment = new NaiveEnrollment
        {
            Workflow = workflow,
            Number = ++_record.LastNumber,
            BeganAfter = engine.Sequence,
            Version = engine.Version(workflow),
            HasMatched = definition.UnenrollIfNotMeeting && NaiveFilters.Holds(definition.Start!.Criteria!, Now),
            GoalsHeld = [.. definition.Goals.Where((g, i) => !IsExit(definition.Goals, i) && NaiveFilters.Holds(g.Criteria!, Now)).Select(g => g.Id)],
        };
        if (!_record.Summaries.TryGetValue(workflow, out var summary))
        {
            _record.Summaries[workflow] = summary = new NaiveSummary();
        }

        summary.EnrolledAt.Add(now);
        summary.LastNumber = enrollment.Number;
        summary.LastEnd = EndReason.None;
        _record.Active.Add(enrollment);
        Lines.Add(CaseWords.Enrolled(workflow, enrollment.Number));
        Happen(_queued, "workflow_enrolled", now, new() { ["workflow"] = workflow });
        GoOn(enrollment, definition.FirstStep.Length > 0 ? definition.FirstStep : definition.Steps[0].Id);
        KickOut(definition);
    }

    /// <summary>UNE-05.</summary>
    private void KickOut(WorkflowDefinition definition)
    {
        foreach (var other in ActiveInOrder().Where(e => e.Workflow != definition.Id))
        {
            if (definition.UnenrollFromAll || definition.UnenrollFrom.Contains(other.Workflow))
            {
                End(other, EndReason.EnrolledInOther);
            }
        }
    }
}
