using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <summary>What a sequence has beside its steps.</summary>
/// <param name="Owner">The user who owns it (SEQ-01).</param>
/// <param name="Address">The property that has the contact's address.</param>
/// <param name="Consent">The property that has the contact's consent (SEQ-04).</param>
/// <param name="Calendar">Days, send window, task minute.</param>
/// <param name="ZoneProperty">Number of the property that has the contact's zone; 0 for the sender's zone (SEQ-08).</param>
/// <param name="OnReply">Whom a reply ends it for.</param>
/// <param name="OnMeeting">Whom a meeting ends it for.</param>
internal sealed record CompiledSequence(
    string Owner, PropertyDefinition Address, PropertyDefinition Consent, SequenceCalendar Calendar, int ZoneProperty, EngagementScope OnReply, EngagementScope OnMeeting)
{
    /// <summary>The zone of days and times of day: the contact's when it is asked for and known, else the sender's.</summary>
    public NodaTime.DateTimeZone ZoneOf(RecordState state, InboxInfo? inbox) =>
        new CompiledZone(inbox?.Zone ?? NodaTime.DateTimeZone.Utc, ZoneProperty).Of(state);
}

/// <summary>An e-mail of a sequence: a task for the worker who sends it (SEQ-06).</summary>
internal sealed record CompiledEmail(int Number, string Id, int Order, int Next, string Queue, long TimeoutMs, CompiledVariant[] Variants, bool SameThread)
    : CompiledWorker(Number, Id, Order, Next, Queue, [], [], Wait: true, TimeoutMs, IsMarketing: false)
{
    public override string Kind => "email";
}

/// <summary>A content of an e-mail.</summary>
internal sealed record CompiledVariant(string Name, CompiledValue Subject, CompiledValue Body, string Template);

/// <summary>A pause that a person lifts (SEQ-09).</summary>
internal sealed record CompiledPause(int Number, string Id, int Order, int Next) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "pause";
}

/// <summary>The end of a sequence.</summary>
internal sealed record CompiledFinish(int Number, string Id, int Order) : CompiledStep(Number, Id, Order, 0)
{
    public override string Kind => "finish";
}

/// <summary>A container that chooses by opens and clicks (SEQ-06). <see cref="Of"/> is the number of an e-mail step, or 0 for all.</summary>
internal sealed record CompiledAdaptive(int Number, string Id, int Order, int Of, int ClickedNext, int OpenedNext, int Default) : CompiledStep(Number, Id, Order, Default)
{
    public const int ClickedBranch = 1;
    public const int OpenedBranch = 2;

    public override string Kind => "adaptive";

    public override IReadOnlyList<string> BranchNames => ["clicked", "opened"];
}

/// <summary>Enrolls in a sequence, or takes out of one; number 0 for any (ACT-51).</summary>
internal sealed record CompiledOtherSequence(int Number, string Id, int Order, int Next, int Sequence, bool Enrolls) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => Enrolls ? "enroll_in_sequence" : "unenroll_from_sequence";
}
