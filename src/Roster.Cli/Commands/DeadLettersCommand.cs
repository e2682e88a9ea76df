using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster dead-letters</c>: what was given up for good (ERR-11).</summary>
internal static class DeadLettersCommand
{
    private const int PageMax = 1_000;

    private static readonly Argument<string[]> Keys = new("KEY") { Description = "Keys of dead letters. Without: lists them, oldest first.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Queue = new("--queue") { Description = "Only of this queue: of workers, `!webhook/ENDPOINT` or `!mail`." };
    private static readonly Option<bool> All = new("--all") { Description = "With --resend or --discard: all that are listed, instead of keys." };
    private static readonly Option<bool> Resend = new("--resend") { Description = "Sends them again, with the same keys. Nothing of the enrollments changes." };
    private static readonly Option<bool> Discard = new("--discard") { Description = "Takes them off the list." };
    private static readonly Option<int> Limit = new("--limit") { Description = "Dead letters that are shown at most.", DefaultValueFactory = _ => 50 };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("dead-letters", "Shows tasks, webhooks and e-mails that were given up for good; `--resend` sends them again.") { Keys, Queue, All, Resend, Discard, Limit, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var keys = result.GetValue(Keys) ?? [];
        var changes = result.GetValue(Resend) || result.GetValue(Discard);
        if (result.GetValue(Resend) && result.GetValue(Discard))
        {
            throw new CliException("--resend and --discard exclude each other.");
        }

        if (changes && keys.Length == 0 && !result.GetValue(All))
        {
            throw new CliException("Name the keys, or say --all; `roster dead-letters` shows them.");
        }

        using var client = ConnectionOptions.Connect(result);
        if (changes)
        {
            return await ChangeAsync(client, result, keys, console, cancellationToken);
        }

        foreach (var key in keys)
        {
            var letter = await client.Work.GetDeadLetterAsync(new GetDeadLetterRequest { Key = key }, cancellationToken: cancellationToken);
            await console.Plain.WriteLineAsync(JsonOutput.Whole(letter));
        }

        if (keys.Length == 0)
        {
            await ListAsync(client, result, console, cancellationToken);
        }

        return ExitCode.Success;
    }

    private static async Task ListAsync(RosterClient client, ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var table = Show.Table("key", "queue", "record", "workflow", "step", "why", "attempts", "given up");
        var left = Math.Max(1, result.GetValue(Limit));
        await foreach (var letter in ReadAsync(client, result, cancellationToken))
        {
            if (left-- == 0)
            {
                break;
            }

            if (result.GetValue(Json))
            {
                await console.Plain.WriteLineAsync(JsonOutput.Line(letter));
            }

            table.Row(
                letter.Key,
                letter.Queue,
                letter.Ref is { } record ? $"{record.ObjectType}/{record.RecordId}" : "",
                letter.WorkflowId,
                letter.StepId,
                letter.Resending ? $"{letter.Code}, being sent again" : letter.Code,
                letter.Attempts.ToString(CultureInfo.InvariantCulture),
                Show.Time(letter.FailedAt));
        }

        if (!result.GetValue(Json))
        {
            console.Out.Write(table);
        }
    }

    private static async Task<int> ChangeAsync(RosterClient client, ParseResult result, IReadOnlyList<string> keys, CliConsole console, CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
        {
            var all = new List<string>();
            await foreach (var letter in ReadAsync(client, result, cancellationToken))
            {
                all.Add(letter.Key);
            }

            keys = all;
        }

        var (done, gone) = (0, 0);
        foreach (var some in keys.Chunk(PageMax))
        {
            if (result.GetValue(Resend))
            {
                var answer = await client.Work.ResendDeadLettersAsync(new ResendDeadLettersRequest { Keys = { some } }, cancellationToken: cancellationToken);
                (done, gone) = (done + answer.Resending.Count, gone + answer.Gone.Count);
            }
            else
            {
                var answer = await client.Work.DiscardDeadLettersAsync(new DiscardDeadLettersRequest { Keys = { some }, Caller = "roster" }, cancellationToken: cancellationToken);
                (done, gone) = (done + answer.Discarded, gone + some.Length - answer.Discarded);
            }
        }

        var what = result.GetValue(Resend) ? "being sent again" : "discarded";
        await console.Plain.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{done} {what}{(gone > 0 ? $", {gone} not on the list" : "")}."));
        return gone == 0 ? ExitCode.Success : ExitCode.SomeFailed;
    }

    private static async IAsyncEnumerable<DeadLetter> ReadAsync(
        RosterClient client, ParseResult result, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListDeadLettersRequest { PageSize = PageMax, Queue = result.GetValue(Queue) ?? "" };
        do
        {
            var page = await client.Work.ListDeadLettersAsync(request, cancellationToken: cancellationToken);
            foreach (var letter in page.DeadLetters)
            {
                yield return letter;
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }
}
