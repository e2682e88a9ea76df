using System.CommandLine;
using Grpc.Core;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster record</c>: properties, enrollments and timeline of one record.</summary>
internal static class RecordCommand
{
    private static readonly Argument<string> Id = new("RECORD") { Description = "Object type and id, such as `contact/ada@example.org`." };
    private static readonly Option<int> Turns = new("--turns") { Description = "Turns of the timeline, newest first; 0 for none.", DefaultValueFactory = _ => 50 };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints the record as JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("record", "Shows a record: properties, enrollments, timeline.") { Id, Turns, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var reference = RecordName.Parse(result.GetValue(Id)!);
        using var client = ConnectionOptions.Connect(result);
        var record = await client.Records.GetRecordAsync(new GetRecordRequest { Ref = reference }, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(record));
            return ExitCode.Success;
        }

        ShowRecord(record, console);
        var turns = result.GetValue(Turns);
        if (turns > 0)
        {
            await ShowTimelineAsync(client, reference, turns, console, cancellationToken);
        }

        return ExitCode.Success;
    }

    /// <summary>Prints properties and enrollments.</summary>
    public static void ShowRecord(Record record, CliConsole console)
    {
        console.Out.MarkupLine($"[bold]{Markup.Escape(RecordName.Of(record.Ref))}[/]  created {Show.Time(record.CreatedAt)}, last turn {Show.Time(record.LastTurnAt)}");
        var properties = Show.Table("property", "value", "updated at", "source");
        foreach (var property in record.Properties)
        {
            properties.Row(property.Name, Values.Show(property.Value), Show.Time(property.UpdatedAt), property.Source);
        }

        console.Out.Write(properties);
        if (record.Summaries.Count == 0 && record.Enrollments.Count == 0)
        {
            console.Out.MarkupLine("never enrolled");
            return;
        }

        var enrollments = Show.Table("workflow", "times", "now", "since", "goes on at", "last end");
        foreach (var summary in record.Summaries)
        {
            var active = record.Enrollments.FirstOrDefault(enrollment => enrollment.WorkflowId == summary.WorkflowId);
            enrollments.Row(
                summary.WorkflowId,
                Show.Count(summary.TimesEnrolled),
                active is null ? "" : $"in {active.StepId}",
                Show.Time(active?.EnrolledAt),
                Show.Time(active?.DueAt),
                summary.LastEndedAt is null ? "" : $"{ProtoNames.Of(summary.LastEnd)} {Show.Time(summary.LastEndedAt)}");
        }

        console.Out.Write(enrollments);
    }

    /// <summary>Prints a record's timeline, newest first.</summary>
    public static async Task ShowTimelineAsync(RosterClient client, RecordRef reference, int turns, CliConsole console, CancellationToken cancellationToken)
    {
        var timeline = Show.Table("at", "what", "where", "");
        var request = new GetTimelineRequest { Ref = reference, PageSize = Math.Min(turns, 1_000) };
        var page = await client.Records.GetTimelineAsync(request, cancellationToken: cancellationToken);
        foreach (var entry in page.Entries)
        {
            var (what, particulars) = Show.Entry(entry);
            timeline.Row(Show.Time(entry.At), what, Show.Where(entry), particulars);
        }

        console.Out.Write(timeline);
        if (page.NextPageToken.Length > 0)
        {
            console.Out.MarkupLine("[grey]older entries: --turns[/]");
        }

        if (page.OlderRemoved)
        {
            console.Out.MarkupLine("[grey]older history was removed by retention[/]");
        }
    }
}
