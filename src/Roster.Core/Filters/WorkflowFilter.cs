using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Filters;

/// <summary>What the record did in a workflow (FIL-35).</summary>
internal sealed class WorkflowFilter : Filter
{
    private readonly string _id;
    private readonly int _number;
    private readonly WorkflowStatus _status;
    private readonly string _goal;
    private readonly ulong _goalBit;
    private readonly bool _isNegated;

    /// <param name="label">The label.</param>
    /// <param name="id">Id of the workflow.</param>
    /// <param name="number">Its number.</param>
    /// <param name="status">What is asked.</param>
    /// <param name="goal">For goals: the id of the goal.</param>
    /// <param name="goalNumber">For goals: its number, from 1 to 64.</param>
    /// <param name="isNegated">Whether who does not is accepted.</param>
    public WorkflowFilter(FilterLabel label, string id, int number, WorkflowStatus status, string goal, int goalNumber, bool isNegated)
        : base(label)
    {
        _id = id;
        _number = number;
        _status = status;
        _goal = goal;
        _goalBit = status == WorkflowStatus.Goal ? 1UL << (goalNumber - 1) : 0;
        _isNegated = isNegated;
    }

    public override bool Accepts(in Judging judging) => Holds(judging.IsBefore ? judging.State.Before : judging.State) != _isNegated;

    public override void AddNeeds(CriteriaNeeds needs)
    {
        needs.Workflows.Add(_number);
        needs.NeedsWhole = true;
    }

    public override string Actual(in Judging judging)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        if (!state.TryGetSummary(_number, out var summary))
        {
            return "never enrolled";
        }

        var active = state.FindActive(_number) >= 0 ? ", active" : string.Empty;
        var goal = _status == WorkflowStatus.Goal ? (summary.GoalsMet & _goalBit) != 0 ? $", goal {_goal} met" : $", goal {_goal} not met" : string.Empty;
        return $"enrolled {Times(summary.TimesEnrolled)}, completed {Times(summary.TimesCompleted)}{active}{goal}";
    }

    public override string Change(in Judging judging, bool isWanted) => (_status, isWanted != _isNegated) switch
    {
        (WorkflowStatus.Enrolled or WorkflowStatus.Active, true) => $"enroll in workflow {_id}",
        (WorkflowStatus.Completed, true) => $"complete workflow {_id}",
        (WorkflowStatus.Goal, true) => $"meet goal {_goal} of workflow {_id}",
        (WorkflowStatus.Active, false) => $"end the enrollment in workflow {_id}",
        _ => $"nothing can undo what happened in workflow {_id}",
    };

    private bool Holds(RecordState state) => _status switch
    {
        WorkflowStatus.Active => state.FindActive(_number) >= 0,
        WorkflowStatus.Enrolled => state.TryGetSummary(_number, out var summary) && summary.TimesEnrolled > 0,
        WorkflowStatus.Completed => state.TryGetSummary(_number, out var summary) && summary.TimesCompleted > 0,
        WorkflowStatus.Goal => state.TryGetSummary(_number, out var summary) && (summary.GoalsMet & _goalBit) != 0,
        _ => throw new InvalidOperationException($"Workflow status {_status} has no meaning; the compiler should have refused it."),
    };

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";
}
