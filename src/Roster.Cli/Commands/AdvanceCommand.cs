using System.CommandLine;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Ingest;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster advance</c>: moves a manual clock.</summary>
internal static class AdvanceCommand
{
    private static readonly Argument<string> To = new("TO") { Description = "An instant such as `2026-02-01T00:00:00Z`, or a time span such as `14d`, `6h`, `30m`." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("advance", "Moves the clock of a server with `--clock manual`, and handles every timer on the way.") { To };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var text = result.GetValue(To)!;
        using var client = ConnectionOptions.Connect(result, TimeSpan.FromHours(1));
        if (!JsonEvent.TryParseInstant(text, out var to))
        {
            var span = ParseSpan(text);
            var status = await client.Admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: cancellationToken);
            to = Timestamp.FromDateTimeOffset(status.Now.ToDateTimeOffset() + span);
        }

        var answer = await client.Admin.AdvanceClockAsync(new AdvanceClockRequest { To = to }, cancellationToken: cancellationToken);
        console.Out.MarkupLine($"it is {Show.Time(answer.Now)} UTC; {Show.Count(answer.TimersFired)} timers fired");
        return ExitCode.Success;
    }

    /// <summary>A time span such as <c>14d</c>, <c>6h</c>, <c>30m</c>, <c>10s</c>.</summary>
    public static bool TryParseSpan(string text, out TimeSpan span)
    {
        span = default;
        if (text.Length < 2 || !double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            || amount > 100_000)
        {
            return false;
        }

        TimeSpan? parsed = text[^1] switch
        {
            'd' => TimeSpan.FromDays(amount),
            'h' => TimeSpan.FromHours(amount),
            'm' => TimeSpan.FromMinutes(amount),
            's' => TimeSpan.FromSeconds(amount),
            _ => null,
        };
        span = parsed ?? default;
        return parsed is not null;
    }

    private static TimeSpan ParseSpan(string text) => TryParseSpan(text, out var span)
        ? span
        : throw new CliException($"`{text}` is neither an instant such as `2026-02-01T00:00:00Z` nor a time span such as `14d`.");
}
