using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Roster.Server.Access;

/// <summary>
/// What a client certificate says: its hash, and the names that the authority of the setting <c>tls_client_ca</c> has put into it. TLS has proven that the client has
/// its private key.
/// </summary>
internal sealed class ClientCertificates(X509Certificate2Collection? authorities, TimeProvider clock)
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const int DnsNameTag = 2;
    private const int UriTag = 6;

    /// <summary>Whether the certificate is valid now by its own dates.</summary>
    public bool IsCurrent(X509Certificate2 certificate)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return now >= certificate.NotBefore.ToUniversalTime() && now <= certificate.NotAfter.ToUniversalTime();
    }

    /// <summary>Its hash.</summary>
    public static byte[] HashOf(X509Certificate2 certificate) => SHA256.HashData(certificate.RawDataMemory.Span);

    /// <summary>Its DNS names and URIs when a trusted authority has issued it for clients; none otherwise.</summary>
    public IReadOnlyList<string> TrustedNamesOf(X509Certificate2 certificate)
    {
        if (authorities is null)
        {
            return [];
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = clock.GetUtcNow().LocalDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        // Nothing is fetched: whatever is not here is not trusted.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate) ? NamesOf(certificate) : [];
    }

    private static List<string> NamesOf(X509Certificate2 certificate)
    {
        var names = new List<string>();
        foreach (var extension in certificate.Extensions.Where(extension => extension.Oid?.Value == SubjectAlternativeName))
        {
            try
            {
                var sequence = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
                while (sequence.HasData)
                {
                    var tag = sequence.PeekTag();
                    if (tag.TagClass == TagClass.ContextSpecific && tag.TagValue is DnsNameTag or UriTag)
                    {
                        names.Add(sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                    }
                    else
                    {
                        sequence.ReadEncodedValue();
                    }
                }
            }
            catch (AsnContentException)
            {
                // Names that cannot be read are no names.
                return [];
            }
        }

        return names;
    }
}
