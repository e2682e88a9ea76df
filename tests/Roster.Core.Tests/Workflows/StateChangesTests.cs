using Roster.Core.Workflows;

namespace Roster.Core.Tests.Workflows;

/// <summary>The switch of a workflow (EDT-01).</summary>
public sealed class StateChangesTests
{
    private static readonly WorkflowState[] States = [WorkflowState.Draft, WorkflowState.On, WorkflowState.Off, WorkflowState.Paused];

    [Theory]
    [InlineData(WorkflowState.Draft, "On")]
    [InlineData(WorkflowState.On, "Off Paused")]
    [InlineData(WorkflowState.Off, "On")]
    [InlineData(WorkflowState.Paused, "On Off")]
    public void EDT_01_The_allowed_changes_of_state_are_these_and_no_others(WorkflowState from, string allowed) =>
        Assert.Equal(allowed, string.Join(' ', States.Where(to => to != from && StateChanges.IsAllowed(from, to))));

    [Fact]
    public void EDT_01_A_switch_to_the_present_state_is_allowed() => Assert.All(States, s => Assert.True(StateChanges.IsAllowed(s, s)));
}
