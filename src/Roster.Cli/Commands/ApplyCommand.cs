using System.CommandLine;
using Roster.Cli.Apply;
using Roster.Cli.Json;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster apply</c>: declares schema, saves lists, saves, publishes and switches on workflows.</summary>
internal static class ApplyCommand
{
    private const string CriteriaOfList = "start.filter.criteria";

    private static readonly Argument<string[]> Files = new("FILE")
    {
        Description = "Files with a workflow, a list, a tenant, or all of them, in JSON. They may name each other in any order.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> Draft = new("--draft") { Description = "Saves drafts only: publishes nothing, and leaves lists as they are." };
    private static readonly Option<bool> Check = new("--check") { Description = "Checks only: changes nothing." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("apply", "Declares properties, saves lists, and saves, publishes and switches on workflows from files.") { Files, Draft, Check };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var failed = 0;
        var files = new List<(string Name, ApplyFile File)>();
        foreach (var name in result.GetValue(Files)!)
        {
            try
            {
                files.Add((name, ApplyFile.Parse(await File.ReadAllTextAsync(name, cancellationToken), name)));
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

        failed += result.GetValue(Check)
            ? await CheckAsync(client, files, console, cancellationToken)
            : await ApplyAsync(client, files, result.GetValue(Draft), console, cancellationToken);
        return failed == 0 ? ExitCode.Success : ExitCode.SomeFailed;
    }

    /// <summary>Applies files together; returns how many of their parts failed.</summary>
    public static Task<int> ApplyAsync(
        RosterClient client, IReadOnlyList<(string Name, ApplyFile File)> files, bool isDraft, CliConsole console, CancellationToken cancellationToken) =>
        new ApplyRun(new ServerTarget(client), new Teller(console), isDraft, (file, workflow) => file.SwitchesOn(workflow)).RunAsync(files, cancellationToken);

    private static async Task<int> CheckAsync(
        RosterClient client, IReadOnlyList<(string Name, ApplyFile File)> files, CliConsole console, CancellationToken cancellationToken)
    {
        var failed = 0;
        var brought = new Brought(
            files.SelectMany(file => file.File.Lists).Select(item => item.List.Id).ToHashSet(StringComparer.Ordinal),
            files.SelectMany(file => file.File.Workflows).Select(item => item.Workflow.Id).ToHashSet(StringComparer.Ordinal),
            files.SelectMany(file => file.File.Workflows).SelectMany(item => item.Workflow.Goals).Select(goal => goal.Id).ToHashSet(StringComparer.Ordinal),
            files.SelectMany(file => file.File.Sequences).Select(item => item.Sequence.Id).ToHashSet(StringComparer.Ordinal));
        foreach (var (name, file) in files)
        {
            var definitions = file.Lists.Select(item => (item.Path, Definition: AsWorkflow(item.List), Of: CriteriaOfList))
                .Concat(file.Workflows.Select(item => (item.Path, Definition: item.Workflow, Of: "")));
            foreach (var (path, definition, of) in definitions)
            {
                var found = await client.Workflows.ValidateWorkflowAsync(new ValidateWorkflowRequest { Workflow = definition }, cancellationToken: cancellationToken);
                foreach (var problem in found.Problems.Where(problem => problem.Path.StartsWith(of, StringComparison.Ordinal) && !brought.Explains(problem)))
                {
                    problem.Path = of.Length > 0 ? problem.Path["start.filter.".Length..] : problem.Path;
                    failed += Tell(problem, name, path, file, console);
                }
            }

            foreach (var (path, sequence) in file.Sequences)
            {
                var found = await client.Sequences.ValidateSequenceAsync(new ValidateSequenceRequest { Sequence = sequence }, cancellationToken: cancellationToken);
                failed += found.Problems.Sum(problem => Tell(problem, name, path, file, console));
            }

            console.Out.MarkupLine($"{Markup.Escape(name)}: {(file.Lists.Count > 0 ? $"{file.Lists.Count} lists, " : "")}{(file.Sequences.Count > 0 ? $"{file.Sequences.Count} sequences, " : "")}{file.Workflows.Count} workflows checked");
        }

        return failed;
    }

    // The service checks workflows only; the criteria of a list are those of a workflow that starts by them.
    private static Workflow AsWorkflow(List list) => new()
    {
        Id = list.Id,
        ObjectType = list.ObjectType,
        Start = new Start { Filter = new FilterStart { Criteria = list.Criteria ?? new Criteria { AnyOf = { new FilterGroup() } } } },
    };

    private static int Tell(DefinitionProblem problem, string name, string path, ApplyFile file, CliConsole console)
    {
        var sentence = $"{name}: {(path.Length > 0 ? $"{path}." : "")}{RpcSentences.Of(problem, file.Spell)}";
        if (problem.Severity == DefinitionProblem.Types.Severity.Warning)
        {
            console.Warn(sentence);
            return 0;
        }

        console.Fail(sentence);
        return 1;
    }

    /// <summary>Tells what is done, one line per part.</summary>
    private sealed class Teller(CliConsole console) : ApplyListener
    {
        public override void OnProblem(string sentence) => console.Fail(sentence);

        public override void OnWarning(string sentence) => console.Warn(sentence);

        public override void OnSettings() => console.Out.MarkupLine("settings updated");

        public override void OnObjectType(ObjectType type) =>
            console.Out.MarkupLine($"object type [bold]{Markup.Escape(type.Name)}[/]: {type.Properties.Count} properties declared");

        public override void OnDraft(Workflow saved) =>
            console.Out.MarkupLine($"workflow [bold]{Markup.Escape(saved.Id)}[/]: draft saved, revision {saved.Revision}");

        public override void OnList(SaveListResponse saved)
        {
            var job = saved.Operation is { } operation ? $", members are computed by operation {Markup.Escape(operation.Id)}" : "";
            console.Out.MarkupLine($"list [bold]{Markup.Escape(saved.List.Id)}[/]: {(saved.List.Criteria is null ? "static" : "active")}, revision {saved.List.Revision}{job}");
        }

        public override void OnInbox(Inbox saved) =>
            console.Out.MarkupLine($"inbox of [bold]{Markup.Escape(saved.User)}[/]: {Markup.Escape(saved.Address)}, {(saved.Connected ? "connected" : "not connected")}");

        public override void OnSequence(ApplyFile file, SaveSequenceResponse saved)
        {
            foreach (var problem in saved.Problems)
            {
                console.Warn($"{saved.Sequence.Id}: {RpcSentences.Of(problem, file.Spell)}");
            }

            console.Out.MarkupLine($"sequence [bold]{Markup.Escape(saved.Sequence.Id)}[/]: version {saved.Sequence.Version}, from {Markup.Escape(saved.Sequence.Owner)}");
        }

        public override void OnPublished(ApplyFile file, PublishWorkflowResponse published)
        {
            foreach (var problem in published.Problems)
            {
                console.Warn($"{published.Workflow.Id}: {RpcSentences.Of(problem, file.Spell)}");
            }
        }

        public override void OnDone(Workflow workflow) =>
            console.Out.MarkupLine($"workflow [bold]{Markup.Escape(workflow.Id)}[/]: version {workflow.Version}, {ProtoText.Lower(workflow.State)}");
    }

    /// <summary>What the files bring themselves is not missing.</summary>
    private sealed record Brought(HashSet<string> Lists, HashSet<string> Workflows, HashSet<string> Goals, HashSet<string> Sequences)
    {
        public bool Explains(DefinitionProblem problem) => problem.Code switch
        {
            "UNKNOWN_LIST" => Lists.Contains(problem.Value),
            "UNKNOWN_WORKFLOW" => Workflows.Contains(problem.Value),
            "UNKNOWN_GOAL" => Goals.Contains(problem.Value),
            "UNKNOWN_SEQUENCE" => Sequences.Contains(problem.Value),
            _ => false,
        };
    }
}
