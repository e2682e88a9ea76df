using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.Engine.Moving;
using Roster.Engine.Stores;
using Roster.Server;
using Roster.Storage.Postgres;
using Roster.Storage.Sqlite;

namespace Roster.Cli.Commands;

/// <summary><c>roster tenant</c>: moves a whole tenant from one store to another, while no server has either.</summary>
internal static class TenantCommand
{
    private const int BufferBytes = 1024 * 1024;

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "Data folder of the store `sqlite`. No server may have it open.",
        HelpName = "FOLDER",
    };

    private static readonly Option<string?> NewData = new("--data")
    {
        Description = "Data folder to make; it must not exist, or be empty.",
        HelpName = "FOLDER",
    };

    private static readonly Option<string?> Postgres = new("--postgres")
    {
        Description = "Database of the store `postgres`, or of a cluster. No server may have it open. Also: the variable ROSTER__POSTGRES, which does not show a password to others.",
        HelpName = "\"Host=...;Database=...\"",
    };

    private static readonly Argument<string> NewFile = new("FILE") { Description = "File to write; it must not exist. It has secrets: keep it as you keep the store." };
    private static readonly Argument<string> File = new("FILE") { Description = "File that `roster tenant export` wrote." };

    public static Command Create(CliConsole console)
    {
        var export = new Command("export", "Writes all of the tenant (--tenant) to a file: records, enrollments, timers, tasks, definitions, history.") { NewFile, Data, Postgres };
        export.SetActionSafely(console, (result, cancellationToken) => ExportAsync(result, console, cancellationToken));
        var import = new Command("import", "Takes the tenant of a file into a store, whole or not at all, and compares the hash of its state.") { File, NewData, Postgres };
        import.SetActionSafely(console, (result, cancellationToken) => ImportAsync(result, console, cancellationToken));
        var hash = new Command("hash", "Prints the hash of the state of the tenant (--tenant), which is the same in every store.") { Data, Postgres };
        hash.SetActionSafely(console, (result, cancellationToken) => HashAsync(result, console, cancellationToken));
        return new Command("tenant", "Moves a whole tenant from one store to another, while no server runs on either.") { export, import, hash };
    }

    private static async Task<int> ExportAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(result.GetValue(NewFile)!);
        if (Path.Exists(path))
        {
            throw new CliException($"{path} is there already. Name a file that does not exist.");
        }

        await using var store = await OpenAsync(result, Data, cancellationToken);
        var partial = $"{path}.partial-{Guid.NewGuid():N}";
        TenantSummary summary;
        try
        {
            // Nobody else reads it: it has personal data and the secrets of webhooks.
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = BufferBytes };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using (var file = new FileStream(partial, options))
            {
                summary = await TenantMove.ExportAsync(store, result.GetValue(ConnectionOptions.Tenant)!, file, TimeProvider.System.GetUtcNow(), cancellationToken);
                file.Flush(flushToDisk: true);
            }

            System.IO.File.Move(partial, path);
        }
        catch
        {
            System.IO.File.Delete(partial);
            throw;
        }

        await console.Plain.WriteLineAsync($"written to {path}, {Show.Count(new FileInfo(path).Length)} bytes");
        return await TellAsync(console, summary);
    }

    private static async Task<int> ImportAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(result.GetValue(File)!, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes);
        var written = result.GetValue(NewData) is { } folder
            ? await ImportAsync(file, Path.GetFullPath(folder), cancellationToken)
            : await ImportAsync(file, result, cancellationToken);
        await using var store = await OpenAsync(result, NewData, cancellationToken);
        var read = await TenantMove.HashAsync(store, written.Id, cancellationToken);
        if (read != written)
        {
            throw new StoreCorruptException($"The tenant is in the store, but what is read back is not what the file has: {read} instead of {written}. Start no server on it; this is a bug of roster, please report it.");
        }

        await console.Plain.WriteLineAsync("imported, and read back");
        return await TellAsync(console, written);
    }

    private static async Task<TenantSummary> ImportAsync(FileStream file, string folder, CancellationToken cancellationToken)
    {
        await using var import = SqliteFolder.BeginImport(folder);
        return await TenantMove.ImportAsync(file, import, cancellationToken);
    }

    private static async Task<TenantSummary> ImportAsync(FileStream file, ParseResult result, CancellationToken cancellationToken)
    {
        await using var store = await OpenPostgresAsync(result, cancellationToken);
        await using var import = await store.BeginImportAsync(cancellationToken);
        return await TenantMove.ImportAsync(file, import, cancellationToken);
    }

    private static async Task<int> HashAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        await using var store = await OpenAsync(result, Data, cancellationToken);
        return await TellAsync(console, await TenantMove.HashAsync(store, result.GetValue(ConnectionOptions.Tenant)!, cancellationToken));
    }

    private static async Task<IMovableStore> OpenAsync(ParseResult result, Option<string?> data, CancellationToken cancellationToken)
    {
        if (result.GetValue(data) is not { } folder)
        {
            return await OpenPostgresAsync(result, cancellationToken);
        }

        if (result.GetValue(Postgres) is not null)
        {
            throw new CliException("--data and --postgres name two stores; use one of them.");
        }

        if (!System.IO.File.Exists(Path.Combine(folder, "tables.db")))
        {
            // Opening would make a new one.
            throw new CliException($"--data `{folder}`: there is no data folder.");
        }

        return await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = folder }, cancellationToken);
    }

    private static async Task<PostgresRecordStore> OpenPostgresAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var database = result.GetValue(Postgres) ?? ServerOptions.Read().Postgres;
        return string.IsNullOrWhiteSpace(database)
            ? throw new CliException("No store is named: use --data or --postgres, or the environment variable ROSTER__POSTGRES.")
            : await PostgresRecordStore.OpenAsync(new PostgresStoreOptions { ConnectionString = database, MayTakeOver = false }, cancellationToken);
    }

    private static async Task<int> TellAsync(CliConsole console, TenantSummary summary)
    {
        await console.Plain.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"tenant {summary.Id}: {Show.Count(summary.Records)} records, {Show.Count(summary.Turns)} turns, {Show.Count(summary.Timers)} timers, {Show.Count(summary.Effects)} open tasks and messages, {Show.Count(summary.Documents)} documents"));
        await console.Plain.WriteLineAsync($"state {summary.Hash}");
        return ExitCode.Success;
    }
}
