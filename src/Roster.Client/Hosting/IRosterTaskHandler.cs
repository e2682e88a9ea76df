using Roster.V1;

namespace Roster.Client.Hosting;

/// <summary>Carries out the tasks of one queue. One is made per task, in a scope of its own, so it may use scoped services.</summary>
public interface IRosterTaskHandler
{
    /// <summary>
    /// Carries out one task. It may come again with the same <see cref="WorkTask.Key"/>, after a crash or a lost connection: do what was done
    /// for a key only once.
    /// </summary>
    /// <param name="task">The task, with the fields of its step and the properties of the record as they were when the step ran.</param>
    /// <param name="cancellationToken">Cancelled when the connection is lost; the task will then be offered again.</param>
    /// <returns>What became of it. Throwing is a failure that may be retried.</returns>
    ValueTask<TaskResult> HandleAsync(WorkTask task, CancellationToken cancellationToken);
}
