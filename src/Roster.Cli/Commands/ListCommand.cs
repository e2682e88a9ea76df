using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster list</c>: lists, their members, and changes of static ones by hand.</summary>
internal static class ListCommand
{
    private const int PageMax = 1_000;

    private static readonly Argument<string?> Shown = new("LIST") { Description = "Id of the list. Without: shows all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> Id = new("LIST") { Description = "Id of the list." };
    private static readonly Argument<string[]> Records = new("RECORD")
    {
        Description = "Object type and id, such as `contact/ada@example.org`.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<int?> Limit = new("--limit") { Description = "Members that are printed at most. Default: all.", HelpName = "COUNT" };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("list", "Shows a list, or all lists; `members`, `add`, `remove` and `delete` do more.") { Shown, Json };
        command.SetActionSafely(console, (result, cancellationToken) => ShowAsync(result, console, cancellationToken));
        var members = new Command("members", "Prints the members of a list, one per line.") { Id, Limit, Json };
        members.SetActionSafely(console, (result, cancellationToken) => PrintMembersAsync(result, console, cancellationToken));
        var add = new Command("add", "Adds records to a static list.") { Id, Records, RequestOptions.RequestId, RequestOptions.Caller };
        add.SetActionSafely(console, (result, cancellationToken) => ChangeAsync(result, adds: true, console, cancellationToken));
        var remove = new Command("remove", "Takes records off a static list.") { Id, Records, RequestOptions.RequestId, RequestOptions.Caller };
        remove.SetActionSafely(console, (result, cancellationToken) => ChangeAsync(result, adds: false, console, cancellationToken));
        var delete = new Command("delete", "Deletes a list; a job takes its members off.") { Id, RequestOptions.NoWait, Json };
        delete.SetActionSafely(console, (result, cancellationToken) => DeleteAsync(result, console, cancellationToken));
        command.Add(members);
        command.Add(add);
        command.Add(remove);
        command.Add(delete);
        return command;
    }

    private static async Task<int> ShowAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        if (result.GetValue(Shown) is not { } id)
        {
            return await ShowAllAsync(client, result.GetValue(Json), console, cancellationToken);
        }

        var list = await client.Lists.GetListAsync(new GetListRequest { ListId = id }, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(list));
            return ExitCode.Success;
        }

        ShowList(list, console);
        return ExitCode.Success;
    }

    /// <summary>Prints one list in two lines.</summary>
    public static void ShowList(List list, CliConsole console)
    {
        console.Out.MarkupLine($"[bold]{Markup.Escape(list.Id)}[/]  {Markup.Escape(list.DisplayName)}  ({Kind(list)} list of {Markup.Escape(list.ObjectType)} records, revision {list.Revision})");
        console.Out.MarkupLine($"{Show.Count(list.Members)} members, last saved {Show.Time(list.UpdatedAt)}");
    }

    private static async Task<int> ShowAllAsync(RosterClient client, bool isJson, CliConsole console, CancellationToken cancellationToken)
    {
        var table = Show.Table("list", "object", "kind", "members", "name");
        var request = new ListListsRequest { PageSize = PageMax };
        do
        {
            var page = await client.Lists.ListListsAsync(request, cancellationToken: cancellationToken);
            foreach (var list in page.Lists)
            {
                if (isJson)
                {
                    await console.Plain.WriteLineAsync(JsonOutput.Line(list));
                }

                table.Row(list.Id, list.ObjectType, Kind(list), Show.Count(list.Members), list.DisplayName);
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

    private static async Task<int> PrintMembersAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var left = result.GetValue(Limit) ?? int.MaxValue;
        var request = new ListMembersRequest { ListId = result.GetValue(Id)!, PageSize = Math.Clamp(left, 1, PageMax) };
        do
        {
            var page = await client.Lists.ListMembersAsync(request, cancellationToken: cancellationToken);
            foreach (var member in page.Members.Take(left))
            {
                await console.Plain.WriteLineAsync(result.GetValue(Json) ? JsonOutput.Line(member) : RecordName.Of(member));
            }

            left -= page.Members.Count;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0 && left > 0);
        return ExitCode.Success;
    }

    private static async Task<int> ChangeAsync(ParseResult result, bool adds, CliConsole console, CancellationToken cancellationToken)
    {
        var references = result.GetValue(Records)!.Select(RecordName.Parse).ToList();
        var requestId = RequestOptions.NewId(result);
        using var client = ConnectionOptions.Connect(result);
        foreach (var reference in references)
        {
            var request = new ChangeMembershipRequest
            {
                ListId = result.GetValue(Id)!,
                Ref = reference,
                RequestId = requestId,
                Caller = result.GetValue(RequestOptions.Caller)!,
            };
            var answer = adds
                ? await client.Lists.AddToListAsync(request, cancellationToken: cancellationToken)
                : await client.Lists.RemoveFromListAsync(request, cancellationToken: cancellationToken);
            CommandResult.Check(answer.Result);
            console.Out.MarkupLine(Markup.Escape(string.Create(
                CultureInfo.InvariantCulture,
                $"{RecordName.Of(reference)} is {(adds ? "on" : "not on")} {request.ListId}{CommandResult.Repeated(answer.Result)}")));
        }

        return ExitCode.Success;
    }

    private static async Task<int> DeleteAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var answer = await client.Lists.DeleteListAsync(new DeleteListRequest { ListId = result.GetValue(Id)! }, cancellationToken: cancellationToken);
        return await OperationWatch.FollowAsync(client, answer.Operation, !result.GetValue(RequestOptions.NoWait), result.GetValue(Json), console, cancellationToken);
    }

    private static string Kind(List list) => list.Criteria is null ? "static" : "active";
}
