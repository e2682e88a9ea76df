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

    /// <summary>Event ids fell out of the window (REC-08), or former values that too many came after (FIL-31). Bookkeeping, not shown.</summary>
    EventIdsForgotten = 21,

    /// <summary>The present step of an enrollment was replaced by a publish (EDT-09). Bookkeeping, not shown.</summary>
    StepMoved = 22,

    /// <summary>Old occurrences left the window of the event history (FIL-09). Bookkeeping, not shown.</summary>
    EventsExpired = 23,

    /// <summary>The instant at which criteria may next flip by the clock (TRG-09). Bookkeeping, not shown.</summary>
    FlipArmed = 24,

    /// <summary>What an enrollment remembers about criteria and goals changed (UNE-02, GOAL-02). Bookkeeping, not shown.</summary>
    EnrollmentLatched = 25,

    /// <summary>A goal was met while an e-mail that decides about its count is in flight (GOAL-08). Bookkeeping, not shown.</summary>
    GoalPending = 26,

    /// <summary>An enrollment follows a new version (EDT-06). Bookkeeping, not shown.</summary>
    EnrollmentAdapted = 27,

    /// <summary>When an annual workflow enrolls the record again (SCH-09). Bookkeeping, not shown.</summary>
    RecurrenceSet = 28,

    /// <summary>The record joined a list.</summary>
    ListJoined = 30,

    /// <summary>The record left a list.</summary>
    ListLeft = 31,

    /// <summary>An enrollment stands still because its workflow is paused (EDT-05).</summary>
    StepHeld = 32,

    /// <summary>The due instant of a step was computed again, or moved by a window (DLY-10, WIN-07, EDT-08).</summary>
    StepRescheduled = 33,

    /// <summary>A task was withdrawn because its enrollment ended (UNE-07).</summary>
    EffectWithdrawn = 34,

    /// <summary>The record was deleted (REC-16).</summary>
    RecordDeleted = 35,

    /// <summary>A deleted record was brought back (REC-16).</summary>
    RecordRestored = 36,

    /// <summary>The record was erased (REC-17).</summary>
    RecordErased = 37,

    /// <summary>The record was merged into another (REC-13).</summary>
    RecordMerged = 38,

    /// <summary>Another record was merged into this one (REC-13).</summary>
    RecordAbsorbed = 39,

    /// <summary>A link to another record came to be, or got a label (ACT-27).</summary>
    Associated = 40,

    /// <summary>A link to another record went, or lost a label (ACT-27).</summary>
    Dissociated = 41,

    /// <summary>A message of another record arrived (ENG-15).</summary>
    MessageReceived = 42,

    /// <summary>A message could not be delivered: its receiver has gone.</summary>
    MessageReturned = 43,

    /// <summary>A copy of an associated record went because there are too many (ASC-05).</summary>
    CopiesCut = 44,

    /// <summary>A worker has begun a task and will report its end by a callback (ACT-62).</summary>
    EffectBlocked = 46,

    /// <summary>A task that was given up for good was sent again and done, or discarded (ERR-11).</summary>
    DeadLetterClosed = 47,

    /// <summary>Something became of an e-mail for the first time: it was sent, delivered, opened, clicked, answered (MET-10 to MET-16).</summary>
    EmailEngaged = 48,

    /// <summary>An e-mail that is still to be sent was edited for this record (SEQ-14).</summary>
    EmailEdited = 49,

    /// <summary>Messages were sent to other records (ENG-15). Bookkeeping, not shown.</summary>
    MessagesSent = 50,

    /// <summary>A copy of an associated record changed (ASC-04). Bookkeeping, not shown.</summary>
    CopyChanged = 51,

    /// <summary>Copies were written anew. Bookkeeping, not shown.</summary>
    CopiesMoved = 52,

    /// <summary>Links moved out of the head. Bookkeeping, not shown.</summary>
    AssociationsMoved = 53,

    /// <summary>A record with many links begins or ends to tell them something. Bookkeeping, not shown.</summary>
    SpreadChanged = 54,

    /// <summary>The workflows that led to the record's creation (ACT-23). Bookkeeping, not shown.</summary>
    ChainSet = 55,

    /// <summary>Who said a link or its labels changed, and nothing else of it. Bookkeeping, not shown.</summary>
    AssociationMarked = 56,

    /// <summary>An inbox gave out a slot: an enrollment of the day, or an instant for an e-mail (SEQ-15). Bookkeeping, not shown.</summary>
    SlotTaken = 58,

    /// <summary>An inbox took a slot back that was not used (SEQ-15). Bookkeeping, not shown.</summary>
    SlotReleased = 59,

    /// <summary>The id and the links of an erased record are gone too (REC-17). Bookkeeping, not shown.</summary>
    IdErased = 60,

    /// <summary>An erased record has its id again until those that named it meanwhile have forgotten it (REC-17). Bookkeeping, not shown.</summary>
    IdReturned = 61,

    /// <summary>The first attempt of a task failed and others follow: the time for retries counts from it (ERR-04, ERR-07). Bookkeeping, not shown.</summary>
    EffectRetried = 62,
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

    /// <summary>Of sequences: the inbox of the owner is not connected (SEQ-04).</summary>
    SenderNotConnected = 20,

    /// <summary>Of sequences: the contact has no e-mail address (SEQ-04).</summary>
    NoAddress = 21,

    /// <summary>Of sequences: the contact has opted out (SEQ-04).</summary>
    OptedOut = 22,

    /// <summary>Of sequences: an e-mail to the present address bounced (SEQ-04).</summary>
    Bounced = 23,
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

    /// <summary>Of sequences (SEQ-18), as all that follow: ran to the end.</summary>
    Finished = 15,

    /// <summary>The contact answered an e-mail of the sequence (SEQ-10).</summary>
    Replied = 16,

    /// <summary>The contact sent the owner another e-mail (SEQ-10).</summary>
    InboundEmail = 17,

    /// <summary>Another contact of the company replied or met (SEQ-13).</summary>
    CompanyEngaged = 18,

    /// <summary>A meeting was booked (SEQ-11).</summary>
    MeetingBooked = 19,

    /// <summary>An e-mail bounced (SEQ-12).</summary>
    Bounced = 20,

    /// <summary>The contact unsubscribed (SEQ-12).</summary>
    Unsubscribed = 21,

    /// <summary>The sender was removed (SEQ-01).</summary>
    SenderGone = 22,

    /// <summary>An e-mail failed for good (SEQ-16).</summary>
    SendFailed = 23,

    /// <summary>The sequence was deleted (SEQ-17).</summary>
    SequenceDeleted = 24,
}

/// <summary>What is asked of end reasons.</summary>
public static class EndReasons
{
    /// <summary>Whether an enrollment ran to its end: a workflow completed, or a sequence finished.</summary>
    public static bool IsCompletion(this EndReason reason) => reason is EndReason.Completed or EndReason.Finished;
}

/// <summary>What may become of an e-mail, once per recipient (MET-10 to MET-16). Stored; as bits the n-th is <c>1 &lt;&lt; n</c>.</summary>
public enum EmailSignal
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Sent: the task was completed.</summary>
    Sent = 1,

    /// <summary>Delivered.</summary>
    Delivered = 2,

    /// <summary>Opened: a pixel load, also by a machine, or any click.</summary>
    Opened = 3,

    /// <summary>A link was clicked that is not one to unsubscribe or to set preferences.</summary>
    Clicked = 4,

    /// <summary>Answered; automatic answers do not count.</summary>
    Replied = 5,

    /// <summary>Bounced.</summary>
    Bounced = 6,

    /// <summary>The recipient unsubscribed.</summary>
    Unsubscribed = 7,

    /// <summary>The recipient marked it as spam.</summary>
    MarkedSpam = 8,

    /// <summary>Opened by a person (MET-15).</summary>
    OpenedByPerson = 9,

    /// <summary>A meeting was booked.</summary>
    Met = 10,

    /// <summary>Opened, clicked, answered or met, of an enrollment in a sequence (MET-16).</summary>
    Engaged = 11,
}

/// <summary>For whom something is the first of its kind (MET-10, MET-16). Bits; stored.</summary>
[Flags]
public enum EmailScopes
{
    /// <summary>For nobody.</summary>
    None = 0,

    /// <summary>For the recipient and the step.</summary>
    Step = 1,

    /// <summary>For the recipient and all e-mails of the workflow or sequence.</summary>
    Workflow = 2,

    /// <summary>For the enrollment.</summary>
    Enrollment = 4,

    /// <summary>For the enrollment, of all that counts as being engaged: an open, a click, a reply, a meeting.</summary>
    Engagement = 8,
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

/// <summary>Why an action failed (HIS-03). Stored; the API name is in the entry's text.</summary>
public enum FailureCode
{
    /// <summary>It did not, or the code is another.</summary>
    None = 0,

    /// <summary>A value does not fit.</summary>
    InvalidValue = 1,

    /// <summary>The receiver answered 4xx.</summary>
    Http4xx = 2,

    /// <summary>The receiver answered 3xx.</summary>
    Http3xx = 3,

    /// <summary>All attempts failed.</summary>
    Exhausted = 4,

    /// <summary>No completion came in time.</summary>
    Timeout = 5,

    /// <summary>The outputs are too large.</summary>
    OutputTooLarge = 6,

    /// <summary>It could not be evaluated.</summary>
    Internal = 7,

    /// <summary>A worker said so.</summary>
    Worker = 8,
}

/// <summary>Names of failure codes.</summary>
public static class FailureCodes
{
    private static readonly string[] Names = ["", "INVALID_VALUE", "HTTP_4XX", "HTTP_3XX", "EXHAUSTED", "TIMEOUT", "OUTPUT_TOO_LARGE", "INTERNAL", "WORKER"];

    /// <summary>The code of a name; none when there is no such code.</summary>
    public static FailureCode Parse(string? name) => (FailureCode)Math.Max(0, Array.IndexOf(Names, name ?? string.Empty));

    /// <summary>The API name of a code.</summary>
    public static string NameOf(FailureCode code) => Names[(int)code];
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

    /// <summary>By an action of another workflow (TRG-11).</summary>
    Workflow = 4,

    /// <summary>By a run of a schedule (SCH-02).</summary>
    Schedule = 5,

    /// <summary>By the job that considers existing records (TRG-08).</summary>
    Existing = 6,

    /// <summary>By a bulk job (TRG-12).</summary>
    Bulk = 7,

    /// <summary>By the yearly recurrence of a date-anchored workflow (SCH-09).</summary>
    Recurrence = 8,

    /// <summary>By a merge (REC-14).</summary>
    Merge = 9,
}
