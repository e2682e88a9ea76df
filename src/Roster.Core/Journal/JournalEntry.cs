using Roster.Core.Hashing;
using Roster.Core.Values;

namespace Roster.Core.Journal;

/// <summary>
/// One thing that happened to one record. State, history and counters are folds of these. Made by the named factories only, so
/// that each kind has the fields it needs; read by the one <see cref="Records.RecordState.Apply"/>.
/// </summary>
/// <remarks>
/// One flat struct for all kinds, because a turn writes several of them on the hot path and none may cost an allocation. Numbers
/// (workflow, step, property, times, codes) are the skeleton; texts and values are the payload, which erasure empties.
/// </remarks>
public readonly struct JournalEntry
{
    /// <summary>What happened.</summary>
    public EntryKind Kind { get; init; }

    /// <summary>Number of the workflow concerned, or 0.</summary>
    public int Workflow { get; init; }

    /// <summary>Version of the workflow, or 0.</summary>
    public int Version { get; init; }

    /// <summary>Enrollment number, or 0.</summary>
    public int Enrollment { get; init; }

    /// <summary>Number of the step concerned, or 0.</summary>
    public int Step { get; init; }

    /// <summary>Execution index of the step, from 1 (ACT-04), or 0.</summary>
    public int Execution { get; init; }

    /// <summary>A <see cref="Decision"/>, <see cref="EndReason"/> or <see cref="StepResult"/>, by kind.</summary>
    public int Code { get; init; }

    /// <summary>Number of a property, an event type, a branch or a goal, a <see cref="TriggerKind"/>, or a count, by kind.</summary>
    public int Subject { get; init; }

    /// <summary><c>occurred_at</c> of an event or write.</summary>
    public Timestamp OccurredAt { get; init; }

    /// <summary>When a step goes on by itself, or an effect times out.</summary>
    public Timestamp DueAt { get; init; }

    /// <summary>A yes or no, by kind: clamped, baseline, waits.</summary>
    public bool Flag { get; init; }

    /// <summary>Hash of the event or request id.</summary>
    public Hash128 IdHash { get; init; }

    /// <summary>Hash of the content as sent.</summary>
    public uint ContentHash { get; init; }

    /// <summary>The event or request id, a queue, or a failure code, by kind.</summary>
    public string? Text { get; init; }

    /// <summary>Source or caller, or the failure text of a worker.</summary>
    public string? Source { get; init; }

    /// <summary>The value of a property.</summary>
    public Value Value { get; init; }

    /// <summary>Event properties, outputs, or the fields of a task.</summary>
    public NamedValue[]? Fields { get; init; }

    /// <summary>The decision of a consideration.</summary>
    public Decision Decision => (Decision)Code;

    /// <summary>The end reason of an enrollment.</summary>
    public EndReason EndReason => (EndReason)Code;

    /// <summary>The result of a step.</summary>
    public StepResult Result => (StepResult)Code;

    /// <summary>The record came to be, with the <c>occurred_at</c> of what created it (REC-09).</summary>
    public static JournalEntry RecordCreated(Timestamp createdAt) => new() { Kind = EntryKind.RecordCreated, OccurredAt = createdAt };

    /// <summary>An event was received.</summary>
    public static JournalEntry EventReceived(
        int eventType, Timestamp occurredAt, bool isClamped, string eventId, Hash128 idHash, uint contentHash, string source, NamedValue[] properties) => new()
        {
            Kind = EntryKind.EventReceived,
            Subject = eventType,
            OccurredAt = occurredAt,
            Flag = isClamped,
            Text = eventId,
            IdHash = idHash,
            ContentHash = contentHash,
            Source = source,
            Fields = properties,
        };

    /// <summary>A request by hand was received; the entries after it in the turn are the answer, so that a repeated one can be told (API-03).</summary>
    public static JournalEntry CommandReceived(
        CommandKind command, int workflow, Timestamp at, string requestId, Hash128 idHash, uint contentHash, string caller) => new()
        {
            Kind = EntryKind.CommandReceived,
            Subject = (int)command,
            Workflow = workflow,
            OccurredAt = at,
            Text = requestId,
            IdHash = idHash,
            ContentHash = contentHash,
            Source = caller,
        };

    /// <summary>A property took another value; unknown clears it. Set by a step when <paramref name="workflow"/> is not 0.</summary>
    public static JournalEntry PropertyChanged(int property, in Value value, Timestamp occurredAt, string source, int workflow = 0, int step = 0) => new()
    {
        Kind = EntryKind.PropertyChanged,
        Subject = property,
        Value = value,
        OccurredAt = occurredAt,
        Source = source,
        Workflow = workflow,
        Step = step,
    };

    /// <summary>A write older than the stored one (REC-05).</summary>
    public static JournalEntry PropertyLate(int property, in Value value, Timestamp occurredAt, string source) => new()
    {
        Kind = EntryKind.PropertyLate,
        Subject = property,
        Value = value,
        OccurredAt = occurredAt,
        Source = source,
    };

    /// <summary>A write of the stored value (REC-06).</summary>
    public static JournalEntry PropertyTouched(int property, Timestamp occurredAt, string source) => new()
    {
        Kind = EntryKind.PropertyTouched,
        Subject = property,
        OccurredAt = occurredAt,
        Source = source,
    };

    /// <summary>A consideration was refused.</summary>
    public static JournalEntry Refused(int workflow, int version, TriggerKind trigger, Decision decision) => new()
    {
        Kind = EntryKind.EnrollmentRefused,
        Workflow = workflow,
        Version = version,
        Subject = (int)trigger,
        Code = (int)decision,
    };

    /// <summary>An enrollment began; <paramref name="isFirst"/> when the record was never enrolled in the workflow before.</summary>
    public static JournalEntry Enrolled(int workflow, int version, int enrollment, TriggerKind trigger, int firstStep, bool isFirst) => new()
    {
        Kind = EntryKind.Enrolled,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Subject = (int)trigger,
        Step = firstStep,
        Code = (int)Decision.Enrolled,
        Flag = isFirst,
    };

    /// <summary>
    /// A step was entered. <paramref name="dueAt"/> is none unless it goes on by itself; <paramref name="isCounted"/> when the step
    /// may come again, so that its runs are counted (ENG-10, ACT-04).
    /// </summary>
    public static JournalEntry StepEntered(int workflow, int version, int enrollment, int step, int execution, Timestamp dueAt, bool isCounted) => new()
    {
        Kind = EntryKind.StepEntered,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = step,
        Execution = execution,
        DueAt = dueAt,
        Flag = isCounted,
    };

    /// <summary>A step was left. <paramref name="branch"/> is 1 plus the index of the branch taken, 0 for none or the default.</summary>
    public static JournalEntry StepFinished(
        int workflow, int version, int enrollment, int step, int execution, StepResult result, int branch = 0, string? branchName = null, string? failure = null) => new()
        {
            Kind = EntryKind.StepFinished,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            Code = (int)result,
            Subject = branch,
            Text = branchName,
            Source = failure,
        };

    /// <summary>A task for a worker was committed. <paramref name="waits"/> when the enrollment waits for its completion (ACT-02).</summary>
    public static JournalEntry EffectRequested(
        int workflow, int version, int enrollment, int step, int execution, string queue, bool waits, Timestamp timesOutAt, NamedValue[] fields) => new()
        {
            Kind = EntryKind.EffectRequested,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            Text = queue,
            Flag = waits,
            DueAt = timesOutAt,
            Fields = fields,
        };

    /// <summary>A task was completed, failed for good, or withdrawn.</summary>
    public static JournalEntry EffectCompleted(
        int workflow, int version, int enrollment, int step, int execution, StepResult result, string failureCode, string failureText, NamedValue[] outputs) => new()
        {
            Kind = EntryKind.EffectCompleted,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            Code = (int)result,
            Text = failureCode,
            Source = failureText,
            Fields = outputs,
        };

    /// <summary>A goal was met while active. <paramref name="goal"/> is 1 plus its index.</summary>
    public static JournalEntry GoalMet(int workflow, int version, int enrollment, int goal, string goalId, bool isFirst) => new()
    {
        Kind = EntryKind.GoalMet,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Subject = goal,
        Text = goalId,
        Flag = isFirst,
    };

    /// <summary>An enrollment ended.</summary>
    public static JournalEntry EnrollmentEnded(int workflow, int version, int enrollment, int step, EndReason reason) => new()
    {
        Kind = EntryKind.EnrollmentEnded,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = step,
        Code = (int)reason,
    };

    /// <summary>A loop guard stopped a cascade (ENG-08).</summary>
    public static JournalEntry LoopGuard(int rounds) => new() { Kind = EntryKind.LoopGuard, Subject = rounds };

    /// <summary>The oldest moved-out part of the event ids left the window (REC-08).</summary>
    public static JournalEntry EventIdsForgotten(int section) => new() { Kind = EntryKind.EventIdsForgotten, Subject = section };

    /// <summary>A publish removed the step an enrollment was in; it goes on at <paramref name="step"/>, 0 for the end (EDT-09).</summary>
    public static JournalEntry StepMoved(int workflow, int version, int enrollment, int step) => new()
    {
        Kind = EntryKind.StepMoved,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = step,
    };
}

/// <summary>Requests by hand. Stored.</summary>
public enum CommandKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Enroll (TRG-10).</summary>
    Enroll = 1,

    /// <summary>Unenroll (UNE-03).</summary>
    Unenroll = 2,
}
