using Roster.Core.Journal;

namespace Roster.Core.Records;

/// <summary>Where an active enrollment stands in its present step.</summary>
public enum StepPhase
{
    /// <summary>The step is to be entered.</summary>
    Ready = 0,

    /// <summary>In a delay, until <see cref="EnrollmentState.DueAt"/>.</summary>
    Delay = 1,

    /// <summary>Waits for the completion of a task, whose timeout is <see cref="OpenEffect.TimesOutAt"/> (ERR-08).</summary>
    Effect = 2,

    /// <summary>Held because the workflow is paused (EDT-05); <see cref="EnrollmentState.Step"/> is the step to enter then, 0 for the end.</summary>
    Held = 3,

    /// <summary>Waits for an event or criteria; <see cref="EnrollmentState.DueAt"/> is its timeout, or none (DLY-12).</summary>
    Wait = 4,

    /// <summary>An action outside its window waits for the next one (WIN-05).</summary>
    Window = 5,

    /// <summary>An action of a date-anchored workflow waits for its instant (SCH-06), a step of a sequence for the end of its delay (SEQ-07).</summary>
    Anchor = 6,

    /// <summary>An e-mail of a sequence waits for its inbox: to be granted an instant, or for that instant (SEQ-15).</summary>
    Slot = 10,
}

/// <summary>An active enrollment of a record.</summary>
public struct EnrollmentState
{
    /// <summary>Number of the workflow.</summary>
    public int Workflow;

    /// <summary>Version it was enrolled in.</summary>
    public int Version;

    /// <summary>Enrollment number.</summary>
    public int Number;

    /// <summary>Number of the present step.</summary>
    public int Step;

    /// <summary>Where it stands in the step.</summary>
    public StepPhase Phase;

    /// <summary>Execution index of the present step (ACT-04).</summary>
    public int Execution;

    /// <summary>When it goes on by itself; none when it does not.</summary>
    public Timestamp DueAt;

    /// <summary>When it began.</summary>
    public Timestamp EnrolledAt;

    /// <summary>When the present step was entered.</summary>
    public Timestamp EnteredAt;

    /// <summary>How it was started.</summary>
    public TriggerKind Trigger;

    /// <summary>Runs per step, of those that are counted; null when none is. <see cref="RecordState.RunsOf"/> knows all.</summary>
    public StepRuns[]? Runs;

    /// <summary>Where the runs of the other steps lie in the buffer of the state, as pairs of varints: step, milliseconds since the enrollment.</summary>
    internal int TrailOffset;

    /// <summary>Bytes there.</summary>
    internal int TrailLength;

    /// <summary>Whether the criteria have matched while it is active (UNE-02).</summary>
    public bool HasMatched;

    /// <summary>Goals, as bits, that held at the enrollment and have not stopped since (GOAL-02).</summary>
    public ulong GoalsHeld;

    /// <summary>
    /// Properties of the event that started it, when a step reads them (ACT-07); null otherwise. Of a sequence: its facts
    /// (<see cref="Sequences.SequenceFacts"/>).
    /// </summary>
    public NamedValue[]? EventProperties;
}

/// <summary>Outputs of a step of an active enrollment, when a later step reads them (ACT-05).</summary>
/// <param name="Enrollment">Enrollment number.</param>
/// <param name="Step">Number of the step.</param>
/// <param name="Values">The outputs.</param>
public readonly record struct StepOutputs(int Enrollment, int Step, NamedValue[] Values);

/// <summary>How often a step of one enrollment ran.</summary>
/// <param name="Step">Number of the step.</param>
/// <param name="Count">Runs so far.</param>
/// <param name="Recent">Times of the runs of the last 60 minutes, oldest first (ENG-10).</param>
public readonly record struct StepRuns(int Step, int Count, Timestamp[] Recent);

/// <summary>What a record did in one workflow: kept for good (HIS-08).</summary>
public struct WorkflowSummary
{
    /// <summary>Number of the workflow.</summary>
    public int Workflow;

    /// <summary>Times enrolled.</summary>
    public int TimesEnrolled;

    /// <summary>How the latest ended enrollment ended.</summary>
    public EndReason LastEnd;

    /// <summary>When it ended.</summary>
    public Timestamp LastEndedAt;

    /// <summary>Times completed.</summary>
    public int TimesCompleted;

    /// <summary>Goals the record counts for, as bits: goal n is bit n - 1 (GOAL-09).</summary>
    public ulong GoalsMet;

    /// <summary>Goals that wait for an e-mail in flight, as bits (GOAL-08).</summary>
    public ulong GoalsPending;

    /// <summary>Goals that hold since before the latest enrollment, as bits (GOAL-02).</summary>
    public ulong GoalsHeld;

    /// <summary>The version whose goals were last all judged, since a publish may bring some that hold already (GOAL-04, GOAL-12); 0 when it is not known.</summary>
    public int GoalsVersion;

    /// <summary>Whether the workflow has sent the record a marketing e-mail (GOAL-06).</summary>
    public bool IsMailed;

    /// <summary>Number of the latest enrollment.</summary>
    public int LastEnrollment;

    /// <summary>What became of the e-mails of the latest enrollment: signal n is bit n (MET-16).</summary>
    public int Signals;

    /// <summary>When an annual workflow enrolls the record again (SCH-09); none when it does not.</summary>
    public Timestamp RecurrenceAt;

    /// <summary>Times of the enrollments of the last 60 minutes, oldest first, when there is more than one (ENG-09).</summary>
    public Timestamp[]? RecentEnrollments;

    /// <summary>Time of the latest enrollment.</summary>
    public Timestamp LastEnrolledAt;
}

/// <summary>A task that was given up for good, and that an operator may send again (ERR-11).</summary>
/// <param name="Enrollment">Enrollment number.</param>
/// <param name="Workflow">Number of the workflow.</param>
/// <param name="Version">Version at the request.</param>
/// <param name="Step">Number of the step.</param>
/// <param name="Execution">Execution index.</param>
public readonly record struct DeadLetter(int Enrollment, int Workflow, int Version, int Step, int Execution);

/// <summary>A task that is not completed and that no step waits for, or that one waits for.</summary>
/// <param name="Enrollment">Enrollment number.</param>
/// <param name="Workflow">Number of the workflow.</param>
/// <param name="Version">Version at the request.</param>
/// <param name="Step">Number of the step.</param>
/// <param name="Execution">Execution index.</param>
/// <param name="TimesOutAt">When it fails with <c>TIMEOUT</c> (ERR-08).</param>
/// <param name="IsWithdrawn">Whether its enrollment has ended: it is not offered any more (UNE-07).</param>
/// <param name="IsMarketing">Whether it sends a marketing e-mail (GOAL-06).</param>
/// <param name="IsBlocked">Whether a worker has begun it and will report its end: it is not offered any more (ACT-62).</param>
/// <param name="FirstTriedAt">When it was first tried, if that attempt failed and others follow (ERR-04, ERR-07); none otherwise.</param>
public readonly record struct OpenEffect(
    int Enrollment, int Workflow, int Version, int Step, int Execution, Timestamp TimesOutAt, bool IsWithdrawn = false, bool IsMarketing = false, bool IsBlocked = false,
    Timestamp FirstTriedAt = default)
{
    /// <summary>Whether it has left the outbox.</summary>
    public bool IsOut => IsWithdrawn || IsBlocked;
}
