using Roster.Core.Sequences;
using Wire = Roster.V1.Sequence;

namespace Roster.Protocol.Mapping;

/// <summary>Sequences as readers and writers see them.</summary>
public static class SequenceMapping
{
    /// <summary>Maps a sequence.</summary>
    public static SequenceDefinition ToCore(Wire sequence)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        return new SequenceDefinition(sequence.Id, sequence.Owner, ToCore(sequence.Steps))
        {
            AddressProperty = sequence.AddressProperty,
            Subscription = sequence.Subscription,
            Queue = sequence.Queue,
            EligibleDays = (EligibleDays)(int)sequence.EligibleDays,
            WindowStart = sequence.WindowStart,
            WindowEnd = sequence.HasWindowEnd ? sequence.WindowEnd : null,
            TaskMinute = sequence.HasTaskMinute ? sequence.TaskMinute : null,
            TimeZoneProperty = sequence.TimeZoneProperty,
            OnReply = (EngagementScope)(int)sequence.OnReply,
            OnMeeting = (EngagementScope)(int)sequence.OnMeeting,
        };
    }

    private static SequenceStepDefinition[] ToCore(IEnumerable<V1.SequenceStep> steps) => [.. steps.Select(ToCore)];

    private static SequenceStepDefinition ToCore(V1.SequenceStep step)
    {
        SequenceStepDefinition core = step.KindCase switch
        {
            V1.SequenceStep.KindOneofCase.Email => new SequenceEmailDefinition(
                step.Id, [.. step.Email.Variants.Select(v => new EmailVariantDefinition(v.Name, v.Subject, v.Body, v.Template))], step.Email.SameThread, step.Email.Queue),
            V1.SequenceStep.KindOneofCase.Task => new SequenceTaskDefinition(step.Id, (SequenceTaskKind)(int)step.Task.Kind, step.Task.Title, step.Task.Body, step.Task.Wait),
            V1.SequenceStep.KindOneofCase.Pause => new SequencePauseDefinition(step.Id),
            V1.SequenceStep.KindOneofCase.Finish => new SequenceFinishDefinition(step.Id),
            V1.SequenceStep.KindOneofCase.Adaptive => new SequenceAdaptiveDefinition(
                step.Id, step.Adaptive.Of, Steps(step.Adaptive.Clicked), Steps(step.Adaptive.Opened), Steps(step.Adaptive.Otherwise) ?? []),
            _ => new SequenceIncompleteDefinition(step.Id),
        };
        return core with { Delay = new SequenceDelayDefinition(step.DelayMs, step.HasDelayMaxMs ? step.DelayMaxMs : step.DelayMs) };
    }

    private static SequenceStepDefinition[]? Steps(V1.SequenceSteps? steps) => steps is null ? null : ToCore(steps.Steps);

    /// <summary>Maps the inbox of a user; what it does not say has its default.</summary>
    /// <param name="inbox">The inbox.</param>
    /// <param name="zone">The tenant's zone.</param>
    public static InboxInfo ToCore(V1.Inbox inbox, NodaTime.DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(inbox);
        var limits = InboxLimits.Default;
        var perDay = inbox.FreeMail ? InboxLimits.FreeMailPer24h : limits.EmailsPer24h;
        return new InboxInfo(
            inbox.User,
            inbox.Address,
            inbox.Connected,
            inbox.TimeZone.Length == 0 ? zone : Core.TimeZones.Find(inbox.TimeZone) ?? zone,
            new InboxLimits(
                OrDefault(inbox.EnrollmentsPerDay, limits.EnrollmentsPerDay),
                OrDefault(inbox.EmailsPer24H, perDay),
                OrDefault(inbox.EmailsPerMin, limits.EmailsPerMin),
                OrDefault(inbox.BulkEmailsPerMin, limits.BulkEmailsPerMin),
                OrDefault(inbox.BulkEnrollMax, limits.BulkEnrollMax)));
    }

    private static int OrDefault(int given, int fallback) => given == 0 ? fallback : given;

    /// <summary>Names of the signals that are set in a state: signal n is bit n.</summary>
    public static IEnumerable<string> SignalNames(int signals) => Enum.GetValues<Core.Journal.EmailSignal>()
        .Where(s => s != Core.Journal.EmailSignal.None && (signals & (1 << (int)s)) != 0)
        .Select(s => JournalMapping.ApiName(s.ToString()));
}
