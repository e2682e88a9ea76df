using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Follows the rows of a log and says where they are not what was written: checksums, positions without a gap, whole batches. It goes on after
/// a fault, unless the one it reports to throws.
/// </summary>
/// <param name="path">The log, for messages.</param>
/// <param name="first">Where the log begins.</param>
/// <param name="report">Hears of a fault: position, and what is wrong.</param>
internal sealed class LogChain(string path, long first, Action<long, string> report)
{
    private long _batchEnd = first;
    private int _turnsLeft;
    private bool _isWhole = true;

    /// <summary>Where the next row must begin.</summary>
    public long Next { get; private set; } = first;

    /// <summary>Turns that were read.</summary>
    public long Turns { get; private set; }

    /// <summary>Called with the header of a batch and its start.</summary>
    public BatchSeen? OnBatch { get; init; }

    /// <summary>Called with a turn that is as it was written.</summary>
    public TurnSeen? OnTurn { get; init; }

    /// <summary>Takes the next row.</summary>
    /// <param name="start">Its position.</param>
    /// <param name="hasBatch">Whether a batch begins with it.</param>
    /// <param name="batch">Header of that batch.</param>
    /// <param name="frames">Its frames.</param>
    public void Add(long start, bool hasBatch, ReadOnlySpan<byte> batch, ReadOnlySpan<byte> frames)
    {
        if (start != Next)
        {
            Report(Next, $"the log goes on at position {start}");
        }

        if (hasBatch)
        {
            End(start);
            BeginBatch(start, batch);
        }
        else if (_isWhole && start >= _batchEnd)
        {
            Report(start, "it belongs to no batch");
        }

        ReadFrames(start, frames);
        Next = start + Math.Max(1, frames.Length);
    }

    /// <summary>The batch before this position must be whole; called at the end of the log as well.</summary>
    public void End(long at)
    {
        if (_isWhole && (at != _batchEnd || _turnsLeft != 0))
        {
            Report(at, "the batch before it is not whole");
        }
    }

    private void BeginBatch(long start, ReadOnlySpan<byte> batch)
    {
        try
        {
            var header = BatchHeader.Read(batch, start, path);
            _isWhole = true;
            _batchEnd = start + Math.Max(1, header.FramesLength);
            _turnsLeft = header.TurnCount;
            OnBatch?.Invoke(start, header);
        }
        catch (StoreCorruptException)
        {
            Report(start, "the checksum of a batch does not match");
        }
    }

    private void ReadFrames(long start, ReadOnlySpan<byte> frames)
    {
        for (var at = 0; at < frames.Length;)
        {
            if (!LogFormat.TryReadFrame(frames[at..], start + at, out var header))
            {
                Report(start + at, "the checksum of a turn does not match");
                return;
            }

            _turnsLeft--;
            Turns++;
            OnTurn?.Invoke(start + at, header, frames.Slice(at, header.Length));
            at += header.Length;
        }
    }

    /// <summary>What follows from a fault until the next batch begins is not told again.</summary>
    private void Report(long position, string what)
    {
        _isWhole = false;
        report(position, what);
    }

    public delegate void BatchSeen(long start, BatchHeader header);

    public delegate void TurnSeen(long position, in FrameHeader header, ReadOnlySpan<byte> frame);
}
