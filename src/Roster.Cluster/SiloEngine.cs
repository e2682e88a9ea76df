using System.Threading.Channels;
using Roster.Cluster.Contracts;
using Roster.Engine.Hosting;
using Roster.Engine.Stores;

namespace Roster.Cluster;

/// <summary>
/// The engine of one silo: its shards, its cache, its group commit over the shared store. What becomes durable here is told to the conductor, unless it is
/// here.
/// </summary>
public sealed class SiloEngine : EngineHost
{
    /// <summary>Notices that wait to be told. Beyond it they are dropped and the conductor is asked to look at the store.</summary>
    private const int NoticesMax = 1_000;

    private readonly Channel<DurableNotice> _notices;
    private readonly Channel<(int Part, IReadOnlyList<TimerEntry> Changes)> _timers;
    private readonly IGrainFactory _grains;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _telling;
    private int _lost;

    private SiloEngine(ClusterOptions options, IRecordStore store, IGrainFactory grains, IReadOnlyList<StoredDocument> documents)
        : base(options, store, options.Clock, documents)
    {
        _grains = grains;
        _notices = Channel.CreateBounded<DurableNotice>(
            new BoundedChannelOptions(NoticesMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite }, _ => Interlocked.Exchange(ref _lost, 1));
        _timers = Channel.CreateBounded<(int, IReadOnlyList<TimerEntry>)>(new BoundedChannelOptions(NoticesMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
        _telling = Task.WhenAll(Task.Run(TellAsync), Task.Run(TellTimersAsync));
    }

    /// <inheritdoc/>
    protected override string HostName => "cluster";

    /// <summary>Starts the engine of a silo. The store stays the caller's to dispose, after the engine.</summary>
    internal static async Task<SiloEngine> StartAsync(ClusterOptions options, IRecordStore store, IGrainFactory grains, CancellationToken cancellationToken)
    {
        if (!store.IsShared)
        {
            throw new ArgumentException("A silo needs a store that several processes may write.", nameof(store));
        }

        var documents = await store.ReadDocumentsAsync(cancellationToken).ConfigureAwait(false);
        var engine = new SiloEngine(options, store, grains, documents);
        await engine.StartAsync(documents, cancellationToken).ConfigureAwait(false);
        await engine.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return engine;
    }

    /// <summary>A notice of another silo.</summary>
    internal void Hear(NoticeMessage message)
    {
        var removed = new (EffectId, bool)[message.Removed.Length / 5];
        for (var i = 0; i < removed.Length; i++)
        {
            var at = message.Removed.AsSpan(5 * i, 5);
            removed[i] = (new EffectId(at[0], (int)at[1], (int)at[2], (int)at[3]), at[4] != 0);
        }

        Hear(new DurableNotice([], [.. message.QueueTenants.Zip(message.Queues)], removed, message.HasJobs));
    }

    /// <summary>Stops telling, then the engine.</summary>
    public override async ValueTask DisposeAsync()
    {
        _notices.Writer.TryComplete();
        _timers.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _telling.ConfigureAwait(false);
        _stop.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Tell(DurableNotice notice) => _notices.Writer.TryWrite(notice);

    /// <inheritdoc/>
    /// <remarks>What is dropped here the part reads from the store soon after: it is a wake-up, not a message.</remarks>
    protected override void TellTimers(int part, IReadOnlyList<TimerEntry> changes) => _timers.Writer.TryWrite((part, changes));

    private async Task TellTimersAsync()
    {
        var byPart = new Dictionary<int, List<TimerEntry>>();
        try
        {
            while (await _timers.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
            {
                byPart.Clear();
                while (_timers.Reader.TryRead(out var told))
                {
                    if (!byPart.TryGetValue(told.Part, out var changes))
                    {
                        byPart[told.Part] = changes = [];
                    }

                    changes.AddRange(told.Changes);
                }

                await Task.WhenAll(byPart.Select(p => TellTimersAsync(p.Key, p.Value))).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Whoever has the timers reads what was not told.
        }
    }

    private async Task TellTimersAsync(int part, List<TimerEntry> changes)
    {
        try
        {
            await _grains.GetGrain<ITimerShardGrain>(Calls.Keys.Timers(part)).HearAsync(Calls.Timers.ToWire(changes)).WaitAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (Calls.Replies.IsUnreachable(failure) && !_stop.IsCancellationRequested)
        {
            // It reads them when it comes to life, and now and then.
        }
    }

    private async Task TellAsync()
    {
        var batch = new List<DurableNotice>();
        try
        {
            while (await _notices.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
            {
                batch.Clear();
                while (batch.Count < NoticesMax && _notices.Reader.TryRead(out var notice))
                {
                    batch.Add(notice);
                }

                await TellAsync(batch).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Whoever has the duties reads what was not told.
        }
    }

    private async Task TellAsync(List<DurableNotice> notices)
    {
        try
        {
            var conductor = _grains.GetGrain<IConductorGrain>(Calls.Keys.Conductor);
            await conductor.HearAsync(ToMessage(notices)).WaitAsync(_stop.Token).ConfigureAwait(false);
            if (Interlocked.Exchange(ref _lost, 0) != 0)
            {
                await conductor.ResyncAsync().WaitAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (Calls.Replies.IsUnreachable(failure) && !_stop.IsCancellationRequested)
        {
            // It looks at the store when it comes to life, and now and then.
            Interlocked.Exchange(ref _lost, 1);
        }
    }

    private static NoticeMessage ToMessage(List<DurableNotice> notices)
    {
        var queues = notices.SelectMany(n => n.Queues).Distinct().ToArray();
        return new NoticeMessage
        {
            QueueTenants = [.. queues.Select(q => q.Tenant)],
            Queues = [.. queues.Select(q => q.Queue)],
            Removed = [.. notices.SelectMany(n => n.Removed).SelectMany(r => new long[] { r.Id.RecordNumber, r.Id.Enrollment, r.Id.Step, r.Id.Execution, r.IsWithdrawn ? 1 : 0 })],
            HasJobs = notices.Exists(n => n.HasJobs),
        };
    }
}
