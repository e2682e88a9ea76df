namespace Roster.Cluster.Contracts;

/// <summary>
/// A workflow: everything that changes one goes through here, one change at a time. Key: <c>w</c>, tenant, slash, workflow id.
/// </summary>
[Alias("roster.workflow")]
public interface IWorkflowGrain : IGrainWithStringKey
{
    /// <summary>Runs a change of this workflow. When it returns, every later turn on every silo sees it.</summary>
    /// <param name="method">Name of the change (<see cref="Calls.EngineCalls"/>).</param>
    /// <param name="request">Its request message.</param>
    /// <returns>Its response message, durable.</returns>
    [Alias("call")]
    Task<GrainReply> CallAsync(string method, byte[] request);
}
