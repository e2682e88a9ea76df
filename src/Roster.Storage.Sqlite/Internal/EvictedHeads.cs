using System.Diagnostics.CodeAnalysis;
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
        _bytesMax = bytesMax;
    }

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
            if (_isEnded || head.Length > BufferBytes || _flushed + _buffered + head.Length > _bytesMax
                || (_file is not null && _file.Heads.TryGetValue(number, out var known) && known.Position == position))
            {
                return;
            }

            if (_buffered + head.Length > Math.Max(_buffer.Length, 1) && !TryFlush())
            {
                return;
            }

            head.CopyTo(_buffer.AsSpan(_buffered));
            _file!.Heads[number] = new HeadInFile(position, _flushed + _buffered, head.Length, Crc32C.Of(LogFormat.Seed(position), head));
            _buffered += head.Length;
        }
    }

    /// <summary>The head of a record at a position, if it is here and unharmed.</summary>
    public bool TryRead(long number, long position, [NotNullWhen(true)] out byte[]? head)
    {
        head = null;
        lock (_lock)
        {
            if (_file is null || !_file.Heads.TryGetValue(number, out var at) || at.Position != position)
            {
                return false;
            }

            var bytes = GC.AllocateUninitializedArray<byte>(at.Length);
            if (at.Offset >= _flushed)
            {
                _buffer.AsSpan((int)(at.Offset - _flushed), at.Length).CopyTo(bytes);
            }
            else if (!TryReadFile(bytes, at.Offset))
            {
                return false;
            }

            head = Crc32C.Of(LogFormat.Seed(position), bytes) == at.Checksum ? bytes : null;
            return head is not null;
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

    private bool TryReadFile(byte[] bytes, long offset)
    {
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
            _flushed += _buffered;
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
