using Grpc.Core;
using Grpc.Health.V1;
using Roster.V1;

namespace Roster.Server.Health;

/// <summary>The standard health service: the empty name stands for the server, and each service has the same answer.</summary>
internal sealed class HealthApi(ServerState state, ServerOptions options) : Grpc.Health.V1.Health.HealthBase
{
    /// <summary>Full names of the services that the server has.</summary>
    public static readonly IReadOnlySet<string> ServiceNames = new HashSet<string>(StringComparer.Ordinal)
    {
        IngestReflection.Descriptor.Services[0].FullName,
        RecordsReflection.Descriptor.Services[0].FullName,
        WorkflowServiceReflection.Descriptor.Services[0].FullName,
        EnrollmentsReflection.Descriptor.Services[0].FullName,
        ListsReflection.Descriptor.Services[0].FullName,
        SequencesReflection.Descriptor.Services[0].FullName,
        JournalReflection.Descriptor.Services[0].FullName,
        TenantsReflection.Descriptor.Services[0].FullName,
        WorkReflection.Descriptor.Services[0].FullName,
        OperationsReflection.Descriptor.Services[0].FullName,
        AdminReflection.Descriptor.Services[0].FullName,
        AccessReflection.Descriptor.Services[0].FullName,
        HealthReflection.Descriptor.Services[0].FullName,
        Services.ReflectionAnswers.NameV1,
        Services.ReflectionAnswers.NameV1Alpha,
    };

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        if (!IsKnown(request.Service))
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.NotFound, $"There is no service `{request.Service}`."));
        }

        return Task.FromResult(new HealthCheckResponse { Status = Current });
    }

    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        if (!IsKnown(request.Service))
        {
            // The contract wants an answer and an open stream: the service might be added later. Here it never is.
            await responseStream.WriteAsync(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.ServiceUnknown });
            await UntilAsync(context, new TaskCompletionSource().Task);
            return;
        }

        while (!state.Over.IsCancellationRequested)
        {
            var changed = state.Changed;
            await responseStream.WriteAsync(new HealthCheckResponse { Status = Current });
            if (state.Draining.IsCancellationRequested)
            {
                return;
            }

            await UntilAsync(context, changed);
        }
    }

    private HealthCheckResponse.Types.ServingStatus Current =>
        state.IsReady ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing;

    private async Task UntilAsync(ServerCallContext context, Task changed)
    {
        var draining = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = state.Draining.Register(static source => ((TaskCompletionSource)source!).TrySetResult(), draining);
        await Task.WhenAny(changed, draining.Task).WaitAsync(context.CancellationToken);
    }

    /// <summary>A silo without a front door has this service only.</summary>
    private bool IsKnown(string service) =>
        service.Length == 0 || (options.Role == ClusterRole.Silo ? service == HealthReflection.Descriptor.Services[0].FullName : ServiceNames.Contains(service));
}
