using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster sequence</c>: counters of a sequence, or the list of all. What changes something is in <see cref="SequenceActions"/>.</summary>
internal static class SequenceCommand
{
    private const int PageMax = 1_000;

    private static readonly Argument<string?> Id = new("SEQUENCE") { Description = "Id of the sequence. Without: lists all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Company = new("--company") { Description = "Counts only the contacts that are linked to this company." };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("sequence", "Shows what became of a sequence, or lists the sequences; `enroll`, `status` and others do more. `roster apply` saves sequences.") { Id, Company, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        SequenceActions.AddTo(command, console);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var isJson = result.GetValue(Json);
        if (result.GetValue(Id) is not { } id)
        {
            await ListAsync(client, isJson, console, cancellationToken);
            return ExitCode.Success;
        }

        var company = result.GetValue(Company) ?? "";
        var stats = await client.Sequences.GetSequenceStatsAsync(new GetSequenceStatsRequest { SequenceId = id, CompanyId = company }, cancellationToken: cancellationToken);
        if (isJson)
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(stats));
            return ExitCode.Success;
        }

        var sequence = await client.Sequences.GetSequenceAsync(new GetSequenceRequest { SequenceId = id }, cancellationToken: cancellationToken);
        ShowStats(sequence, stats, company, console);
        return ExitCode.Success;
    }

    private static async Task ListAsync(RosterClient client, bool isJson, CliConsole console, CancellationToken cancellationToken)
    {
        var table = Show.Table("sequence", "owner", "steps", "version", "name");
        var request = new ListSequencesRequest { PageSize = PageMax };
        do
        {
            var page = await client.Sequences.ListSequencesAsync(request, cancellationToken: cancellationToken);
            foreach (var sequence in page.Sequences)
            {
                if (isJson)
                {
                    await console.Plain.WriteLineAsync(JsonOutput.Line(sequence));
                }

                table.Row(sequence.Id, sequence.Owner, Show.Count(sequence.Steps.Count), sequence.Version.ToString(CultureInfo.InvariantCulture), sequence.DisplayName);
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        if (!isJson)
        {
            console.Out.Write(table);
        }
    }

    /// <summary>Prints what a sequence is, and its counters (MET-16).</summary>
    public static void ShowStats(Sequence sequence, SequenceStats stats, string company, CliConsole console)
    {
        var of = company.Length > 0 ? $", contacts of company {company}" : "";
        console.Out.MarkupLine(Markup.Escape($"{sequence.Id}  {sequence.DisplayName}  (from {sequence.Owner}, version {sequence.Version}{of})"));
        console.Out.MarkupLine(Markup.Escape(
            $"enrolled {Show.Count(stats.Enrolled)}, active {Show.Count(stats.Active)}, opened {Show.Count(stats.Opened)}, clicked {Show.Count(stats.Clicked)}, replied {Show.Count(stats.Replied)}, "
            + $"meetings {Show.Count(stats.Meetings)}, bounced {Show.Count(stats.Bounced)}, unsubscribed {Show.Count(stats.Unsubscribed)}, engaged {Show.Count(stats.Engaged)}, no response {Show.Count(stats.NoResponse)}"));
        Named("ended", stats.Ended, console);
        Named("refused", stats.Refused, console);
        if (stats.Steps.Count == 0)
        {
            return;
        }

        var table = Show.Table("step", "kind", "entered", "waiting", "sent", "delivered", "opened", "clicked", "replied", "bounced", "reaction ±5 %");
        foreach (var step in stats.Steps)
        {
            var emails = step.Emails;
            table.Row(
                step.StepId,
                step.Kind,
                Show.Count(step.Entered),
                Show.Count(step.Waiting),
                emails is null ? "" : Show.Count(emails.Sent),
                emails is null ? "" : WithRate(emails.Delivered, emails.HasDeliveryRate, emails.DeliveryRate),
                emails is null ? "" : WithRate(emails.Opened, emails.HasOpenRate, emails.OpenRate),
                emails is null ? "" : WithRate(emails.Clicked, emails.HasClickRate, emails.ClickRate),
                emails is null ? "" : WithRate(emails.Replied, emails.HasReplyRate, emails.ReplyRate),
                emails is null ? "" : WithRate(emails.Bounced, emails.HasBounceRate, emails.BounceRate),
                emails is { HasReactionMs: true } ? Show.Span(emails.ReactionMs) : "");
        }

        console.Out.Write(table);
    }

    private static void Named(string title, IReadOnlyCollection<NamedCount> counts, CliConsole console)
    {
        if (counts.Count > 0)
        {
            console.Out.MarkupLine(Markup.Escape($"{title}: {string.Join(", ", counts.Select(count => $"{count.Name} {Show.Count(count.Count)}"))}"));
        }
    }

    private static string WithRate(long count, bool hasRate, double rate) =>
        hasRate && count > 0 ? string.Create(CultureInfo.InvariantCulture, $"{count:N0} ({rate * 100:0.#} %)") : Show.Count(count);
}
