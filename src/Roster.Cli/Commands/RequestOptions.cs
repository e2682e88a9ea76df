using System.CommandLine;

namespace Roster.Cli.Commands;

/// <summary>Options of commands that ask for something by hand.</summary>
internal static class RequestOptions
{
    public static readonly Option<string?> RequestId = new("--request-id")
    {
        Description = "Deduplicates: the same id has its effect once. Default: a new one per run.",
    };

    public static readonly Option<string> Caller = new("--caller") { Description = "Who asks, for the journal.", DefaultValueFactory = _ => "roster cli" };

    public static readonly Option<bool> NoWait = new("--no-wait") { Description = "Returns at once: `roster operations` tells how far the job is." };

    public static string NewId(ParseResult result) => result.GetValue(RequestId) ?? Guid.NewGuid().ToString("N");
}
