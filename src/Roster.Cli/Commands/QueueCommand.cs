using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster queue</c>: counts and limits of a queue of workers (ERR-10).</summary>
internal static class QueueCommand
{
    private static readonly Argument<string> Name = new("QUEUE") { Description = "The queue." };
    private static readonly Option<int?> Leased = new("--leased") { Description = "Tasks that may be leased at once; 0 for no limit.", HelpName = "COUNT" };
    private static readonly Option<int?> PerSecond = new("--per-second") { Description = "Tasks that are handed out per second; 0 for no limit.", HelpName = "COUNT" };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("queue", "Shows how many tasks of a queue wait and are leased; limits how many are out at once and per second.") { Name, Leased, PerSecond, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var queue = await client.Work.GetQueueAsync(new GetQueueRequest { Queue = result.GetValue(Name)! }, cancellationToken: cancellationToken);
        if (result.GetValue(Leased) is not null || result.GetValue(PerSecond) is not null)
        {
            // What is not said stays.
            var limits = new SetQueueLimitsRequest
            {
                Queue = queue.Queue_,
                LeasedMax = result.GetValue(Leased) ?? queue.LeasedMax,
                PerS = result.GetValue(PerSecond) ?? queue.PerS,
            };
            queue = await client.Work.SetQueueLimitsAsync(limits, cancellationToken: cancellationToken);
        }

        await console.Plain.WriteLineAsync(result.GetValue(Json)
            ? JsonOutput.Whole(queue)
            : string.Create(CultureInfo.InvariantCulture, $"{queue.Queue_}: {queue.Waiting} waiting, {queue.Leased} leased; at once {Limit(queue.LeasedMax)}, per second {Limit(queue.PerS)}"));
        return ExitCode.Success;
    }

    private static string Limit(int limit) => limit == 0 ? "no limit" : limit.ToString(CultureInfo.InvariantCulture);
}
