using Roster.Core.Workflows;

namespace Roster.Core.Tests.Workflows;

/// <summary>Lists that refer to lists, and workflows that use them (LST-04, LST-06).</summary>
public sealed class ListReferencesTests
{
    private static readonly Dictionary<string, CriteriaDefinition?> Lists = new(StringComparer.Ordinal)
    {
        ["plain"] = null,
        ["a"] = Define.All(Define.InList("plain"), Define.InList("b")),
        ["b"] = Define.Any(Define.Eq("stage", "lead"), Define.InList("c", negate: true)),
        ["c"] = Define.All(Define.Eq("stage", "lead")),
        ["x"] = Define.All(Define.InList("y")),
        ["y"] = Define.All(Define.InList("x")),
    };

    [Theory]
    [InlineData("c", "a", "c -> a -> b -> c")]
    [InlineData("b", "b", "b -> b")]
    [InlineData("new", "a", null)]
    [InlineData("new", "x", null)]
    [InlineData("new", "unknown", null)]
    [InlineData("a", "plain", null)]
    public void LST_04_A_circle_through_the_saved_list_is_found_and_named(string saved, string refersTo, string? circle) =>
        Assert.Equal(circle, ListReferences.FindCircle(saved, Define.All(Define.InList(refersTo)), id => Lists.GetValueOrDefault(id)));

    [Theory]
    [InlineData(WorkflowState.Draft, false)]
    [InlineData(WorkflowState.On, true)]
    [InlineData(WorkflowState.Off, false)]
    [InlineData(WorkflowState.Paused, true)]
    public void LST_06_A_list_is_held_by_a_workflow_that_is_on_or_paused_and_uses_it(WorkflowState state, bool expected)
    {
        var workflow = Define.Workflow("w", Define.OnFilter(Define.All(Define.InList("used"))), Define.AddTo("s", "filled")) with { SuppressionLists = ["blocked"] };
        Assert.All(["used", "filled", "blocked"], list => Assert.Equal(expected, ListReferences.IsHeldBy(list, state, workflow)));
        Assert.False(ListReferences.IsHeldBy("other", state, workflow));
    }
}
