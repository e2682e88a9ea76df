using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Roster.Core.Schema;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Access;

/// <summary>All credentials: documents of their tenants, kept in memory. What a call returns is durable. Thread-safe.</summary>
public sealed class CredentialDirectory
{
    /// <summary>Most credentials of a tenant.</summary>
    public const int CredentialsMax = 1_000;

    /// <summary>Credentials of one name in force: the one in use, and the one that takes its place.</summary>
    public const int PerNameMax = 2;

    private const int ObjectTypesMax = 100;

    // A stranger who guesses keys makes no more reads of the store than this.
    private static readonly TimeSpan LookAgainEvery = TimeSpan.FromSeconds(1);

    private const int CertificateNameMax = 256;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, KnownCredential> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KnownCredential> _byCertificate = new(StringComparer.Ordinal);
    private readonly Action<IReadOnlyList<StoredDocument>> _commit;
    private readonly Func<string, int> _tenantNumber;
    private readonly TimeProvider _clock;
    private readonly Lock _applying = new();
    private readonly Dictionary<string, long> _changedHere = new(StringComparer.Ordinal);
    private readonly byte[] _nobody = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);
    private long _changes;
    private long? _lookedAt;

    /// <summary>Creates the directory from stored documents.</summary>
    /// <param name="documents">All documents of the store.</param>
    /// <param name="commit">Makes documents durable; returns when they are.</param>
    /// <param name="tenantNumber">Number of a tenant; makes the tenant when there is none.</param>
    /// <param name="clock">Real time: credentials expire by it, also when the engine's clock is moved by hand.</param>
    public CredentialDirectory(
        IEnumerable<StoredDocument> documents, Action<IReadOnlyList<StoredDocument>> commit, Func<string, int> tenantNumber, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(documents);
        _commit = commit;
        _tenantNumber = tenantNumber;
        _clock = clock;
        Take(documents, 0);
    }

    /// <summary>Reads what other processes have changed; null when no other process writes the store.</summary>
    public Func<CancellationToken, Task>? Refresh { get; init; }

    /// <summary>How many changes were made here. To be read before the documents that <see cref="Take"/> is given.</summary>
    public long Changes
    {
        get
        {
            lock (_applying)
            {
                return _changes;
            }
        }
    }

    /// <summary>
    /// Looks whether another process has made or revoked a credential, at most once a second. False when it was not the time for it: what is known is all there is
    /// to know now.
    /// </summary>
    public async ValueTask<bool> LookAgainAsync(CancellationToken cancellationToken)
    {
        if (Refresh is not { } refresh)
        {
            return false;
        }

        lock (_applying)
        {
            if (_lookedAt is { } before && _clock.GetElapsedTime(before) < LookAgainEvery)
            {
                return false;
            }

            _lookedAt = _clock.GetTimestamp();
        }

        await refresh(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Takes what is stored: others may have made and revoked some. One that is still there stays the same object.</summary>
    /// <param name="documents">All documents of the store.</param>
    /// <param name="changes"><see cref="Changes"/> from before they were read: what was changed here since then is newer than they are.</param>
    public void Take(IEnumerable<StoredDocument> documents, long changes)
    {
        lock (_applying)
        {
            var stored = new HashSet<string>(StringComparer.Ordinal);
            foreach (var document in documents.Where(d => d.Kind == DocumentKinds.Credential))
            {
                stored.Add(document.Id);
                if (!_byId.ContainsKey(document.Id) && _changedHere.GetValueOrDefault(document.Id) <= changes)
                {
                    Add(new KnownCredential(CredentialDocument.Parser.ParseFrom(document.Content)));
                }
            }

            foreach (var known in _byId.Values.Where(k => !stored.Contains(k.Credential.Id) && _changedHere.GetValueOrDefault(k.Credential.Id) <= changes))
            {
                Remove(known);
            }

            foreach (var (id, _) in _changedHere.Where(c => c.Value <= changes).ToList())
            {
                _changedHere.Remove(id);
            }
        }
    }

    /// <summary>
    /// The credential of a key; null when there is none in force. How long it takes tells nothing about the key: its hash is compared in constant time, also
    /// when nobody has its id.
    /// </summary>
    public KnownCredential? FindKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var known = ApiKey.IdOf(key) is { } id && _byId.TryGetValue(id, out var found) ? found : null;
        var stored = known is { Document.KeySha256.IsEmpty: false } ? known.Document.KeySha256.Span : _nobody;
        return CryptographicOperations.FixedTimeEquals(ApiKey.Hash(key), stored) && known?.IsInForce(_clock.GetUtcNow()) == true ? known : null;
    }

    /// <summary>The credential of a client certificate; null when there is none in force.</summary>
    /// <param name="sha256">SHA-256 of the certificate.</param>
    /// <param name="names">Names that a trusted authority has put into it; none when no such authority has issued it.</param>
    public KnownCredential? FindCertificate(byte[] sha256, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var now = _clock.GetUtcNow();
        if (_byCertificate.TryGetValue(Convert.ToHexStringLower(sha256), out var pinned) && pinned.IsInForce(now))
        {
            return pinned;
        }

        foreach (var name in names)
        {
            if (_byCertificate.TryGetValue(NameKey(name), out var named) && named.IsInForce(now))
            {
                return named;
            }
        }

        return null;
    }

    /// <summary><see cref="Create"/>, decided on what other processes have made as well, as often as one of them is quicker; on a thread of the pool.</summary>
    public Task<CreateCredentialResponse> CreateAsync(string tenant, Credential wanted, string createdBy, CancellationToken cancellationToken) =>
        ChangeAsync(() => Create(tenant, wanted, createdBy), cancellationToken);

    /// <summary><see cref="Revoke"/>, also of what another process has made; on a thread of the pool.</summary>
    public Task<Credential> RevokeAsync(string tenant, string id, CancellationToken cancellationToken) => ChangeAsync(() => Revoke(tenant, id), cancellationToken);

    /// <summary><see cref="List"/>, with what other processes have made.</summary>
    public async Task<ListCredentialsResponse> ListAsync(string tenant, int pageSize, string pageToken, CancellationToken cancellationToken)
    {
        if (Refresh is { } refresh)
        {
            await refresh(cancellationToken).ConfigureAwait(false);
        }

        return List(tenant, pageSize, pageToken);
    }

    /// <summary>Makes a credential.</summary>
    /// <param name="tenant">Its tenant.</param>
    /// <param name="wanted">What it is to be.</param>
    /// <param name="createdBy">Id of the credential that makes it, or empty.</param>
    /// <exception cref="RosterException">It is not well formed, its name has two already, or the certificate belongs to another.</exception>
    public CreateCredentialResponse Create(string tenant, Credential wanted, string createdBy)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        Check(wanted);
        var number = _tenantNumber(tenant);
        lock (_gate)
        {
            CheckRoom(tenant, wanted);
            var credential = wanted.Clone();
            credential.Id = NewId();
            credential.Tenant = tenant;
            credential.CertificateSha256 = wanted.CertificateSha256.ToLowerInvariant();
            credential.CreatedAt = Timestamp.FromDateTimeOffset(_clock.GetUtcNow());
            credential.CreatedBy = createdBy;
            var key = IsCertificate(credential) ? string.Empty : ApiKey.New(credential.Id);
            var document = new CredentialDocument { Credential = credential };
            if (key.Length > 0)
            {
                document.KeySha256 = ByteString.CopyFrom(ApiKey.Hash(key));
            }

            _commit([new StoredDocument(number, DocumentKinds.Credential, credential.Id, document.ToByteArray())]);
            lock (_applying)
            {
                _changedHere[credential.Id] = ++_changes;
                Add(new KnownCredential(document));
            }

            return new CreateCredentialResponse { Credential = credential.Clone(), Key = key };
        }
    }

    /// <summary>Lists the credentials of a tenant.</summary>
    public ListCredentialsResponse List(string tenant, int pageSize, string pageToken)
    {
        var size = pageSize switch
        {
            0 => 100,
            >= 1 and <= 1_000 => pageSize,
            _ => throw RosterException.Invalid("page_size", pageSize.ToString(CultureInfo.InvariantCulture), "A page has 1 to 1,000 credentials."),
        };
        var found = Of(tenant)
            .Select(known => (Order: $"{known.Credential.Name}/{known.Credential.Id}", known.Credential))
            .Where(known => string.CompareOrdinal(known.Order, pageToken) > 0)
            .OrderBy(known => known.Order, StringComparer.Ordinal)
            .Take(size + 1)
            .ToList();
        var response = new ListCredentialsResponse { NextPageToken = found.Count > size ? found[size - 1].Order : string.Empty };
        response.Credentials.AddRange(found.Take(size).Select(known => known.Credential.Clone()));
        return response;
    }

    /// <summary>Ends a credential. Whoever holds it finds it no longer in force.</summary>
    /// <exception cref="RosterException">The tenant has no such credential.</exception>
    public Credential Revoke(string tenant, string id)
    {
        var number = _tenantNumber(tenant);
        lock (_gate)
        {
            if (!_byId.TryGetValue(id, out var known) || known.Credential.Tenant != tenant)
            {
                throw new RosterException(RosterError.NotFound, $"The tenant has no credential `{Core.Refusal.Cut(id)}`.");
            }

            _commit([new StoredDocument(number, DocumentKinds.Credential, id, null)]);
            lock (_applying)
            {
                _changedHere[id] = ++_changes;
                Remove(known);
            }

            return known.Credential.Clone();
        }
    }

    private async Task<T> ChangeAsync<T>(Func<T> change, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (Refresh is { } refresh)
            {
                await refresh(cancellationToken).ConfigureAwait(false);
            }

            try
            {
                return await Task.Run(change, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreConflictException) when (Refresh is not null)
            {
                // Once more, on what the quicker one has made.
            }
        }
    }

    private static bool IsCertificate(Credential credential) => credential.CertificateSha256.Length > 0 || credential.CertificateName.Length > 0;

    private static IEnumerable<string> CertificateKeys(Credential credential)
    {
        if (credential.CertificateSha256.Length > 0)
        {
            yield return credential.CertificateSha256;
        }

        if (credential.CertificateName.Length > 0)
        {
            yield return NameKey(credential.CertificateName);
        }
    }

    private static string NameKey(string name) => "name:" + name.ToLowerInvariant();

    private string NewId()
    {
        var id = ApiKey.NewId();
        return _byId.ContainsKey(id) ? NewId() : id;
    }

    private IEnumerable<KnownCredential> Of(string tenant) => _byId.Values.Where(known => known.Credential.Tenant == tenant);

    private void Add(KnownCredential known)
    {
        _byId[known.Credential.Id] = known;
        foreach (var certificate in CertificateKeys(known.Credential))
        {
            _byCertificate[certificate] = known;
        }
    }

    private void Remove(KnownCredential known)
    {
        known.Revoke();
        _byId.TryRemove(known.Credential.Id, out _);
        foreach (var certificate in CertificateKeys(known.Credential))
        {
            _byCertificate.TryRemove(certificate, out _);
        }
    }

    private void CheckRoom(string tenant, Credential wanted)
    {
        var now = _clock.GetUtcNow();
        var all = Of(tenant).ToList();
        if (all.Count >= CredentialsMax)
        {
            throw new RosterException(RosterError.FailedPrecondition, $"The tenant has {all.Count} credentials; {CredentialsMax} are allowed. Revoke those that nobody uses.");
        }

        if (all.Count(known => known.Credential.Name == wanted.Name && known.IsInForce(now)) >= PerNameMax)
        {
            throw new RosterException(
                RosterError.FailedPrecondition, $"`{wanted.Name}` has {PerNameMax} credentials in force, enough to put a new one in the place of the other. Revoke one first.");
        }

        if (CertificateKeys(wanted).FirstOrDefault(key => _byCertificate.TryGetValue(key.ToLowerInvariant(), out var other) && other.IsInForce(now)) is { } taken)
        {
            throw RosterException.Invalid("credential.certificate", taken, "Another credential has this certificate already: a certificate stands for one client.");
        }
    }

    private void Check(Credential wanted)
    {
        if (!Names.IsId(wanted.Name))
        {
            throw RosterException.Invalid("credential.name", wanted.Name, "A credential names its client with 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        if (wanted.Rights.Count == 0 || wanted.Rights.Any(right => right == Credential.Types.Right.Unspecified || !System.Enum.IsDefined(right)))
        {
            throw RosterException.Invalid("credential.rights", string.Join(",", wanted.Rights), "A credential has one right at least, and known ones only.");
        }

        if (wanted.ObjectTypes.Count > ObjectTypesMax || wanted.ObjectTypes.Any(type => !Names.IsId(type)))
        {
            throw RosterException.Invalid(
                "credential.object_types", string.Join(",", wanted.ObjectTypes.Take(3)), $"A credential is confined to at most {ObjectTypesMax} object types of 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        if (wanted.CertificateSha256.Length > 0 && (wanted.CertificateSha256.Length != 64 || !wanted.CertificateSha256.All(char.IsAsciiHexDigit)))
        {
            throw RosterException.Invalid("credential.certificate_sha256", wanted.CertificateSha256, "The SHA-256 of a certificate has 64 hexadecimal digits.");
        }

        if (wanted.CertificateName.Length > CertificateNameMax || wanted.CertificateName.Any(letter => letter is <= ' ' or > '~'))
        {
            throw RosterException.Invalid("credential.certificate_name", wanted.CertificateName, $"The name in a certificate is a DNS name or URI of at most {CertificateNameMax} printable characters.");
        }

        if (wanted.ExpiresAt is { } expires && (!Protocol.Mapping.ValueMapping.TryRead(expires, out _) || expires.ToDateTimeOffset() <= _clock.GetUtcNow()))
        {
            throw RosterException.Invalid("credential.expires_at", $"{expires}", "A credential expires in the future.");
        }
    }
}
