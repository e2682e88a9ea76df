using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;
using Period = Roster.V1.GetWorkflowStatsRequest.Types.Period;

namespace Roster.Cli.Commands;

/// <summary><c>roster workflow stats</c>: conversions, bottleneck, errors, time in step, and a series.</summary>
internal static class WorkflowStatsCommand
{
    private static readonly Argument<string> Id = new("WORKFLOW") { Description = "Id of the workflow." };
    private static readonly Option<string?> By = new("--by") { Description = "Adds a series by `day`, `week` or `month`, in the tenant's zone.", HelpName = "day|week|month" };
    private static readonly Option<int> Version = new("--version") { Description = "Only this version. Default: all together." };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints the counters as JSON." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("stats", "Shows conversions, bottleneck, errors, the time in each step, and a series.") { Id, By, Version, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var request = new GetWorkflowStatsRequest { WorkflowId = result.GetValue(Id)!, Version = result.GetValue(Version), Period = ReadPeriod(result.GetValue(By)) };
        using var client = ConnectionOptions.Connect(result);
        var stats = await client.Workflows.GetWorkflowStatsAsync(request, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(stats));
            return ExitCode.Success;
        }

        var workflow = await client.Workflows.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = request.WorkflowId }, cancellationToken: cancellationToken);
        WorkflowCommand.ShowHeader(workflow, stats, console);
        ShowWords(stats, request.Version, console);
        ShowSteps(stats, console);
        if (request.Period != Period.Unspecified)
        {
            ShowSeries(stats, result.GetValue(By)!, console);
        }

        return ExitCode.Success;
    }

    private static Period ReadPeriod(string? text) => text switch
    {
        null => Period.Unspecified,
        "day" => Period.Day,
        "week" => Period.Week,
        "month" => Period.Month,
        _ => throw new CliException($"--by `{text}` is not `day`, `week` or `month`."),
    };

    private static void ShowWords(WorkflowStats stats, int version, CliConsole console)
    {
        if (stats.Versions.Count > 1)
        {
            console.Out.MarkupLine($"versions: {string.Join(", ", stats.Versions)}; counted here: {(version == 0 ? "all" : version.ToString(CultureInfo.InvariantCulture))}");
        }

        if (stats.Conversions.Count > 0)
        {
            var rates = stats.Conversions.Select(rate => string.Create(CultureInfo.InvariantCulture, $"{rate.Name} {rate.Rate * 100:0.#} %"));
            console.Out.MarkupLine(Markup.Escape($"conversion: {string.Join(", ", rates)} of the records enrolled"));
        }

        if (stats.Bottleneck.Length > 0)
        {
            var step = stats.Steps.FirstOrDefault(candidate => candidate.StepId == stats.Bottleneck);
            console.Out.MarkupLine($"bottleneck: [bold]{Markup.Escape(stats.Bottleneck)}[/], where {Show.Count(step?.Waiting ?? 0)} wait");
        }

        if (stats.Emails is { } emails)
        {
            string Rate(string name, long count, bool hasRate, double rate) => string.Create(CultureInfo.InvariantCulture, $", {name} {count:N0}{(hasRate ? $" ({rate * 100:0.#} %)" : "")}");
            console.Out.MarkupLine(Markup.Escape(
                $"e-mails: sent {Show.Count(emails.Sent)}" + Rate("delivered", emails.Delivered, emails.HasDeliveryRate, emails.DeliveryRate) + Rate("opened", emails.Opened, emails.HasOpenRate, emails.OpenRate)
                + Rate("clicked", emails.Clicked, emails.HasClickRate, emails.ClickRate) + Rate("replied", emails.Replied, emails.HasReplyRate, emails.ReplyRate)
                + Rate("bounced", emails.Bounced, emails.HasBounceRate, emails.BounceRate) + Rate("unsubscribed", emails.Unsubscribed, emails.HasUnsubscribeRate, emails.UnsubscribeRate)
                + (emails.HasReactionMs ? $"; half of those who react do so within {Show.Span(emails.ReactionMs)}" : "")));
        }

        if (stats.Errors.Count > 0)
        {
            console.Out.MarkupLine(Markup.Escape($"errors: {Named(stats.Errors)}"));
        }
    }

    private static void ShowSteps(WorkflowStats stats, CliConsole console)
    {
        var table = Show.Table("step", "kind", "entered", "waiting", "left", "median time ±5 %", "95 % within", "errors");
        foreach (var step in stats.Steps)
        {
            table.Row(
                step.StepId,
                step.Kind,
                Show.Count(step.Entered),
                Show.Count(step.Waiting),
                Show.Count(step.Succeeded + step.Skipped + step.Failed),
                step.HasMedianMs ? Show.Span(step.MedianMs) : "",
                step.HasP95Ms ? Show.Span(step.P95Ms) : "",
                Named(step.Errors));
        }

        console.Out.Write(table);
    }

    private static void ShowSeries(WorkflowStats stats, string period, CliConsole console)
    {
        var table = Show.Table(period == "day" ? period : $"{period} from", "enrolled", "unenrolled", "completed");
        foreach (var bucket in stats.Series)
        {
            table.Row(bucket.From, Show.Count(bucket.Enrolled), Show.Count(bucket.Unenrolled), Show.Count(bucket.Completed));
        }

        console.Out.Write(table);
    }

    private static string Named(IEnumerable<NamedCount> counts) => string.Join(", ", counts.Select(count => $"{count.Name} {Show.Count(count.Count)}"));
}
