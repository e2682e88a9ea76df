namespace Roster.Core.Journal;

/// <summary>What a journal entry tells. Numbers equal those of <c>roster.v1.JournalEntry.Kind</c> and are stored.</summary>
public enum EntryKind
{
    /// <summary>No entry.</summary>
    None = 0,

    /// <summary>The record came to be.</summary>
    RecordCreated = 1,

    /// <summary>An event was received.</summary>
    EventReceived = 2,

    /// <summary>A property took another value.</summary>
    PropertyChanged = 3,

    /// <summary>A write was late and changed nothing (REC-05).</summary>
    PropertyLate = 4,

    /// <summary>A consideration was refused.</summary>
    EnrollmentRefused = 5,

    /// <summary>An enrollment began.</summary>
    Enrolled = 6,

    /// <summary>A step was entered.</summary>
    StepEntered = 7,

    /// <summary>A step was left.</summary>
    StepFinished = 8,

    /// <summary>A task for a worker was committed.</summary>
    EffectRequested = 9,

    /// <summary>A task was completed.</summary>
    EffectCompleted = 10,

    /// <summary>A goal was met.</summary>
    GoalMet = 11,

    /// <summary>An enrollment ended.</summary>
    EnrollmentEnded = 12,

    /// <summary>A loop guard stopped a cascade.</summary>
    LoopGuard = 13,

    /// <summary>A request by hand was received.</summary>
    CommandReceived = 14,

    /// <summary>A write of the stored value: only its <c>occurred_at</c> moved (REC-06). Bookkeeping, not shown.</summary>
    PropertyTouched = 20,

    /// <summary>Event ids fell out of the window (REC-08). Bookkeeping, not shown.</summary>
    EventIdsForgotten = 21,

    /// <summary>The present step of an enrollment was replaced by a publish (EDT-09). Bookkeeping, not shown.</summary>
    StepMoved = 22,
}

/// <summary>Outcome of a consideration (section 7). Numbers equal those of <c>roster.v1.Decision.Code</c>.</summary>
public enum Decision
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Check 1.</summary>
    RecordGone = 1,

    /// <summary>Check 2.</summary>
    TypeMismatch = 2,

    /// <summary>Check 3.</summary>
    WorkflowOff = 3,

    /// <summary>Check 4.</summary>
    SourceNotAllowed = 4,

    /// <summary>Check 5.</summary>
    NewRecord = 5,

    /// <summary>Check 6.</summary>
    MergeOff = 6,

    /// <summary>Check 7.</summary>
    EvaluationFailed = 7,

    /// <summary>Check 8.</summary>
    RefinementNotMet = 8,

    /// <summary>Check 9.</summary>
    AlreadyActive = 9,

    /// <summary>Check 10.</summary>
    ReenrollmentOff = 10,

    /// <summary>Check 11.</summary>
    ReenrollmentTriggerNotSelected = 11,

    /// <summary>Check 12.</summary>
    CriteriaNotMet = 12,

    /// <summary>Check 13.</summary>
    Suppressed = 13,

    /// <summary>Check 14.</summary>
    UnenrollmentTriggerMet = 14,

    /// <summary>Check 15.</summary>
    GoalAlreadyMet = 15,

    /// <summary>Check 16.</summary>
    AnchorUnknown = 16,

    /// <summary>Check 17.</summary>
    LoopGuard = 17,

    /// <summary>Check 18.</summary>
    LimitReached = 18,

    /// <summary>All checks passed.</summary>
    Enrolled = 19,
}

/// <summary>Why an enrollment ended (UNE-08). Numbers equal those of <c>roster.v1.Enrollment.EndReason</c>.</summary>
public enum EndReason
{
    /// <summary>Not ended.</summary>
    None = 0,

    /// <summary>Ran to the end.</summary>
    Completed = 1,

    /// <summary>A goal was met.</summary>
    GoalMet = 2,

    /// <summary>Joined a suppression list.</summary>
    Suppressed = 3,

    /// <summary>The unenrollment triggers became true.</summary>
    UnenrollmentTrigger = 4,

    /// <summary>The criteria stopped to hold.</summary>
    NoLongerMeets = 5,

    /// <summary>Kicked out by another workflow.</summary>
    EnrolledInOther = 6,

    /// <summary>By hand.</summary>
    Manual = 7,

    /// <summary>By an action of a workflow.</summary>
    ByWorkflow = 8,

    /// <summary>An action failed.</summary>
    ActionFailed = 9,

    /// <summary>A loop guard.</summary>
    LoopGuard = 10,

    /// <summary>Merged.</summary>
    Merged = 11,

    /// <summary>Deleted.</summary>
    Deleted = 12,

    /// <summary>Erased.</summary>
    Erased = 13,

    /// <summary>The workflow was deleted.</summary>
    WorkflowDeleted = 14,
}

/// <summary>Result of a step (HIS-03). Stored.</summary>
public enum StepResult
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Done.</summary>
    Success = 1,

    /// <summary>Skipped.</summary>
    Skipped = 2,

    /// <summary>Skipped because the workflow is off (EDT-04).</summary>
    SkippedOff = 3,

    /// <summary>The receiver was not eligible.</summary>
    SkippedIneligible = 4,

    /// <summary>Create-loop guard.</summary>
    SkippedLoop = 5,

    /// <summary>Its instant was before the enrollment.</summary>
    SkippedPast = 6,

    /// <summary>Too late after a restart.</summary>
    SkippedCatchUp = 7,

    /// <summary>No target.</summary>
    NoTarget = 8,

    /// <summary>Moved by an execution window.</summary>
    Rescheduled = 9,

    /// <summary>Waiting for the next attempt.</summary>
    Retrying = 10,

    /// <summary>Failed; the code is in the entry's text.</summary>
    Failed = 11,

    /// <summary>Withdrawn.</summary>
    Cancelled = 12,
}

/// <summary>What started an enrollment or a consideration. Stored.</summary>
public enum TriggerKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Criteria became true (TRG-07).</summary>
    Filter = 1,

    /// <summary>An event (TRG-05).</summary>
    Event = 2,

    /// <summary>By hand or through the API (TRG-10).</summary>
    Manual = 3,
}
