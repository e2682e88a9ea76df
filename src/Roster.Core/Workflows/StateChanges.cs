namespace Roster.Core.Workflows;

/// <summary>Which switches of a workflow are allowed (EDT-01).</summary>
public static class StateChanges
{
    /// <summary>
    /// Whether a workflow in one state may be switched to another: draft to on, on to off or paused, off to on, paused to on or off. To the
    /// state that it is in it always may: nothing changes.
    /// </summary>
    public static bool IsAllowed(WorkflowState from, WorkflowState to) => from == to
        || (from, to) is (WorkflowState.Draft, WorkflowState.On)
            or (WorkflowState.On, WorkflowState.Off or WorkflowState.Paused)
            or (WorkflowState.Off, WorkflowState.On)
            or (WorkflowState.Paused, WorkflowState.On or WorkflowState.Off);
}
