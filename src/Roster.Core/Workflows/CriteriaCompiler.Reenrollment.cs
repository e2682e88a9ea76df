using Roster.Core.Filters;

namespace Roster.Core.Workflows;

/// <content>What may not be a re-enrollment trigger (REN-06).</content>
public sealed partial class CriteriaCompiler
{
    /// <summary>
    /// Reports each filter that may not be in a re-enrollment trigger. The list is closed (REN-06). A negated group, event or list filter is
    /// a negative operator; filters on event properties are held to the same list.
    /// </summary>
    /// <param name="definition">The criteria of the re-enrollment trigger.</param>
    /// <param name="path">JSON path of the criteria.</param>
    public void CheckReenrollment(CriteriaDefinition definition, string path)
    {
        ArgumentNullException.ThrowIfNull(definition);
        for (var g = 0; g < definition.AnyOf.Count; g++)
        {
            var group = definition.AnyOf[g];
            if (group.Match is GroupMatch.NotAll or GroupMatch.NotAny)
            {
                Forbid(Join(path, $"anyOf[{g}].match"), "REENROLL_FILTER", group.Match == GroupMatch.NotAll ? "NOT_ALL" : "NOT_ANY", "A negated group");
            }

            CheckReenrollment(group.AllOf, Join(path, $"anyOf[{g}].allOf"));
        }
    }

    private void CheckReenrollment(IReadOnlyList<FilterDefinition> filters, string path)
    {
        for (var f = 0; f < filters.Count; f++)
        {
            CheckReenrollment(filters[f], $"{path}[{f}]");
        }
    }

    private void CheckReenrollment(FilterDefinition filter, string path)
    {
        switch (filter)
        {
            case PropertyFilterDefinition property when WhyNotInReenrollment(property) is { } why:
                Forbid($"{path}.operator", "REENROLL_OPERATOR", OperatorTable.NameOf(property.Operator), why);
                break;
            case EventHistoryFilterDefinition events:
                ForbidIf(events.Negate, $"{path}.events.negate", "events", "A negative operator");
                CheckReenrollment(events.Where, $"{path}.events.where");
                break;
            case EventPairFilterDefinition pair:
                CheckReenrollment(pair.Happened.Where, $"{path}.email");
                CheckReenrollment(pair.Missing.Where, $"{path}.email");
                break;
            case ListFilterDefinition list:
                ForbidIf(list.Negate, $"{path}.list.negate", list.ListId, "A negative operator");
                break;
            case WorkflowFilterDefinition workflow:
                ForbidIf(isForbidden: true, $"{path}.workflow", workflow.WorkflowId, "A workflow-status filter");
                break;
            case AssociatedFilterDefinition associated:
                ForbidIf(isForbidden: true, $"{path}.associated", associated.ObjectType, "An associated-record filter");
                break;
            case ConsentFilterDefinition consent:
                ForbidIf(consent.AnyOf.Count > 1, $"{path}.consent.anyOf", $"{consent.AnyOf.Count}", "Any-of with more than one value");
                break;
            default:
                break;
        }
    }

    private static string? WhyNotInReenrollment(PropertyFilterDefinition filter)
    {
        if (!Enum.IsDefined(filter.Operator))
        {
            return null;
        }

        if (OperatorTable.IsClockBased(filter.Operator))
        {
            return "A clock-based operator";
        }

        if (OperatorTable.IsNegative(filter.Operator))
        {
            return "A negative operator";
        }

        // IS_EXACTLY asks for one set, however many options that has: it is none of any-of, all-of and equal-to-any.
        var isOneSet = filter.Operator is Operator.IsExactly or Operator.HasEverBeenExactly or Operator.IsBetween;
        return filter.Values.Count > 1 && !isOneSet ? "An operator with more than one value" : null;
    }

    private void ForbidIf(bool isForbidden, string path, string value, string what)
    {
        if (isForbidden)
        {
            Forbid(path, "REENROLL_FILTER", value, what);
        }
    }

    private void Forbid(string path, string code, string value, string what) =>
        Error(path, code, value, $"{what} is not allowed in a re-enrollment trigger (REN-06).");
}
