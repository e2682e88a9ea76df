using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Roster.Core.Hashing;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Heads that the host dropped from memory before a checkpoint wrote their rows, in a temporary file: reading one back is one read of its
/// bytes, where the log would have to be read turn by turn and folded. Of one delta, and forgotten with it.
/// </summary>
/// <remarks>
/// Nothing relies on it: what is not here, for lack of room or because of an error, is folded from the log. Thread-safe; its lock is taken
/// after any other.
/// </remarks>
internal sealed class EvictedHeads : IDisposable
{
    private const int BufferBytes = 256 * 1024;
    private const int ChecksumBytes = 4;
    private readonly Lock _lock = new();
    private readonly ScratchFiles _files;
    private readonly long _bytesMax;
    private ScratchFile? _file;
    private byte[] _buffer = [];
    private int _buffered;
    private long _flushed;
    private bool _isEnded;

    /// <summary>Takes no file yet: only when one is needed.</summary>
    /// <param name="files">Where the file comes from, and goes to in the end.</param>
    /// <param name="bytesMax">Bytes after which no more are taken; 0 for none at all.</param>
    public EvictedHeads(ScratchFiles files, long bytesMax)
    {
        _files = files;
        _bytesMax = Math.Min(bytesMax, uint.MaxValue * (long)HeadInFile.Unit);
    }

    /// <summary>Bytes in the file, without those in the buffer.</summary>
    public long FileBytes => Interlocked.Read(ref _flushed);

    /// <summary>Heads at hand.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _file?.Heads.Count ?? 0;
            }
        }
    }

    /// <summary>Keeps a head, unless there is no room or it is here already.</summary>
    public void Add(long number, long position, ReadOnlySpan<byte> head)
    {
        lock (_lock)
        {
            var bytes = BytesOf(head.Length);
            if (_isEnded || bytes > BufferBytes || _flushed + _buffered + bytes > _bytesMax || IsHere(number, position))
            {
                return;
            }

            if (_buffered + bytes > Math.Max(_buffer.Length, 1) && !TryFlush())
            {
                return;
            }

            BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_buffered), Crc32C.Of(LogFormat.Seed(position), head));
            head.CopyTo(_buffer.AsSpan(_buffered + ChecksumBytes));
            _file!.Heads.Set(new HeadInFile { Number = number, Position = position, At = (uint)((_flushed + _buffered) / HeadInFile.Unit), Length = head.Length });
            _buffered += bytes;
        }
    }

    /// <summary>The head of a record at a position, if it is here and unharmed.</summary>
    public bool TryRead(long number, long position, out ReadOnlyMemory<byte> head)
    {
        head = default;
        lock (_lock)
        {
            if (!IsHere(number, position))
            {
                return false;
            }

            ref readonly var at = ref _file!.Heads.Find(number);
            var bytes = GC.AllocateUninitializedArray<byte>(ChecksumBytes + at.Length);
            if (!TryRead(bytes, at.Offset))
            {
                return false;
            }

            head = bytes.AsMemory(ChecksumBytes);
            return Crc32C.Of(LogFormat.Seed(position), head.Span) == BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        }
    }

    /// <summary>Forgets all and gives the file back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            End();
        }
    }

    private static int BytesOf(int headBytes) => (ChecksumBytes + headBytes + HeadInFile.Unit - 1) / HeadInFile.Unit * HeadInFile.Unit;

    private bool IsHere(long number, long position)
    {
        if (_file is null)
        {
            return false;
        }

        ref readonly var at = ref _file.Heads.Find(number);
        return !Unsafe.IsNullRef(in at) && at.Position == position;
    }

    /// <summary>A checksum and the head that it is of.</summary>
    private bool TryRead(byte[] bytes, long offset)
    {
        if (offset >= _flushed)
        {
            _buffer.AsSpan((int)(offset - _flushed), bytes.Length).CopyTo(bytes);
            return true;
        }

        try
        {
            return RandomAccess.Read(_file!.Handle, bytes, offset) == bytes.Length;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Writes the buffer; without room on the disk this is the end of it all, which costs speed only.</summary>
    private bool TryFlush()
    {
        try
        {
            if (_file is null)
            {
                _file = _files.Rent();
                _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
            }

            RandomAccess.Write(_file.Handle, _buffer.AsSpan(0, _buffered), _flushed);
            DurableFiles.BeginWriting(_file.Handle, _flushed, _buffered);
            Interlocked.Add(ref _flushed, _buffered);
            _buffered = 0;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            End();
            return false;
        }
    }

    private void End()
    {
        _isEnded = true;
        _buffer = [];
        if (_file is not null)
        {
            _files.Return(_file);
            _file = null;
        }
    }
}
