using Grpc.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Schema and settings of the caller's tenant.</summary>
internal sealed class TenantApi(IRosterEngine engine, CallerTenant caller) : TenantService.TenantServiceBase
{
    public override Task<Tenant> GetTenant(GetTenantRequest request, ServerCallContext context) =>
        engine.GetTenantAsync(caller.Of(context), context.CancellationToken).AsTask();

    public override Task<Tenant> UpdateSettings(UpdateSettingsRequest request, ServerCallContext context)
    {
        Check.Present("settings", request.Settings);
        return engine.UpdateSettingsAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<ObjectType> DeclareObjectType(DeclareObjectTypeRequest request, ServerCallContext context) =>
        engine.DeclareObjectTypeAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ObjectType> DeclareProperties(DeclarePropertiesRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        if (request.Properties.Any(property => property.HasSensitive && !property.Sensitive))
        {
            // Whoever may take the mark away may see the values.
            who.Require(Credential.Types.Right.Sensitive, "saying that a property is not sensitive");
        }

        return engine.DeclarePropertiesAsync(who.Tenant, request, context.CancellationToken).AsTask();
    }

    public override Task<SaveWebhookEndpointResponse> SaveWebhookEndpoint(SaveWebhookEndpointRequest request, ServerCallContext context) =>
        engine.SaveWebhookEndpointAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListWebhookEndpointsResponse> ListWebhookEndpoints(ListWebhookEndpointsRequest request, ServerCallContext context) =>
        engine.ListWebhookEndpointsAsync(caller.Of(context), context.CancellationToken).AsTask();

    public override Task<RotateWebhookSecretResponse> RotateWebhookSecret(RotateWebhookSecretRequest request, ServerCallContext context) =>
        engine.RotateWebhookSecretAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<DeleteWebhookEndpointResponse> DeleteWebhookEndpoint(DeleteWebhookEndpointRequest request, ServerCallContext context) =>
        engine.DeleteWebhookEndpointAsync(caller.Of(context), request, context.CancellationToken).AsTask();
}
