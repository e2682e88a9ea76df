using System.CommandLine;
using Roster.Cli.Json;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster export</c>: definitions of the server in the form that <c>roster apply</c> takes.</summary>
internal static class ExportCommand
{
    private const int PageSize = 100;

    private static readonly Argument<string[]> Ids = new("WORKFLOW")
    {
        Description = "Ids of the workflows. Without: all definitions of the tenant, with settings, properties, lists, inboxes and sequences.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> Draft = new("--draft") { Description = "Writes the drafts. Default: the versions in force, and drafts that never were published." };
    private static readonly Option<string?> Out = new("--out") { Description = "Writes to this file. Default: to the output.", HelpName = "FILE" };

    public static Command Create(CliConsole console)
    {
        var command = new Command("export", "Writes workflows, or all definitions of the tenant, as a file for `roster apply`.") { Ids, Draft, Out };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var ids = result.GetValue(Ids)!;
        var drafts = ids.Length == 0 ? await WorkflowsAsync(client, cancellationToken) : await WorkflowsAsync(client, ids, cancellationToken);
        var workflows = new List<Workflow>();
        foreach (var draft in drafts)
        {
            workflows.Add(draft.Version == 0 || result.GetValue(Draft)
                ? draft
                : await client.Workflows.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = draft.Id, Version = draft.Version }, cancellationToken: cancellationToken));
        }

        foreach (var paused in drafts.Where(draft => draft.State == Workflow.Types.State.Paused))
        {
            console.Warn($"workflow {paused.Id} is paused; a file only says which workflows are on.");
        }

        var isAll = ids.Length == 0;
        var document = ApplyDocument.Write(
            isAll ? await TenantAsync(client, cancellationToken) : null,
            isAll ? await ListsAsync(client, cancellationToken) : [],
            workflows,
            [.. drafts.Where(draft => draft.State == Workflow.Types.State.On).Select(draft => draft.Id)],
            isAll ? await InboxesAsync(client, cancellationToken) : [],
            isAll ? await SequencesAsync(client, cancellationToken) : []);
        if (result.GetValue(Out) is { } file)
        {
            await File.WriteAllTextAsync(file, document + "\n", cancellationToken);
        }
        else
        {
            await console.Plain.WriteLineAsync(document);
        }

        return ExitCode.Success;
    }

    private static async Task<Tenant> TenantAsync(RosterClient client, CancellationToken cancellationToken)
    {
        var tenant = await client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: cancellationToken);
        tenant.Id = "";

        // Every tenant has the standard types; those without a property say nothing.
        foreach (var empty in tenant.ObjectTypes.Where(type => type.Properties.Count == 0).ToList())
        {
            tenant.ObjectTypes.Remove(empty);
        }

        return tenant;
    }

    private static async Task<IReadOnlyList<Workflow>> WorkflowsAsync(RosterClient client, string[] ids, CancellationToken cancellationToken)
    {
        var found = new List<Workflow>();
        foreach (var id in ids.Distinct(StringComparer.Ordinal))
        {
            found.Add(await client.Workflows.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = id }, cancellationToken: cancellationToken));
        }

        return found;
    }

    private static Task<IReadOnlyList<Workflow>> WorkflowsAsync(RosterClient client, CancellationToken cancellationToken) => AllAsync<Workflow>(async token =>
    {
        var page = await client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken);
        return (page.Workflows, page.NextPageToken);
    });

    private static Task<IReadOnlyList<List>> ListsAsync(RosterClient client, CancellationToken cancellationToken) => AllAsync<List>(async token =>
    {
        var page = await client.Lists.ListListsAsync(new ListListsRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken);
        return (page.Lists, page.NextPageToken);
    });

    private static Task<IReadOnlyList<Inbox>> InboxesAsync(RosterClient client, CancellationToken cancellationToken) => AllAsync<Inbox>(async token =>
    {
        var page = await client.Sequences.ListInboxesAsync(new ListInboxesRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken);
        return (page.Inboxes, page.NextPageToken);
    });

    private static Task<IReadOnlyList<Sequence>> SequencesAsync(RosterClient client, CancellationToken cancellationToken) => AllAsync<Sequence>(async token =>
    {
        var page = await client.Sequences.ListSequencesAsync(new ListSequencesRequest { PageSize = PageSize, PageToken = token }, cancellationToken: cancellationToken);
        return (page.Sequences, page.NextPageToken);
    });

    /// <summary>Reads page by page, from a token to the next one.</summary>
    private static async Task<IReadOnlyList<T>> AllAsync<T>(Func<string, Task<(IReadOnlyList<T> Items, string Next)>> read)
    {
        var found = new List<T>();
        var token = "";
        do
        {
            (var items, token) = await read(token);
            found.AddRange(items);
        }
        while (token.Length > 0);
        return found;
    }
}
