using Roster.Core.Filters;

namespace Roster.Core.Workflows;

/// <summary>A condition as written by a user: OR of groups (FIL-01). Mirrors <c>roster.v1.Criteria</c>.</summary>
public sealed record CriteriaDefinition(IReadOnlyList<FilterGroupDefinition> AnyOf);

/// <summary>How the filters of a group are taken together (FIL-02). Numbers equal those of <c>roster.v1.FilterGroup.Match</c>.</summary>
public enum GroupMatch
{
    /// <summary>Not said: all.</summary>
    None = 0,

    /// <summary>All accept.</summary>
    All = 1,

    /// <summary>Some filter rejects.</summary>
    NotAll = 2,

    /// <summary>All reject.</summary>
    NotAny = 3,
}

/// <summary>A group of filters.</summary>
public sealed record FilterGroupDefinition(IReadOnlyList<FilterDefinition> AllOf, GroupMatch Match = GroupMatch.All);

/// <summary>One test.</summary>
public abstract record FilterDefinition;

/// <summary>A filter that says nothing: neither a property nor another kind.</summary>
public sealed record IncompleteFilterDefinition : FilterDefinition;

/// <summary>A test of a property of the record, or of an event.</summary>
/// <param name="Property">Name of the property.</param>
/// <param name="Operator">The operator.</param>
/// <param name="Values">Operands as text.</param>
/// <param name="IncludeUnknown">Whether a record without a value is accepted (FIL-06).</param>
/// <param name="TimeZone">Zone of day-based operators (FIL-08); empty for the default.</param>
public sealed record PropertyFilterDefinition(string Property, Operator Operator, IReadOnlyList<string> Values, bool IncludeUnknown, string TimeZone) : FilterDefinition
{
    /// <summary>Another property of the record to compare with (FIL-30); empty for none.</summary>
    public string CompareWith { get; init; } = string.Empty;

    /// <summary>Used when the other property is unknown (FIL-30); empty for none.</summary>
    public string DefaultComparisonValue { get; init; } = string.Empty;

    /// <summary>First time point (FIL-26).</summary>
    public TimePointDefinition? From { get; init; }

    /// <summary>Second time point (FIL-26).</summary>
    public TimePointDefinition? To { get; init; }

    /// <summary>Judges when the value last changed (FIL-26, FIL-27).</summary>
    public bool UseUpdatedAt { get; init; }

    /// <summary>Unit of calendar operators (FIL-25).</summary>
    public TimeUnit Unit { get; init; }

    /// <summary>First month of the fiscal year (FIL-25); 0 for January.</summary>
    public int FiscalYearStart { get; init; }
}

/// <summary>Units of calendar operators (FIL-25). Numbers equal those of <c>roster.v1.Filter.TimeUnit</c>.</summary>
public enum TimeUnit
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>A day.</summary>
    Day = 1,

    /// <summary>A week, from Monday.</summary>
    Week = 2,

    /// <summary>A month.</summary>
    Month = 3,

    /// <summary>A quarter.</summary>
    Quarter = 4,

    /// <summary>A year.</summary>
    Year = 5,
}

/// <summary>Starts of the present calendar units (FIL-26). Numbers equal those of <c>roster.v1.TimePoint.Index</c>.</summary>
public enum TimeIndex
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Now.</summary>
    Now = 1,

    /// <summary>Start of today.</summary>
    Today = 2,

    /// <summary>Start of the week.</summary>
    Week = 3,

    /// <summary>Start of the month.</summary>
    Month = 4,

    /// <summary>Start of the quarter.</summary>
    Quarter = 5,

    /// <summary>Start of the year.</summary>
    Year = 6,

    /// <summary>Start of the fiscal quarter.</summary>
    FiscalQuarter = 7,

    /// <summary>Start of the fiscal year.</summary>
    FiscalYear = 8,
}

/// <summary>A point in time: exactly one of date, index and property (FIL-26).</summary>
public sealed record TimePointDefinition(string Date, TimeIndex Index, string Property, int OffsetDays, bool Exclusive);

/// <summary>Cuts the occurrences a filter looks at: by time or by count (FIL-04).</summary>
public sealed record RefinementDefinition(TimeRangeDefinition? Time, OccurrencesDefinition? Occurrences);

/// <summary>A number of occurrences, both ends included.</summary>
public sealed record OccurrencesDefinition(int Min, int? Max);

/// <summary>How bounds of a range are taken (FIL-05). Numbers equal those of <c>roster.v1.TimeRange.Kind</c>.</summary>
public enum TimeRangeKind
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Before the first bound.</summary>
    Before = 1,

    /// <summary>After the first bound.</summary>
    After = 2,

    /// <summary>Between, both included.</summary>
    Between = 3,

    /// <summary>Not between.</summary>
    NotBetween = 4,
}

/// <summary>A range of time (FIL-05).</summary>
public sealed record TimeRangeDefinition(TimeRangeKind Kind, RangeBoundDefinition? From, RangeBoundDefinition? To);

/// <summary>A bound: a date or instant, or days from today.</summary>
public sealed record RangeBoundDefinition(string Date, int? Days);

/// <summary>Events in the record's history (FIL-36); also what filters on forms, pages, calls to action and e-mails become.</summary>
public sealed record EventHistoryFilterDefinition(string EventType, IReadOnlyList<FilterDefinition> Where, bool Negate, RefinementDefinition? Refine) : FilterDefinition;

/// <summary>The first event happened and the second did not (FIL-33).</summary>
public sealed record EventPairFilterDefinition(EventHistoryFilterDefinition Happened, EventHistoryFilterDefinition Missing) : FilterDefinition;

/// <summary>Membership in a list (FIL-35).</summary>
public sealed record ListFilterDefinition(string ListId, bool Negate) : FilterDefinition;

/// <summary>What is asked of a workflow (FIL-35). Numbers equal those of <c>roster.v1.WorkflowFilter.Status</c>.</summary>
public enum WorkflowStatus
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Ever enrolled.</summary>
    Enrolled = 1,

    /// <summary>Active now.</summary>
    Active = 2,

    /// <summary>Completed at least once.</summary>
    Completed = 3,

    /// <summary>Counted for a goal.</summary>
    Goal = 4,
}

/// <summary>What the record did in a workflow (FIL-35).</summary>
public sealed record WorkflowFilterDefinition(string WorkflowId, WorkflowStatus Status, string GoalId, bool Negate) : FilterDefinition;

/// <summary>An associated record that passes all filters (ASC-01, ASC-02).</summary>
public sealed record AssociatedFilterDefinition(string ObjectType, string Label, IReadOnlyList<FilterDefinition> AllOf) : FilterDefinition;

/// <summary>Always accepts, or never (FIL-02).</summary>
public sealed record ConstantFilterDefinition(bool Accepts) : FilterDefinition;

/// <summary>Consent: states by name, as they are stored in the record's consent property (FIL-34).</summary>
public sealed record ConsentFilterDefinition(string Subscription, IReadOnlyList<string> AnyOf) : FilterDefinition;
