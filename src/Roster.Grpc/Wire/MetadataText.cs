using System.Buffers.Text;

namespace Grpc.Core.Wire;

/// <summary>Metadata values as header text.</summary>
internal static class MetadataText
{
    /// <summary>The text of an entry: as it is, or base64 without padding for bytes.</summary>
    public static string Encode(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.BinaryValue).TrimEnd('=') : entry.Value;

    /// <summary>True if a header can carry the value: printable ASCII.</summary>
    public static bool IsSendable(Metadata.Entry entry) =>
        entry.IsBinary || !entry.Value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    /// <summary>
    /// Adds one header line. A line with bytes may hold several values joined with commas, with or without padding.
    /// </summary>
    /// <exception cref="RpcException">INTERNAL: the bytes are not base64.</exception>
    public static void AddLine(Metadata metadata, string name, string text)
    {
        if (WireNames.IsOwnedByProtocol(name) || !IsMetadataName(name))
        {
            return;
        }

        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(new Metadata.Entry(name, text));
            return;
        }

        foreach (Range range in text.AsSpan().Split(','))
        {
            metadata.Add(new Metadata.Entry(name, DecodeBase64(name, text.AsSpan(range).Trim())));
        }
    }

    private static byte[] DecodeBase64(string name, ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> unpadded = text.TrimEnd('=');
        // Padded or not, the text without padding decides; one lone character in a group of four is never base64.
        if (unpadded.Length % 4 != 1 && text.Length - unpadded.Length <= 2)
        {
            string padded = string.Concat(unpadded, new string('=', (4 - (unpadded.Length % 4)) % 4));
            byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(padded.Length)];
            if (!padded.AsSpan().ContainsAny(" \t\r\n") && Convert.TryFromBase64String(padded, bytes, out int length))
            {
                return bytes.AsSpan(0, length).ToArray();
            }
        }

        throw new RpcException(new Status(StatusCode.Internal, $"The metadata '{name}' is not valid base64."));
    }

    private static bool IsMetadataName(string name)
    {
        foreach (char c in name)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            {
                return false;
            }
        }

        return true;
    }
}
