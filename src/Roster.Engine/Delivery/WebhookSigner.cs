using System.Security.Cryptography;
using System.Text;

namespace Roster.Engine.Delivery;

/// <summary>Signs webhooks (ERR-09).</summary>
public static class WebhookSigner
{
    /// <summary>Header with the effect key, the same for every attempt (ACT-03).</summary>
    public const string KeyHeader = "webhook-id";

    /// <summary>Header with the time of the attempt in seconds since 1970-01-01T00:00:00Z.</summary>
    public const string TimestampHeader = "webhook-timestamp";

    /// <summary>Header with one signature per secret in force, parted by a space: <c>sha256=HEX</c>.</summary>
    public const string SignatureHeader = "webhook-signature";

    /// <summary>Header with the effect key under the name that many receivers look for.</summary>
    public const string IdempotencyHeader = "idempotency-key";

    /// <summary>Bytes of a secret.</summary>
    public const int SecretBytes = 32;

    /// <summary>The signatures: HMAC-SHA256 over the text of the timestamp followed by the body, in lower-case hexadecimal.</summary>
    public static string Sign(IEnumerable<byte[]> secrets, string timestamp, ReadOnlySpan<byte> body)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        ArgumentNullException.ThrowIfNull(timestamp);
        var signed = new byte[Encoding.ASCII.GetByteCount(timestamp) + body.Length];
        var length = Encoding.ASCII.GetBytes(timestamp, signed);
        body.CopyTo(signed.AsSpan(length));
        return string.Join(' ', secrets.Select(secret => "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(secret, signed))));
    }
}
