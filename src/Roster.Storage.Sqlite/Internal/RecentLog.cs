namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// The newest bytes of the log in memory, addressed by position: what was just written is read back without asking SQLite.
/// </summary>
/// <remarks>One thread writes; any thread reads. A reader that was overtaken by the writer is told so and asks the file.</remarks>
internal sealed class RecentLog
{
    private readonly byte[] _ring;
    private long _first;
    private long _end;

    /// <summary>Creates a ring that begins at a position.</summary>
    /// <param name="bytes">Capacity: a power of two, or 0 for none.</param>
    /// <param name="end">End of the log.</param>
    public RecentLog(int bytes, long end)
    {
        _ring = GC.AllocateUninitializedArray<byte>(bytes);
        _first = _end = end;
    }

    /// <summary>Appends the frames from a position on; positions between the former end and it hold none.</summary>
    public void Append(long position, ReadOnlySpan<byte> bytes)
    {
        var end = position + bytes.Length;
        if (bytes.Length > _ring.Length || _ring.Length == 0)
        {
            Volatile.Write(ref _first, end);
            Volatile.Write(ref _end, end);
            return;
        }

        // Readers must see that the old bytes are gone before they are overwritten.
        Interlocked.Exchange(ref _first, Math.Max(_first, end - _ring.Length));
        var at = (int)(position & (_ring.Length - 1));
        var head = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..head].CopyTo(_ring.AsSpan(at));
        bytes[head..].CopyTo(_ring);
        Volatile.Write(ref _end, end);
    }

    /// <summary>Forgets all: what was written is not what is to be read any more.</summary>
    public void Forget() => Interlocked.Exchange(ref _first, Volatile.Read(ref _end));

    /// <summary>Copies bytes; false when they are not, or not any more, in memory.</summary>
    public bool TryRead(long position, Span<byte> bytes)
    {
        if (position < Volatile.Read(ref _first) || position + bytes.Length > Volatile.Read(ref _end))
        {
            return false;
        }

        var at = (int)(position & (_ring.Length - 1));
        var head = Math.Min(bytes.Length, _ring.Length - at);
        _ring.AsSpan(at, head).CopyTo(bytes);
        _ring.AsSpan(0, bytes.Length - head).CopyTo(bytes[head..]);
        Interlocked.MemoryBarrier();
        return position >= Volatile.Read(ref _first);
    }
}
