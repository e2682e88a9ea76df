using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster history</c>: enrollments, refusals and ends of a record, of a workflow, or of both.</summary>
internal static class HistoryCommand
{
    private const int PageSize = 200;

    private static readonly Option<string?> Record = new("--record") { Description = "Object type and id, such as `contact/ada@example.org`." };
    private static readonly Option<string?> Workflow = new("--workflow") { Description = "Id of the workflow." };
    private static readonly Option<int> Limit = new("--limit") { Description = "At most so many entries, newest first.", DefaultValueFactory = _ => 50 };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object per line." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("history", "Shows who was enrolled, refused or unenrolled, when and why.") { Record, Workflow, Limit, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var request = new GetEnrollmentHistoryRequest
        {
            Ref = result.GetValue(Record) is { } record ? RecordName.Parse(record) : null,
            WorkflowId = result.GetValue(Workflow) ?? "",
            PageSize = PageSize,
        };
        if (request.Ref is null && request.WorkflowId.Length == 0)
        {
            throw new CliException("A history is that of a record, of a workflow, or of both: name one with --record or --workflow.");
        }

        var limit = result.GetValue(Limit);
        if (limit < 1)
        {
            throw new CliException($"--limit `{limit}` is not a number from 1.");
        }

        using var client = ConnectionOptions.Connect(result);
        var entries = new List<EnrollmentHistoryEntry>();
        do
        {
            var page = await client.Enrollments.GetEnrollmentHistoryAsync(request, cancellationToken: cancellationToken);
            entries.AddRange(page.Entries);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0 && entries.Count <= limit);
        if (result.GetValue(Json))
        {
            foreach (var entry in entries.Take(limit))
            {
                await console.Plain.WriteLineAsync(JsonOutput.Line(entry));
            }

            return ExitCode.Success;
        }

        Print(entries, limit, console);
        return ExitCode.Success;
    }

    private static void Print(List<EnrollmentHistoryEntry> entries, int limit, CliConsole console)
    {
        if (entries.Count == 0)
        {
            console.Out.MarkupLine("no enrollment, and none was refused");
            return;
        }

        var table = Show.Table("at", "record", "workflow", "version", "what", "by", "detail");
        foreach (var entry in entries.Take(limit))
        {
            table.Row(
                Show.Time(entry.At),
                RecordName.Of(entry.Ref),
                entry.WorkflowId,
                entry.Version.ToString(CultureInfo.InvariantCulture),
                HistoryText.What(entry),
                entry.Trigger,
                entry.Detail);
        }

        console.Out.Write(table);
        if (entries.Count > limit)
        {
            console.Out.MarkupLine("[grey]older entries: --limit[/]");
        }
    }
}
