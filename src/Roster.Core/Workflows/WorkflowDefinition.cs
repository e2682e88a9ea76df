using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Sequences;

namespace Roster.Core.Workflows;

/// <summary>A definition as written by a user, before it is checked and compiled. Mirrors <c>roster.v1.Workflow</c>.</summary>
public sealed record WorkflowDefinition(
    string Id,
    string ObjectType,
    StartDefinition? Start,
    IReadOnlyList<GoalDefinition> Goals,
    IReadOnlyList<StepDefinition> Steps,
    string FirstStep,
    string TimeZone)
{
    /// <summary>Ids of suppression lists (SUP-01).</summary>
    public IReadOnlyList<string> SuppressionLists { get; init; } = [];

    /// <summary>Unenrollment triggers (SUP-05).</summary>
    public CriteriaDefinition? UnenrollWhen { get; init; }

    /// <summary>Whether enrollments end when the criteria stop to hold (UNE-01).</summary>
    public bool UnenrollIfNotMeeting { get; init; }

    /// <summary>Kick-out of all other workflows (UNE-05).</summary>
    public bool UnenrollFromAll { get; init; }

    /// <summary>Kick-out of named workflows (UNE-05).</summary>
    public IReadOnlyList<string> UnenrollFrom { get; init; } = [];

    /// <summary>Execution windows (WIN-01); null for always.</summary>
    public WindowsDefinition? Windows { get; init; }

    /// <summary>What happens to overdue timers (DLY-17).</summary>
    public CatchUp CatchUp { get; init; } = CatchUp.Run;

    /// <summary>Grace of <see cref="CatchUp.Skip"/>; null for 15 minutes.</summary>
    public TimeSpan? CatchUpGrace { get; init; }

    /// <summary>Span of <see cref="CatchUp.Spread"/>; null for 60 minutes.</summary>
    public TimeSpan? CatchUpSpread { get; init; }

    /// <summary>What a publish does to active enrollments.</summary>
    public PublishPolicy PublishPolicy { get; init; } = PublishPolicy.Live;

    /// <summary>Whether a merge considers the survivor as if just created (REC-14).</summary>
    public bool EnrollOnMerge { get; init; }

    /// <summary>Whether events from an external CRM sync may enroll (TRG-13).</summary>
    public bool AllowExternalCrm { get; init; }

    /// <summary>Data sources (ASC-06).</summary>
    public IReadOnlyList<DataSourceDefinition> DataSources { get; init; } = [];

    /// <summary>What makes it a sequence (section 20 of the rules); null for a workflow.</summary>
    public SequenceSettingsDefinition? Sequence { get; init; }
}

/// <summary>What happens to overdue timers (DLY-17). Numbers equal those of <c>roster.v1.CatchUp</c>.</summary>
public enum CatchUp
{
    /// <summary>Not said: run.</summary>
    None = 0,

    /// <summary>They run, oldest first.</summary>
    Run = 1,

    /// <summary>Their actions are skipped.</summary>
    Skip = 2,

    /// <summary>They are spread by hash.</summary>
    Spread = 3,
}

/// <summary>What a publish does to active enrollments. Numbers equal those of <c>roster.v1.PublishPolicy</c>.</summary>
public enum PublishPolicy
{
    /// <summary>Not said: live.</summary>
    None = 0,

    /// <summary>They follow the new version (EDT-07).</summary>
    Live = 1,

    /// <summary>They finish on theirs (EDT-11).</summary>
    Pinned = 2,
}

/// <summary>Execution windows as written (WIN-01 to WIN-08).</summary>
public sealed record WindowsDefinition(IReadOnlyList<WindowDefinition> Windows, IReadOnlyList<string> BlockedDates, TimeSpan? Spread);

/// <summary>A weekly window.</summary>
public sealed record WindowDefinition(Weekdays Days, string Start, string End);

/// <summary>A data source (ASC-06).</summary>
public sealed record DataSourceDefinition(string Name, string ObjectType, string Label, string SortBy, bool Descending);

/// <summary>How records enroll.</summary>
public sealed record StartDefinition(
    StartKind Kind, CriteriaDefinition? Criteria, bool FireOnCreate, IReadOnlyList<EventTriggerDefinition> Events, bool Reenroll, IReadOnlyList<CriteriaDefinition> ReenrollWhen)
{
    /// <summary>For schedule starts.</summary>
    public ScheduleDefinition? Schedule { get; init; }

    /// <summary>For date-anchored workflows.</summary>
    public AnchorDefinition? Anchor { get; init; }
}

/// <summary>Start kinds (TRG-03).</summary>
public enum StartKind
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Criteria become true.</summary>
    Filter = 1,

    /// <summary>An event.</summary>
    Event = 2,

    /// <summary>By hand only.</summary>
    Manual = 3,

    /// <summary>Instants of a calendar.</summary>
    Schedule = 4,

    /// <summary>Around a date.</summary>
    DateAnchor = 5,
}

/// <summary>Kinds of schedules (SCH-01).</summary>
public enum ScheduleKind
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Once.</summary>
    Once = 1,

    /// <summary>Every day.</summary>
    Daily = 2,

    /// <summary>On days of the week.</summary>
    Weekly = 3,

    /// <summary>On days of the month.</summary>
    Monthly = 4,

    /// <summary>Once a year.</summary>
    Yearly = 5,

    /// <summary>Relative to a date property.</summary>
    Date = 6,
}

/// <summary>A schedule (SCH-01). Only the fields of its kind are looked at.</summary>
public sealed record ScheduleDefinition(ScheduleKind Kind)
{
    /// <summary>For once: <c>2026-12-01T09:00</c>, local.</summary>
    public string Once { get; init; } = string.Empty;

    /// <summary>Time of day, <c>09:00</c>.</summary>
    public string TimeOfDay { get; init; } = string.Empty;

    /// <summary>For weekly, and the weekday that <see cref="Nth"/> counts.</summary>
    public Weekdays Weekdays { get; init; }

    /// <summary>For monthly.</summary>
    public IReadOnlyList<int> Days { get; init; } = [];

    /// <summary>For monthly: the last day too.</summary>
    public bool LastDay { get; init; }

    /// <summary>For monthly: the n-th weekday, 1 to 4, or -1 for the last; 0 for none.</summary>
    public int Nth { get; init; }

    /// <summary>For yearly: 1 to 12.</summary>
    public int Month { get; init; }

    /// <summary>For yearly: 1 to 31.</summary>
    public int Day { get; init; }

    /// <summary>For date: the property.</summary>
    public string Property { get; init; } = string.Empty;

    /// <summary>For date: days after it.</summary>
    public int OffsetDays { get; init; }

    /// <summary>For date: every year.</summary>
    public bool Yearly { get; init; }

    /// <summary>Who is considered (SCH-02).</summary>
    public CriteriaDefinition? Criteria { get; init; }

    /// <summary>Everybody (SCH-02).</summary>
    public bool AllRecords { get; init; }

    /// <summary>A missed run is not made up (SCH-05).</summary>
    public bool SkipMissed { get; init; }
}

/// <summary>A date anchor (SCH-06): a date or a property.</summary>
public sealed record AnchorDefinition(string Date, string Property, bool RecurAnnually, CriteriaDefinition? Criteria);

/// <summary>An event that enrolls, or releases a wait.</summary>
public sealed record EventTriggerDefinition(string EventType, IReadOnlyList<FilterDefinition> Where, CriteriaDefinition? OnlyIf, bool? AllowNewRecord);

/// <summary>When a goal counts (GOAL-10). Numbers equal those of <c>roster.v1.Goal.Count</c>.</summary>
public enum GoalCount
{
    /// <summary>Not said: by GOAL-10.</summary>
    None = 0,

    /// <summary>After a marketing e-mail.</summary>
    Mailed = 1,

    /// <summary>Always.</summary>
    All = 2,
}

/// <summary>A goal.</summary>
public sealed record GoalDefinition(string Id, CriteriaDefinition? Criteria)
{
    /// <summary>Whether meeting it ends the enrollment; null for the default of GOAL-02.</summary>
    public bool? Exit { get; init; }

    /// <summary>When it counts.</summary>
    public GoalCount Count { get; init; }
}

/// <summary>Something wrong, or doubtful, with a definition.</summary>
/// <param name="IsError">Refused at publish; false is a warning.</param>
/// <param name="Path">Where, as a JSON path.</param>
/// <param name="Code">What kind of problem; stable.</param>
/// <param name="Value">The value in question.</param>
/// <param name="Message">One sentence.</param>
public sealed record WorkflowProblem(bool IsError, string Path, string Code, string Value, string Message);
