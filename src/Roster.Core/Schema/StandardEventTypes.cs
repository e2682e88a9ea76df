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

    /// <summary>An enrollment in a sequence began (TRG-31). Property <c>sequence</c>.</summary>
    public const string SequenceEnrolled = "sequence_enrolled";

    /// <summary>An enrollment in a sequence ran to its end (TRG-31). Property <c>sequence</c>.</summary>
    public const string SequenceFinished = "sequence_finished";

    /// <summary>An enrollment in a sequence ended before (TRG-31). Properties <c>sequence</c>, <c>reason</c>.</summary>
    public const string SequenceUnenrolled = "sequence_unenrolled";

    /// <summary>A meeting ended an enrollment in a sequence (TRG-31). Property <c>sequence</c>.</summary>
    public const string SequenceMeeting = "sequence_meeting";

    /// <summary>An e-mail was delivered (TRG-23). Property <c>task_key</c>, as in all events about an e-mail, is the key of the task that sent it.</summary>
    public const string EmailDelivered = "email_delivered";

    /// <summary>An e-mail was opened (TRG-23). Properties <c>task_key</c>, <c>machine</c>.</summary>
    public const string EmailOpened = "email_opened";

    /// <summary>A link in an e-mail was clicked (TRG-24). Properties <c>task_key</c>, <c>link_kind</c>: <c>unsubscribe</c> and <c>preferences</c> are not counted.</summary>
    public const string EmailClicked = "email_clicked";

    /// <summary>The contact answered an e-mail (TRG-23, SEQ-10). Properties <c>task_key</c>, <c>user</c>, <c>auto_reply</c>.</summary>
    public const string EmailReplied = "email_replied";

    /// <summary>An e-mail bounced (TRG-23). Property <c>task_key</c>.</summary>
    public const string EmailBounced = "email_bounced";

    /// <summary>The contact unsubscribed. Property <c>task_key</c>.</summary>
    public const string EmailUnsubscribed = "email_unsubscribed";

    /// <summary>The contact marked an e-mail as spam. Property <c>task_key</c>.</summary>
    public const string EmailMarkedSpam = "email_marked_spam";

    /// <summary>The contact sent a user an e-mail that is no answer (SEQ-10). Properties <c>user</c>, <c>auto_reply</c>.</summary>
    public const string EmailReceived = "email_received";

    /// <summary>A meeting was booked (TRG-30, SEQ-11). Properties <c>task_key</c> of the e-mail that had the link, <c>user</c>.</summary>
    public const string MeetingBooked = "meeting_booked";

    /// <summary>A meeting was logged, also one that is past (SEQ-11). Property <c>user</c>.</summary>
    public const string MeetingLogged = "meeting_logged";

    /// <summary>Events that sequences look at.</summary>
    public static IReadOnlyList<string> OfSequences { get; } =
    [
        EmailDelivered, EmailOpened, EmailClicked, EmailReplied, EmailBounced, EmailUnsubscribed, EmailMarkedSpam, EmailReceived, MeetingBooked, MeetingLogged,
    ];

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
