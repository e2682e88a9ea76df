using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using Roster.Core.Hashing;
using Roster.Storage.V1;

namespace Roster.Engine.Moving;

/// <summary>
/// The bytes of a file of a tenant: a mark, then frames. A frame is the length of its content (4), its kind (4), the checksum (4) of its number, of these two
/// and of the content, all little-endian, and the content. The last frame is of kind <see cref="EndKind"/>, and nothing follows it.
/// </summary>
internal static class TenantFile
{
    /// <summary>Version of the format that this program writes and reads.</summary>
    public const int Format = 1;

    public const int HeaderKind = 1;
    public const int PageKind = 2;
    public const int EndKind = 3;
    public const int FrameHeaderBytes = 12;

    /// <summary>A frame is not longer: whoever reads one has it in memory.</summary>
    public const int FrameBytesMax = 512 * 1024 * 1024;

    public static ReadOnlySpan<byte> Mark => "roster-tenant-1\n"u8;

    public static uint Checksum(long number, ReadOnlySpan<byte> lengthAndKind, ReadOnlySpan<byte> content) =>
        Crc32C.Of(Crc32C.Of(BitOperations.Crc32C(uint.MaxValue, (ulong)number), lengthAndKind), content);
}

/// <summary>Writes a file of a tenant, frame by frame.</summary>
internal sealed class TenantFileWriter(Stream stream)
{
    private long _frames;

    public async ValueTask WriteAsync(int kind, IMessage message, CancellationToken cancellationToken)
    {
        if (_frames == 0)
        {
            await stream.WriteAsync(TenantFile.Mark.ToArray(), cancellationToken).ConfigureAwait(false);
        }

        var content = message.ToByteArray();
        if (content.Length > TenantFile.FrameBytesMax)
        {
            throw new InvalidOperationException($"A frame of {content.Length} bytes is too long; at most {TenantFile.FrameBytesMax} are read back.");
        }

        var header = new byte[TenantFile.FrameHeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, content.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), kind);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), TenantFile.Checksum(_frames, header.AsSpan(0, 8), content));
        await stream.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(content, cancellationToken).ConfigureAwait(false);
        _frames++;
    }
}

/// <summary>Reads a file of a tenant, frame by frame, and believes nothing that its checksum does not say.</summary>
internal sealed class TenantFileReader(Stream stream)
{
    private long _frames;
    private long _offset;

    /// <exception cref="TenantFileException">It is no such file, damaged, or of another version.</exception>
    public async ValueTask<TenantFileHeader> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        var mark = new byte[TenantFile.Mark.Length];
        if (await stream.ReadAtLeastAsync(mark, mark.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < mark.Length || !mark.AsSpan().SequenceEqual(TenantFile.Mark))
        {
            throw new TenantFileException("This is no file that `roster tenant export` wrote, or one of a later version.");
        }

        _offset = mark.Length;
        var (kind, content) = await ReadFrameAsync(cancellationToken).ConfigureAwait(false);
        var header = kind == TenantFile.HeaderKind ? TenantFileHeader.Parser.ParseFrom(content) : throw Damaged("the first frame is not the header");
        return header.Format == TenantFile.Format
            ? header
            : throw new TenantFileException($"The file has format {header.Format}; this program reads format {TenantFile.Format}. Use the version that wrote it, or a later one.");
    }

    /// <summary>The next page, or the end; then there is nothing more.</summary>
    /// <exception cref="TenantFileException">The file is damaged, or ends too early.</exception>
    public async ValueTask<(TenantPage? Page, TenantFileEnd? End)> ReadAsync(CancellationToken cancellationToken)
    {
        var (kind, content) = await ReadFrameAsync(cancellationToken).ConfigureAwait(false);
        switch (kind)
        {
            case TenantFile.PageKind:
                return (TenantPage.Parser.ParseFrom(content), null);
            case TenantFile.EndKind:
                return await stream.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) == 0
                    ? (null, TenantFileEnd.Parser.ParseFrom(content))
                    : throw Damaged("the file goes on after its end");
            default:
                throw Damaged($"a frame is of kind {kind}");
        }
    }

    private async ValueTask<(int Kind, byte[] Content)> ReadFrameAsync(CancellationToken cancellationToken)
    {
        var header = new byte[TenantFile.FrameHeaderBytes];
        await FillAsync(header, cancellationToken).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 0 or > TenantFile.FrameBytesMax)
        {
            throw Damaged("the length of a frame cannot be");
        }

        var content = new byte[length];
        await FillAsync(content, cancellationToken).ConfigureAwait(false);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8)) != TenantFile.Checksum(_frames, header.AsSpan(0, 8), content))
        {
            throw Damaged("the checksum of a frame does not match");
        }

        _frames++;
        _offset += header.Length + length;
        return (BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4)), content);
    }

    private async ValueTask FillAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        if (await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < buffer.Length)
        {
            throw Damaged("the file ends before its last frame");
        }
    }

    private TenantFileException Damaged(string what) =>
        new($"The file is damaged in frame {_frames + 1}, at byte {_offset}: {what}. Nothing of it was taken; export again, or copy it again.");
}
