using Roster.Cluster.Calls;
using Roster.V1;

namespace Roster.Cluster;

/// <content>What is delivered, and what was given up: asked for at the silo that delivers.</content>
public sealed partial class ClusterEngine
{
    /// <inheritdoc/>
    public ValueTask<Queue> SetQueueLimitsAsync(string tenant, SetQueueLimitsRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "SetQueueLimits", request, Queue.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListDeadLettersResponse> ListDeadLettersAsync(string tenant, ListDeadLettersRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "ListDeadLetters", request, ListDeadLettersResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeadLetter> GetDeadLetterAsync(string tenant, GetDeadLetterRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "GetDeadLetter", request, DeadLetter.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ResendDeadLettersResponse> ResendDeadLettersAsync(string tenant, ResendDeadLettersRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "ResendDeadLetters", request, ResendDeadLettersResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DiscardDeadLettersResponse> DiscardDeadLettersAsync(string tenant, DiscardDeadLettersRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "DiscardDeadLetters", request, DiscardDeadLettersResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SaveWebhookEndpointResponse> SaveWebhookEndpointAsync(string tenant, SaveWebhookEndpointRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "SaveWebhookEndpoint", request, SaveWebhookEndpointResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RotateWebhookSecretResponse> RotateWebhookSecretAsync(string tenant, RotateWebhookSecretRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "RotateWebhookSecret", request, RotateWebhookSecretResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteWebhookEndpointResponse> DeleteWebhookEndpointAsync(string tenant, DeleteWebhookEndpointRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "DeleteWebhookEndpoint", request, DeleteWebhookEndpointResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MapWorkflowIdsResponse> MapWorkflowIdsAsync(string tenant, MapWorkflowIdsRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "MapWorkflowIds", request, MapWorkflowIdsResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListWebhookEndpointsResponse> ListWebhookEndpointsAsync(string tenant, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "ListWebhookEndpoints", new ListWebhookEndpointsRequest(), ListWebhookEndpointsResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<Operation> WaitOperationAsync(string tenant, string operationId, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            try
            {
                var reply = await Replies.FromAsync(Conductor.WaitForOperationAsync(tenant, operationId), enough).ConfigureAwait(false);
                var operation = Operation.Parser.ParseFrom(reply.Content);
                if (operation.State != Operation.Types.State.Running)
                {
                    return operation;
                }
            }
            catch (OperationCanceledException) when (enough.IsCancellationRequested)
            {
                // As it is by now.
            }
        }

        return await GetOperationAsync(tenant, new GetOperationRequest { OperationId = operationId }, CancellationToken.None).ConfigureAwait(false);
    }
}
