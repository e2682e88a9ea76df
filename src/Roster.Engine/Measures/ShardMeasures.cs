using System.Collections.Concurrent;
using Roster.Core;

namespace Roster.Engine.Measures;

/// <summary>
/// What one shard measures, per tenant: turn time, lateness of timers, and since when inputs wait (MET-17). A turn costs one look at the
/// stopwatch and one addition; nothing is locked and, after the first turns of a tenant, nothing allocated.
/// </summary>
/// <remarks><see cref="Begin"/>, <see cref="OnTurn"/> and <see cref="OnTimerFired"/> are for the one thread that runs the shard's turns; the rest is thread-safe.</remarks>
public sealed class ShardMeasures
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _stopwatch;
    private readonly EngineInstruments _instruments;
    private readonly Func<int, KeyValuePair<string, object?>> _tag;
    private readonly double _nsPerTick;
    private Share?[] _shares = new Share?[8];
    private long _since;

    internal ShardMeasures(TimeProvider stopwatch, EngineInstruments instruments, Func<int, KeyValuePair<string, object?>> tag)
    {
        _stopwatch = stopwatch;
        _instruments = instruments;
        _tag = tag;
        _nsPerTick = 1e9 / stopwatch.TimestampFrequency;
    }

    /// <summary>Turns follow: the first one's time begins now.</summary>
    public void Begin() => _since = _stopwatch.GetTimestamp();

    /// <summary>A turn was decided; the next one's time begins now.</summary>
    public void OnTurn(int tenant)
    {
        var now = _stopwatch.GetTimestamp();
        var ns = (long)((now - _since) * _nsPerTick);
        _since = now;
        var share = ShareOf(tenant);
        share.Turns.Add(ns);
        if (_instruments.TurnDuration.Enabled)
        {
            _instruments.TurnDuration.Record(ns / 1e9, share.Tag);
        }
    }

    /// <summary>A timer that was due at one instant fired at another.</summary>
    public void OnTimerFired(int tenant, Timestamp due, Timestamp firedAt)
    {
        var ms = firedAt.Ms - due.Ms;
        var share = ShareOf(tenant);
        share.Lateness.Add(ms * 1_000_000);
        if (_instruments.TimerLateness.Enabled)
        {
            _instruments.TimerLateness.Record(ms / 1e3, share.Tag);
        }
    }

    /// <summary>An input waits for the shard. Inputs of a tenant are done in the order in which they were posted.</summary>
    public void OnPosted(int tenant) => ShareOf(tenant).Waiting.Enqueue(_stopwatch.GetTimestamp());

    /// <summary>The tenant's oldest waiting input has had its turns, or has failed.</summary>
    public void OnDone(int tenant) => ShareOf(tenant).Waiting.TryDequeue(out _);

    /// <summary>How long the tenant's oldest input waits already; zero when none does.</summary>
    internal TimeSpan QueueAge(int tenant) =>
        Find(tenant) is { } share && share.Waiting.TryPeek(out var since) ? _stopwatch.GetElapsedTime(since) : TimeSpan.Zero;

    internal void AddTo(int tenant, DurationHistogram turns, DurationHistogram lateness)
    {
        if (Find(tenant) is { } share)
        {
            turns.Add(share.Turns);
            lateness.Add(share.Lateness);
        }
    }

    private Share? Find(int tenant)
    {
        var shares = Volatile.Read(ref _shares);
        return tenant < shares.Length ? shares[tenant] : null;
    }

    private Share ShareOf(int tenant) => Find(tenant) ?? NewShare(tenant);

    private Share NewShare(int tenant)
    {
        lock (_gate)
        {
            if (tenant >= _shares.Length)
            {
                var shares = new Share?[Math.Max(tenant + 1, _shares.Length * 2)];
                _shares.CopyTo(shares, 0);
                Volatile.Write(ref _shares, shares);
            }

            return _shares[tenant] ??= new Share(_tag(tenant));
        }
    }

    /// <summary>What is measured of one tenant.</summary>
    private sealed class Share(KeyValuePair<string, object?> tag)
    {
        public KeyValuePair<string, object?> Tag { get; } = tag;

        public DurationHistogram Turns { get; } = new();

        public DurationHistogram Lateness { get; } = new();

        public ConcurrentQueue<long> Waiting { get; } = new();
    }
}
