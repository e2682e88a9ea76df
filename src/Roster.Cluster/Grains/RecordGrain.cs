using Google.Protobuf;
using Orleans.Concurrency;
using Roster.Cluster.Calls;
using Roster.Cluster.Contracts;
using Roster.V1;

namespace Roster.Cluster.Grains;

/// <summary>
/// A record: gives what comes to the shard of its silo, which has its state and decides. Calls may interleave: each is in the shard's line before the next one
/// begins, and waits there for its own commit only.
/// </summary>
[Reentrant]
[PlacedByPart]
public sealed class RecordGrain(Silo silo) : Grain, IRecordGrain
{
    private int _placedAt = -1;

    private string Tenant => Keys.TenantOf(this.GetPrimaryKeyString());

    /// <inheritdoc/>
    public Task<GrainReply> IngestAsync(byte[] events) => Replies.OfAsync(async () =>
    {
        MoveIfPlacedElsewhere();
        var request = IngestRequest.Parser.ParseFrom(events);
        var unlike = await silo.Engine.IngestAsync(Tenant, request.Events, CancellationToken.None);
        var response = new IngestResponse();
        response.Results.Add(request.Events.Select(_ => new EventResult { Code = EventResult.Types.Code.Applied }));
        foreach (var result in unlike)
        {
            response.Results[result.Index] = result.Result;
        }

        return response;
    });

    /// <inheritdoc/>
    public Task<GrainReply> CallAsync(string method, byte[] request) => Replies.OfAsync(async () =>
    {
        MoveIfPlacedElsewhere();

        // The list or workflow that it names may have been made at another silo a moment ago.
        await silo.Engine.RefreshAsync(CancellationToken.None);
        return await EngineCalls.RunAsync(silo.Engine, Tenant, method, request);
    });

    private void MoveIfPlacedElsewhere()
    {
        if (silo.HasMoved(this.GetPrimaryKeyString(), ref _placedAt))
        {
            DeactivateOnIdle();
        }
    }
}
