using Roster.Core;
using Roster.Engine;
using Roster.Engine.Access;
using Roster.V1;

namespace Roster.Server.Access;

/// <summary>Who a call is from: the tenant and, where the server asks for one, the credential.</summary>
/// <param name="Tenant">The tenant that the call is for.</param>
/// <param name="Known">The credential; null when the server asks for none, or it is the one of the settings.</param>
/// <param name="HasAll">Whether it may do everything: nobody needs a credential here, or it is the one of the settings.</param>
internal sealed record CallIdentity(string Tenant, KnownCredential? Known, bool HasAll)
{
    /// <summary>Whether the caller may see and use only some object types.</summary>
    public bool IsConfined => Known is { ObjectTypes.Count: > 0 };

    /// <summary>Id of the credential, or empty.</summary>
    public string CredentialId => Known?.Credential.Id ?? string.Empty;

    /// <summary>Whether the caller has a right.</summary>
    public bool Has(Credential.Types.Right right) => HasAll || Known?.Has(right) == true;

    /// <summary>Whether the caller may deal with an object type.</summary>
    public bool MayUse(string objectType) => !IsConfined || Known!.ObjectTypes.Contains(Core.Schema.StandardObjectTypes.FromHubSpotId(objectType));

    /// <summary>The caller must have a right.</summary>
    /// <exception cref="RosterException">It has not.</exception>
    public void Require(Credential.Types.Right right, string what)
    {
        if (!Has(right))
        {
            throw Denied("rights", Name(right), $"The credential of `{Known!.Credential.Name}` does not have the right {Name(right)}, which {what} needs.");
        }
    }

    /// <summary>The credential must still be in force; for streams, which outlive the check at their beginning.</summary>
    /// <exception cref="RosterException">It was revoked, or has expired.</exception>
    public void RequireInForce(TimeProvider clock)
    {
        if (Known is not null && !Known.IsInForce(clock.GetUtcNow()))
        {
            throw new RosterException(RosterError.Unauthenticated, "The credential was revoked or has expired while the call was open.");
        }
    }

    /// <summary>A "no" that names what is missing.</summary>
    public static RosterException Denied(string path, string value, string message) =>
        new(RosterError.PermissionDenied, message, new Core.Refusal(RefusalReason.InvalidField, path, Core.Refusal.Cut(value), message));

    /// <summary>A right as the contract writes it.</summary>
    public static string Name(Credential.Types.Right right) => Errors.WireNames.ToWireName(right);
}
