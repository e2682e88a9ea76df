using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Roster.Client;
using Roster.V1;
using Spectre.Console;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Cli.Output;

/// <summary>Messages as text for people.</summary>
internal static class Show
{
    /// <summary>In place of a value that the caller has no right to see (PRV-01).</summary>
    public const string Masked = "(masked)";

    private const string Rescheduled = "RESCHEDULED";

    public static string Time(Timestamp? time) =>
        time is null ? "" : time.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A duration in its largest fitting unit: <c>12.5 us</c>, <c>3.1 ms</c>, <c>2 h</c>; a dash for none.</summary>
    public static string Short(Duration? duration)
    {
        var time = duration?.ToTimeSpan() ?? TimeSpan.Zero;
        var (value, unit) = time switch
        {
            { Ticks: <= 0 } => (0, ""),
            { TotalMicroseconds: < 1_000 } => (time.TotalMicroseconds, "us"),
            { TotalMilliseconds: < 1_000 } => (time.TotalMilliseconds, "ms"),
            { TotalSeconds: < 120 } => (time.TotalSeconds, "s"),
            { TotalMinutes: < 120 } => (time.TotalMinutes, "min"),
            { TotalHours: < 48 } => (time.TotalHours, "h"),
            _ => (time.TotalDays, "days"),
        };
        return unit.Length == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {unit}");
    }

    /// <summary>Median and 99th percentile; a dash when nothing was measured.</summary>
    public static string Percentiles(DurationSummary? durations) =>
        durations is not { Count: > 0 } ? "-" : $"{Short(durations.Median)}, {Short(durations.Percentile99)}";

    public static string Values(IEnumerable<PropertyValue> values) =>
        string.Join(", ", values.Select(value => $"{value.Name}={(value.Masked ? Masked : Client.Values.Show(value.Value))}"));

    /// <summary>One journal entry: what happened, and its particulars.</summary>
    public static (string What, string Particulars) Entry(JournalEntry entry) => entry.Kind switch
    {
        Kind.RecordCreated => ("record created", ""),
        Kind.EventReceived => ($"event {entry.Type}", Join(entry.EventId, entry.Source, entry.Clamped ? "clamped" : "", Values(entry.Properties))),
        Kind.CommandReceived => ($"command {entry.Type}", Join(entry.Name, entry.EventId, entry.Source)),
        Kind.PropertyChanged => ("property changed", $"{entry.Name} = {ValueOf(entry)}"),
        Kind.PropertyLate => ("late write", $"{entry.Name} = {ValueOf(entry)}"),
        Kind.ListJoined => ("joined list", entry.Name),
        Kind.ListLeft => ("left list", entry.Name),
        Kind.EnrollmentRefused => ("not enrolled", Join(ProtoNames.Of(entry.Decision), entry.Detail)),
        Kind.Enrolled => ("enrolled", Join($"#{entry.EnrollmentNumber}", $"version {entry.Version}", Trigger(entry))),
        Kind.StepEntered => ("step entered", Join(entry.Result == Rescheduled ? "moved by an execution window" : "", Until(entry))),
        Kind.StepHeld => ("step held", Join("the workflow is paused", Until(entry))),
        Kind.StepRescheduled => ("step rescheduled", entry.DueAt is null ? "waits for its inbox" : Until(entry)),
        Kind.StepFinished => ("step finished", Join(entry.Result, entry.Name, entry.Detail)),
        Kind.EffectRequested => ("task requested", Join($"queue {entry.Name}", Values(entry.Properties))),
        Kind.EffectCompleted => ("task completed", Join(entry.Result, entry.Detail, Values(entry.Properties))),
        Kind.EffectWithdrawn => ("task withdrawn", ""),
        Kind.EffectBlocked => ("task waits for a callback", $"until {Time(entry.DueAt)}"),
        Kind.DeadLetterClosed => ("dead letter closed", Join(entry.Result, entry.Detail)),
        Kind.GoalMet => ("goal met", Join(entry.Name, entry.Counted ? "counted" : "not counted")),
        Kind.EnrollmentEnded => ("enrollment ended", Join(ProtoNames.Of(entry.EndReason), entry.Detail)),
        Kind.LoopGuard => ("loop guard", entry.Detail),
        Kind.RecordDeleted => ("record deleted", ""),
        Kind.RecordRestored => ("record restored", ""),
        Kind.RecordErased => ("record erased", ""),
        Kind.RecordMerged => ("record merged", $"into {Other(entry)}"),
        Kind.RecordAbsorbed => ("record merged", $"took in {Other(entry)}"),
        Kind.Associated => ("linked", Join(Other(entry), entry.Name)),
        Kind.Dissociated => (entry.Name.Length > 0 ? "label removed" : "unlinked", Join(Other(entry), entry.Name)),
        Kind.MessageReceived => ($"message: {entry.Type.Replace('_', ' ')}", $"from {Other(entry)}"),
        Kind.MessageReturned => ($"message came back: {entry.Type.Replace('_', ' ')}", Join($"to {Other(entry)}", entry.Detail)),
        Kind.EmailEngaged => ("e-mail", entry.Name.ToLowerInvariant().Replace('_', ' ')),
        Kind.EmailEdited => ("e-mail edited", Values(entry.Properties)),
        Kind.CopiesCut => ("copy not kept", Join($"of {Other(entry)}", entry.Name)),
        _ => (IsKnown(entry.Kind) ? ProtoNames.Of(entry.Kind).Replace('_', ' ').ToLowerInvariant() : $"entry of kind {(int)entry.Kind}", Join(entry.Result, entry.Name, entry.Detail)),
    };

    /// <summary>What started an enrollment: <c>by event form_submitted</c>; empty where the entry does not say.</summary>
    public static string Trigger(JournalEntry entry) => entry.Type.Length == 0 ? "" : $"by {entry.Type}{(entry.Detail.Length > 0 ? $" {entry.Detail}" : "")}";

    /// <summary>The other record of a link or message.</summary>
    private static string Other(JournalEntry entry) => entry.Other is null ? "another" : RecordName.Of(entry.Other);

    /// <summary>The due instant of a step; empty for none.</summary>
    public static string Until(JournalEntry entry) => entry.DueAt is null ? "" : $"until {Time(entry.DueAt)}";

    public static string Where(JournalEntry entry) =>
        entry.StepId.Length > 0 ? $"{entry.WorkflowId} / {entry.StepId}" : entry.WorkflowId;

    public static Table Table(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Markup($"[bold]{Markup.Escape(column)}[/]")));
        }

        return table;
    }

    public static void Row(this Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(cell))]);

    /// <summary>A time span in the two largest units that it has: <c>3 d 4 h</c>, <c>250 ms</c>.</summary>
    public static string Span(long ms)
    {
        (long Ms, string Unit)[] units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
        for (var i = 0; i < units.Length - 1; i++)
        {
            var (size, unit) = units[i];
            if (ms >= size)
            {
                var rest = ms % size / units[i + 1].Ms;
                return $"{Count(ms / size)} {unit}{(rest > 0 ? $" {rest.ToString(CultureInfo.InvariantCulture)} {units[i + 1].Unit}" : "")}";
            }
        }

        return $"{Count(ms)} ms";
    }

    private static string ValueOf(JournalEntry entry) => entry.Masked ? Masked : Client.Values.Show(entry.Value);

    private static bool IsKnown(Kind kind) => System.Enum.IsDefined(kind);

    private static string Join(params string[] parts) => string.Join(", ", parts.Where(part => part.Length > 0));
}
