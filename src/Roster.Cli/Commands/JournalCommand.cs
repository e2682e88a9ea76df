using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using Roster.Cli.Output;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster journal</c>: what happened, in order.</summary>
internal static class JournalCommand
{
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Goes on with new entries." };
    private static readonly Option<long> After = new("--after") { Description = "Starts after this position.", DefaultValueFactory = _ => 0 };
    private static readonly Option<bool> FromEnd = new("--from-end") { Description = "Starts at the newest entry." };
    private static readonly Option<string?> Workflow = new("--workflow") { Description = "Only entries of this workflow." };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object per line." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("journal", "Prints the journal: enrollments, steps, decisions, in commit order.") { Follow, After, FromEnd, Workflow, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var request = new ReadJournalRequest
        {
            AfterPosition = result.GetValue(After),
            Follow = result.GetValue(Follow),
            FromEnd = result.GetValue(FromEnd),
            WorkflowId = result.GetValue(Workflow) ?? "",
        };
        using var call = client.Journal.ReadJournal(request, cancellationToken: cancellationToken);
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            foreach (var entry in call.ResponseStream.Current.Entries)
            {
                await console.Plain.WriteLineAsync(result.GetValue(Json) ? JsonOutput.Line(entry) : Line(entry));
            }

            await console.Plain.FlushAsync(cancellationToken);
        }

        return ExitCode.Success;
    }

    private static string Line(JournalEntry entry)
    {
        var (what, particulars) = Show.Entry(entry);
        var where = Show.Where(entry);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.Position,10} {Show.Time(entry.At)} {RecordName.Of(entry.Ref)} {what}{(where.Length > 0 ? $" [{where}]" : "")}{(particulars.Length > 0 ? $": {particulars}" : "")}");
    }
}
