using System.CommandLine;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster record link</c>, <c>links</c> and <c>merge</c>: what concerns two records.</summary>
internal static class LinkCommands
{
    private const int PageMax = 1_000;

    private static readonly Argument<string> Id = new("RECORD") { Description = "Object type and id, such as `contact/ada@example.org`." };
    private static readonly Argument<string> Other = new("OTHER") { Description = "The other record: object type and id." };
    private static readonly Option<string> Label = new("--label") { Description = "Label of the link.", DefaultValueFactory = _ => string.Empty };
    private static readonly Option<bool> Removes = new("--remove") { Description = "Takes the label away, or the whole link when no label is named." };
    private static readonly Option<string> OfType = new("--type") { Description = "Only links to records of this object type.", DefaultValueFactory = _ => string.Empty };

    /// <summary>Adds the commands.</summary>
    public static void AddTo(Command record, CliConsole console)
    {
        var link = new Command("link", "Links a record to another one, or takes a link away; the other side follows.") { Id, Other, Label, Removes, RequestOptions.RequestId };
        link.SetActionSafely(console, (result, cancellationToken) => LinkAsync(result, console, cancellationToken));
        var links = new Command("links", "Lists the links of a record.") { Id, OfType };
        links.SetActionSafely(console, (result, cancellationToken) => ListAsync(result, console, cancellationToken));
        var merge = new Command("merge", "Merges a record into another one, which takes its newest values, links, lists and history.") { Id, Other, RequestOptions.RequestId, RequestOptions.Caller };
        merge.SetActionSafely(console, (result, cancellationToken) => MergeAsync(result, console, cancellationToken));
        record.Add(link);
        record.Add(links);
        record.Add(merge);
    }

    private static async Task<int> LinkAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var reference = RecordName.Parse(result.GetValue(Id)!);
        var other = RecordName.Parse(result.GetValue(Other)!);
        var removes = result.GetValue(Removes);
        using var client = ConnectionOptions.Connect(result);
        var request = new ChangeAssociationRequest
        {
            Ref = reference,
            Change = new AssociationChange { ObjectType = other.ObjectType, RecordId = other.RecordId, Label = result.GetValue(Label)!, Remove = removes },
            RequestId = RequestOptions.NewId(result),
        };
        var answer = await client.Records.ChangeAssociationAsync(request, cancellationToken: cancellationToken);
        CommandResult.Check(answer.Result);
        var label = request.Change.Label.Length > 0 ? $" as {request.Change.Label}" : "";
        console.Out.MarkupLine(Markup.Escape($"{RecordName.Of(reference)} is {(removes ? "not linked" : "linked")} to {RecordName.Of(other)}{label}{(removes ? " any more" : "")}{CommandResult.Repeated(answer.Result)}"));
        return ExitCode.Success;
    }

    private static async Task<int> ListAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var reference = RecordName.Parse(result.GetValue(Id)!);
        using var client = ConnectionOptions.Connect(result);
        var request = new ListAssociationsRequest { Ref = reference, ObjectType = result.GetValue(OfType)!, PageSize = PageMax };
        var table = Show.Table("record", "labels", "since");
        var count = 0;
        do
        {
            var page = await client.Records.ListAssociationsAsync(request, cancellationToken: cancellationToken);
            foreach (var link in page.Associations)
            {
                table.Row(RecordName.Of(link.Ref), string.Join(", ", link.Labels), Show.Time(link.Since));
                count++;
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        if (count == 0)
        {
            console.Out.MarkupLine("no links");
        }
        else
        {
            console.Out.Write(table);
        }

        return ExitCode.Success;
    }

    private static async Task<int> MergeAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var reference = RecordName.Parse(result.GetValue(Id)!);
        var survivor = RecordName.Parse(result.GetValue(Other)!);
        using var client = ConnectionOptions.Connect(result);
        var request = new MergeRecordsRequest { Ref = reference, Survivor = survivor, RequestId = RequestOptions.NewId(result), Caller = result.GetValue(RequestOptions.Caller)! };
        var answer = await client.Records.MergeRecordsAsync(request, cancellationToken: cancellationToken);
        CommandResult.Check(answer.Result);
        console.Out.MarkupLine(Markup.Escape($"{RecordName.Of(reference)} is merged into {RecordName.Of(survivor)}{CommandResult.Repeated(answer.Result)}"));
        return ExitCode.Success;
    }
}
