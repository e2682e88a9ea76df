using System.CommandLine;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster operations</c>: long-running jobs.</summary>
internal static class OperationsCommand
{
    private static readonly Argument<string?> Id = new("OPERATION") { Description = "Id of the operation. Without: shows the newest.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Workflow = new("--workflow") { Description = "Only operations of this workflow." };
    private static readonly Option<string[]> Kind = new("--kind") { Description = "Only operations of this kind, such as `bulk_enroll`. Several times." };
    private static readonly Option<string[]> State = new("--state") { Description = "Only operations in this state: running, succeeded, cancelled, failed. Several times." };
    private static readonly Option<bool> Cancel = new("--cancel") { Description = "Asks the operation to stop; what it has done stays done." };
    private static readonly Option<bool> Resume = new("--resume") { Description = "Has an operation that was cancelled or has failed go on where it stopped." };
    private static readonly Option<int> Limit = new("--limit") { Description = "Operations that are shown at most.", DefaultValueFactory = _ => 50 };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("operations", "Shows long-running jobs, newest first, or one of them; `--cancel` stops it, `--resume` has it go on.")
        {
            Id, Workflow, Kind, State, Cancel, Resume, Limit, Json,
        };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var id = result.GetValue(Id);
        var (cancels, resumes) = (result.GetValue(Cancel), result.GetValue(Resume));
        if (id is null && (cancels || resumes))
        {
            throw new CliException($"{(cancels ? "--cancel" : "--resume")} needs the id of the operation; `roster operations` shows them.");
        }

        if (cancels && resumes)
        {
            throw new CliException("--cancel and --resume exclude each other.");
        }

        using var client = ConnectionOptions.Connect(result);
        if (id is null)
        {
            await ShowAllAsync(client, result, console, cancellationToken);
            return ExitCode.Success;
        }

        var operation = cancels ? await client.Operations.CancelOperationAsync(new CancelOperationRequest { OperationId = id }, cancellationToken: cancellationToken)
            : resumes ? await client.Operations.ResumeOperationAsync(new ResumeOperationRequest { OperationId = id }, cancellationToken: cancellationToken)
            : await client.Operations.GetOperationAsync(new GetOperationRequest { OperationId = id }, cancellationToken: cancellationToken);
        await console.Plain.WriteLineAsync(result.GetValue(Json) ? JsonOutput.Whole(operation) : OperationWatch.Sentence(operation));
        return ExitCode.Success;
    }

    private static async Task ShowAllAsync(RosterClient client, ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var table = Show.Table("operation", "kind", "of", "state", "records", "outcomes", "asked for", "ended");
        var left = Math.Max(1, result.GetValue(Limit));
        var request = new ListOperationsRequest { PageSize = Math.Min(left, 1_000), WorkflowId = result.GetValue(Workflow) ?? "" };
        request.Kinds.AddRange(result.GetValue(Kind) ?? []);
        request.States.AddRange((result.GetValue(State) ?? []).Select(ParseState));
        do
        {
            var page = await client.Operations.ListOperationsAsync(request, cancellationToken: cancellationToken);
            foreach (var operation in page.Operations.Take(left))
            {
                if (result.GetValue(Json))
                {
                    await console.Plain.WriteLineAsync(JsonOutput.Line(operation));
                }

                table.Row(
                    operation.Id,
                    operation.Kind,
                    operation.WorkflowId.Length > 0 ? operation.WorkflowId : operation.ListId,
                    ProtoText.Lower(operation.State),
                    OperationWatch.Progress(operation),
                    operation.Error.Length > 0 ? operation.Error : OperationWatch.Counts(operation),
                    Show.Time(operation.CreatedAt),
                    Show.Time(operation.EndedAt));
            }

            left -= page.Operations.Count;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0 && left > 0);
        if (!result.GetValue(Json))
        {
            console.Out.Write(table);
        }
    }

    private static Operation.Types.State ParseState(string text) => text.ToLowerInvariant() switch
    {
        "running" => Operation.Types.State.Running,
        "succeeded" => Operation.Types.State.Succeeded,
        "cancelled" => Operation.Types.State.Cancelled,
        "failed" => Operation.Types.State.Failed,
        _ => throw new CliException($"--state `{text}` is not `running`, `succeeded`, `cancelled` or `failed`."),
    };
}
