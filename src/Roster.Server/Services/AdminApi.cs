using Grpc.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>For operators.</summary>
internal sealed class AdminApi(IRosterEngine engine) : AdminService.AdminServiceBase
{
    public override Task<V1.Status> GetStatus(GetStatusRequest request, ServerCallContext context) =>
        engine.GetStatusAsync(context.CancellationToken).AsTask();

    public override Task<GetMeasuresResponse> GetMeasures(GetMeasuresRequest request, ServerCallContext context) =>
        engine.GetMeasuresAsync(request, context.CancellationToken).AsTask();

    public override Task<AdvanceClockResponse> AdvanceClock(AdvanceClockRequest request, ServerCallContext context)
    {
        Check.Present("to", request.To);
        return engine.AdvanceClockAsync(request, context.CancellationToken).AsTask();
    }

    public override Task<CheckpointResponse> Checkpoint(CheckpointRequest request, ServerCallContext context) =>
        engine.CheckpointAsync(context.CancellationToken).AsTask();

    public override Task<BackupResponse> Backup(BackupRequest request, ServerCallContext context) =>
        engine.BackupAsync(request, context.CancellationToken).AsTask();

    public override Task<VerifyResponse> Verify(VerifyRequest request, ServerCallContext context) =>
        engine.VerifyAsync(context.CancellationToken).AsTask();
}
