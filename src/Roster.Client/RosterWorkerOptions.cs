using Grpc.Core;
using Roster.V1;

namespace Roster.Client;

/// <summary>Carries out one task. Throwing is a failure that may be retried.</summary>
public delegate ValueTask<TaskResult> TaskHandler(WorkTask task, CancellationToken cancellationToken);

/// <summary>How a worker works. Read once, when it is made.</summary>
public sealed class RosterWorkerOptions
{
    /// <summary>The queue to take tasks from. Required.</summary>
    public string Queue { get; set; } = "";

    /// <summary>Names the worker in the server's logs. At most 100 bytes.</summary>
    public string Name { get; set; } = "";

    /// <summary>Tasks carried out at once, 1 to 10,000. Default: 16.</summary>
    public int Concurrency { get; set; } = 16;

    /// <summary>How long a task is leased whose action does not say (<c>lease_for</c>), 5 s to 1 h; leases are kept alive every third of the shortest. Default: 60 seconds.</summary>
    public TimeSpan LeaseFor { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Called when a connection is lost and will be made again.</summary>
    public Action<RpcException>? OnReconnect { get; set; }
}

/// <summary>What became of a task.</summary>
public sealed class TaskResult
{
    private TaskResult(TaskCompletion completion)
    {
        Completion = completion;
    }

    private TaskCompletion Completion { get; }

    /// <summary>The report on a task, for the unary call.</summary>
    public TaskCompletion Complete(WorkTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        var completion = Completion.Clone();
        completion.Key = task.Key;
        return completion;
    }

    /// <summary>Done, with typed outputs for later steps (at most 64 KiB).</summary>
    public static TaskResult Completed(params IEnumerable<PropertyValue> outputs) =>
        new(new TaskCompletion { Outcome = TaskCompletion.Types.Outcome.Completed, Outputs = { outputs } });

    /// <summary>Deliberately not done; the enrollment goes on.</summary>
    public static TaskResult Skipped() => new(new TaskCompletion { Outcome = TaskCompletion.Types.Outcome.Skipped });

    /// <summary>
    /// Begun: a later call of <c>CompleteTask</c> with the key of the task says how it ended. It is offered to nobody meanwhile, and fails with
    /// <c>TIMEOUT</c> when <c>block_expiry</c> of its action is over (7 days).
    /// </summary>
    public static TaskResult Blocked() => new(new TaskCompletion { Outcome = TaskCompletion.Types.Outcome.Blocked });

    /// <summary>Failed for good.</summary>
    public static TaskResult Failed(string error) =>
        new(new TaskCompletion { Outcome = TaskCompletion.Types.Outcome.Failed, Error = Cut(error) });

    /// <summary>Failed; the task may be offered again.</summary>
    /// <param name="error">What happened.</param>
    /// <param name="after">Not before this much time; null for the server's retry rule.</param>
    public static TaskResult Retry(string error, TimeSpan? after = null)
    {
        var completion = new TaskCompletion { Outcome = TaskCompletion.Types.Outcome.Failed, Retryable = true, Error = Cut(error) };
        if (after is { } time)
        {
            completion.RetryAfter = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(time);
        }

        return new TaskResult(completion);
    }

    // 1,000 bytes are allowed; a character takes at most three.
    private static string Cut(string error) => error.Length <= 333 ? error : string.Concat(error.AsSpan(0, 330), "...");
}
