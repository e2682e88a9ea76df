using Grpc.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Long-running jobs.</summary>
internal sealed class OperationApi(IRosterEngine engine, CallerTenant caller) : OperationService.OperationServiceBase
{
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
}
