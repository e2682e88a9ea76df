using Roster.V1;

namespace Roster.Client.Internal;

/// <summary>
/// The events of a session that have no result yet: waiting to be sent, or in flight on the present connection. Knows nothing of
/// connections; after one is lost, everything in flight waits again, in its old order and before what came later.
/// </summary>
internal sealed class SendBuffer(IngestSessionOptions options)
{
    // So few batches in flight that waiting for a full one would only cost time. With more, full batches cost less than small ones.
    private const int EagerBatches = 2;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<ulong, List<Event>> _inFlight = [];
    private Queue<Event> _waiting = new();
    private ulong _sequence;
    private int _inFlightEvents;
    private int _credit = int.MaxValue;
    private int _batchEventsMax = options.BatchEventsMax;
    private bool _flushing;
    private bool _completed;
    private Exception? _fault;
    private TaskCompletionSource? _sender;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _empty;
    private IngestProgress _progress;

    public IngestProgress Progress
    {
        get
        {
            lock (_lock)
            {
                return _progress;
            }
        }
    }

    /// <summary>Whether nothing is left and nothing will come.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock)
            {
                return _completed && Outstanding_NeedsLock == 0;
            }
        }
    }

    /// <summary>Whether there are events without a result.</summary>
    public bool IsWaiting
    {
        get
        {
            lock (_lock)
            {
                return Outstanding_NeedsLock > 0;
            }
        }
    }

    private int Outstanding_NeedsLock => _waiting.Count + _inFlightEvents;

    /// <summary>Adds an event; the task to wait for first when there is no room.</summary>
    public Task? TryAdd(Event item)
    {
        TaskCompletionSource? wake = null;
        lock (_lock)
        {
            Throw_NeedsLock();
            if (Outstanding_NeedsLock >= options.OutstandingMax)
            {
                return (_room ??= NewSource()).Task;
            }

            _waiting.Enqueue(item);
            _progress = _progress with { Accepted = _progress.Accepted + 1 };
            if (_sender is not null && CanSend_NeedsLock())
            {
                (wake, _sender) = (_sender, null);
            }
        }

        wake?.SetResult();
        return null;
    }

    /// <summary>Completes when every event so far has a result.</summary>
    public Task FlushAsync()
    {
        TaskCompletionSource? wake;
        Task empty;
        lock (_lock)
        {
            Throw_NeedsLock();
            if (Outstanding_NeedsLock == 0)
            {
                return Task.CompletedTask;
            }

            _flushing = true;
            empty = (_empty ??= NewSource()).Task;
            (wake, _sender) = (_sender, null);
        }

        wake?.SetResult();
        return empty;
    }

    /// <summary>No event will be added any more.</summary>
    public void Complete()
    {
        TaskCompletionSource? wake;
        lock (_lock)
        {
            _completed = true;
            (wake, _sender) = (_sender, null);
        }

        wake?.SetResult();
    }

    /// <summary>A connection is open: what the server grants.</summary>
    public void Connected(Welcome welcome)
    {
        lock (_lock)
        {
            _credit = Math.Max(1, welcome.CreditEvents);
            _batchEventsMax = Math.Clamp(options.BatchEventsMax, 1, Math.Max(1, welcome.BatchEventsMax));
        }
    }

    /// <summary>The connection is lost: what was in flight waits again.</summary>
    public void Disconnected()
    {
        lock (_lock)
        {
            _progress = _progress with { Resent = _progress.Resent + _inFlightEvents };
            _waiting = new Queue<Event>(_inFlight.Values.SelectMany(batch => batch).Concat(_waiting));
            _inFlight.Clear();
            _inFlightEvents = 0;
        }
    }

    /// <summary>The next batch to send; or the task to wait for; or neither: all is sent and nothing will come.</summary>
    public (Batch? Batch, Task? Wait) TryTake()
    {
        lock (_lock)
        {
            if (CanSend_NeedsLock())
            {
                return (Take_NeedsLock(), null);
            }

            return _completed && _waiting.Count == 0 ? (null, null) : (null, (_sender ??= NewSource()).Task);
        }
    }

    /// <summary>Wakes the sender up, so that it sees that its connection is at its end.</summary>
    public void WakeSender()
    {
        TaskCompletionSource? wake;
        lock (_lock)
        {
            (wake, _sender) = (_sender, null);
        }

        wake?.SetResult();
    }

    /// <summary>A batch is acknowledged. Returns its events; null when it is not in flight.</summary>
    public List<Event>? Acknowledged(BatchAck ack)
    {
        lock (_lock)
        {
            return _inFlight.GetValueOrDefault(ack.Sequence);
        }
    }

    /// <summary>The results of a batch have been told: it is done.</summary>
    public void Done(BatchAck ack)
    {
        TaskCompletionSource? room = null, empty = null, sender = null;
        lock (_lock)
        {
            if (!_inFlight.Remove(ack.Sequence, out var events))
            {
                return;
            }

            _inFlightEvents -= events.Count;
            Count_NeedsLock(ack, events.Count);
            (room, _room) = (_room, null);
            if (Outstanding_NeedsLock == 0)
            {
                _flushing = false;
                (empty, _empty) = (_empty, null);
            }

            if (CanSend_NeedsLock())
            {
                (sender, _sender) = (_sender, null);
            }
        }

        sender?.SetResult();
        room?.SetResult();
        empty?.SetResult();
    }

    /// <summary>The session is over for a reason: everyone who waits hears it.</summary>
    public void Fail(Exception reason)
    {
        TaskCompletionSource? room, empty;
        lock (_lock)
        {
            _fault ??= reason;
            (room, _room) = (_room, null);
            (empty, _empty) = (_empty, null);
        }

        room?.SetResult();
        empty?.SetException(reason);
    }

    private bool CanSend_NeedsLock() =>
        _waiting.Count > 0 && _inFlightEvents < _credit
        && (_waiting.Count >= _batchEventsMax || _inFlight.Count < EagerBatches || _flushing || _completed);

    private Batch Take_NeedsLock()
    {
        var batch = new Batch { Sequence = ++_sequence };
        var events = new List<Event>(Math.Min(_waiting.Count, _batchEventsMax));
        long bytes = 0;
        while (events.Count < _batchEventsMax && _waiting.TryPeek(out var next))
        {
            bytes += next.CalculateSize();
            if (events.Count > 0 && bytes > options.BatchBytesMax)
            {
                break;
            }

            events.Add(_waiting.Dequeue());
        }

        batch.Events.AddRange(events);
        _inFlight.Add(batch.Sequence, events);
        _inFlightEvents += events.Count;
        return batch;
    }

    private void Count_NeedsLock(BatchAck ack, int events)
    {
        long duplicates = 0, mismatches = 0, refused = 0;
        foreach (var result in ack.Results)
        {
            switch (result.Result.Code)
            {
                case EventResult.Types.Code.Duplicate: duplicates++; break;
                case EventResult.Types.Code.DuplicateMismatch: mismatches++; break;
                default: refused++; break;
            }
        }

        _progress = _progress with
        {
            Applied = _progress.Applied + events - ack.Results.Count,
            Duplicates = _progress.Duplicates + duplicates,
            Mismatches = _progress.Mismatches + mismatches,
            Refused = _progress.Refused + refused,
        };
    }

    private void Throw_NeedsLock()
    {
        if (_fault is not null)
        {
            throw new InvalidOperationException($"The ingest session has ended: {_fault.Message}", _fault);
        }

        if (_completed)
        {
            throw new InvalidOperationException("The ingest session is completed; open a new one.");
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
