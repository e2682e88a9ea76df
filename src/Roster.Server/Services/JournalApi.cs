using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>The history of everything, as a stream.</summary>
internal sealed class JournalApi(IRosterEngine engine, CallerTenant caller, SensitiveValues sensitive, ServerState state, TimeProvider clock) : JournalService.JournalServiceBase
{
    public override async Task ReadJournal(ReadJournalRequest request, IServerStreamWriter<ReadJournalResponse> responseStream, ServerCallContext context)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, state.Draining);
        try
        {
            var who = caller.CallerOf(context);
            await foreach (var page in engine.ReadJournalAsync(who.Tenant, request, stop.Token))
            {
                who.RequireInForce(clock);
                sensitive.Mask(who, page.Entries);
                await responseStream.WriteAsync(page);
            }
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw new RosterException(RosterError.Unavailable, "The server is stopping; go on from the last `position`.");
        }
    }
}
