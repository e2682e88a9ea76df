using System.CommandLine;
using Grpc.Core;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster record</c>: properties, lists, enrollments, events and timeline of one record; deleting, restoring and erasing it; links and merges.</summary>
internal static class RecordCommand
{
    private static readonly Argument<string> Id = new("RECORD") { Description = "Object type and id, such as `contact/ada@example.org`." };

    // Not required: with a subcommand there is none.
    private static readonly Argument<string?> Shown = new("RECORD")
    {
        Description = "Object type and id, such as `contact/ada@example.org`.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<int> Turns = new("--turns") { Description = "Turns of the timeline, newest first; 0 for none.", DefaultValueFactory = _ => 50 };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints the record as JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("record", "Shows a record: properties, lists, enrollments, events, timeline; `delete`, `restore`, `erase`, `link` and `merge` change it.") { Shown, Turns, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        LinkCommands.AddTo(command, console);
        command.Add(NewChange(
            "delete",
            "Deletes a record: its enrollments end, later events are refused. It can be restored.",
            console,
            async (client, reference, id, caller, cancellationToken) =>
            {
                var answer = await client.Records.DeleteRecordAsync(new DeleteRecordRequest { Ref = reference, RequestId = id, Caller = caller }, cancellationToken: cancellationToken);
                return (answer.Result, "deleted", "");
            }));
        command.Add(NewChange(
            "restore",
            "Brings a deleted record back: values, lists and history, no enrollment.",
            console,
            async (client, reference, id, caller, cancellationToken) =>
            {
                var answer = await client.Records.RestoreRecordAsync(new RestoreRecordRequest { Ref = reference, RequestId = id, Caller = caller }, cancellationToken: cancellationToken);
                return (answer.Result, "back", "");
            }));
        command.Add(NewChange(
            "erase",
            "Erases a record for good: its enrollments end, later events are refused, all personal data goes. There is no way back.",
            console,
            async (client, reference, id, caller, cancellationToken) =>
            {
                var answer = await client.Records.EraseRecordAsync(new EraseRecordRequest { Ref = reference, RequestId = id, Caller = caller }, cancellationToken: cancellationToken);
                return (answer.Result, "erased", $"; operation {answer.OperationId} empties what is stored of it");
            }));
        return command;
    }

    /// <summary>Sends a change of a record; gives its result, what the record is then, and what else there is to say.</summary>
    private delegate Task<(EventResult Result, string Outcome, string More)> Change(
        RosterClient client, RecordRef reference, string requestId, string caller, CancellationToken cancellationToken);

    private static Command NewChange(string name, string description, CliConsole console, Change change)
    {
        var command = new Command(name, description) { Id, RequestOptions.RequestId, RequestOptions.Caller };
        command.SetActionSafely(console, async (result, cancellationToken) =>
        {
            var reference = RecordName.Parse(result.GetValue(Id)!);
            using var client = ConnectionOptions.Connect(result);
            var (answer, outcome, more) = await change(client, reference, RequestOptions.NewId(result), result.GetValue(RequestOptions.Caller)!, cancellationToken);
            CommandResult.Check(answer);
            console.Out.MarkupLine(Markup.Escape($"{RecordName.Of(reference)} is {outcome}{CommandResult.Repeated(answer)}{more}"));
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var name = result.GetValue(Shown) ?? throw new CliException("Which record? Write its object type and id: `contact/ada@example.org`.");
        var reference = RecordName.Parse(name);
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

    /// <summary>Prints properties, lists, enrollments and what is kept of events.</summary>
    public static void ShowRecord(Record record, CliConsole console)
    {
        console.Out.MarkupLine($"[bold]{Markup.Escape(RecordName.Of(record.Ref))}[/]  created {Show.Time(record.CreatedAt)}, last turn {Show.Time(record.LastTurnAt)}{(record.Deleted ? ", [red]deleted[/]" : record.MergedInto.Length > 0 ? $", [red]merged into {Markup.Escape(record.MergedInto)}[/]" : "")}");
        var properties = Show.Table("property", "value", "updated at", "source");
        foreach (var property in record.Properties)
        {
            properties.Row(property.Name, property.Masked ? Show.Masked : Values.Show(property.Value), Show.Time(property.UpdatedAt), property.Source);
        }

        console.Out.Write(properties);
        if (record.Lists.Count > 0)
        {
            console.Out.MarkupLine(Markup.Escape($"on lists: {string.Join(", ", record.Lists)}"));
        }

        if (record.AssociationCount > 0)
        {
            console.Out.MarkupLine($"links: {Show.Count(record.AssociationCount)}");
        }

        if (record.Events.Count > 0)
        {
            console.Out.MarkupLine(Markup.Escape($"events: {string.Join("; ", record.Events.Select(Kept))}"));
        }

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

    private static string Kept(EventHistory events) => events.Count == 1
        ? $"{events.EventType} once, {Show.Time(events.LastAt)}"
        : $"{events.EventType} {Show.Count(events.Count)} times, {Show.Time(events.FirstAt)} to {Show.Time(events.LastAt)}";

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
