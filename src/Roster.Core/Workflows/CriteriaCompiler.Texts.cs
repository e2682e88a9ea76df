using System.Globalization;
using System.Text;
using Roster.Core.Filters;

namespace Roster.Core.Workflows;

/// <content>Filters in words, for explanations (HIS-07).</content>
public sealed partial class CriteriaCompiler
{
    /// <summary>An event trigger without its "only if": <c>clicked where url IS_EQUAL_TO a</c>.</summary>
    internal static string TextOf(EventTriggerDefinition trigger) => TextOf(new EventHistoryFilterDefinition(trigger.EventType, trigger.Where, Negate: false, Refine: null));

    private static string TextOf(FilterDefinition filter) => filter switch
    {
        PropertyFilterDefinition property => TextOf(property),
        EventHistoryFilterDefinition events => $"{(events.Negate ? "no event" : "event")} {TextOf(events)}",
        EventPairFilterDefinition pair => $"event {TextOf(pair.Happened)} without event {TextOf(pair.Missing)}",
        ListFilterDefinition list => list.Negate ? $"not in list {list.ListId}" : $"in list {list.ListId}",
        WorkflowFilterDefinition workflow => TextOf(workflow),
        AssociatedFilterDefinition associated => TextOf(associated),
        ConstantFilterDefinition constant => constant.Accepts ? "always" : "never",
        ConsentFilterDefinition consent => $"consent {consent.Subscription} is {string.Join(" or ", consent.AnyOf)}",
        _ => "incomplete filter",
    };

    private static string KindOf(FilterDefinition filter) => filter switch
    {
        IncompleteFilterDefinition => string.Empty,
        EventHistoryFilterDefinition => "events",
        EventPairFilterDefinition => "email",
        ListFilterDefinition => "list",
        WorkflowFilterDefinition => "workflow",
        AssociatedFilterDefinition => "associated",
        ConstantFilterDefinition => "constant",
        ConsentFilterDefinition => "consent",
        _ => "property",
    };

    private static string TextOf(PropertyFilterDefinition filter)
    {
        var text = new StringBuilder();
        text.Append(filter.Property).Append(filter.UseUpdatedAt ? " updated_at " : " ").Append(OperatorTable.NameOf(filter.Operator));
        if (filter.Values.Count > 0)
        {
            text.Append(' ').AppendJoin(", ", filter.Values);
        }

        if (filter.Unit != TimeUnit.None)
        {
            text.Append(' ').Append(filter.Unit.ToString().ToUpperInvariant());
        }

        if (filter.CompareWith.Length > 0)
        {
            text.Append(" property ").Append(filter.CompareWith);
        }

        if (filter.DefaultComparisonValue.Length > 0)
        {
            text.Append(" (else ").Append(filter.DefaultComparisonValue).Append(')');
        }

        text.Append(filter.From is null ? string.Empty : $" {TextOf(filter.From)}");
        text.Append(filter.To is null ? string.Empty : $" and {TextOf(filter.To)}");
        text.Append(filter.FiscalYearStart > 1 ? $" (fiscal year from month {filter.FiscalYearStart.ToString(CultureInfo.InvariantCulture)})" : string.Empty);
        text.Append(filter.TimeZone.Length > 0 ? $" ({filter.TimeZone})" : string.Empty);
        text.Append(filter.IncludeUnknown && !OperatorTable.IsAboutPresence(filter.Operator) ? " or unknown" : string.Empty);
        return text.ToString();
    }

    private static string TextOf(TimePointDefinition point)
    {
        var of = point.Index != TimeIndex.None ? NameOf(point.Index) : point.Property.Length > 0 ? $"property {point.Property}" : point.Date;
        var offset = point.OffsetDays == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $" {point.OffsetDays:+0;-0} days");
        return $"{of}{offset}{(point.Exclusive ? " (exclusive)" : string.Empty)}";
    }

    private static string NameOf(TimeIndex index) => index switch
    {
        TimeIndex.FiscalQuarter => "FISCAL_QUARTER",
        TimeIndex.FiscalYear => "FISCAL_YEAR",
        _ => index.ToString().ToUpperInvariant(),
    };

    private static string TextOf(EventHistoryFilterDefinition events)
    {
        var where = events.Where.Count == 0 ? string.Empty : $" where {string.Join(" and ", events.Where.Select(TextOf))}";
        var time = events.Refine?.Time is { } range ? $" {TextOf(range)}" : string.Empty;
        var count = events.Refine?.Occurrences is { } occurrences
            ? string.Create(CultureInfo.InvariantCulture, $", {occurrences.Min} to {(occurrences.Max is { } max ? max.ToString(CultureInfo.InvariantCulture) : "any number of")} times")
            : string.Empty;
        return $"{events.EventType}{where}{time}{count}";
    }

    private static string TextOf(TimeRangeDefinition range)
    {
        var kind = range.Kind == TimeRangeKind.NotBetween ? "NOT_BETWEEN" : range.Kind.ToString().ToUpperInvariant();
        return $"{kind} {TextOf(range.From)}{(range.To is null ? string.Empty : $" and {TextOf(range.To)}")}";
    }

    private static string TextOf(RangeBoundDefinition? bound) =>
        bound?.Days is { } days ? string.Create(CultureInfo.InvariantCulture, $"today {days:+0;-0;+0} days") : bound?.Date ?? string.Empty;

    private static string TextOf(WorkflowFilterDefinition filter)
    {
        var goal = filter.Status == WorkflowStatus.Goal && filter.GoalId.Length > 0 ? $" {filter.GoalId}" : string.Empty;
        return $"{(filter.Negate ? "not " : string.Empty)}{filter.Status.ToString().ToUpperInvariant()}{goal} in workflow {filter.WorkflowId}";
    }

    private static string TextOf(AssociatedFilterDefinition filter)
    {
        var label = filter.Label.Length == 0 ? string.Empty : $" ({filter.Label})";
        return $"associated {filter.ObjectType}{label} with {string.Join(" and ", filter.AllOf.Select(TextOf))}";
    }
}
