using System.Security.Cryptography;
using Roster.Core;
using Roster.Core.Hashing;
using Roster.Embedded.Internal;
using Roster.Engine;
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

namespace Roster.Embedded;

/// <summary>
/// The single-process host: record actors in shards, one committer, one store. It adds placement and threads to
/// <see cref="Roster.Engine"/>, and no rules.
/// </summary>
public sealed partial class EmbeddedEngine : IRosterEngine, IJobHost, IMessageHost, ICheckpointSource, IAsyncDisposable
{
    private readonly EmbeddedOptions _options;
    private readonly IRecordStore _store;
    private readonly GroupCommitter _committer;
    private readonly TenantDirectory _tenants;
    private readonly TimerShard _timers;
    private readonly Outbox _outbox;
    private readonly MessagePump _messages;
    private readonly DeliveryPump _deliveries;
    private readonly ErasedIds _erased;
    private readonly Backlog _backlog;
    private readonly Jobs _jobs;
    private readonly DefinitionChanges _changes;
    private readonly Scheduler _scheduler;
    private readonly EngineMeasures _measures;
    private readonly Shard[] _shards;
    private readonly SemaphoreSlim _advance = new(1, 1);
    private int _eventsInFlight;
    private volatile bool _isStopping;

    private EmbeddedEngine(EmbeddedOptions options, IRecordStore store, TimeProvider clock, IReadOnlyList<StoredDocument> documents)
    {
        _options = options;
        _store = store;
        Clock = clock;
        _committer = new GroupCommitter(store, OnDurable);
        _tenants = new TenantDirectory(documents, Commit, clock);
        _timers = new TimerShard(store, FireAsync, clock);
        Credentials = new CredentialDirectory(documents, Commit, tenant => _tenants.Get(tenant).Number, options.Stopwatch);
        Rates = new TenantRates(tenant => SchemaOf(tenant)?.Settings, options.Stopwatch);
        _erased = new ErasedIds(documents);
        _outbox = new Outbox(store, clock, Withdraw, (tenant, queue) => _tenants.Get(tenant).LimitsOf(queue));
        _backlog = new Backlog(options.EventsWaitingMax);
        _jobs = new Jobs(this);
        _changes = new DefinitionChanges(_jobs);
        _scheduler = new Scheduler(this, _changes, () => _tenants.All);
        _shards = new Shard[options.Shards];
        _messages = new MessagePump(store, this, ((IJobHost)this).PauseAsync);
        _deliveries = new DeliveryPump(this, options.DeliveriesInFlightMax, options.DeliveryTime);
        _measures = new EngineMeasures(_tenants, clock, options.Stopwatch, options.Shards, store, _outbox, _messages, options.Meters);
        _tenants.Changed += _scheduler.Wake;
        for (var i = 0; i < _shards.Length; i++)
        {
            _shards[i] = new Shard(
                store, _erased, _tenants, clock, _measures.Shard(i), NewOwnerEpoch(), options.CacheBytes / _shards.Length, _committer.Signal, options.BeforeTurn);
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

    /// <summary>Starts the host over an open store. The store stays the caller's to dispose, after the host.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static async ValueTask<EmbeddedEngine> StartAsync(
        EmbeddedOptions options, IRecordStore store, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(store);
        var problems = options.Check();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(" ", problems), nameof(options));
        }

        var documents = await store.ReadDocumentsAsync(cancellationToken).ConfigureAwait(false);
        var engine = new EmbeddedEngine(options, store, clock, documents);
        store.UseCheckpointSource(engine);
        foreach (var tenant in engine._tenants.All)
        {
            engine.Count(await store.ReadCountersAsync(tenant.Number, cancellationToken).ConfigureAwait(false));
        }

        engine._committer.Start([.. engine._shards]);
        foreach (var shard in engine._shards)
        {
            shard.Start();
        }

        await engine._messages.StartAsync(cancellationToken).ConfigureAwait(false);
        await engine._deliveries.StartAsync(store, cancellationToken).ConfigureAwait(false);
        engine._jobs.Resume(documents);
        await engine._jobs.FollowZonesAsync(documents, options.ZonesVersion).ConfigureAwait(false);
        if (clock is not ManualClock)
        {
            engine._timers.Start();
            engine._scheduler.Start();
        }

        return engine;
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
            return MapAsync(Post(_tenants.Get(tenant), events).Task, cancellationToken);
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
    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        await _timers.DisposeAsync().ConfigureAwait(false);
        await _scheduler.DisposeAsync().ConfigureAwait(false);
        await _jobs.DisposeAsync().ConfigureAwait(false);
        await _messages.DisposeAsync().ConfigureAwait(false);
        await _deliveries.DisposeAsync().ConfigureAwait(false);
        foreach (var shard in _shards)
        {
            await shard.StopAsync().ConfigureAwait(false);
        }

        await _committer.DisposeAsync().ConfigureAwait(false);
        _measures.Dispose();
        _advance.Dispose();
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
            _committer.CommitAsync(documents).GetAwaiter().GetResult();
        }
        catch (StoreFullException full)
        {
            throw Overloaded(full);
        }
    }

    private IngestBatch Post(TenantOwner owner, IReadOnlyList<Event> events)
    {
        var admitted = new AdmittedEvent[events.Count];
        var hashes = new Hash128[events.Count];
        var results = new List<IndexedResult>();
        var byShard = new List<int>?[_shards.Length];
        var slices = 0;
        for (var i = 0; i < admitted.Length; i++)
        {
            if (EventReader.TryRead(events[i], owner, out admitted[i]) is { } refusal)
            {
                results.Add(new IndexedResult { Index = i, Result = Results.Refused(refusal) });
                continue;
            }

            hashes[i] = KeyHash.Of(admitted[i].Key);
            ref var indexes = ref byShard[KeyHash.VirtualShard(hashes[i]) % _shards.Length];
            slices += indexes is null ? 1 : 0;
            (indexes ??= new List<int>(events.Count)).Add(i);
        }

        var batch = new IngestBatch(owner.Number, admitted, hashes, results, ReleaseInFlight) { Slices = Math.Max(1, slices) };
        batch.NoteRefused();
        for (var i = 0; i < byShard.Length; i++)
        {
            if (byShard[i] is { } indexes)
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
