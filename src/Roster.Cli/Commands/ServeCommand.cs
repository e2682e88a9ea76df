using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Roster.Cli.Output;
using Roster.Server;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster serve</c>: runs a server until it is told to stop.</summary>
internal static class ServeCommand
{
    private static readonly Option<string?> Data = new("--data") { Description = "Folder of the data files (`data_folder`).", HelpName = "FOLDER" };
    private static readonly Option<string?> Host = new("--host") { Description = "`embedded`, or `cluster`: one silo of several on a database that they share (`host`)." };
    private static readonly Option<string?> Role = new("--role")
    {
        Description = "Of the host `cluster`: `both`; `silo`, without a front door; or `door`, a front door without a silo (`role`).",
    };

    private static readonly Option<string?> Store = new("--store") { Description = "`sqlite`, `postgres` or `volatile` (`store`)." };
    private static readonly Option<string?> Postgres = new("--postgres")
    {
        Description = "Where the database of the store `postgres` is (`postgres`); the variable ROSTER__POSTGRES does not show a password to others.",
        HelpName = "\"Host=...;Database=...\"",
    };

    private static readonly Option<string?> Clock = new("--clock") { Description = "`real`, or `manual`: moved by `roster advance` only (`clock`)." };
    private static readonly Option<string?> ClockStart = new("--clock-start") { Description = "Where a manual clock starts (`clock_start`).", HelpName = "TIME" };
    private static readonly Option<string?> GrpcPort = new("--grpc-port") { Description = "Port of gRPC (`grpc_port`); 0 takes a free one." };
    private static readonly Option<string?> HttpPort = new("--http-port") { Description = "Port of health over HTTP/1.1 (`http_port`); 0 takes a free one." };
    private static readonly Option<string?> Auth = new("--auth") { Description = "`none`: anybody may call, on loopback only; `required`: each call needs a credential (`auth`)." };
    private static readonly Option<string?> KeepDays = new("--journal-keep-days")
    {
        Description = "Days that turns stay in the journal at least (`journal_keep_days`); 0, the default: for ever.",
        HelpName = "DAYS",
    };

    private static readonly Option<string?> KeepBytes = new("--journal-keep-bytes")
    {
        Description = "Bytes of turns that stay in the journal at least (`journal_keep_bytes`); 0, the default: all.",
        HelpName = "BYTES",
    };

    private static readonly Option<string[]> Set = new("--set") { Description = "Any setting, such as `--set event_bytes_max=65536`.", HelpName = "NAME=VALUE" };
    private static readonly Option<string?> Settings = new("--settings") { Description = "Settings file instead of appsettings.json.", HelpName = "FILE" };
    private static readonly Option<LogLevel> Level = new("--log-level") { Description = "Least level of what is logged.", DefaultValueFactory = _ => LogLevel.Information };
    private static readonly Option<bool> JsonLogs = new("--json-logs") { Description = "Logs as JSON lines." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("serve", "Runs a server. Settings: appsettings.json, then environment variables ROSTER__NAME, then these options.")
        {
            Data, Host, Role, Store, Postgres, Clock, ClockStart, GrpcPort, HttpPort, Auth, KeepDays, KeepBytes, Set, Settings, Level, JsonLogs,
        };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var options = ServerOptions.Read(Overrides(result), result.GetValue(Settings));
        await using var server = await RosterServer.StartAsync(
            options, logging: logging => Log(logging, result.GetValue(Level), result.GetValue(JsonLogs)), cancellationToken: cancellationToken);
        console.Out.MarkupLine($"[bold]roster[/] {Banner.HostAndFeed(ProtoText.Lower(options.Host))}{RoleOf(options)}, store {ProtoText.Lower(options.Store)}, clock {ProtoText.Lower(options.Clock)}");
        console.Out.MarkupLine($"gRPC   [green]{server.GrpcAddress}[/]");
        console.Out.MarkupLine($"health [green]{server.HttpAddress}health/ready[/]");
        console.Out.MarkupLine(options.Auth == AuthKind.None
            ? "auth   none: anybody on this machine may call, so it listens on loopback only"
            : "auth   required: each call needs a key or a client certificate");
        if (await server.WaitAsync(cancellationToken))
        {
            await server.StopAsync();
            return ExitCode.Success;
        }

        // At once: whatever is in memory may be ahead of the disk, and only a restart makes it right again.
        console.Fail($"The engine has failed: {server.Engine.Failed.Exception?.GetBaseException().Message} Start the server again; it recovers.");
        await Console.Error.FlushAsync(CancellationToken.None);
        Environment.Exit(ExitCode.EngineFailed);
        return ExitCode.EngineFailed;
    }

    private static string RoleOf(ServerOptions options) => options.Role switch
    {
        ClusterRole.Silo => ", a silo without a front door",
        ClusterRole.Door => ", a front door without a silo",
        _ => string.Empty,
    };

    private static Dictionary<string, string?> Overrides(ParseResult result)
    {
        var overrides = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in result.GetValue(Set) ?? [])
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            overrides[at > 0 ? pair[..at] : throw new CliException($"--set `{pair}` is not NAME=VALUE.")] = pair[(at + 1)..];
        }

        Add("data_folder", Data);
        Add("host", Host);
        Add("role", Role);
        Add("store", Store);
        Add("postgres", Postgres);
        Add("clock", Clock);
        Add("clock_start", ClockStart);
        Add("grpc_port", GrpcPort);
        Add("http_port", HttpPort);
        Add("auth", Auth);
        Add("journal_keep_days", KeepDays);
        Add("journal_keep_bytes", KeepBytes);
        return overrides;

        void Add(string setting, Option<string?> option)
        {
            if (result.GetValue(option) is { } value)
            {
                overrides[setting] = value;
            }
        }
    }

    private static void Log(ILoggingBuilder logging, LogLevel level, bool isJson)
    {
        logging.SetMinimumLevel(level);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Warning);
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (isJson)
        {
            logging.AddJsonConsole(json => json.UseUtcTimestamp = true);
        }
        else
        {
            logging.AddSimpleConsole(simple =>
            {
                simple.SingleLine = true;
                simple.UseUtcTimestamp = true;
                simple.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            });
        }
    }
}
