using System.CommandLine;
using Microsoft.Extensions.Logging;
using Roster.Cli.Demo;
using Roster.Cli.Output;
using Roster.Client;
using Roster.Server;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster demo</c>: a server in this process, a month of events, and what came of it; before that, each sample as a short story. Needs nothing.</summary>
internal static class DemoCommand
{
    private static readonly Option<int> Events = new("--events") { Description = "Events of the month, at least 100.", DefaultValueFactory = _ => 30_000 };
    private static readonly Option<int> Burst = new("--burst")
    {
        Description = "Events sent at once at the end, half of them to warm up, for the rate; 0 for none.",
        DefaultValueFactory = _ => 300_000,
    };
    private static readonly Option<int> Seed = new("--seed") { Description = "The same seed tells the same story.", DefaultValueFactory = _ => 1 };
    private static readonly Option<StoreKind> Store = new("--store") { Description = "`sqlite` (in a temporary folder) or `volatile`.", DefaultValueFactory = _ => StoreKind.Sqlite };

    public static Command Create(CliConsole console)
    {
        var command = new Command("demo", "Shows Roster at work: each sample as a short story, then a server, a month of made-up events, workers, and what came of it. Needs nothing.")
        {
            Events, Burst, Seed, Store,
        };
        Store.AcceptOnlyFromAmong("sqlite", "volatile");
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("roster-demo-");
        try
        {
            console.Out.MarkupLine($"[bold]roster[/] {Markup.Escape(Banner.HostAndFeed())}");
            var isAsExpected = await new DemoStories(Path.Combine(folder.FullName, "stories"), console).TellAsync(cancellationToken);
            var options = new ServerOptions
            {
                Store = result.GetValue(Store),
                DataFolder = Path.Combine(folder.FullName, "data"),
                Clock = ClockKind.Manual,
                ClockStart = DemoPlan.Start,
                GrpcPort = 0,
                HttpPort = 0,
            };
            await using var server = await RosterServer.StartAsync(
                options,
                logging: logging => logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(simple => simple.SingleLine = true),
                cancellationToken: cancellationToken);
            console.Out.Write(new Rule($"[bold]a server, and {DemoPlan.Days} days of a small company[/]").LeftJustified());
            console.Out.MarkupLine($"server on {server.GrpcAddress}, store {ProtoText.Lower(options.Store)}, clock manual from {DemoPlan.Start:yyyy-MM-dd}");
            using var client = new RosterClient(new RosterClientOptions { Address = server.GrpcAddress, CallTimeout = TimeSpan.FromMinutes(10) });
            var plan = DemoPlan.Make(Math.Max(100, result.GetValue(Events)), result.GetValue(Seed));
            var run = new DemoRun(server, client, plan, console);
            await run.ApplySamplesAsync(cancellationToken);
            await run.LiveAsync(cancellationToken);
            await run.ShowAsync(cancellationToken);
            console.Out.Write(new Rule("[bold]rates[/]").LeftJustified());
            await run.BurstAsync(Math.Max(0, result.GetValue(Burst)), cancellationToken);
            var verified = await StatusCommand.VerifyAsync(client, console, cancellationToken);
            return isAsExpected ? verified : ExitCode.SomeFailed;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
