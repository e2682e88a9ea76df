using Roster.Cluster.Calls;
using Roster.Cluster.Contracts;

namespace Roster.Cluster.Grains;

/// <summary>
/// A workflow: one change at a time. A draft is saved here; what starts jobs goes on to where the jobs are. Either is decided on the newest definitions, or
/// again: two activations at once cannot lose a change.
/// </summary>
public sealed class WorkflowGrain(Silo silo) : Grain, IWorkflowGrain
{
    /// <inheritdoc/>
    public Task<GrainReply> CallAsync(string method, byte[] request)
    {
        var tenant = Keys.TenantOf(this.GetPrimaryKeyString());
        if (method is not ("SaveWorkflow" or "CreateFromTemplate"))
        {
            return GrainFactory.GetGrain<IConductorGrain>(Keys.Conductor).CallAsync(tenant, method, request);
        }

        return Replies.OfAsync(async () =>
        {
            // A revision that the caller read elsewhere must be known here.
            await silo.Engine.RefreshAsync(CancellationToken.None);
            return await EngineCalls.RunAsync(silo.Engine, tenant, method, request);
        });
    }
}
