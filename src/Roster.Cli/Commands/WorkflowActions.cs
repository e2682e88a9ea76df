using System.CommandLine;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster workflow on | off | pause | resume | delete | move | preview</c>: what can be done to a workflow.</summary>
internal static class WorkflowActions
{
    private static readonly Argument<string> Id = new("WORKFLOW") { Description = "Id of the workflow." };
    private static readonly Option<bool> EnrollExisting = new("--enroll-existing")
    {
        Description = "Considers every record that meets the criteria already, once, as a job.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static void AddTo(Command command, CliConsole console)
    {
        command.Add(Switch("on", "Switches a workflow on: it enrolls and runs.", Workflow.Types.State.On, console, EnrollExisting));
        command.Add(Switch("off", "Switches a workflow off: it enrolls nobody, and actions are skipped.", Workflow.Types.State.Off, console));
        command.Add(Switch("pause", "Pauses a workflow: it enrolls, and no step runs until `resume`.", Workflow.Types.State.Paused, console));
        command.Add(Switch("resume", "Switches a paused workflow on again: what was held runs, oldest first.", Workflow.Types.State.On, console));
        var delete = new Command("delete", "Deletes a workflow; a job ends its active enrollments.") { Id, RequestOptions.NoWait, Json };
        delete.SetActionSafely(console, (result, cancellationToken) => DeleteAsync(result, console, cancellationToken));
        var move = new Command("move", "Moves enrollments that are pinned to older versions to the newest one.") { Id, RequestOptions.NoWait, Json };
        move.SetActionSafely(console, (result, cancellationToken) => MoveAsync(result, console, cancellationToken));
        var preview = new Command("preview", "Counts the records that meet the criteria now, without enrolling any.") { Id, Json };
        preview.SetActionSafely(console, (result, cancellationToken) => PreviewAsync(result, console, cancellationToken));
        command.Add(delete);
        command.Add(move);
        command.Add(preview);
    }

    private static Command Switch(string name, string description, Workflow.Types.State state, CliConsole console, params Option[] options)
    {
        var command = new Command(name, description) { Id, Json };
        foreach (var option in options)
        {
            command.Add(option);
        }

        command.SetActionSafely(console, (result, cancellationToken) => SwitchAsync(result, state, console, cancellationToken));
        return command;
    }

    private static async Task<int> SwitchAsync(ParseResult result, Workflow.Types.State state, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var request = new SetWorkflowStateRequest { WorkflowId = result.GetValue(Id)!, State = state, EnrollExisting = result.GetValue(EnrollExisting) };
        var workflow = await client.Workflows.SetWorkflowStateAsync(request, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(workflow));
            return ExitCode.Success;
        }

        console.Out.MarkupLine($"workflow [bold]{Markup.Escape(workflow.Id)}[/]: version {workflow.Version}, {ProtoText.Lower(workflow.State)}");
        if (request.EnrollExisting)
        {
            console.Out.MarkupLine($"a job considers the records that meet its criteria: roster operations --workflow {Markup.Escape(workflow.Id)}");
        }

        return ExitCode.Success;
    }

    private static async Task<int> DeleteAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var operation = await client.Workflows.DeleteWorkflowAsync(
            new DeleteWorkflowRequest { WorkflowId = result.GetValue(Id)! }, cancellationToken: cancellationToken);
        return await OperationWatch.FollowAsync(client, operation, !result.GetValue(RequestOptions.NoWait), result.GetValue(Json), console, cancellationToken);
    }

    private static async Task<int> MoveAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var operation = await client.Workflows.MoveEnrollmentsAsync(
            new MoveEnrollmentsRequest { WorkflowId = result.GetValue(Id)! }, cancellationToken: cancellationToken);
        return await OperationWatch.FollowAsync(client, operation, !result.GetValue(RequestOptions.NoWait), result.GetValue(Json), console, cancellationToken);
    }

    private static async Task<int> PreviewAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result, TimeSpan.FromHours(1));
        var found = await client.Workflows.PreviewEnrollmentAsync(
            new PreviewEnrollmentRequest { WorkflowId = result.GetValue(Id)! }, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(found));
            return ExitCode.Success;
        }

        console.Out.MarkupLine(
            $"{Show.Count(found.Matching)} of {Show.Count(found.Records)} records meet the criteria; {Show.Count(found.EnrolledBefore)} of them were enrolled before");
        return ExitCode.Success;
    }
}
