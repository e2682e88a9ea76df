namespace Roster.Core.Sequences;

/// <summary>A sequence as written by a user, before it is checked and compiled (section 20 of the rules). Mirrors <c>roster.v1.Sequence</c>.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Owner">The user who owns it, and from whose inbox it sends (SEQ-01).</param>
/// <param name="Steps">Its steps in order (SEQ-06).</param>
public sealed record SequenceDefinition(string Id, string Owner, IReadOnlyList<SequenceStepDefinition> Steps)
{
    /// <summary>The property of the contact that has the address; empty for <c>email</c>.</summary>
    public string AddressProperty { get; init; } = string.Empty;

    /// <summary>The subscription whose consent is looked at (SEQ-04); empty for <c>one_to_one</c>.</summary>
    public string Subscription { get; init; } = string.Empty;

    /// <summary>The queue that e-mails go to when a step names none; empty for <c>sequence_email</c>.</summary>
    public string Queue { get; init; } = string.Empty;

    /// <summary>On which days e-mails are sent and tasks created (SEQ-08).</summary>
    public EligibleDays EligibleDays { get; init; }

    /// <summary>Start of the send window, minutes of the day, 0 to 1,439 (SEQ-08).</summary>
    public int WindowStart { get; init; }

    /// <summary>End of the send window, minutes of the day, excluded; null for 1,440, the end of the day (SEQ-08).</summary>
    public int? WindowEnd { get; init; }

    /// <summary>When tasks are created, minutes of the day, 0 to 1,439; null for 480 (SEQ-08).</summary>
    public int? TaskMinute { get; init; }

    /// <summary>A property of the contact that has its zone (SEQ-08); empty for the sender's zone.</summary>
    public string TimeZoneProperty { get; init; } = string.Empty;

    /// <summary>Whom an e-mail of the contact ends it for (SEQ-10, SEQ-13).</summary>
    public EngagementScope OnReply { get; init; }

    /// <summary>Whom a meeting ends it for (SEQ-11, SEQ-13).</summary>
    public EngagementScope OnMeeting { get; init; }
}

/// <summary>Days that count and on which something is done (SEQ-08). Numbers equal those of <c>roster.v1.Sequence.EligibleDays</c>.</summary>
public enum EligibleDays
{
    /// <summary>Not said: every day.</summary>
    None = 0,

    /// <summary>Every day.</summary>
    EveryDay = 1,

    /// <summary>Monday to Friday.</summary>
    Weekdays = 2,

    /// <summary>The tenant's business days (DLY-06).</summary>
    BusinessDays = 3,
}

/// <summary>Whom a reply or a meeting ends a sequence for (SEQ-13). Numbers equal those of <c>roster.v1.Sequence.Scope</c>.</summary>
public enum EngagementScope
{
    /// <summary>Not said: the contact.</summary>
    None = 0,

    /// <summary>The contact.</summary>
    Contact = 1,

    /// <summary>The contact, and all contacts of its companies that are enrolled in the sequence.</summary>
    Company = 2,

    /// <summary>Nobody.</summary>
    Nobody = 3,
}

/// <summary>A step of a sequence.</summary>
/// <param name="Id">Its id, of 1 to 100 characters of a-z, 0-9, _ and -.</param>
public abstract record SequenceStepDefinition(string Id)
{
    /// <summary>The delay before it (SEQ-07).</summary>
    public SequenceDelayDefinition Delay { get; init; } = SequenceDelayDefinition.None;
}

/// <summary>A delay before a step, from the step before it (SEQ-07).</summary>
/// <param name="MinMs">Milliseconds, 0 to 90 days. Whole days are calendar days at the same local time, the rest is elapsed time.</param>
/// <param name="MaxMs">With <paramref name="MinMs"/> the range that a value is chosen from by hash; the same for a fixed delay.</param>
public sealed record SequenceDelayDefinition(long MinMs, long MaxMs)
{
    /// <summary>No delay.</summary>
    public static readonly SequenceDelayDefinition None = new(0, 0);
}

/// <summary>A step without a kind: incomplete.</summary>
public sealed record SequenceIncompleteDefinition(string Id) : SequenceStepDefinition(Id);

/// <summary>An e-mail from the owner to the contact.</summary>
/// <param name="Id">Id of the step.</param>
/// <param name="Variants">One content, or several of which one is chosen by hash of contact and step (SEQ-06).</param>
/// <param name="SameThread">Whether it goes in the thread of the e-mail before it.</param>
/// <param name="Queue">The queue it goes to; empty for that of the sequence.</param>
public sealed record SequenceEmailDefinition(string Id, IReadOnlyList<EmailVariantDefinition> Variants, bool SameThread, string Queue) : SequenceStepDefinition(Id);

/// <summary>A content of an e-mail. Texts may have tokens (ACT-07).</summary>
public sealed record EmailVariantDefinition(string Name, string Subject, string Body, string Template);

/// <summary>Kinds of tasks (SEQ-06). Numbers equal those of <c>roster.v1.SequenceTask.Kind</c>.</summary>
public enum SequenceTaskKind
{
    /// <summary>Not said: to do.</summary>
    None = 0,

    /// <summary>A call.</summary>
    Call = 1,

    /// <summary>An e-mail by hand.</summary>
    Email = 2,

    /// <summary>A request to connect on LinkedIn.</summary>
    LinkedinConnect = 3,

    /// <summary>A message on LinkedIn.</summary>
    LinkedinMessage = 4,

    /// <summary>A meeting.</summary>
    Meeting = 5,

    /// <summary>Something else.</summary>
    ToDo = 6,
}

/// <summary>A task for the owner.</summary>
/// <param name="Id">Id of the step.</param>
/// <param name="Kind">What is to be done.</param>
/// <param name="Title">Its title, with tokens.</param>
/// <param name="Body">Its text, with tokens; may be empty.</param>
/// <param name="Wait">Whether the steps after it wait until it is completed (SEQ-09).</param>
public sealed record SequenceTaskDefinition(string Id, SequenceTaskKind Kind, string Title, string Body, bool Wait) : SequenceStepDefinition(Id);

/// <summary>A pause that is lifted by hand (SEQ-09).</summary>
public sealed record SequencePauseDefinition(string Id) : SequenceStepDefinition(Id);

/// <summary>The end (SEQ-06).</summary>
public sealed record SequenceFinishDefinition(string Id) : SequenceStepDefinition(Id);

/// <summary>A container that chooses by opens and clicks (SEQ-06). What follows it waits for the steps that it chose (SEQ-09).</summary>
/// <param name="Id">Id of the step.</param>
/// <param name="Of">The e-mail step that is looked at; empty for all e-mails of the enrollment so far.</param>
/// <param name="Clicked">Steps for who clicked; null to take those for who opened.</param>
/// <param name="Opened">Steps for who opened; null to take those for the others.</param>
/// <param name="Otherwise">Steps for the others.</param>
public sealed record SequenceAdaptiveDefinition(
    string Id, string Of, IReadOnlyList<SequenceStepDefinition>? Clicked, IReadOnlyList<SequenceStepDefinition>? Opened, IReadOnlyList<SequenceStepDefinition> Otherwise)
    : SequenceStepDefinition(Id);
