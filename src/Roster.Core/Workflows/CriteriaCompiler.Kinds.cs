using System.Collections.Immutable;
using Roster.Core.Filters;
using Roster.Core.Records;
using Roster.Core.Schema;

namespace Roster.Core.Workflows;

/// <content>Filters on lists, workflows, associated records and consent.</content>
public sealed partial class CriteriaCompiler
{
    private static readonly string[] ConsentStates = ["SUBSCRIBED", "UNSUBSCRIBED", "GRANTED", "NOT_GRANTED"];

    /// <summary>Where filters on associated records find the copies.</summary>
    internal CopyWalk Copies { get; init; } = CopiesOfState;

    private static bool CopiesOfState(RecordState state, int objectType, int label, ref int cursor, RecordState copy) =>
        state.NextCopy(objectType, label, ref cursor, copy);

    private ListFilter? CompileList(ListFilterDefinition filter, Place place)
    {
        var path = $"{place.Path}.list.listId";
        if (scope.FindList(filter.ListId) is not { } list)
        {
            Error(path, filter.ListId.Length == 0 ? "INCOMPLETE_FILTER" : "UNKNOWN_LIST", filter.ListId, $"There is no list '{Refusal.Cut(filter.ListId)}'.");
            return null;
        }

        if (list.ObjectType != place.Type.Number)
        {
            Error(path, "LIST_OF_OTHER_TYPE", filter.ListId, $"The members of list '{Refusal.Cut(filter.ListId)}' are not of type {place.Type.Name} (LST-01).");
            return null;
        }

        return new ListFilter(Label(place, filter), list.Id, list.Number, filter.Negate);
    }

    private WorkflowFilter? CompileWorkflow(WorkflowFilterDefinition filter, Place place)
    {
        var path = $"{place.Path}.workflow";
        if (filter.Status == WorkflowStatus.None || !Enum.IsDefined(filter.Status))
        {
            Error($"{path}.status", "UNKNOWN_STATUS", $"{(int)filter.Status}", "The status is ENROLLED, ACTIVE, COMPLETED or GOAL (FIL-35).");
            return null;
        }

        if (scope.FindWorkflow(filter.WorkflowId) is not { } workflow)
        {
            Error($"{path}.workflowId", filter.WorkflowId.Length == 0 ? "INCOMPLETE_FILTER" : "UNKNOWN_WORKFLOW", filter.WorkflowId, $"There is no workflow '{Refusal.Cut(filter.WorkflowId)}'.");
            return null;
        }

        if (workflow.ObjectType != place.Type.Number)
        {
            Error($"{path}.workflowId", "WORKFLOW_OF_OTHER_TYPE", filter.WorkflowId, $"The records of workflow '{Refusal.Cut(filter.WorkflowId)}' are not of type {place.Type.Name} (TRG-01).");
            return null;
        }

        var goal = filter.Status == WorkflowStatus.Goal ? FindGoal(filter, workflow, path) : 0;
        return goal < 0
            ? null
            : new WorkflowFilter(Label(place, filter), workflow.Id, workflow.Number, filter.Status, goal > 0 ? workflow.Goals[goal - 1] : string.Empty, goal, filter.Negate);
    }

    /// <summary>Number of the goal, from 1; the primary one when none is named; -1 when there is none (GOAL-09).</summary>
    private int FindGoal(WorkflowFilterDefinition filter, WorkflowInfo workflow, string path)
    {
        const int bits = 64;
        var index = filter.GoalId.Length == 0 ? 0 : workflow.Goals.ToImmutableArray().IndexOf(filter.GoalId);
        if (index >= 0 && index < Math.Min(bits, workflow.Goals.Count))
        {
            return index + 1;
        }

        Error($"{path}.goalId", "UNKNOWN_GOAL", filter.GoalId, $"Workflow '{Refusal.Cut(filter.WorkflowId)}' has no {(filter.GoalId.Length == 0 ? "goal" : $"goal '{Refusal.Cut(filter.GoalId)}'")}.");
        return -1;
    }

    private AssociatedFilter? CompileAssociated(AssociatedFilterDefinition filter, Place place)
    {
        var path = $"{place.Path}.associated";
        if (scope.Schema.FindObjectType(filter.ObjectType) is not { } otherType)
        {
            Error($"{path}.objectType", filter.ObjectType.Length == 0 ? "INCOMPLETE_FILTER" : "UNDECLARED_OBJECT_TYPE", filter.ObjectType, $"Object type '{Refusal.Cut(filter.ObjectType)}' is not declared.");
            return null;
        }

        if (filter.AllOf.Count == 0)
        {
            Error($"{path}.allOf", "INCOMPLETE_FILTER", string.Empty, "A filter on an associated record has at least one filter (ASC-01).");
        }

        var filters = CompileAll(filter.AllOf, new Place(place.Root, $"{place.Relative}.associated.allOf", otherType, IsCopy: true));
        int? label = filter.Label.Length == 0
            ? RecordState.AnyLabel
            : scope.Schema.FindLabel(filter.Label) is var number and >= 0 ? number : null;
        return new AssociatedFilter(Label(place, filter), otherType.Number, label, filters, place.IsCopy ? CopiesOfState : Copies);
    }

    /// <summary>The one exception from a single hop: line items behind the deals of a contact (ASC-03).</summary>
    private bool ReachesThrough(AssociatedFilterDefinition nested, Place place) =>
        scope.Schema.FindObjectType(nested.ObjectType) is { } behind && StandardObjectTypes.IsReachable(type.Number, place.Type.Number, behind.Number);

    private ConsentFilter? CompileConsent(ConsentFilterDefinition filter, Place place)
    {
        var path = $"{place.Path}.consent";
        if (filter.AnyOf.Count == 0 || filter.AnyOf.Count > ConsentStates.Length)
        {
            Error($"{path}.anyOf", "VALUE_COUNT", $"{filter.AnyOf.Count}", $"A consent filter accepts 1 to {ConsentStates.Length} states (FIL-34).");
            return null;
        }

        for (var i = 0; i < filter.AnyOf.Count; i++)
        {
            if (!ConsentStates.Contains(filter.AnyOf[i], StringComparer.Ordinal))
            {
                Error($"{path}.anyOf[{i}]", "UNDECLARED_OPTION", filter.AnyOf[i], $"'{Refusal.Cut(filter.AnyOf[i])}' is no state of a consent.");
                return null;
            }
        }

        if (filter.Subscription.Length == 0)
        {
            Error($"{path}.subscription", "INCOMPLETE_FILTER", string.Empty, "A consent filter names a subscription.");
            return null;
        }

        return FindProperty(Consents.PropertyOf(filter.Subscription), $"{path}.subscription", place.Type) is { } property
            ? new ConsentFilter(Label(place, filter), filter.Subscription, property, [.. filter.AnyOf])
            : null;
    }
}
