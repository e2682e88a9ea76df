using System.Threading.Channels;
using Roster.V1;

namespace Roster.Server.Ingest;

/// <summary>
/// Batches of one stream between reading and acknowledgement. Acknowledgements come out in the order in which batches became durable;
/// whatever is ready when the writer comes by goes into one message.
/// </summary>
internal sealed class AckQueue
{
    private readonly Lock _lock = new();
    private readonly Queue<Pending> _open = new();
    private readonly Channel<Pending?> _ready = Channel.CreateUnbounded<Pending?>(new UnboundedChannelOptions { SingleReader = true });
    private ulong _durableThrough;
    private int _undone;
    private bool _closed;

    /// <summary>Notes a batch that was handed to the engine.</summary>
    public Pending Add(ulong sequence, int events, long bytes)
    {
        var pending = new Pending(sequence, events, bytes);
        lock (_lock)
        {
            _open.Enqueue(pending);
            _undone++;
        }

        return pending;
    }

    /// <summary>The batch is durable.</summary>
    public void Complete(Pending pending, IReadOnlyList<IndexedResult> results)
    {
        pending.Ack.Results.AddRange(results);
        lock (_lock)
        {
            // Written under the lock, so that the channel is not completed by a batch that finished after this one but got here first.
            _ready.Writer.TryWrite(pending);
            _undone--;
            if (_closed && _undone == 0)
            {
                _ready.Writer.TryComplete();
            }
        }
    }

    /// <summary>A drain message is to go out.</summary>
    public void RequestDrain() => _ready.Writer.TryWrite(null);

    /// <summary>No batch will be added any more: the queue ends when the open ones are acknowledged.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            if (_undone == 0)
            {
                _ready.Writer.TryComplete();
            }
        }
    }

    /// <summary>A batch could not be applied: the queue ends with the reason after what is ready.</summary>
    public void Fail(Exception reason) => _ready.Writer.TryComplete(reason);

    /// <summary>The next messages, when there are some; null at the end.</summary>
    public async ValueTask<Outgoing?> TakeAsync()
    {
        if (!await _ready.Reader.WaitToReadAsync())
        {
            return null;
        }

        Acks? acks = null;
        var (drain, events, bytes) = (false, 0, 0L);
        while (_ready.Reader.TryRead(out var pending))
        {
            if (pending is null)
            {
                drain = true;
            }
            else
            {
                Take(pending, acks ??= new Acks());
                events += pending.Ack.Events;
                bytes += pending.Bytes;
            }
        }

        return new Outgoing(acks, drain, events, bytes);
    }

    // Only what goes out with this message or went before counts: the client may forget everything up to `durable_through`.
    private void Take(Pending pending, Acks acks)
    {
        acks.Batches.Add(pending.Ack);
        lock (_lock)
        {
            pending.IsTaken = true;
            while (_open.TryPeek(out var head) && head.IsTaken)
            {
                _durableThrough = head.Ack.Sequence;
                _open.Dequeue();
            }
        }

        acks.DurableThrough = _durableThrough;
    }

    /// <summary>What goes out next, and the credit of the batches in it.</summary>
    public sealed record Outgoing(Acks? Acks, bool Drain, int Events, long Bytes);

    /// <summary>One batch.</summary>
    public sealed class Pending(ulong sequence, int events, long bytes)
    {
        /// <summary>The acknowledgement to be.</summary>
        public BatchAck Ack { get; } = new() { Sequence = sequence, Events = events };

        /// <summary>Roughly its size.</summary>
        public long Bytes { get; } = bytes;

        /// <summary>Whether its acknowledgement is on its way to the client.</summary>
        public bool IsTaken { get; set; }
    }
}
