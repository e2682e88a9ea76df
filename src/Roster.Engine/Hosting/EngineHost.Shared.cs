using System.Collections.Concurrent;
using Roster.Engine.Messages;
using Roster.Engine.Stores;
using Roster.Engine.Timers;
using Roster.V1;

namespace Roster.Engine.Hosting;

/// <content>
/// A store that several processes write. Each may run a turn of any record and change any definition; the store refuses what was decided on something
/// that is not the newest, and it is decided again. So where things run is a matter of speed only.
/// </content>
public abstract partial class EngineHost
{
    /// <summary>Parts in which the timers of a shared store are given to processes.</summary>
    public const int TimerParts = 8;

    /// <summary>What tenants may have a cap on.</summary>
    private static readonly CounterKind[] CappedKinds = [CounterKind.RecordCreated, CounterKind.Enrolled, CounterKind.Ended];

    private static readonly TimeSpan JournalPollEvery = TimeSpan.FromMilliseconds(200);

    private readonly SemaphoreSlim _dutyGate = new(1, 1);
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private readonly SemaphoreSlim _admitting = new(1, 1);

    /// <summary>What was read before must not be set after what was read later.</summary>
    private readonly SemaphoreSlim _counting = new(1, 1);
    private readonly ConcurrentDictionary<int, TimerShard> _timerParts = new();
    private volatile bool _hasDuties;

    /// <summary>Whether this process has the duties of a shared store.</summary>
    public bool HasDuties => _hasDuties;

    /// <summary>Commits that were refused as a whole because another process was quicker, and were decided again.</summary>
    public long Conflicts => _committer.Conflicts;

    /// <summary>Tells whoever has the duties what became durable here. Called on the committer's thread; must not block.</summary>
    protected virtual void Tell(DurableNotice notice)
    {
        // The only process of a store has the duties itself.
    }

    /// <summary>Tells whoever has a part of the timers which records go on at other instants. Called on the committer's thread; must not block.</summary>
    protected virtual void TellTimers(int part, IReadOnlyList<TimerEntry> changes)
    {
        // The only process of a store has all of them itself.
    }

    /// <summary>Takes over a part of the timers. With a manual clock none fires by itself, so there is nothing to take.</summary>
    public void TakeTimers(int part)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(part);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(part, TimerParts);
        ThrowIfStopped();
        var timers = new TimerShard(_store, FireAsync, Clock, number => PartOf(number) == part);
        if (_timerParts.TryAdd(part, timers) && Clock is not ManualClock)
        {
            timers.Start();
        }
    }

    /// <summary>Gives a part of the timers up.</summary>
    public async Task DropTimersAsync(int part)
    {
        if (_timerParts.TryRemove(part, out var timers))
        {
            await timers.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Parts of the timers that are here.</summary>
    public IReadOnlyCollection<int> TimerPartsHere => [.. _timerParts.Keys.Order()];

    /// <summary>Reads a part of the timers from the store again.</summary>
    public void ReloadTimers(int part)
    {
        if (_timerParts.TryGetValue(part, out var timers))
        {
            timers.Reload();
        }
    }

    /// <summary>Records of some part go on at other instants. Whoever has not that part tells the one who has.</summary>
    private void HearTimers(IReadOnlyList<TimerEntry> changes)
    {
        if (Clock is ManualClock)
        {
            // Whoever moves it fires them all; what was set elsewhere before is read when that begins.
            if (_hasDuties)
            {
                _timers.OnDurable([.. changes]);
            }

            return;
        }

        foreach (var part in changes.GroupBy(change => PartOf(change.RecordNumber)))
        {
            if (_timerParts.TryGetValue(part.Key, out var timers))
            {
                timers.OnDurable([.. part]);
            }
            else
            {
                TellTimers(part.Key, [.. part]);
            }
        }
    }

    /// <summary>What another process told of a part of the timers.</summary>
    public void HearTimers(int part, IReadOnlyList<TimerEntry> changes)
    {
        if (_timerParts.TryGetValue(part, out var timers))
        {
            timers.OnDurable([.. changes]);
        }
    }

    /// <summary>The part of a record, 0 to <see cref="TimerParts"/> - 1, by its number.</summary>
    public static int PartOf(long recordNumber) => KeyHash.VirtualShard(recordNumber) % TimerParts;

    /// <summary>The part of a record by its name, the same as by its number; null for a name that no record has.</summary>
    public int? PartOf(string tenant, RecordRef reference) =>
        _tenants.Find(tenant) is { } owner && Turns.EventReader.TryRead(reference, owner, out var key) is null ? KeyHash.VirtualShard(KeyHash.Of(key)) % TimerParts : null;

    /// <summary>Takes over the duties; goes on with what the one before left.</summary>
    public async Task TakeDutiesAsync(CancellationToken cancellationToken)
    {
        await _dutyGate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ThrowIfStopped();
            if (_hasDuties)
            {
                return;
            }

            await RefreshAsync(cancellationToken).ConfigureAwait(false);
            CreateDuties();

            // What becomes durable from here on is heard; what was before is read.
            _hasDuties = true;
            await StartDutiesAsync(await _store.ReadDocumentsAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _dutyGate.Release();
        }
    }

    /// <summary>Gives the duties up: what is under way ends, the rest is in the store.</summary>
    public async Task DropDutiesAsync()
    {
        await _dutyGate.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (_hasDuties)
            {
                _hasDuties = false;
                await StopDutiesAsync().ConfigureAwait(false);
                CreateDuties();
            }
        }
        finally
        {
            _dutyGate.Release();
        }
    }

    /// <summary>Something became durable, here or elsewhere. Whoever has not the duties tells the one who has.</summary>
    public void Hear(DurableNotice notice)
    {
        ArgumentNullException.ThrowIfNull(notice);
        if (notice.IsEmpty)
        {
            return;
        }

        if (!_hasDuties)
        {
            Tell(notice);
            return;
        }

        foreach (var (tenant, queue) in notice.Queues)
        {
            if (queue == MessageCodec.Queue)
            {
                _messages.OnAdded(tenant);
            }
            else
            {
                _outbox.OnAdded(tenant, queue);
            }
        }

        foreach (var (id, isWithdrawn) in notice.Removed)
        {
            _outbox.OnRemoved(id, isWithdrawn);
        }

        if (notice.HasJobs)
        {
            _ = ResumeJobsAsync();
        }
    }

    /// <summary>
    /// Counts records and active enrollments of the tenants that have a cap on them, with those of other processes (LIM-01, LIM-04). Called every second. A commit of
    /// this process that comes meanwhile may be missing, or be counted twice, until the next time.
    /// </summary>
    public async Task CountAsync(CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        await _counting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await RefreshAsync(cancellationToken).ConfigureAwait(false);
            foreach (var owner in _tenants.All.Where(owner => owner.Schema.Settings is { RecordsMax: > 0 } or { ActiveEnrollmentsMax: > 0 }))
            {
                var sums = await _store.SumCountersAsync(owner.Number, CappedKinds, cancellationToken).ConfigureAwait(false);
                owner.SetCounts(
                    sums.GetValueOrDefault(CounterKind.RecordCreated), sums.GetValueOrDefault(CounterKind.Enrolled) - sums.GetValueOrDefault(CounterKind.Ended));
            }
        }
        finally
        {
            _counting.Release();
        }
    }

    /// <summary>Looks at the store again, for what no notice told. Called now and then, and when a process has died.</summary>
    public async Task ResyncAsync(CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        await RefreshAsync(cancellationToken).ConfigureAwait(false);
        foreach (var timers in _timerParts.Values)
        {
            timers.Reload();
        }

        if (_hasDuties)
        {
            _timers.Reload();
            _outbox.LookAgain();
            await _messages.StartAsync(cancellationToken).ConfigureAwait(false);
            await _deliveries.LookAgainAsync(_store, cancellationToken).ConfigureAwait(false);
            await ResumeJobsAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Knows a tenant that another process may have made. Whoever asks for it later would find out too, but on a thread that waits: with many at once the pool has
    /// none left for the answer.
    /// </summary>
    public async Task PrepareAsync(string tenant, CancellationToken cancellationToken)
    {
        if (!_store.IsShared || _tenants.Knows(tenant))
        {
            return;
        }

        await _refreshing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_tenants.Knows(tenant))
            {
                await RefreshAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <summary>Sees every definition that was durable when this was called.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (!_store.IsShared)
        {
            return;
        }

        // Versions first: definitions that are newer than their version are no harm.
        var versions = await _store.ReadVersionsAsync(cancellationToken).ConfigureAwait(false);
        if (versions.Any(v => v.Value > _tenants.VersionOf(v.Key)))
        {
            var changes = Credentials.Changes;
            var documents = await _store.ReadDocumentsAsync(cancellationToken).ConfigureAwait(false);
            _erased.Take(documents);
            Credentials.Take(documents, changes);
            await Task.Run(() => _tenants.Refresh(documents, versions), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ResumeJobsAsync()
    {
        try
        {
            var documents = await _store.ReadDocumentsAsync(CancellationToken.None).ConfigureAwait(false);
            if (_hasDuties)
            {
                _jobs.Resume(documents);
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException && !_hasDuties)
        {
            // Somebody else has the duties by now, and reads them.
        }
    }

    private (IReadOnlyList<StoredDocument> Documents, IReadOnlyDictionary<int, long> Versions) ReadStored()
    {
        // On a thread of the pool: whoever waits may hold a lock, but none that a read needs.
        var read = Task.Run(async () =>
        {
            var versions = await _store.ReadVersionsAsync(CancellationToken.None).ConfigureAwait(false);
            return (await _store.ReadDocumentsAsync(CancellationToken.None).ConfigureAwait(false), versions);
        });
        return read.GetAwaiter().GetResult();
    }

    /// <summary>Makes documents durable if the definitions that they were made from are still in force.</summary>
    private void CommitShared(IReadOnlyList<StoredDocument> documents)
    {
        var decidedOn = documents.Where(d => d.IsDefinition).Select(d => d.Tenant).Distinct().Select(t => (Tenant: t, Version: _tenants.VersionOf(t))).ToList();
        _committer.CommitAsync(documents, decidedOn).GetAwaiter().GetResult();
        decidedOn.ForEach(d => _tenants.RaiseVersion(d.Tenant, d.Version + 1));
    }

    /// <summary>An event that the schema at hand refuses may be fine by the newest one.</summary>
    private async ValueTask<IReadOnlyList<IndexedResult>> IngestSharedAsync(string tenant, IReadOnlyList<Event> events, CancellationToken cancellationToken)
    {
        IngestBatch batch;
        try
        {
            await PrepareAsync(tenant, cancellationToken).ConfigureAwait(false);

            // A name that is used for the first time is declared here, by a thread that waits for the commit: one at a time.
            await _admitting.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                var owner = _tenants.Get(tenant);
                var admission = Admit(owner, events);
                if (admission.Refused.Count > 0)
                {
                    await RefreshAsync(cancellationToken).ConfigureAwait(false);
                    admission = Admit(owner, events);
                }

                batch = Post(owner, admission);
            }
            finally
            {
                _admitting.Release();
            }
        }
        catch
        {
            ReleaseInFlight(events.Count);
            throw;
        }

        return await MapAsync(batch.Task, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Completes after the next commit; of others one hears by looking.</summary>
    private Task WhenAdvanced() => _store.IsShared
        ? Task.WhenAny(_committer.Advanced, Task.Delay(JournalPollEvery, TimeProvider.System))
        : _committer.Advanced;

    /// <summary>Runs a change of definitions on the newest ones, as often as another process is quicker.</summary>
    private async Task<T> ChangeAsync<T>(Func<T> action, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await Task.Run(action, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreConflictException)
            {
                await RefreshAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
