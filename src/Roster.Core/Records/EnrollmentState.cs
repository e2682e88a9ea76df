using Roster.Core.Journal;

namespace Roster.Core.Records;

/// <summary>Where an active enrollment stands in its present step.</summary>
public enum StepPhase
{
    /// <summary>The step is to be entered.</summary>
    Ready = 0,

    /// <summary>In a delay, until <see cref="EnrollmentState.DueAt"/>.</summary>
    Delay = 1,

    /// <summary>Waits for the completion of a task; <see cref="EnrollmentState.DueAt"/> is its timeout (ERR-08).</summary>
    Effect = 2,

    /// <summary>Held because the workflow is paused (EDT-05).</summary>
    Held = 3,
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

    /// <summary>Execution index of the present step; 1 unless the graph has a loop (ACT-04).</summary>
    public int Execution;

    /// <summary>When it goes on by itself; none when it does not.</summary>
    public Timestamp DueAt;

    /// <summary>When it began.</summary>
    public Timestamp EnrolledAt;

    /// <summary>When the present step was entered.</summary>
    public Timestamp EnteredAt;

    /// <summary>How it was started.</summary>
    public TriggerKind Trigger;

    /// <summary>Runs per step, of those that are counted; null when none is.</summary>
    public StepRuns[]? Runs;
}

/// <summary>How often a step of one enrollment ran.</summary>
/// <param name="Step">Number of the step.</param>
/// <param name="Count">Runs so far.</param>
/// <param name="HourStart">Start of the 60 minutes that are counted in <paramref name="HourCount"/> (ENG-10).</param>
/// <param name="HourCount">Runs since <paramref name="HourStart"/>.</param>
public readonly record struct StepRuns(int Step, int Count, Timestamp HourStart, int HourCount);

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

    /// <summary>Goals met, as bits by index (GOAL-09).</summary>
    public ulong GoalsMet;

    /// <summary>Times of the enrollments of the last 60 minutes, oldest first, when there is more than one (ENG-09).</summary>
    public Timestamp[]? RecentEnrollments;

    /// <summary>Time of the latest enrollment.</summary>
    public Timestamp LastEnrolledAt;
}

/// <summary>A task that is not completed and that no step waits for, or that one waits for.</summary>
/// <param name="Enrollment">Enrollment number.</param>
/// <param name="Workflow">Number of the workflow.</param>
/// <param name="Version">Version at the request.</param>
/// <param name="Step">Number of the step.</param>
/// <param name="Execution">Execution index.</param>
/// <param name="TimesOutAt">When it fails with <c>TIMEOUT</c> (ERR-08).</param>
public readonly record struct OpenEffect(int Enrollment, int Workflow, int Version, int Step, int Execution, Timestamp TimesOutAt);
