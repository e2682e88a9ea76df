using System.CommandLine;
using Grpc.Core;
using Roster.Cli.Json;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster apply</c>: declares schema, saves, publishes and switches on workflows.</summary>
internal static class ApplyCommand
{
    private static readonly Argument<string[]> Files = new("FILE")
    {
        Description = "Files with a workflow, a tenant, or both, in JSON.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> Draft = new("--draft") { Description = "Saves drafts only: publishes nothing." };
    private static readonly Option<bool> Check = new("--check") { Description = "Checks only: changes nothing." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("apply", "Declares properties, saves, publishes and switches on workflows from files.") { Files, Draft, Check };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var isDraft = result.GetValue(Draft);
        var failed = 0;
        foreach (var name in result.GetValue(Files)!)
        {
            try
            {
                var file = ApplyFile.Parse(await File.ReadAllTextAsync(name, cancellationToken), name);
                failed += result.GetValue(Check)
                    ? await CheckAsync(client, file, name, console, cancellationToken)
                    : await ApplyAsync(client, file, name, isDraft, console, cancellationToken);
            }
            catch (Exception error) when (error is CliException or IOException or UnauthorizedAccessException)
            {
                // The other files go on.
                failed++;
                foreach (var sentence in error is CliException known ? known.Sentences : [error.Message])
                {
                    console.Fail(sentence);
                }
            }
        }

        return failed == 0 ? ExitCode.Success : ExitCode.SomeFailed;
    }

    /// <summary>Applies one file; returns how many of its parts failed.</summary>
    public static async Task<int> ApplyAsync(
        RosterClient client, ApplyFile file, string name, bool isDraft, CliConsole console, CancellationToken cancellationToken)
    {
        var failed = 0;
        if (file.Tenant is not null)
        {
            failed += await TryAsync(name, "tenant", file, console, () => ApplyTenantAsync(client, file.Tenant, console, cancellationToken));
        }

        foreach (var (path, workflow) in file.Workflows)
        {
            failed += await TryAsync(name, path, file, console, () => ApplyWorkflowAsync(client, workflow, isDraft, file, console, cancellationToken));
        }

        return failed;
    }

    private static async Task<int> TryAsync(string name, string path, ApplyFile file, CliConsole console, Func<Task> apply)
    {
        try
        {
            await apply();
            return 0;
        }
        catch (RpcException error) when (error.StatusCode is StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.Aborted or StatusCode.NotFound)
        {
            foreach (var sentence in RpcSentences.Of(error, null, file.Spell))
            {
                console.Fail($"{name}: {(path.Length > 0 && !sentence.StartsWith(path, StringComparison.Ordinal) ? $"{path}." : "")}{sentence}");
            }

            return 1;
        }
    }

    private static async Task ApplyTenantAsync(RosterClient client, Tenant tenant, CliConsole console, CancellationToken cancellationToken)
    {
        if (tenant.Settings is not null)
        {
            await client.Tenants.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = tenant.Settings }, cancellationToken: cancellationToken);
            console.Out.MarkupLine("settings updated");
        }

        foreach (var type in tenant.ObjectTypes)
        {
            await client.Tenants.DeclareObjectTypeAsync(new DeclareObjectTypeRequest { ObjectType = type.Name }, cancellationToken: cancellationToken);
            var request = new DeclarePropertiesRequest { ObjectType = type.Name, Properties = { type.Properties } };
            await client.Tenants.DeclarePropertiesAsync(request, cancellationToken: cancellationToken);
            console.Out.MarkupLine($"object type [bold]{Markup.Escape(type.Name)}[/]: {type.Properties.Count} properties declared");
        }
    }

    private static async Task ApplyWorkflowAsync(
        RosterClient client, Workflow workflow, bool isDraft, ApplyFile file, CliConsole console, CancellationToken cancellationToken)
    {
        var saved = await client.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = workflow, Force = true }, cancellationToken: cancellationToken);
        if (isDraft)
        {
            console.Out.MarkupLine($"workflow [bold]{Markup.Escape(saved.Id)}[/]: draft saved, revision {saved.Revision}");
            return;
        }

        var published = await client.Workflows.PublishWorkflowAsync(
            new PublishWorkflowRequest { WorkflowId = saved.Id, Revision = saved.Revision }, cancellationToken: cancellationToken);
        foreach (var problem in published.Problems)
        {
            console.Warn($"{saved.Id}: {RpcSentences.Of(problem, file.Spell)}");
        }

        var state = published.Workflow.State;
        if (file.IsOn)
        {
            var on = new SetWorkflowStateRequest { WorkflowId = saved.Id, State = Workflow.Types.State.On };
            state = (await client.Workflows.SetWorkflowStateAsync(on, cancellationToken: cancellationToken)).State;
        }

        console.Out.MarkupLine($"workflow [bold]{Markup.Escape(saved.Id)}[/]: version {published.Workflow.Version}, {ProtoText.Lower(state)}");
    }

    private static async Task<int> CheckAsync(RosterClient client, ApplyFile file, string name, CliConsole console, CancellationToken cancellationToken)
    {
        var failed = 0;
        foreach (var (path, workflow) in file.Workflows)
        {
            var found = await client.Workflows.ValidateWorkflowAsync(new ValidateWorkflowRequest { Workflow = workflow }, cancellationToken: cancellationToken);
            foreach (var problem in found.Problems)
            {
                var sentence = $"{name}: {(path.Length > 0 ? $"{path}." : "")}{RpcSentences.Of(problem, file.Spell)}";
                if (problem.Severity == DefinitionProblem.Types.Severity.Warning)
                {
                    console.Warn(sentence);
                    continue;
                }

                failed++;
                console.Fail(sentence);
            }
        }

        console.Out.MarkupLine($"{Markup.Escape(name)}: {file.Workflows.Count} workflows checked");
        return failed;
    }
}
