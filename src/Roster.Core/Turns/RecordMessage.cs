using Roster.Core.Journal;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <summary>What a message between records is about. Stored.</summary>
public enum MessageKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The sender has linked itself to the receiver, or added a label.</summary>
    Link = 1,

    /// <summary>The sender has taken a link or a label away.</summary>
    Unlink = 2,

    /// <summary>What the receiver keeps of the sender (ASC-04).</summary>
    Copy = 3,

    /// <summary>A write to a property by a step of the sender (ACT-20).</summary>
    Write = 4,

    /// <summary>The receiver comes to be, by a step of the sender (ACT-22).</summary>
    Create = 5,

    /// <summary>Something occurred on the sender that is an event of the receiver too (ACT-25).</summary>
    Occurred = 6,

    /// <summary>To itself: tell the links of the next leaf what they keep (ENG-15).</summary>
    Spread = 7,

    /// <summary>To itself: take away the links of a type and label in the next leaf (ACT-27, ENG-15).</summary>
    UnlinkAll = 8,

    /// <summary>The sender was merged into the receiver: what it had (REC-13).</summary>
    Absorb = 9,

    /// <summary>To itself: hand the links of the next leaf over to the record that it was merged into.</summary>
    HandOver = 10,

    /// <summary>Links of a record that was merged into the receiver.</summary>
    Inherit = 11,

    /// <summary>The sender was erased: the receiver keeps neither link nor copy of it (REC-17).</summary>
    Erased = 12,

    /// <summary>The receiver did not take what the sender sent, and the sender's journal names it: an erasure of the receiver must find it there (REC-17).</summary>
    Named = 13,

    /// <summary>To an inbox: the sender wants an enrollment of the day, or an instant for an e-mail (SEQ-04, SEQ-15).</summary>
    SlotRequest = 20,

    /// <summary>Of an inbox: what it grants; <see cref="RecordMessage.OccurredAt"/> is none when it does not.</summary>
    SlotAnswer = 21,

    /// <summary>To an inbox: what it granted is not used.</summary>
    SlotRelease = 22,

    /// <summary>To itself: tell the links of the next leaf that a contact is engaged (SEQ-13).</summary>
    TellEngaged = 23,

    /// <summary>To a company: a contact of it replied or met (SEQ-13).</summary>
    Engaged = 24,

    /// <summary>To a contact of a company: another one replied or met (SEQ-13).</summary>
    ColleagueEngaged = 25,
}

/// <summary>
/// A message from one record to another: a row of the outbox that is committed with the turn of the sender and removed by the turn of the
/// receiver, so it is applied once (ENG-15).
/// </summary>
/// <param name="Kind">What it is about.</param>
/// <param name="ToType">Number of the receiver's object type.</param>
/// <param name="ToId">Id of the receiver.</param>
public sealed record RecordMessage(MessageKind Kind, int ToType, string ToId)
{
    /// <summary>Number of the sender's object type.</summary>
    public int FromType { get; init; }

    /// <summary>Id of the sender.</summary>
    public string FromId { get; init; } = string.Empty;

    /// <summary>How many messages led to this one, itself included (ENG-11).</summary>
    public int Hops { get; init; }

    /// <summary>Turn time of the sender.</summary>
    public Timestamp At { get; init; }

    /// <summary>For occurrences: when it occurred. For slots: the instant that was granted.</summary>
    public Timestamp OccurredAt { get; init; }

    /// <summary>For links: the labels that were added or taken away; empty for the link itself.</summary>
    public int[] Labels { get; init; } = [];

    /// <summary>
    /// For <see cref="MessageKind.Unlink"/>: the newest message by which the receiver linked itself to the sender or added a label, as far as the
    /// sender had heard. What the receiver has said since stays.
    /// </summary>
    public int Seen { get; init; }

    /// <summary>What the receiver shall keep of the sender; null when the message does not say, or for a copy: nothing any more.</summary>
    public NamedValue[]? Copy { get; init; }

    /// <summary>The copy counts as having been there before and fires nothing (ASC-04).</summary>
    public bool IsInitial { get; init; }

    /// <summary>The workflow whose step sent it, or 0.</summary>
    public int Workflow { get; init; }

    /// <summary>The step that sent it, or 0.</summary>
    public int Step { get; init; }

    /// <summary>
    /// For writes: number of the property. For occurrences: number of the event type. For <see cref="MessageKind.UnlinkAll"/> and
    /// <see cref="MessageKind.TellEngaged"/>: number of the object type. For slots: 1 for an enrollment, 2 for an e-mail.
    /// </summary>
    public int Subject { get; init; }

    /// <summary>For writes: how the value is used.</summary>
    public SetMode Mode { get; init; }

    /// <summary>For writes: the value.</summary>
    public Value Value { get; init; }

    /// <summary>For writes and creations: the source that the receiver's history shows.</summary>
    public string Source { get; init; } = string.Empty;

    /// <summary>For creations: values by number of the property. For occurrences: properties of the event. For slots: what the one who asks needs to know again.</summary>
    public NamedValue[] Fields { get; init; } = [];

    /// <summary>For merges: packed enrollment histories and event ids.</summary>
    public byte[] Past { get; init; } = [];

    /// <summary>For creations: the workflows that led to it (ACT-23).</summary>
    public int[] Chain { get; init; } = [];

    /// <summary>For <see cref="MessageKind.Spread"/> and <see cref="MessageKind.UnlinkAll"/>: hash of the link to go on from.</summary>
    public ulong Cursor { get; init; }
}

/// <summary>A message of another record, or of the record to itself, has come.</summary>
/// <param name="message">The message.</param>
/// <param name="sender">Internal number of the sender.</param>
/// <param name="sequence">Number of the message among those of the sender.</param>
public sealed class MessageInput(RecordMessage message, long sender, int sequence) : TurnInput
{
    /// <summary>The message.</summary>
    public RecordMessage Message { get; } = message;

    /// <summary>Internal number of the sender.</summary>
    public long Sender { get; } = sender;

    /// <summary>Number of the message among those of the sender.</summary>
    public int Sequence { get; } = sequence;
}

/// <summary>A message that the record sent could not be delivered: the receiver has gone, or refused it.</summary>
/// <param name="message">The message.</param>
/// <param name="sequence">Its number among those of the record.</param>
/// <param name="reason">Why.</param>
public sealed class MessageReturnedInput(RecordMessage message, int sequence, RefusalReason reason) : TurnInput
{
    /// <summary>The message.</summary>
    public RecordMessage Message { get; } = message;

    /// <summary>Its number among those of the record.</summary>
    public int Sequence { get; } = sequence;

    /// <summary>Why it could not be delivered.</summary>
    public RefusalReason Reason { get; } = reason;
}
