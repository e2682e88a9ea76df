using System.Globalization;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Output;

/// <summary>Long-running jobs: what they are at, and waiting for them.</summary>
internal static class OperationWatch
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LastPause = TimeSpan.FromSeconds(1);

    /// <summary>Waits until a job has ended, with a progress bar where somebody watches, and tells its end; the exit code of the command.</summary>
    public static async Task<int> FollowAsync(RosterClient client, Operation operation, bool waits, bool isJson, CliConsole console, CancellationToken cancellationToken)
    {
        if (waits)
        {
            operation = await WaitAsync(client, operation, console, cancellationToken);
        }

        if (isJson)
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(operation));
        }
        else
        {
            console.Out.MarkupLine(Markup.Escape(Sentence(operation)));
        }

        return operation.State is Operation.Types.State.Failed or Operation.Types.State.Cancelled ? ExitCode.SomeFailed : ExitCode.Success;
    }

    /// <summary>One line: <c>bulk_enroll bulk-1: succeeded, 3 of 3 records: ENROLLED 2, SUPPRESSED 1</c>.</summary>
    public static string Sentence(Operation operation)
    {
        var counts = Counts(operation);
        return $"{operation.Kind} {operation.Id}: {ProtoText.Lower(operation.State)}, {Progress(operation)} records"
            + (counts.Length > 0 ? $": {counts}" : "") + (operation.Error.Length > 0 ? $". {operation.Error}" : "");
    }

    /// <summary>How far it is: <c>3 of 5</c>, or <c>3</c> when records are scanned and their number is not known.</summary>
    public static string Progress(Operation operation) =>
        operation.Total > 0 ? $"{Show.Count(operation.Done)} of {Show.Count(operation.Total)}" : Show.Count(operation.Done);

    /// <summary>Outcomes by name.</summary>
    public static string Counts(Operation operation) => string.Join(", ", operation.Counts.Select(count => $"{count.Name} {Show.Count(count.Count)}"));

    private static async Task<Operation> WaitAsync(RosterClient client, Operation operation, CliConsole console, CancellationToken cancellationToken)
    {
        if (!console.Error.Profile.Capabilities.Interactive)
        {
            return await PollAsync(client, operation, _ => { }, cancellationToken);
        }

        return await console.Error.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var bar = context.AddTask(operation.Kind, maxValue: Math.Max(1, operation.Total)).IsIndeterminate(operation.Total == 0);
                return PollAsync(
                    client,
                    operation,
                    present =>
                    {
                        bar.MaxValue = Math.Max(1, present.Total);
                        bar.Value = present.Done;
                        bar.Description = string.Create(CultureInfo.InvariantCulture, $"{present.Kind}, {present.Done:N0} records");
                    },
                    cancellationToken);
            });
    }

    private static async Task<Operation> PollAsync(RosterClient client, Operation operation, Action<Operation> onProgress, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; operation.State == Operation.Types.State.Running; pause = pause * 2 < LastPause ? pause * 2 : LastPause)
        {
            await Task.Delay(pause, TimeProvider.System, cancellationToken);
            operation = await client.Operations.GetOperationAsync(new GetOperationRequest { OperationId = operation.Id }, cancellationToken: cancellationToken);
            onProgress(operation);
        }

        return operation;
    }
}
