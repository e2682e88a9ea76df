using System.Collections.Concurrent;
using Roster.Engine.Stores;

namespace Roster.Engine.Commits;

/// <summary>
/// Gathers what all sources have decided into one commit at a time: while one commit is in flight the next batch fills, so the
/// group grows with the load and nobody waits for a timer. It is what makes durability cheap.
/// </summary>
/// <remarks>
/// One thread of its own, because a commit blocks in fsync. Nothing is acknowledged and no effect leaves before the commit is
/// durable. A full disk fails the batch and goes on; any other failure of a commit is fatal: its outcome is unknown.
/// </remarks>
public sealed class GroupCommitter : IAsyncDisposable
{
    private readonly IRecordStore _store;
    private readonly Action<OpenBatch> _onDurable;
    private readonly TurnBatch _merged = new();
    private readonly List<(ICommitSource? Source, OpenBatch Batch)> _taken = [];
    private readonly ConcurrentQueue<DocumentItem> _documents = new();
    private readonly List<DocumentItem> _takenDocuments = [];
    private readonly List<DocumentItem> _documentsAgain = [];
    private readonly SemaphoreSlim _signal = new(0);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ICommitSource[] _sources = [];
    private TaskCompletionSource _advanced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isSignalled;
    private volatile bool _isStopping;
    private Thread? _thread;

    /// <summary>Creates a committer.</summary>
    /// <param name="store">The store.</param>
    /// <param name="onDurable">Called for each durable batch, before those who wait are told: timers and outbox go on from here.</param>
    public GroupCommitter(IRecordStore store, Action<OpenBatch> onDurable)
    {
        _store = store;
        _onDurable = onDurable;
    }

    /// <summary>Completes with the failure when the committer had to stop for good.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Whether a fatal failure has happened.</summary>
    public bool HasFailed => _failed.Task.IsCompleted;

    /// <summary>Completes after the next commit: for those who follow the journal. Take it before reading.</summary>
    public Task Advanced => Volatile.Read(ref _advanced).Task;

    /// <summary>Commits so far.</summary>
    public long Commits { get; private set; }

    /// <summary>Turns committed so far.</summary>
    public long TurnsCommitted { get; private set; }

    /// <summary>Commits that were refused as a whole because another process was quicker, and were decided again.</summary>
    public long Conflicts { get; private set; }

    /// <summary>Starts the thread.</summary>
    public void Start(ICommitSource[] sources)
    {
        _sources = sources;
        _thread = new Thread(Run) { IsBackground = true, Name = "roster-committer" };
        _thread.Start();
    }

    /// <summary>Says that there is something to commit. Cheap.</summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            _signal.Release();
        }
    }

    /// <summary>Makes documents durable with the next commit.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="decidedOn">Versions of the definitions that they were made from; for a store that several processes write.</param>
    /// <exception cref="StoreConflictException">A version is not the present one; nothing was written.</exception>
    public Task CommitAsync(IReadOnlyList<StoredDocument> documents, IReadOnlyList<(int Tenant, long Version)>? decidedOn = null)
    {
        if (HasFailed)
        {
            return _failed.Task;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _documents.Enqueue(new DocumentItem([.. documents], [.. decidedOn ?? []], done));
        Signal();
        return done.Task;
    }

    /// <summary>Commits what is there and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        Signal();
        if (_thread is not null)
        {
            await _stopped.Task.ConfigureAwait(false);
        }

        _signal.Dispose();
    }

    private void Run()
    {
        try
        {
            while (true)
            {
                _signal.Wait();
                Volatile.Write(ref _isSignalled, 0);
                while (Take())
                {
                    CommitTaken();
                }

                if (_isStopping)
                {
                    break;
                }
            }
        }
        catch (Exception failure)
        {
            // The edge of the loop: whatever it is, the outcome of a commit is unknown, so nothing may be acknowledged any more.
            RefuseForGood(failure);
        }

        _stopped.TrySetResult();
    }

    /// <summary>Fails everyone who waits, and all who come until the host stops, so that nobody waits for ever.</summary>
    private void RefuseForGood(Exception failure)
    {
        var fatal = new RosterException(RosterError.Unavailable, $"The store failed: {failure.Message}");
        _failed.TrySetException(failure);
        do
        {
            foreach (var (source, batch) in _taken)
            {
                Refuse(source, batch, fatal);
            }

            while (!Take())
            {
                if (_isStopping)
                {
                    return;
                }

                _signal.Wait();
                Volatile.Write(ref _isSignalled, 0);
            }
        }
        while (true);
    }

    private bool Take()
    {
        _taken.Clear();
        _merged.Clear();
        foreach (var source in _sources)
        {
            if (source.TakeBatch() is { } batch)
            {
                _taken.Add((source, batch));
            }
        }

        _takenDocuments.Clear();
        _takenDocuments.AddRange(_documentsAgain);
        _documentsAgain.Clear();
        while (_documents.TryDequeue(out var next))
        {
            _takenDocuments.Add(next);
        }

        if (_takenDocuments.Count > 0)
        {
            var batch = new OpenBatch();
            foreach (var item in _takenDocuments)
            {
                batch.Turns.Documents.AddRange(item.Documents);
                foreach (var (tenant, version) in item.DecidedOn)
                {
                    batch.Turns.NoteDecidedOn(tenant, version);
                }

                batch.Waiters.Add(new DocumentWaiter(item.Done));
            }

            _taken.Add((null, batch));
        }

        return _taken.Count > 0;
    }

    private void CommitTaken()
    {
        var batch = _taken.Count == 1 ? _taken[0].Batch.Turns : Merge();
        try
        {
            if (!batch.IsEmpty)
            {
                var commit = _store.CommitAsync(batch, CancellationToken.None);
                if (!commit.IsCompletedSuccessfully)
                {
                    commit.AsTask().GetAwaiter().GetResult();
                }

                CheckPositions(batch);
            }
        }
        catch (StoreFullException full)
        {
            foreach (var (source, taken) in _taken)
            {
                Refuse(source, taken, full);
            }

            return;
        }
        catch (StoreConflictException conflict)
        {
            foreach (var (source, taken) in _taken)
            {
                source?.OnConflict(taken, conflict);
            }

            foreach (var item in _takenDocuments)
            {
                if (item.DecidedOn.Length > 0)
                {
                    item.Done.TrySetException(conflict);
                }
                else
                {
                    // Decided on nothing that can have changed: it goes with the next commit, before what comes later.
                    _documentsAgain.Add(item);
                }
            }

            Conflicts++;
            return;
        }

        Commits++;
        TurnsCommitted += batch.TurnCount;
        Release(batch);
    }

    private TurnBatch Merge()
    {
        foreach (var (_, taken) in _taken)
        {
            _merged.Append(taken.Turns);
        }

        return _merged;
    }

    /// <summary>One owner writes: a conflict means that two owners do, and whose state is right cannot be told here.</summary>
    private static void CheckPositions(TurnBatch batch)
    {
        foreach (ref readonly var turn in batch.Turns)
        {
            if (turn.Position == 0)
            {
                throw new InvalidOperationException($"The store refused turn {turn.TurnId:x16} of record {turn.RecordNumber} as a conflict: another owner writes to it.");
            }
        }
    }

    private void Release(TurnBatch batch)
    {
        var turn = 0;
        foreach (var (source, taken) in _taken)
        {
            if (!ReferenceEquals(batch, taken.Turns))
            {
                foreach (ref var header in taken.Turns.Turns)
                {
                    header.Position = batch.Turns[turn++].Position;
                }
            }

            _onDurable(taken);
            var waiters = taken.Waiters.ToArray();
            source?.OnCommitted(taken);
            foreach (var waiter in waiters)
            {
                waiter.OnCommitted(null);
            }
        }

        Interlocked.Exchange(ref _advanced, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private static void Refuse(ICommitSource? source, OpenBatch batch, Exception failure)
    {
        if (source is not null)
        {
            source.OnFailed(batch, failure);
            return;
        }

        foreach (var waiter in batch.Waiters)
        {
            waiter.OnCommitted(failure);
        }
    }

    private sealed record DocumentItem(StoredDocument[] Documents, (int Tenant, long Version)[] DecidedOn, TaskCompletionSource Done);

    private sealed class DocumentWaiter(TaskCompletionSource done) : ICommitWaiter
    {
        public void OnCommitted(Exception? failure)
        {
            if (failure is null)
            {
                done.TrySetResult();
            }
            else
            {
                done.TrySetException(failure);
            }
        }
    }
}
