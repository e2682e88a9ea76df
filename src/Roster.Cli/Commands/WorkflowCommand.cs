using System.CommandLine;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster workflow</c>: counters and funnel of a workflow, or the list of all.</summary>
internal static class WorkflowCommand
{
    private const int BarWidth = 30;

    private static readonly Argument<string?> Id = new("WORKFLOW") { Description = "Id of the workflow. Without: lists all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints the counters as JSON." };
    private static readonly Option<string?> State = new("--state") { Description = "Switches it first: `on`, `off` or `paused`." };

    private static readonly Option<string?> Text = new("--text") { Description = "Lists only workflows with this text in their id or name." };
    private static readonly Option<string?> Order = new("--order") { Description = "Order of the list: `id`, `display_name` or `updated_at`, with ` desc` for the other direction." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("workflow", "Shows a workflow's funnel per step, or lists the workflows; `stats`, `on`, `off`, `pause` and others do more.")
        {
            Id, State, Text, Order, Json,
        };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        command.Add(WorkflowStatsCommand.Create(console));
        WorkflowActions.AddTo(command, console);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        if (result.GetValue(Id) is not { } id)
        {
            await ListAsync(client, result, console, cancellationToken);
            return ExitCode.Success;
        }

        if (result.GetValue(State) is { } state)
        {
            await client.Workflows.SetWorkflowStateAsync(
                new SetWorkflowStateRequest { WorkflowId = id, State = ParseState(state) }, cancellationToken: cancellationToken);
        }

        var stats = await client.Workflows.GetWorkflowStatsAsync(new GetWorkflowStatsRequest { WorkflowId = id }, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(stats));
            return ExitCode.Success;
        }

        var workflow = await client.Workflows.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = id }, cancellationToken: cancellationToken);
        ShowStats(workflow, stats, console);
        return ExitCode.Success;
    }

    private static Workflow.Types.State ParseState(string text) => text.ToLowerInvariant() switch
    {
        "on" => Workflow.Types.State.On,
        "off" => Workflow.Types.State.Off,
        "paused" => Workflow.Types.State.Paused,
        _ => throw new CliException($"--state `{text}` is not `on`, `off` or `paused`."),
    };

    private static async Task ListAsync(RosterClient client, ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var table = Show.Table("workflow", "object", "state", "version", "name");
        var request = new ListWorkflowsRequest
        {
            PageSize = 1_000,
            Text = result.GetValue(Text) ?? "",
            OrderBy = result.GetValue(Order) ?? "",
            ReadMask = new FieldMask { Paths = { "id", "object_type", "state", "version", "display_name" } },
        };
        do
        {
            var page = await client.Workflows.ListWorkflowsAsync(request, cancellationToken: cancellationToken);
            foreach (var workflow in page.Workflows)
            {
                table.Row(
                    workflow.Id, workflow.ObjectType, ProtoText.Lower(workflow.State), workflow.Version.ToString(CultureInfo.InvariantCulture), workflow.DisplayName);
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        console.Out.Write(table);
    }

    /// <summary>Prints counters and funnel.</summary>
    public static void ShowStats(Workflow workflow, WorkflowStats stats, CliConsole console)
    {
        ShowHeader(workflow, stats, console);
        ShowFunnel(stats, console);
    }

    /// <summary>Prints what a workflow is, and its counters.</summary>
    public static void ShowHeader(Workflow workflow, WorkflowStats stats, CliConsole console)
    {
        console.Out.MarkupLine(
            $"[bold]{Markup.Escape(workflow.Id)}[/]  {Markup.Escape(workflow.DisplayName)}  ({ProtoText.Lower(workflow.State)}, version {workflow.Version})");
        console.Out.MarkupLine(
            $"enrolled {Show.Count(stats.Enrolled)} ({Show.Count(stats.RecordsEnrolled)} records), active {Show.Count(stats.Active)}, completed {Show.Count(stats.Completed)}"
            + Named(", ended", stats.Unenrolled) + Named(", goals", stats.Goals) + Named(", refused", stats.Refused));
    }

    private static void ShowFunnel(WorkflowStats stats, CliConsole console)
    {
        var table = Show.Table("step", "kind", "entered", "", "waiting", "left", "skipped", "failed", "branches");
        foreach (var step in stats.Steps)
        {
            table.Row(
                step.StepId,
                step.Kind,
                Show.Count(step.Entered),
                Bar(step.Entered, stats.Enrolled),
                Show.Count(step.Waiting),
                Show.Count(step.Succeeded),
                Show.Count(step.Skipped),
                Show.Count(step.Failed),
                string.Join(", ", step.Branches.Select(branch => $"{branch.Name} {Show.Count(branch.Count)}")));
        }

        console.Out.Write(table);
    }

    private static string Named(string title, IReadOnlyCollection<NamedCount> counts) => counts.Count == 0
        ? ""
        : Markup.Escape($"{title}: {string.Join(", ", counts.Select(count => $"{count.Name} {Show.Count(count.Count)}"))}");

    private static string Bar(long count, long of) => of <= 0 ? "" : new string('█', (int)Math.Clamp(Math.Round((double)count * BarWidth / of), 0, BarWidth));
}
