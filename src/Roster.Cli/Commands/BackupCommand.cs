using System.CommandLine;
using Roster.Cli.Output;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster backup</c>: copies a data folder, of a running server or of none.</summary>
internal static class BackupCommand
{
    private static readonly Argument<string> Target = new("TARGET") { Description = "Folder to make; it must not exist, or be empty. On the machine of the server." };
    private static readonly Option<string?> Data = new("--data")
    {
        Description = "Data folder that no server has open. Without it the server is asked, which goes on meanwhile.",
        HelpName = "FOLDER",
    };

    public static Command Create(CliConsole console)
    {
        var command = new Command("backup", "Copies the data folder of the store `sqlite` as of one moment, also while its server runs.") { Target, Data };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(result.GetValue(Target)!);
        var made = result.GetValue(Data) is { } data
            ? await CopyAsync(data, target, cancellationToken)
            : await AskAsync(result, target, cancellationToken);
        await console.Plain.WriteLineAsync($"backup in {made.Folder}: {Show.Count(made.Records)} records, journal up to position {Show.Count(made.Position)}, {Show.Count(made.Bytes)} bytes");
        return ExitCode.Success;
    }

    private static async Task<StoreBackup> CopyAsync(string data, string target, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(data, "tables.db")))
        {
            // Opening would make a new one.
            throw new CliException($"--data `{data}`: there is no data folder.");
        }

        await using var store = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = data }, cancellationToken);
        return await store.BackupAsync(target, cancellationToken);
    }

    private static async Task<StoreBackup> AskAsync(ParseResult result, string target, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result, TimeSpan.FromDays(1));
        var made = await client.Admin.BackupAsync(new BackupRequest { Folder = target }, cancellationToken: cancellationToken);
        return new StoreBackup(made.Folder, made.Position, made.Records, made.Bytes);
    }
}
