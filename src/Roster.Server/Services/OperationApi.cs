using Grpc.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Long-running jobs.</summary>
internal sealed class OperationApi(IRosterEngine engine, CallerTenant caller, ServerState state, TimeProvider clock) : OperationService.OperationServiceBase
{
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);

    public override Task<Operation> BulkEnroll(BulkEnrollRequest request, ServerCallContext context) =>
        engine.BulkEnrollAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Operation> BulkUnenroll(BulkUnenrollRequest request, ServerCallContext context) =>
        engine.BulkUnenrollAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Operation> GetOperation(GetOperationRequest request, ServerCallContext context) =>
        engine.GetOperationAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListOperationsResponse> ListOperations(ListOperationsRequest request, ServerCallContext context) =>
        engine.ListOperationsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Operation> CancelOperation(CancelOperationRequest request, ServerCallContext context) =>
        engine.CancelOperationAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Operation> ResumeOperation(ResumeOperationRequest request, ServerCallContext context) =>
        engine.ResumeOperationAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override async Task<Operation> WaitOperation(WaitOperationRequest request, ServerCallContext context)
    {
        Check.Text("operation_id", request.OperationId);
        var timeout = request.Timeout?.ToTimeSpan() ?? DefaultWait;
        Check.Range("timeout", (long)timeout.TotalMilliseconds, 0, (long)WaitMax.TotalMilliseconds);
        using var over = new CancellationTokenSource(timeout, clock);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(over.Token, state.Draining, context.CancellationToken);
        return await engine.WaitOperationAsync(caller.Of(context), request.OperationId, enough.Token);
    }
}
