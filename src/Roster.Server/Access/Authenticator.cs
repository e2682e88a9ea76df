using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Roster.Engine;
using Roster.Engine.Access;

namespace Roster.Server.Access;

/// <summary>
/// Finds out who a call is from. The tenant comes from the credential and from nothing else; without credentials (<c>auth</c> is <c>none</c>, on loopback only) from
/// the header <c>roster-tenant</c>.
/// </summary>
internal sealed class Authenticator(CredentialDirectory credentials, ServerOptions options, ClientCertificates certificates)
{
    /// <summary>The metadata key that names the tenant as long as there are no credentials.</summary>
    public const string TenantHeader = "roster-tenant";

    /// <summary>The tenant of a call that names none, and of the key of the settings.</summary>
    public const string DefaultTenant = "default";

    private const string Scheme = "Bearer ";
    private const int NameBytesMax = 100;

    // One answer for all, so that nobody finds out which ids there are.
    private const string NotKnown = "The credential is not known, was revoked or has expired.";

    private static readonly object NamesKey = new();

    private readonly byte[]? _operatorKey = options.AdminKeySha256.Length > 0 ? Convert.FromHexString(options.AdminKeySha256) : null;

    /// <summary>Who the call is from.</summary>
    /// <exception cref="RosterException">It has no credential that is in force, or names another tenant than its own.</exception>
    public CallIdentity Identify(HttpContext http)
    {
        var named = http.Request.Headers[TenantHeader].ToString();
        if (named.Length > 0)
        {
            CheckName(named);
        }

        if (options.Auth == AuthKind.None)
        {
            return new CallIdentity(named.Length > 0 ? named : DefaultTenant, null, HasAll: true);
        }

        var identity = OfCredential(http);
        return named.Length == 0 || named == identity.Tenant
            ? identity
            : throw CallIdentity.Denied(TenantHeader, named, $"The credential is of another tenant than `{named}`. The tenant comes from the credential; leave the header `{TenantHeader}` out.");
    }

    private CallIdentity OfCredential(HttpContext http)
    {
        if (http.Request.Headers.Authorization.ToString() is { Length: > 0 } header)
        {
            return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
                ? OfKey(header[Scheme.Length..].Trim())
                : throw Unauthenticated("The header `authorization` is not `Bearer KEY`.");
        }

        if (http.Connection.ClientCertificate is not { } certificate)
        {
            throw Unauthenticated("The call has no credential: send `authorization: Bearer KEY`, or connect with a client certificate.");
        }

        var known = certificates.IsCurrent(certificate) ? credentials.FindCertificate(ClientCertificates.HashOf(certificate), NamesOf(http)) : null;
        return known is null ? throw Unauthenticated(NotKnown) : new CallIdentity(known.Credential.Tenant, known, HasAll: false);
    }

    private CallIdentity OfKey(string key)
    {
        if (_operatorKey is not null && CryptographicOperations.FixedTimeEquals(ApiKey.Hash(key), _operatorKey))
        {
            return new CallIdentity(DefaultTenant, null, HasAll: true);
        }

        return credentials.FindKey(key) is { } known
            ? new CallIdentity(known.Credential.Tenant, known, HasAll: false)
            : throw Unauthenticated(NotKnown);
    }

    /// <summary>Building a chain costs a millisecond, so it is done once per connection; the certificate of a connection never changes.</summary>
    private IReadOnlyList<string> NamesOf(HttpContext http)
    {
        var items = http.Features.Get<IConnectionItemsFeature>()?.Items;
        if (items is null)
        {
            return certificates.TrustedNamesOf(http.Connection.ClientCertificate!);
        }

        lock (items)
        {
            if (items.TryGetValue(NamesKey, out var kept))
            {
                return (IReadOnlyList<string>)kept!;
            }

            var names = certificates.TrustedNamesOf(http.Connection.ClientCertificate!);
            items[NamesKey] = names;
            return names;
        }
    }

    private static void CheckName(string name)
    {
        foreach (var letter in name)
        {
            if (!char.IsAsciiLetterLower(letter) && !char.IsAsciiDigit(letter) && letter is not ('_' or '-'))
            {
                throw RosterException.Invalid(TenantHeader, name, $"The tenant `{Printable(name)}` in the header `{TenantHeader}` has a character outside [a-z0-9_-].");
            }
        }

        if (name.Length > NameBytesMax)
        {
            throw RosterException.Invalid(TenantHeader, name, $"The tenant in the header `{TenantHeader}` has {name.Length} bytes; {NameBytesMax} are allowed.");
        }
    }

    private static string Printable(string name) => new([.. Core.Refusal.Cut(name).Select(letter => letter is >= ' ' and <= '~' ? letter : '?')]);

    private static RosterException Unauthenticated(string message) => new(RosterError.Unauthenticated, message);
}
