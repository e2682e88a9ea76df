using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster work</c>: prints the tasks of a queue, or runs a command for each.</summary>
internal static class WorkCommand
{
    private const int ErrorCharsMax = 300;

    private static readonly Argument<string> Queue = new("QUEUE") { Description = "The queue." };

    private static readonly Option<string?> Run = new("--run")
    {
        Description = "Shell command per task: the task as JSON on standard input; exit code 0 completes it, any other fails it. Without: prints tasks and completes them.",
        HelpName = "COMMAND",
    };

    private static readonly Option<bool> Retry = new("--retry") { Description = "A failed command may be tried again." };
    private static readonly Option<int> Concurrency = new("--concurrency") { Description = "Tasks at once.", DefaultValueFactory = _ => 4 };
    private static readonly Option<int> Lease = new("--lease") { Description = "Seconds a task is leased; kept alive while its command runs.", DefaultValueFactory = _ => 60 };
    private static readonly Option<bool> Once = new("--once") { Description = "Ends when the queue is empty, instead of waiting for more." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("work", "Takes tasks of a queue: prints them, or runs a command for each.") { Queue, Run, Retry, Concurrency, Lease, Once };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var failed = 0;
        using var printing = new SemaphoreSlim(1);
        TaskHandler handler = async (task, stop) =>
        {
            await PrintAsync(task, console, printing);
            if (result.GetValue(Run) is not { } command)
            {
                return TaskResult.Completed();
            }

            var error = await ExecuteAsync(command, task, stop);
            if (error is null)
            {
                return TaskResult.Completed();
            }

            Interlocked.Increment(ref failed);
            console.Fail($"{task.Key}: {error}");
            return result.GetValue(Retry) ? TaskResult.Retry(error) : TaskResult.Failed(error);
        };
        if (result.GetValue(Once))
        {
            await WorkOnceAsync(client, result, handler, cancellationToken);
        }
        else
        {
            await WorkAsync(client, result, handler, console, cancellationToken);
        }

        return failed == 0 ? ExitCode.Success : ExitCode.SomeFailed;
    }

    private static async Task WorkAsync(RosterClient client, ParseResult result, TaskHandler handler, CliConsole console, CancellationToken cancellationToken)
    {
        var told = "";
        var worker = new RosterWorker(
            client,
            new RosterWorkerOptions
            {
                Queue = result.GetValue(Queue)!,
                Name = "roster work",
                Concurrency = result.GetValue(Concurrency),
                LeaseFor = TimeSpan.FromSeconds(result.GetValue(Lease)),
                OnReconnect = error =>
                {
                    // Once per reason, not once per attempt.
                    if (error.Status.Detail != told)
                    {
                        told = error.Status.Detail;
                        console.Warn($"{told} Connecting again.");
                    }
                },
            },
            handler);
        await worker.RunAsync(cancellationToken);
    }

    private static async Task WorkOnceAsync(RosterClient client, ParseResult result, TaskHandler handler, CancellationToken cancellationToken)
    {
        var lease = new LeaseTasksRequest
        {
            Queue = result.GetValue(Queue)!,
            TasksMax = result.GetValue(Concurrency),
            LeaseFor = Duration.FromTimeSpan(TimeSpan.FromSeconds(result.GetValue(Lease))),
        };
        while (true)
        {
            var leased = await client.Work.LeaseTasksAsync(lease, cancellationToken: cancellationToken);
            if (leased.Tasks.Count == 0)
            {
                return;
            }

            await Task.WhenAll(leased.Tasks.Select(async task =>
            {
                var completion = (await handler(task, cancellationToken)).Complete(task);
                await client.Work.CompleteTaskAsync(new CompleteTaskRequest { Completion = completion }, cancellationToken: cancellationToken);
            }));
        }
    }

    private static async Task PrintAsync(WorkTask task, CliConsole console, SemaphoreSlim printing)
    {
        await printing.WaitAsync();
        try
        {
            await console.Plain.WriteLineAsync(JsonOutput.Line(task));
        }
        finally
        {
            printing.Release();
        }
    }

    // Null when the command ended with 0, else what went wrong.
    private static async Task<string?> ExecuteAsync(string command, WorkTask task, CancellationToken cancellationToken)
    {
        var start = OperatingSystem.IsWindows() ? new ProcessStartInfo("cmd", ["/c", command]) : new ProcessStartInfo("/bin/sh", ["-c", command]);
        start.RedirectStandardInput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardOutput = true;
        using var process = Process.Start(start) ?? throw new CliException($"The command `{command}` did not start.");
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        try
        {
            await process.StandardInput.WriteLineAsync(JsonOutput.Line(task));
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A command need not read its task.
        }

        await process.WaitForExitAsync(cancellationToken);
        await output;
        var text = (await error).Trim();
        return process.ExitCode == 0
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"exit code {process.ExitCode}{(text.Length > 0 ? $": {text[..Math.Min(text.Length, ErrorCharsMax)]}" : "")}");
    }
}
