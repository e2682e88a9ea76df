using System.CommandLine;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster status</c>: what runs there.</summary>
internal static class StatusCommand
{
    private static readonly Option<bool> Json = new("--json") { Description = "Prints it as JSON." };
    private static readonly Option<bool> Verify = new("--verify") { Description = "Recounts and replays everything from the journal, and compares." };
    private static readonly Option<bool> Checkpoint = new("--checkpoint") { Description = "Writes a checkpoint first." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("status", "Shows what runs: host, store, clock, counters.") { Json, Verify, Checkpoint };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result, TimeSpan.FromHours(1));
        if (result.GetValue(Checkpoint))
        {
            var written = await client.Admin.CheckpointAsync(new CheckpointRequest(), cancellationToken: cancellationToken);
            console.Out.MarkupLine($"checkpoint at position {Show.Count(written.Position)}: {Show.Count(written.Rows)} rows written");
        }

        var status = await client.Admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(status));
        }
        else
        {
            Print(status, console);
            await PrintMeasuresAsync(client, console, cancellationToken);
        }

        return result.GetValue(Verify) ? await VerifyAsync(client, console, cancellationToken) : ExitCode.Success;
    }

    private static void Print(V1.Status status, CliConsole console)
    {
        var table = Show.Table("", "");
        table.ShowHeaders = false;
        table.Row("host", $"{status.Host}, package feed {status.PackageFeed}, version {status.Version}");
        table.Row("store", status.Store);
        table.Row("clock", $"{Show.Time(status.Now)} UTC, {(status.ManualClock ? "manual" : "real")}");
        table.Row("events applied", Show.Count(status.Events?.Applied ?? 0));
        table.Row("events duplicate", $"{Show.Count(status.Events?.Duplicate ?? 0)}, with another content {Show.Count(status.Events?.Mismatch ?? 0)}");
        table.Row("events refused", Show.Count(status.Events?.Refused ?? 0));
        table.Row("late writes", Show.Count(status.Events?.LateWrites ?? 0));
        table.Row("loop guards", Show.Count(status.LoopGuards));
        table.Row("journal position", $"{Show.Count(status.JournalPosition)}, checkpoint at {Show.Count(status.CheckpointPosition)}");
        if (status.JournalBegin > 0)
        {
            table.Row("journal begins", $"at position {Show.Count(status.JournalBegin)}, {Show.Time(status.JournalBeginAt)} UTC; what is older was removed");
        }

        table.Row("records", Show.Count(status.Records));
        table.Row("timers pending", Show.Count(status.TimersPending));
        table.Row("tasks open", Show.Count(status.EffectsOpen));
        console.Out.Write(table);
    }

    private static async Task PrintMeasuresAsync(Client.RosterClient client, CliConsole console, CancellationToken cancellationToken)
    {
        var table = Show.Table("tenant", "turns", "turn time p50, p99", "timers", "lateness p50, p99", "oldest input", "oldest task", "late", "duplicate", "loop guards");
        var request = new GetMeasuresRequest();
        do
        {
            var page = await client.Admin.GetMeasuresAsync(request, cancellationToken: cancellationToken);
            foreach (var tenant in page.Tenants)
            {
                table.Row(
                    tenant.Tenant,
                    Show.Count(tenant.TurnTime?.Count ?? 0),
                    Show.Percentiles(tenant.TurnTime),
                    Show.Count(tenant.TimerLateness?.Count ?? 0),
                    Show.Percentiles(tenant.TimerLateness),
                    Show.Short(tenant.QueueAge),
                    Show.Short(tenant.OutboxAge),
                    Show.Count(tenant.Events?.LateWrites ?? 0),
                    Show.Count(tenant.Events?.Duplicate ?? 0),
                    Show.Count(tenant.LoopGuards));
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        console.Out.Write(table);
    }

    public static async Task<int> VerifyAsync(Client.RosterClient client, CliConsole console, CancellationToken cancellationToken)
    {
        var found = await client.Admin.VerifyAsync(new VerifyRequest(), cancellationToken: cancellationToken);
        foreach (var difference in found.Differences)
        {
            console.Fail(difference);
        }

        if (found.JournalBegin > 0)
        {
            var counters = found.CountersSkipped ? "; counters were not compared" : string.Empty;
            console.Out.MarkupLine($"the journal begins at position {Show.Count(found.JournalBegin)}: {Show.Count(found.PartlyReplayed)} records could not be replayed from their first turn{counters}");
        }

        var isSame = found.Differences.Count == 0 && found.StateHash == found.ReplayHash;
        console.Out.MarkupLine(isSame
            ? $"[green]verified[/]: {Show.Count(found.Turns)} turns replayed, {Show.Count(found.Counters)} counters equal, state hash {found.StateHash:x16}"
            : $"[red]differs[/]: state hash {found.StateHash:x16}, replayed {found.ReplayHash:x16}");
        return isSame ? ExitCode.Success : ExitCode.SomeFailed;
    }
}
