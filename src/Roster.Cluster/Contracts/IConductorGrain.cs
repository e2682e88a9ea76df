using Orleans.Concurrency;

namespace Roster.Cluster.Contracts;

/// <summary>
/// Has the duties of the cluster but timers: schedules, jobs, messages between records, leases of tasks. There is one, with the key <c>conductor</c>; a reminder and the silos
/// keep it alive. Two of them for a while do no harm: what they do is judged by the store.
/// </summary>
[Alias("roster.conductor")]
public interface IConductorGrain : IGrainWithStringKey
{
    /// <summary>Runs a call of the engine where the duties are.</summary>
    /// <param name="tenant">The tenant; empty for a call that concerns none.</param>
    /// <param name="method">Name of the call (<see cref="Calls.EngineCalls"/>).</param>
    /// <param name="request">Its request message.</param>
    /// <returns>Its response message.</returns>
    [Alias("call")]
    Task<GrainReply> CallAsync(string tenant, string method, byte[] request);

    /// <summary>A silo tells what became durable there. It may come late, twice or never.</summary>
    [Alias("hear")]
    Task HearAsync(NoticeMessage notice);

    /// <summary>Comes to life if it was not, and looks at the store again for what nobody told.</summary>
    [Alias("resync")]
    Task ResyncAsync();

    /// <summary>Comes to life if it was not.</summary>
    [Alias("ping")]
    Task PingAsync();

    /// <summary>Leases tasks of a queue.</summary>
    [Alias("lease")]
    Task<GrainReply> LeaseAsync(LeaseMessage lease);

    /// <summary>Returns when a queue may have a task, or after some seconds.</summary>
    [Alias("wait")]
    Task WaitForTasksAsync(string tenant, string queue);

    /// <summary>Reads a job when it has ended, or after some seconds.</summary>
    [Alias("wait-operation")]
    Task<GrainReply> WaitForOperationAsync(string tenant, string operationId);

    /// <summary>Keeps the leases of an owner alive.</summary>
    [Alias("keep")]
    Task<GrainReply> KeepAsync(LeaseMessage lease);

    /// <summary>Gives the leases of an owner back.</summary>
    [Alias("release")]
    [OneWay]
    Task ReleaseAsync(LeaseMessage lease);
}
