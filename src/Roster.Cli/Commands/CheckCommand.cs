using System.CommandLine;
using Roster.Cli.Output;
using Roster.Storage.Sqlite;

namespace Roster.Cli.Commands;

/// <summary><c>roster check</c>: verifies a data folder that no server has open.</summary>
internal static class CheckCommand
{
    private static readonly Option<string> Data = new("--data")
    {
        Description = "Data folder or backup. No server may have it open; nothing in it is changed.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => "data",
    };

    private static readonly Option<bool> Deep = new("--deep")
    {
        Description = "Also replays the journal and compares states, tasks, counters and documents with it. Holds a state per record in memory.",
    };

    public static Command Create(CliConsole console)
    {
        var command = new Command("check", "Verifies a data folder of the store `sqlite`: every checksum, positions without a gap, the chain of each record. Exit code 1: something is wrong.")
        {
            Data, Deep,
        };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var report = await SqliteFolder.CheckAsync(result.GetValue(Data)!, result.GetValue(Deep), cancellationToken);
        foreach (var fault in report.Faults)
        {
            var position = fault.Position == 0 ? string.Empty : $", position {fault.Position}";
            var record = fault.Record == 0 ? string.Empty : $", record {fault.Record}";
            console.Fail($"{fault.File}{position}{record}: {fault.What}");
        }

        var replayed = report.IsDeep ? $", {Show.Count(report.Replayed)} of them replayed" : string.Empty;
        await console.Plain.WriteLineAsync($"{report.Folder}: {Show.Count(report.Turns)} turns from position {report.JournalBegin} to {report.JournalEnd}, {Show.Count(report.Records)} records{replayed}");
        await console.Plain.WriteLineAsync(report.FaultCount == 0 ? "no fault found" : $"{Show.Count(report.FaultCount)} faults found");
        return report.FaultCount == 0 ? ExitCode.Success : ExitCode.SomeFailed;
    }
}
