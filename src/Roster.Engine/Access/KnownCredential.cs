using System.Collections.Frozen;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Access;

/// <summary>A credential that is stored. It stays the same object as long as it is in force, so that whoever holds it hears when it is revoked.</summary>
public sealed class KnownCredential
{
    private readonly ulong _rights;
    private readonly DateTimeOffset _expiresAt;
    private volatile bool _isRevoked;

    /// <summary>Takes what is stored.</summary>
    public KnownCredential(CredentialDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        Document = document;
        _rights = BitsOf(document.Credential.Rights);
        _expiresAt = document.Credential.ExpiresAt?.ToDateTimeOffset() ?? DateTimeOffset.MaxValue;
        ObjectTypes = document.Credential.ObjectTypes.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>The credential as callers see it. Do not change it.</summary>
    public Credential Credential => Document.Credential;

    /// <summary>The object types that it is confined to; none: it is not.</summary>
    public FrozenSet<string> ObjectTypes { get; }

    internal CredentialDocument Document { get; }

    /// <summary>Whether it has a right.</summary>
    public bool Has(Credential.Types.Right right) => (_rights & BitOf(right)) != 0;

    /// <summary>Whether it is in force: neither revoked nor expired.</summary>
    public bool IsInForce(DateTimeOffset now) => !_isRevoked && now < _expiresAt;

    internal void Revoke() => _isRevoked = true;

    private static ulong BitsOf(IEnumerable<Credential.Types.Right> rights)
    {
        var bits = 0UL;
        foreach (var right in rights)
        {
            bits |= BitOf(right);
        }

        return bits;
    }

    private static ulong BitOf(Credential.Types.Right right) => (int)right is > 0 and < 64 ? 1UL << (int)right : 0;
}
