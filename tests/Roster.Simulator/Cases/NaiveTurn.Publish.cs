using Roster.Core.Journal;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <content>First thing in a turn: enrollments follow what was published, and what a pause held goes on (section 23).</content>
internal sealed partial class NaiveTurn
{
    private void Adapt()
    {
        foreach (var enrollment in ActiveInOrder())
        {
            var workflow = enrollment.Workflow;
            if (enrollment.Version != engine.Version(workflow))
            {
                Adapt(enrollment, engine.OfVersion(workflow, enrollment.Version), engine.Newest(workflow));
                enrollment.Version = engine.Version(workflow);
            }

            if (enrollment.Standing == Standing.Held && engine.StateOf(workflow) != WorkflowState.Paused)
            {
                GoOn(enrollment, enrollment.Step);
            }
        }
    }

    private void Adapt(NaiveEnrollment enrollment, WorkflowDefinition old, WorkflowDefinition newest)
    {
        if (newest.UnenrollIfNotMeeting)
        {
            // Nobody leaves by the publish itself (UNE-02).
            enrollment.HasMatched = NaiveFilters.Holds(newest.Start!.Criteria!, Now);
        }

        var id = enrollment.Step;
        if (enrollment.Standing is Standing.Task or Standing.Ready || id is null)
        {
            return;
        }

        var before = old.Steps.First(s => s.Id == id);
        var after = newest.Steps.FirstOrDefault(s => s.Id == id);
        if (after is null)
        {
            Move(enrollment, id);
        }
        else if (enrollment.Standing == Standing.Held)
        {
            return;
        }
        else if (after.GetType() != before.GetType())
        {
            // A step that keeps its id but changes its kind is entered anew (EDT-10).
            GoOn(enrollment, id);
        }
        else if (after is DelayStepDefinition delay && IsEdited(delay, (DelayStepDefinition)before, newest.TimeZone != old.TimeZone))
        {
            AdaptDelay(enrollment, delay);
        }
        else if (after is WaitStepDefinition wait && wait.Timeout != ((WaitStepDefinition)before).Timeout)
        {
            AdaptTimeout(enrollment, wait);
        }
    }

    private static bool IsEdited(DelayStepDefinition after, DelayStepDefinition before, bool hasOtherZone) => after.Delay != before.Delay || hasOtherZone;

    /// <summary>Occupants of a removed step go to its surviving successor (EDT-09).</summary>
    private void Move(NaiveEnrollment enrollment, string id)
    {
        if (enrollment.Standing == Standing.Held)
        {
            enrollment.Step = Surviving(enrollment.Workflow, id);
            Lines.Add(CaseWords.Held(enrollment.Workflow, enrollment.Number, enrollment.Step ?? "end"));
        }
        else
        {
            GoOn(enrollment, Surviving(enrollment.Workflow, id));
        }
    }

    /// <summary>Due again from the original start; what is past goes on at once (EDT-08).</summary>
    private void AdaptDelay(NaiveEnrollment enrollment, DelayStepDefinition delay)
    {
        var due = DueAt(enrollment.Workflow, delay, enrollment.EnteredAt);
        if (due > now)
        {
            enrollment.DueAt = due;
        }
        else if (due >= enrollment.EnteredAt)
        {
            Leave(enrollment, nameof(StepResult.Success), NullIfEmpty(delay.Next));
        }
        else
        {
            Leave(enrollment, nameof(StepResult.Skipped), Missed(delay));
        }
    }

    private void AdaptTimeout(NaiveEnrollment enrollment, WaitStepDefinition wait)
    {
        var due = wait.Timeout is { } timeout ? enrollment.EnteredAt + (long)timeout.TotalMilliseconds : (long?)null;
        if (due <= now)
        {
            Leave(enrollment, "met=false", NullIfEmpty(wait.TimeoutNext.Length > 0 ? wait.TimeoutNext : wait.Next));
        }
        else
        {
            enrollment.DueAt = due;
        }
    }

    /// <summary>Along the connections of the last version that had the step, to the first one that still exists; null for the end.</summary>
    private string? Surviving(string workflow, string step)
    {
        var newest = engine.Newest(workflow);
        var old = Enumerable.Range(1, engine.Version(workflow)).Select(v => engine.OfVersion(workflow, v)).Last(v => v.Steps.Any(s => s.Id == step));
        var seen = new HashSet<string>();
        while (step.Length > 0 && seen.Add(step))
        {
            if (newest.Steps.Any(s => s.Id == step))
            {
                return step;
            }

            step = old.Steps.First(s => s.Id == step) switch
            {
                BranchStepDefinition branch => branch.DefaultNext.Length > 0 ? branch.DefaultNext : branch.Branches[0].Next,
                ValueBranchStepDefinition branch => branch.DefaultNext.Length > 0 ? branch.DefaultNext : branch.Cases[0].Next,
                SplitStepDefinition split => split.Paths[0].Next,
                GoToStepDefinition goTo => goTo.Step,
                WaitStepDefinition wait => wait.TimeoutNext.Length > 0 ? wait.TimeoutNext : wait.Next,
                var other => other.Next,
            };
        }

        return null;
    }
}
