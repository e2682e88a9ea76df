using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Roster.Core;
using Roster.Core.Hashing;
using Roster.Engine.Access;
using Roster.Engine.Catalog;
using Roster.Engine.Commits;
using Roster.Engine.Delivery;
using Roster.Engine.Effects;
using Roster.Engine.Erasing;
using Roster.Engine.Measures;
using Roster.Engine.Messages;
using Roster.Engine.Operations;
using Roster.Engine.Rates;
using Roster.Engine.Stores;
using Roster.Engine.Timers;
using Roster.Engine.Turns;
using Roster.V1;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Engine.Hosting;

/// <summary>
/// What every host has in a process: record actors in shards, one committer, one store. It adds placement and threads to <see cref="Roster.Engine"/>,
/// and no rules. A host has also <em>duties</em>: timers, schedules, jobs, messages between records, leases of tasks. The only process on a store always has
/// them; of several that share one, the one that was given them. Timers of a shared store come in parts, which may be given to different ones.
/// </summary>
public abstract partial class EngineHost : IRosterEngine, IJobHost, IMessageHost, ICheckpointSource, IAsyncDisposable
{
    private readonly HostOptions _options;
    private readonly IRecordStore _store;
    private readonly GroupCommitter _committer;
    private readonly TenantDirectory _tenants;
    private TimerShard _timers;
    private Outbox _outbox;
    private MessagePump _messages;
    private DeliveryPump _deliveries;
    private readonly ErasedIds _erased;
    private readonly Backlog _backlog;
    private Jobs _jobs;
    private DefinitionChanges _changes;
    private Scheduler _scheduler;
    private readonly EngineMeasures _measures;
    private readonly Shard[] _shards;
    private readonly SemaphoreSlim _advance = new(1, 1);
    private int _eventsInFlight;
    private volatile bool _isStopping;

    /// <summary>Creates a host over an open store, which stays the caller's to dispose, after the host.</summary>
    /// <param name="options">Options.</param>
    /// <param name="store">The store.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="documents">All documents of the store.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    protected EngineHost(HostOptions options, IRecordStore store, TimeProvider clock, IReadOnlyList<StoredDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(store);
        var problems = options.Check();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(" ", problems), nameof(options));
        }

        _options = options;
        _store = store;
        Clock = clock;
        _committer = new GroupCommitter(store, OnDurable);
        _tenants = new TenantDirectory(documents, Commit, clock) { ReadStored = store.IsShared ? ReadStored : null };
        Credentials = new CredentialDirectory(documents, Commit, tenant => _tenants.Get(tenant).Number, options.Stopwatch)
        {
            Refresh = store.IsShared ? RefreshAsync : null,
        };
        Rates = new TenantRates(tenant => SchemaOf(tenant)?.Settings, options.Stopwatch);
        _erased = new ErasedIds(documents);
        _backlog = new Backlog(options.EventsWaitingMax);
        _shards = new Shard[options.Shards];
        _measures = new EngineMeasures(_tenants, clock, options.Stopwatch, options.Shards, store, () => _outbox!, () => _messages!, options.Meters);
        CreateDuties();
        _measures.Instruments.ObserveBreakers(() => _deliveries.Breakers);
        _tenants.Changed += () => _scheduler.Wake();
        for (var i = 0; i < _shards.Length; i++)
        {
            _shards[i] = new Shard(
                store, _erased, _tenants, clock, _measures.Shard(i), NewOwnerEpoch(), options.CacheBytes / _shards.Length, _committer.Signal, options.BeforeTurn, () => RefreshAsync(CancellationToken.None));
        }
    }

    /// <inheritdoc/>
    public TimeProvider Clock { get; }

    /// <inheritdoc/>
    public CredentialDirectory Credentials { get; }

    /// <inheritdoc/>
    public TenantRates Rates { get; }

    /// <inheritdoc/>
    public Roster.Core.Schema.TenantSchema? SchemaOf(string tenant) => _tenants.Find(tenant)?.Schema;

    /// <inheritdoc/>
    public Task Failed => _committer.Failed;

    /// <summary>Events, commands and reports of withdrawn tasks that were taken and are not yet durable.</summary>
    public int EventsInFlight => Volatile.Read(ref _eventsInFlight);

    /// <summary>Events that were taken and not yet decided.</summary>
    public int EventsWaiting => _backlog.Count;

    /// <inheritdoc/>
    public Task WhenTakingAsync(CancellationToken cancellationToken)
    {
        var room = _backlog.WhenRoom();
        return room.IsCompleted ? room : room.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public bool IsFull => EventsInFlight >= _options.EventsInFlightMax;

    /// <summary>Commits and turns committed since the start.</summary>
    public (long Commits, long Turns) Committed => (_committer.Commits, _committer.TurnsCommitted);

    /// <summary>Starts turns and commits, and the duties unless other processes share the store.</summary>
    protected async ValueTask StartAsync(IReadOnlyList<StoredDocument> documents, CancellationToken cancellationToken)
    {
        _store.UseCheckpointSource(this);
        foreach (var tenant in _tenants.All)
        {
            Count(await _store.ReadCountersAsync(tenant.Number, cancellationToken).ConfigureAwait(false));
        }

        _committer.Start([.. _shards]);
        foreach (var shard in _shards)
        {
            shard.Start();
        }

        if (!_store.IsShared)
        {
            await StartDutiesAsync(documents, cancellationToken).ConfigureAwait(false);
        }
    }

    [MemberNotNull(nameof(_timers), nameof(_outbox), nameof(_messages), nameof(_deliveries), nameof(_jobs), nameof(_changes), nameof(_scheduler))]
    private void CreateDuties()
    {
        _timers = new TimerShard(_store, FireAsync, Clock);
        _outbox = new Outbox(_store, Clock, Withdraw, (tenant, queue) => _tenants.Get(tenant).LimitsOf(queue));
        _jobs = new Jobs(this);
        _changes = new DefinitionChanges(_jobs);
        _scheduler = new Scheduler(this, _changes, () => _tenants.All);
        _messages = new MessagePump(_store, this, ((IJobHost)this).PauseAsync);
        _deliveries = new DeliveryPump(this, _options.DeliveriesInFlightMax, _options.DeliveryTime, _measures.Instruments);
    }

    private async Task StartDutiesAsync(IReadOnlyList<StoredDocument> documents, CancellationToken cancellationToken)
    {
        await _messages.StartAsync(cancellationToken).ConfigureAwait(false);
        await _deliveries.StartAsync(_store, cancellationToken).ConfigureAwait(false);
        _jobs.Resume(documents);
        await _jobs.FollowZonesAsync(documents, _options.ZonesVersion).ConfigureAwait(false);
        if (Clock is ManualClock)
        {
            return;
        }

        _scheduler.Start();
        if (!_store.IsShared)
        {
            _timers.Start();
        }
    }

    private async Task StopDutiesAsync()
    {
        await _timers.DisposeAsync().ConfigureAwait(false);
        await _scheduler.DisposeAsync().ConfigureAwait(false);
        await _jobs.DisposeAsync().ConfigureAwait(false);
        await _messages.DisposeAsync().ConfigureAwait(false);
        await _deliveries.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IndexedResult>> IngestAsync(string tenant, IReadOnlyList<Event> events, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        ThrowIfStopped();
        if (events.Count == 0)
        {
            return new ValueTask<IReadOnlyList<IndexedResult>>([]);
        }

        TakeInFlight(events.Count);
        try
        {
            if (_store.IsShared)
            {
                return IngestSharedAsync(tenant, events, cancellationToken);
            }

            var owner = _tenants.Get(tenant);
            return MapAsync(Post(owner, Admit(owner, events)).Task, cancellationToken);
        }
        catch
        {
            ReleaseInFlight(events.Count);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask CopyHeadsAsync(IReadOnlyList<long> recordNumbers, IList<DurableHead?> heads, CancellationToken cancellationToken)
    {
        await Task.Yield();
        for (var i = 0; i < _shards.Length; i++)
        {
            var shard = i;
            _shards[i].CopyHeads(recordNumbers, heads, number => KeyHash.VirtualShard(number) % _shards.Length == shard);
        }
    }

    /// <summary>Finishes what was taken and stops.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        _isStopping = true;
        await StopDutiesAsync().ConfigureAwait(false);
        foreach (var part in _timerParts.Keys)
        {
            await DropTimersAsync(part).ConfigureAwait(false);
        }

        foreach (var shard in _shards)
        {
            await shard.StopAsync().ConfigureAwait(false);
        }

        await _committer.DisposeAsync().ConfigureAwait(false);
        _measures.Dispose();
        _advance.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Owner epochs are never used twice, so that turn ids of two owners cannot agree by chance.</summary>
    private static ulong NewOwnerEpoch()
    {
        Span<byte> epoch = stackalloc byte[8];
        RandomNumberGenerator.Fill(epoch);
        return BitConverter.ToUInt64(epoch);
    }

    private void OnDurable(OpenBatch batch)
    {
        Count(batch.Turns.Counters);
        if (_store.IsShared)
        {
            var notice = DurableNotice.Of(batch);
            HearTimers(notice.Timers);
            Hear(notice);
            return;
        }

        _timers.OnDurable(batch.TimerChanges);
        _outbox.OnDurable(batch.Turns);
        _messages.OnDurable(batch.Turns);
        _jobs.OnDurable(batch.Turns);
    }

    /// <summary>Active enrollments per tenant (LIM-04) and measures (MET-17) follow the commits.</summary>
    private void Count(IEnumerable<KeyValuePair<CounterKey, long>> counters)
    {
        foreach (var (key, change) in counters)
        {
            _measures.Count(key, change);
            if (key.Kind is CounterKind.Enrolled or CounterKind.Ended && change != 0)
            {
                _tenants.Get(key.Tenant).CountActive(key.Kind == CounterKind.Enrolled ? change : -change);
            }
            else if (key.Kind == CounterKind.RecordCreated && change != 0)
            {
                _tenants.Get(key.Tenant).CountRecords(change);
            }
        }
    }

    /// <summary>Documents are rare: whoever changes one waits here, so that the change is durable before anyone sees it.</summary>
    private void Commit(IReadOnlyList<StoredDocument> documents)
    {
        try
        {
            if (_store.IsShared)
            {
                CommitShared(documents);
                return;
            }

            _committer.CommitAsync(documents).GetAwaiter().GetResult();
        }
        catch (StoreFullException full)
        {
            throw Overloaded(full);
        }
    }

    /// <summary>Reads the events by the tenant's schema.</summary>
    private Admission Admit(TenantOwner owner, IReadOnlyList<Event> events)
    {
        var admission = new Admission(new AdmittedEvent[events.Count], new Hash128[events.Count], [], new List<int>?[_shards.Length]);
        for (var i = 0; i < events.Count; i++)
        {
            if (EventReader.TryRead(events[i], owner, out admission.Events[i]) is { } refusal)
            {
                admission.Refused.Add(new IndexedResult { Index = i, Result = Results.Refused(refusal) });
                continue;
            }

            admission.Hashes[i] = KeyHash.Of(admission.Events[i].Key);
            (admission.ByShard[KeyHash.VirtualShard(admission.Hashes[i]) % _shards.Length] ??= new List<int>(events.Count)).Add(i);
        }

        return admission;
    }

    private IngestBatch Post(TenantOwner owner, in Admission admission)
    {
        var slices = admission.ByShard.Count(indexes => indexes is not null);
        var batch = new IngestBatch(owner.Number, admission.Events, admission.Hashes, admission.Refused, ReleaseInFlight) { Slices = Math.Max(1, slices) };
        batch.NoteRefused();
        for (var i = 0; i < _shards.Length; i++)
        {
            if (admission.ByShard[i] is { } indexes)
            {
                _backlog.Add(indexes.Count);
                _shards[i].Post(new EventSlice(batch, [.. indexes], _backlog));
            }
        }

        if (slices == 0)
        {
            _shards[0].Post(new EventSlice(batch, [], _backlog));
        }

        return batch;
    }

    /// <summary>A batch as the schema reads it: what is refused is not in a shard.</summary>
    private readonly record struct Admission(AdmittedEvent[] Events, Hash128[] Hashes, List<IndexedResult> Refused, List<int>?[] ByShard);

    private void TakeInFlight(int count)
    {
        if (Interlocked.Add(ref _eventsInFlight, count) > _options.EventsInFlightMax && count <= _options.EventsInFlightMax)
        {
            ReleaseInFlight(count);
            throw new RosterException(
                RosterError.Overloaded,
                $"{_options.EventsInFlightMax} events are in flight already (setting events_in_flight_max). Nothing of this batch was taken.");
        }
    }

    private void ReleaseInFlight(int count) => Interlocked.Add(ref _eventsInFlight, -count);

    private void ThrowIfStopped()
    {
        if (_isStopping || _committer.HasFailed)
        {
            throw new RosterException(RosterError.Unavailable, _isStopping ? "The engine is stopping." : "The engine has failed and must be restarted.");
        }
    }

    private static RosterException Overloaded(StoreFullException full) =>
        new(RosterError.Overloaded, $"The store is full: {full.Message} What was not applied can be sent again with the same ids.");

    private async Task FireAsync(IReadOnlyList<long> recordNumbers, Timestamp asOf, bool isManual)
    {
        ThrowIfStopped();
        var items = recordNumbers
            .GroupBy(number => KeyHash.VirtualShard(number) % _shards.Length)
            .Select(group => (Shard: group.Key, Item: new TimerItem([.. group], asOf, isManual)))
            .ToList();
        items.ForEach(i => _shards[i.Shard].Post(i.Item));
        _options.TimersSent?.Invoke();
        await Task.WhenAll(items.Select(i => i.Item.Task)).ConfigureAwait(false);
        if (isManual)
        {
            await UnlessFailedAsync(_messages.WhenIdleAsync(), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async ValueTask<T> MapAsync<T>(Task<T> task, CancellationToken cancellationToken)
    {
        try
        {
            return await task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreFullException full)
        {
            _timers.Reload();
            throw Overloaded(full);
        }
    }
}
