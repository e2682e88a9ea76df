using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using Roster.Core.Hashing;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Heads that the host dropped from memory before a checkpoint wrote their rows, in a temporary file: reading one back is one read of its
/// bytes, where the log would have to be read turn by turn and folded. Of one delta, and gone with it.
/// </summary>
/// <remarks>
/// Nothing relies on it: what is not here, for lack of room or because of an error, is folded from the log. The file has no name where the
/// operating system allows that, so nothing is left of it when the process ends. Thread-safe; its lock is taken after any other.
/// </remarks>
internal sealed class EvictedHeads : IDisposable
{
    private const string FilePrefix = "evicted-";

    private const int BufferBytes = 256 * 1024;
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly long _bytesMax;
    private readonly Dictionary<long, At> _heads = [];
    private SafeFileHandle? _file;
    private byte[] _buffer = [];
    private int _buffered;
    private long _flushed;
    private bool _isEnded;

    /// <summary>Creates none yet: the file is made when it is first needed.</summary>
    /// <param name="folder">Folder of the file.</param>
    /// <param name="id">Tells it from others of the folder.</param>
    /// <param name="bytesMax">Bytes after which no more are taken; 0 for none at all.</param>
    public EvictedHeads(string folder, int id, long bytesMax)
    {
        _path = System.IO.Path.Combine(folder, $"{FilePrefix}{id}.tmp");
        _bytesMax = bytesMax;
    }

    /// <summary>Removes files that a killed process left. Where files are made without a name there are none.</summary>
    public static void RemoveLeftovers(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, $"{FilePrefix}*.tmp"))
        {
            File.Delete(path);
        }
    }

    /// <summary>Heads at hand.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _heads.Count;
            }
        }
    }

    /// <summary>Keeps a head, unless there is no room or it is here already.</summary>
    public void Add(long number, long position, ReadOnlySpan<byte> head)
    {
        lock (_lock)
        {
            if (_isEnded || head.Length > BufferBytes || _flushed + _buffered + head.Length > _bytesMax
                || (_heads.TryGetValue(number, out var known) && known.Position == position))
            {
                return;
            }

            if (_buffered + head.Length > Math.Max(_buffer.Length, 1) && !TryFlush())
            {
                return;
            }

            head.CopyTo(_buffer.AsSpan(_buffered));
            _heads[number] = new At(position, _flushed + _buffered, head.Length, Crc32C.Of(LogFormat.Seed(position), head));
            _buffered += head.Length;
        }
    }

    /// <summary>The head of a record at a position, if it is here and unharmed.</summary>
    public bool TryRead(long number, long position, [NotNullWhen(true)] out byte[]? head)
    {
        head = null;
        lock (_lock)
        {
            if (_isEnded || !_heads.TryGetValue(number, out var at) || at.Position != position)
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

    /// <summary>Forgets all and removes the file.</summary>
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
            return RandomAccess.Read(_file!, bytes, offset) == bytes.Length;
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
                var hasName = OperatingSystem.IsWindows();
                _file = File.OpenHandle(_path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, hasName ? FileOptions.DeleteOnClose : FileOptions.None);
                if (!hasName)
                {
                    File.Delete(_path);
                }

                _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
            }

            RandomAccess.Write(_file, _buffer.AsSpan(0, _buffered), _flushed);
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
        _heads.Clear();
        _buffer = [];
        _file?.Dispose();
        _file = null;
    }

    private readonly record struct At(long Position, long Offset, int Length, uint Checksum);
}
