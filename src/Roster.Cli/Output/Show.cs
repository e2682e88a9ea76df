using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Output;

/// <summary>Messages as text for people.</summary>
internal static class Show
{
    public static string Time(Timestamp? time) =>
        time is null ? "" : time.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Values(IEnumerable<PropertyValue> values) =>
        string.Join(", ", values.Select(value => $"{value.Name}={Client.Values.Show(value.Value)}"));

    /// <summary>One journal entry: what happened, and its particulars.</summary>
    public static (string What, string Particulars) Entry(JournalEntry entry) => entry.Kind switch
    {
        JournalEntry.Types.Kind.RecordCreated => ("record created", ""),
        JournalEntry.Types.Kind.EventReceived => ($"event {entry.Type}", Join(entry.EventId, entry.Source, entry.Clamped ? "clamped" : "", Values(entry.Properties))),
        JournalEntry.Types.Kind.CommandReceived => ($"command {entry.Type}", Join(entry.EventId, entry.Source)),
        JournalEntry.Types.Kind.PropertyChanged => ("property changed", $"{entry.Name} = {Client.Values.Show(entry.Value)}"),
        JournalEntry.Types.Kind.PropertyLate => ("late write", $"{entry.Name} = {Client.Values.Show(entry.Value)}"),
        JournalEntry.Types.Kind.EnrollmentRefused => ("not enrolled", ProtoNames.Of(entry.Decision)),
        JournalEntry.Types.Kind.Enrolled => ("enrolled", string.Create(CultureInfo.InvariantCulture, $"#{entry.EnrollmentNumber}, version {entry.Version}")),
        JournalEntry.Types.Kind.StepEntered => ("step entered", entry.DueAt is null ? "" : $"until {Time(entry.DueAt)}"),
        JournalEntry.Types.Kind.StepFinished => ("step finished", Join(entry.Result, entry.Name, entry.Detail)),
        JournalEntry.Types.Kind.EffectRequested => ("task requested", Join($"queue {entry.Name}", Values(entry.Properties))),
        JournalEntry.Types.Kind.EffectCompleted => ("task completed", Join(entry.Result, entry.Detail, Values(entry.Properties))),
        JournalEntry.Types.Kind.GoalMet => ("goal met", entry.Name),
        JournalEntry.Types.Kind.EnrollmentEnded => ("enrollment ended", ProtoNames.Of(entry.EndReason)),
        JournalEntry.Types.Kind.LoopGuard => ("loop guard", entry.Detail),
        _ => (entry.Kind.ToString(), entry.Detail),
    };

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

    private static string Join(params string[] parts) => string.Join(", ", parts.Where(part => part.Length > 0));
}
