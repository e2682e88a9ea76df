using System.CommandLine;
using Roster.Cli.Output;
using Roster.Storage.Sqlite;

namespace Roster.Cli.Commands;

/// <summary><c>roster restore</c>: makes a data folder of a backup.</summary>
internal static class RestoreCommand
{
    private static readonly Argument<string> Backup = new("BACKUP") { Description = "Folder that `roster backup` made. It stays as it is." };
    private static readonly Option<string> Data = new("--data")
    {
        Description = "Data folder to make; it must not exist, or be empty.",
        HelpName = "FOLDER",
        Required = true,
    };

    public static Command Create(CliConsole console)
    {
        var command = new Command("restore", "Makes a data folder of a backup, after checking every byte of it.") { Backup, Data };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var made = await SqliteFolder.RestoreAsync(result.GetValue(Backup)!, Path.GetFullPath(result.GetValue(Data)!), cancellationToken);
        await console.Plain.WriteLineAsync($"restored to {made.Folder}: {Show.Count(made.Records)} records, journal up to position {Show.Count(made.Position)}, {Show.Count(made.Bytes)} bytes");
        return ExitCode.Success;
    }
}
