using Grpc.Core;
using Roster.Engine;
using Roster.Server.Errors;
using Roster.Server.Ingest;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>The way in for events.</summary>
internal sealed class IngestApi(IRosterEngine engine, FairTurns turns, ServerOptions options, ServerState state, CallerTenant caller, TimeProvider clock)
    : IngestService.IngestServiceBase
{
    private static readonly EventResult Applied = new() { Code = EventResult.Types.Code.Applied };

    public override Task Stream(IAsyncStreamReader<StreamRequest> requestStream, IServerStreamWriter<StreamResponse> responseStream, ServerCallContext context) =>
        new IngestStream(engine, turns, options, state, clock, caller.CallerOf(context), requestStream, responseStream, context.CancellationToken).RunAsync();

    public override async Task<IngestResponse> Ingest(IngestRequest request, ServerCallContext context)
    {
        if (context.Deadline <= clock.GetUtcNow().UtcDateTime)
        {
            // The process stood still for a while. Its callers have sent the events again elsewhere, and their ids may be forgotten by now (REC-08).
            throw RichStatus.Create(StatusCode.DeadlineExceeded, "The deadline of the call passed before its events were taken. Nothing of it was.", []);
        }

        var batch = CheckedBatch.Check(request.Events, options, "events");
        engine.Rates.NoteTurns(caller.Of(context), request.Events.Count);
        // Not the token of the call: its room is taken until its events are durable, whether or not the client stays to hear it.
        var results = batch.Merge(await engine.IngestAsync(caller.Of(context), batch.Events, CancellationToken.None));
        var response = new IngestResponse();
        for (var i = 0; i < request.Events.Count; i++)
        {
            response.Results.Add(Applied);
        }

        foreach (var result in results)
        {
            response.Results[result.Index] = result.Result;
        }

        return response;
    }
}
