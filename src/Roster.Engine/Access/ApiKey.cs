using System.Security.Cryptography;
using System.Text;

namespace Roster.Engine.Access;

/// <summary>
/// The text of an API key: <c>roster_ID_SECRET</c>, 16 and 64 hexadecimal digits. The id finds the stored hash; the secret is 256 random bits, so that a
/// plain SHA-256 of the key is as good as a slow hash, and costs a call next to nothing.
/// </summary>
public static class ApiKey
{
    /// <summary>What every key begins with, for those who look for keys that got where they should not be.</summary>
    public const string Prefix = "roster_";

    private const int IdBytes = 8;
    private const int SecretBytes = 32;
    private const int IdChars = IdBytes * 2;
    private const int Length = 7 + IdChars + 1 + (SecretBytes * 2);

    /// <summary>Makes an id.</summary>
    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));

    /// <summary>Makes a key of that id.</summary>
    public static string New(string id) => $"{Prefix}{id}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretBytes))}";

    /// <summary>The id that a text names when it has the form of a key; null when it has not.</summary>
    public static string? IdOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Length == Length && key.StartsWith(Prefix, StringComparison.Ordinal) && key[Prefix.Length + IdChars] == '_'
            ? key.Substring(Prefix.Length, IdChars)
            : null;
    }

    /// <summary>The hash that is stored in place of the key.</summary>
    public static byte[] Hash(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return SHA256.HashData(Encoding.UTF8.GetBytes(key));
    }
}
