using System.CommandLine;
using Roster.Server;

namespace Roster.Cli.Commands;

/// <summary><c>roster migrate</c>: prepares a PostgreSQL database before servers of this version start.</summary>
internal static class MigrateCommand
{
    private static readonly Option<string?> Postgres = new("--postgres")
    {
        Description = "The database; without it the variable ROSTER__POSTGRES, which does not show a password to others.",
        HelpName = "\"Host=...;Database=...\"",
    };

    public static Command Create(CliConsole console)
    {
        var command = new Command("migrate", "Brings the schema of a PostgreSQL database to the version of this program. Servers do so when they start; they need fewer rights after it.")
        {
            Postgres,
        };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var database = result.GetValue(Postgres) ?? ServerOptions.Read().Postgres;
        if (string.IsNullOrWhiteSpace(database))
        {
            throw new CliException("No database is named: use --postgres, or the environment variable ROSTER__POSTGRES.");
        }

        var (version, hasOrleans) = await DatabaseMigration.RunAsync(database, cancellationToken);
        await console.Plain.WriteLineAsync($"schema roster: version {version}");
        await console.Plain.WriteLineAsync(hasOrleans ? "schema orleans: ready for the host cluster" : "schema orleans: left out, this program has no host cluster");
        return ExitCode.Success;
    }
}
