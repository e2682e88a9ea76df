using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster inbox</c>: the inboxes that sequences are sent from, with their limits.</summary>
internal static class InboxCommand
{
    private const int PageMax = 1_000;

    private static readonly Argument<string?> MaybeUser = new("USER") { Description = "The user. Without: lists all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> User = new("USER") { Description = "The user." };
    private static readonly Argument<string> Address = new("ADDRESS") { Description = "The address that e-mails are from." };
    private static readonly Option<bool> FreeMail = new("--free-mail") { Description = "A free mail account: 350 e-mails in 24 hours." };
    private static readonly Option<string?> TimeZone = new("--time-zone") { Description = "IANA zone of the user. Default: the tenant's." };
    private static readonly Option<bool> Disconnected = new("--disconnected") { Description = "Keeps it, but enrolls nobody until it is connected again." };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("inbox", "Shows the inbox of a user and what it has granted, or lists the inboxes; `connect` and `remove` change them.") { MaybeUser, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        var connect = new Command("connect", "Connects the inbox of a user; limits are set by `roster apply`.") { User, Address, FreeMail, TimeZone, Disconnected, Json };
        connect.SetActionSafely(console, (result, cancellationToken) => ConnectAsync(result, console, cancellationToken));
        command.Add(connect);
        var remove = new Command("remove", "Removes the inbox of a user who has gone: who is enrolled in the user's sequences leaves them.") { User, Json };
        remove.SetActionSafely(console, (result, cancellationToken) => RemoveAsync(result, console, cancellationToken));
        command.Add(remove);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        if (result.GetValue(MaybeUser) is not { } user)
        {
            return await ListAsync(client, result.GetValue(Json), console, cancellationToken);
        }

        var inbox = await client.Sequences.GetInboxAsync(new GetInboxRequest { User = user }, cancellationToken: cancellationToken);
        return await ShowAsync(inbox, result.GetValue(Json), console);
    }

    private static async Task<int> ListAsync(RosterClient client, bool isJson, CliConsole console, CancellationToken cancellationToken)
    {
        var table = Show.Table("user", "address", "connected", "zone");
        var request = new ListInboxesRequest { PageSize = PageMax };
        do
        {
            var page = await client.Sequences.ListInboxesAsync(request, cancellationToken: cancellationToken);
            foreach (var inbox in page.Inboxes)
            {
                if (isJson)
                {
                    await console.Plain.WriteLineAsync(JsonOutput.Line(inbox));
                }

                table.Row(inbox.User, inbox.Address, inbox.Connected ? "yes" : "no", inbox.TimeZone);
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        if (!isJson)
        {
            console.Out.Write(table);
        }

        return ExitCode.Success;
    }

    private static async Task<int> ConnectAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var inbox = new Inbox
        {
            User = result.GetValue(User)!,
            Address = result.GetValue(Address)!,
            Connected = !result.GetValue(Disconnected),
            FreeMail = result.GetValue(FreeMail),
            TimeZone = result.GetValue(TimeZone) ?? "",
        };
        return await ShowAsync(await client.Sequences.SaveInboxAsync(new SaveInboxRequest { Inbox = inbox }, cancellationToken: cancellationToken), result.GetValue(Json), console);
    }

    private static async Task<int> ShowAsync(Inbox inbox, bool isJson, CliConsole console)
    {
        if (isJson)
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(inbox));
        }
        else
        {
            console.Out.MarkupLine(Markup.Escape(string.Create(
                CultureInfo.InvariantCulture,
                $"{inbox.User}  {inbox.Address}  ({(inbox.Connected ? "connected" : "not connected")}); enrolled today {inbox.EnrolledToday:N0}, e-mails in 24 hours {inbox.EmailsIn24H:N0}")));
        }

        return ExitCode.Success;
    }

    private static async Task<int> RemoveAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var removed = await client.Sequences.DeleteInboxAsync(new DeleteInboxRequest { User = result.GetValue(User)! }, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(removed));
        }
        else
        {
            console.Out.MarkupLine(Markup.Escape(removed.Operations.Count == 0
                ? "removed; the user owns no sequence"
                : $"removed; enrollments are ended by {string.Join(", ", removed.Operations.Select(o => o.Id))}"));
        }

        return ExitCode.Success;
    }
}
