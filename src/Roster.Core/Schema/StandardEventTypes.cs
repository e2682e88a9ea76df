using System.Collections.Frozen;

namespace Roster.Core.Schema;

/// <summary>Event types with a meaning of their own.</summary>
public static class StandardEventTypes
{
    /// <summary>The type of an event that names none: it only writes properties.</summary>
    public const string PropertyChanged = "property_changed";

    /// <summary>Number of <see cref="PropertyChanged"/> in every tenant.</summary>
    public const int PropertyChangedNumber = 1;

    /// <summary>A record joined a list (TRG-22). Property <c>list</c>.</summary>
    public const string ListJoined = "list_joined";

    /// <summary>A record left a list (TRG-22). Property <c>list</c>.</summary>
    public const string ListLeft = "list_left";

    /// <summary>A record came to be (TRG-25).</summary>
    public const string RecordCreated = "record_created";

    /// <summary>An enrollment began (TRG-27). Property <c>workflow</c>.</summary>
    public const string WorkflowEnrolled = "workflow_enrolled";

    /// <summary>An enrollment ended before it completed (TRG-27). Properties <c>workflow</c>, <c>reason</c>.</summary>
    public const string WorkflowUnenrolled = "workflow_unenrolled";

    /// <summary>An enrollment completed (TRG-27). Property <c>workflow</c>.</summary>
    public const string WorkflowCompleted = "workflow_completed";

    /// <summary>A record was counted for a goal (TRG-27). Properties <c>workflow</c>, <c>goal</c>.</summary>
    public const string WorkflowGoal = "workflow_goal";

    /// <summary>
    /// A task was completed (ACT-25). Sent to the task, it is an event of the records that the task is linked to; property <c>task</c> is the
    /// id of the task.
    /// </summary>
    public const string TaskCompleted = "task_completed";

    /// <summary>
    /// Types that may create the record they fire on (REC-10). All others need a record that existed before, unless the
    /// trigger says <c>allow_new_record</c>.
    /// </summary>
    private static readonly FrozenSet<string> MayCreate = new[]
    {
        PropertyChanged, "form_submitted", "form_viewed", "form_interacted", "meeting_booked", "meeting_outcome_changed",
        "record_created", "list_joined", "list_left", "workflow_enrolled", "workflow_unenrolled", "workflow_goal",
        "workflow_completed", "sequence_enrolled", "sequence_finished", "sequence_unenrolled", "sequence_meeting",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether a trigger on this type fires on an event that creates the record, by default (REC-10).</summary>
    public static bool AllowsNewRecord(string eventType) => MayCreate.Contains(eventType);
}
