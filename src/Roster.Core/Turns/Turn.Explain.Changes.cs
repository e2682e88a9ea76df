using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>The smallest change that would enroll a record (HIS-07).</content>
public sealed partial class Turn
{
    private const string ByHand = "enroll the record by hand";

    private EnrollmentExplanation AddChanges(EnrollmentExplanation explanation, CompiledWorkflow workflow)
    {
        var blockers = new List<string>();
        var isPossible = true;
        AddSwitch(explanation, workflow, blockers, out var considersExisting);
        foreach (var check in explanation.Checks.Where(c => !c.Passes))
        {
            isPossible &= AddBlocker(check.Decision, explanation, workflow, blockers);
        }

        return explanation with { Blockers = blockers, Trigger = considersExisting ? [] : FindTrigger(explanation, workflow), IsPossible = isPossible };
    }

    /// <summary>
    /// The version must be in force and the workflow on. Criteria that hold already are no change then (TRG-07), but the job of existing
    /// records looks at them (TRG-08).
    /// </summary>
    private void AddSwitch(EnrollmentExplanation explanation, CompiledWorkflow workflow, List<string> blockers, out bool considersExisting)
    {
        // Turning on publishes what was never published.
        var inForce = _catalog.FindWorkflow(workflow.Number);
        var needsPublish = inForce is null ? workflow.IsEnrolling : inForce.Version != workflow.Version;
        considersExisting = (needsPublish || !workflow.IsEnrolling) && workflow.CanEnrollExisting && !WasEnrolled(workflow) && explanation.Start.All(c => c.Criteria.Accepts);
        if (needsPublish)
        {
            var withExisting = considersExisting && workflow.IsEnrolling ? " with enroll_existing" : string.Empty;
            blockers.Add(workflow.Version == 0 ? $"publish the draft{withExisting}" : $"publish what version {workflow.Version} says{withExisting}");
        }

        if (!workflow.IsEnrolling)
        {
            blockers.Add(considersExisting ? "switch the workflow on with enroll_existing" : "switch the workflow on");
        }
    }

    /// <summary>What takes a failed check out of the way; false when nothing does.</summary>
    private bool AddBlocker(Decision check, EnrollmentExplanation explanation, CompiledWorkflow workflow, List<string> blockers)
    {
        switch (check)
        {
            case Decision.RecordGone:
                blockers.Add(_state.Exists ? "restore the record" : "create the record");
                return !_state.Exists || _state.Gone == GoneKind.Deleted;
            case Decision.NewRecord:
                blockers.Add("create the record first, and let a trigger fire after that");
                return true;
            case Decision.EvaluationFailed:
                blockers.Add("correct the criteria that cannot be judged");
                return true;
            case Decision.SenderNotConnected:
                blockers.Add($"connect the inbox of {workflow.Settings.Sequence!.Owner}");
                return true;
            case Decision.AlreadyActive when workflow.IsSequence:
                blockers.Add($"end the active enrollment, number {_state.Enrollments[FindActiveSequence()].Number}, in sequence {_catalog.FindWorkflow(_state.Enrollments[FindActiveSequence()].Workflow)?.Identity.Id}");
                return true;
            case Decision.NoAddress or Decision.Bounced:
                blockers.Add($"set {workflow.Settings.Sequence!.Address.Name}");
                return true;
            case Decision.OptedOut:
                blockers.Add($"set {workflow.Settings.Sequence!.Consent.Name} to SUBSCRIBED");
                return true;
            case Decision.AlreadyActive:
                blockers.Add($"end the active enrollment, number {_state.Enrollments[_state.FindActive(workflow.Number)].Number}");
                return true;
            case Decision.ReenrollmentOff:
                blockers.Add("switch re-enrollment on");
                return true;
            case Decision.Suppressed:
                blockers.AddRange(MemberLists(workflow).Select(LeaveSentence));
                return true;
            case Decision.UnenrollmentTriggerMet:
                return AddStop(explanation.UnenrollWhen!, "the unenrollment triggers", blockers);
            case Decision.GoalAlreadyMet:
                return explanation.Goals.Where(g => g.IsExit && g.Criteria.Criteria.Accepts).ToList().TrueForAll(g => AddStop(g.Criteria, $"goal {g.Id}", blockers));
            case Decision.AnchorUnknown:
                blockers.Add($"set {PropertyName(workflow, workflow.Start.Anchor!.Property)}");
                return true;
            case Decision.LoopGuard:
                blockers.Add($"wait until {TextOf(NextRoomInHour(workflow))}");
                return true;
            case Decision.LimitReached:
                blockers.Add(IsTenantFull
                    ? "end other active enrollments of the tenant, or raise active_enrollments_max"
                    : "end another active enrollment of the record, or raise active_enrollments_per_record_max");
                return true;
            default:
                // The switch is told first; criteria, refinements and triggers come last, since they must fire when nothing else is in the way.
                return true;
        }
    }

    private string LeaveSentence(int list) => _catalog.FindList(list) is { Criteria: not null } ? $"stop to meet the criteria of list {ListName(list)}" : $"leave list {ListName(list)}";

    private static bool AddStop(PlacedCriteria criteria, string what, List<string> blockers)
    {
        if (criteria.Criteria.SmallestStop.Count > 0)
        {
            blockers.Add($"{what} must stop to hold: {string.Join("; ", criteria.Criteria.SmallestStop)}");
        }

        return criteria.Criteria.SmallestStop.Count > 0;
    }

    /// <summary>When so many enrollments are more than 60 minutes old that there is room for another (ENG-09).</summary>
    private Timestamp NextRoomInHour(CompiledWorkflow workflow)
    {
        _state.TryGetSummary(workflow.Number, out var summary);
        var times = summary.RecentEnrollments ?? [summary.LastEnrolledAt];
        return times[^_catalog.Schema.Settings.EnrollmentsPerHourMax].PlusMs(HourMs);
    }

    /// <summary>What must happen so that a trigger fires and the criteria hold.</summary>
    private List<string> FindTrigger(EnrollmentExplanation explanation, CompiledWorkflow workflow) => workflow.Start.Kind switch
    {
        StartKind.Event => FindEvent(explanation, workflow),
        StartKind.Schedule => FindRun(explanation, workflow),
        StartKind.Filter or StartKind.DateAnchor => WasEnrolled(workflow) ? FindReenrollment(explanation, workflow) : FindFlip(explanation, workflow),
        _ => [ByHand],
    };

    private static List<string> FindEvent(EnrollmentExplanation explanation, CompiledWorkflow workflow)
    {
        if (explanation.Checks.All(c => c.Passes || c.Decision != Decision.RefinementNotMet))
        {
            return [workflow.Start.Events.Length == 1
                ? $"this must happen: {explanation.EventTriggers[0]}"
                : $"one of these must happen: {string.Join("; ", explanation.EventTriggers)}"];
        }

        // No "only if" holds, so every trigger has one.
        var easiest = Enumerable.Range(0, explanation.Start.Count).Where(i => explanation.Start[i].Criteria.SmallestChange.Count > 0)
            .OrderBy(i => explanation.Start[i].Criteria.SmallestChange.Count).Select(i => (int?)i).FirstOrDefault();
        return easiest is { } best
            ? [.. explanation.Start[best].Criteria.SmallestChange, $"this must happen: {explanation.EventTriggers[best]}"]
            : [ByHand];
    }

    private List<string> FindRun(EnrollmentExplanation explanation, CompiledWorkflow workflow)
    {
        var schedule = workflow.Start.Schedule!;
        var next = schedule.Runs?.NextAfter(_now) ?? schedule.Dates!.NextAfter(ValueOf(schedule.DateProperty), _now, workflow.Zone);
        if (!TryMeet(explanation, out var needed) || (next.IsNone && schedule.Dates is null))
        {
            return [ByHand];
        }

        return [.. needed, next.IsNone ? $"set {PropertyName(workflow, schedule.DateProperty)} so that its run is still to come" : $"wait for the run at {TextOf(next)}"];
    }

    /// <summary>The first enrollment by criteria: they must become true.</summary>
    private static List<string> FindFlip(EnrollmentExplanation explanation, CompiledWorkflow workflow)
    {
        if (explanation.Start.Count == 0 || !TryMeet(explanation, out var needed))
        {
            return [ByHand];
        }

        if (needed.Count > 0)
        {
            return [.. needed];
        }

        var orAgain = workflow.Start.Reenroll && workflow.Start.ReenrollWhen.Length > 0 ? ", or let a re-enrollment trigger fire (REN-07)" : string.Empty;
        return [$"the criteria hold already: they must stop to hold and hold again (TRG-07){orAgain}, or {ByHand}"];
    }

    /// <summary>The next enrollment: a re-enrollment trigger must fire while the criteria of the start hold (REN-02).</summary>
    private static List<string> FindReenrollment(EnrollmentExplanation explanation, CompiledWorkflow workflow)
    {
        if (workflow.Start.ReenrollWhen.Length == 0 || !TryMeet(explanation, out var needed))
        {
            return [ByHand];
        }

        var easiest = explanation.ReenrollWhen.Where(c => c.Criteria.SmallestChange.Count > 0).MinBy(c => c.Criteria.SmallestChange.Count);
        if (easiest is not null)
        {
            return [.. needed.Concat(easiest.Criteria.SmallestChange).Distinct()];
        }

        return explanation.ReenrollWhen.FirstOrDefault(c => c.Criteria.Accepts) is { } held
            ? [.. needed, $"{held.Path} holds already: it must stop to hold and hold again (an event in it must happen again, IS_KNOWN needs another value), or {ByHand}"]
            : [ByHand];
    }

    /// <summary>What makes the criteria of the start hold; false when nothing can.</summary>
    private static bool TryMeet(EnrollmentExplanation explanation, out IReadOnlyList<string> needed)
    {
        var failing = explanation.Start.FirstOrDefault(c => !c.Criteria.Accepts);
        needed = failing?.Criteria.SmallestChange ?? [];
        return failing is null || needed.Count > 0;
    }
}
