using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Services;

/// <summary>Credentials, and who the caller is.</summary>
internal sealed class AccessApi(IRosterEngine engine, CallerTenant caller) : AccessService.AccessServiceBase
{
    public override Task<CreateCredentialResponse> CreateCredential(CreateCredentialRequest request, ServerCallContext context)
    {
        var wanted = Check.Present("credential", request.Credential);
        var who = Manager(context);
        if (wanted.Rights.Contains(Right.Server))
        {
            who.Require(Right.Server, "giving it to others");
        }

        var tenant = TenantOf(who, request.Tenant);
        return engine.Credentials.CreateAsync(tenant, wanted, who.CredentialId, context.CancellationToken);
    }

    public override Task<ListCredentialsResponse> ListCredentials(ListCredentialsRequest request, ServerCallContext context) =>
        engine.Credentials.ListAsync(TenantOf(Manager(context), request.Tenant), request.PageSize, request.PageToken, context.CancellationToken);

    public override Task<Credential> RevokeCredential(RevokeCredentialRequest request, ServerCallContext context)
    {
        Check.Text("credential_id", request.CredentialId);
        var tenant = TenantOf(Manager(context), request.Tenant);
        return engine.Credentials.RevokeAsync(tenant, request.CredentialId, context.CancellationToken);
    }

    public override Task<Caller> GetCaller(GetCallerRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        return Task.FromResult(new Caller { Tenant = who.Tenant, Credential = who.Known?.Credential.Clone() });
    }

    /// <summary>Whoever is confined to object types could make a credential that is not.</summary>
    private CallIdentity Manager(ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        return who.IsConfined
            ? throw CallIdentity.Denied("object_types", who.CredentialId, "A credential that is confined to object types does not manage credentials.")
            : who;
    }

    private static string TenantOf(CallIdentity who, string named)
    {
        if (named.Length > 0 && named != who.Tenant)
        {
            who.Require(Right.Server, "managing the credentials of another tenant");
        }

        return named.Length > 0 ? named : who.Tenant;
    }
}
