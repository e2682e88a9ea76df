using System.Reflection;
using Roster.Engine.Measures;
using Roster.Engine.Reading;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Engine.Hosting;

/// <content>For operators.</content>
public abstract partial class EngineHost
{
    /// <inheritdoc/>
    public async ValueTask<Status> GetStatusAsync(CancellationToken cancellationToken)
    {
        var store = await _store.ReadStatusAsync(cancellationToken).ConfigureAwait(false);
        var status = new Status
        {
            Host = HostName,
            PackageFeed = PackageFeed,
            Store = _store.Name,
            Version = typeof(EngineHost).Assembly.GetName().Version?.ToString(3) ?? string.Empty,
            Now = ValueMapping.ToWire(Clock.Now()),
            ManualClock = Clock is ManualClock,
            Events = new EventCounts(),
            JournalPosition = store.JournalPosition,
            CheckpointPosition = store.CheckpointPosition,
            Records = store.Records,
            TimersPending = store.Timers,
            EffectsOpen = store.Effects,
            JournalBegin = store.JournalBegin,
        };
        foreach (var queue in await _store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false))
        {
            status.DeadLetters += queue.Queue == DeadLetterCodec.Queue ? queue.Count : 0;
        }

        status.EffectsOpen = Math.Max(0, status.EffectsOpen - status.DeadLetters);
        foreach (var tenant in _tenants.All)
        {
            foreach (var (key, count) in await _store.ReadCountersAsync(tenant.Number, cancellationToken).ConfigureAwait(false))
            {
                Add(status, key, count);
            }
        }

        if (store.JournalBegin > 0 && await _store.ReadJournalAsync(store.JournalBegin - 1, 1, cancellationToken).ConfigureAwait(false) is [var oldest])
        {
            status.JournalBeginAt = ValueMapping.ToWire(TurnDecoder.ReadSkeleton(oldest.Skeleton.Span, []).At);
        }

        return status;
    }

    /// <inheritdoc/>
    public ValueTask<GetMeasuresResponse> GetMeasuresAsync(GetMeasuresRequest request, CancellationToken cancellationToken) =>
        _measures.ReadAsync(request, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<AdvanceClockResponse> AdvanceClockAsync(AdvanceClockRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfStopped();
        if (Clock is not ManualClock clock)
        {
            throw new RosterException(RosterError.FailedPrecondition, "The clock is real; start the server with --clock manual to move it.");
        }

        if (request.To is null || !ValueMapping.TryRead(request.To, out var to))
        {
            throw RosterException.Invalid("to", $"{request.To}", "The instant is missing or outside the years 1 to 9999.");
        }

        await _advance.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var now = clock.Now();
            if (to < now)
            {
                throw RosterException.Invalid("to", $"{to}", $"The clock is at {now} and never goes back.");
            }

            var fired = await FireUntilAsync(clock, to, cancellationToken).ConfigureAwait(false);
            clock.MoveTo(DateTimeOffset.FromUnixTimeMilliseconds(to.Ms));
            return new AdvanceClockResponse { Now = ValueMapping.ToWire(to), TimersFired = fired };
        }
        catch (StoreFullException full)
        {
            throw Overloaded(full);
        }
        finally
        {
            _advance.Release();
        }
    }

    /// <summary>Timers of records and instants of schedules in the order of time; jobs finish before time goes on.</summary>
    private async Task<long> FireUntilAsync(ManualClock clock, Timestamp to, CancellationToken cancellationToken)
    {
        var fired = 0L;
        await SettleAsync(cancellationToken).ConfigureAwait(false);
        while (_scheduler.Next is { IsNone: false } next && next <= to)
        {
            fired += await _timers.FireUntilAsync(next, SendsMessages, cancellationToken).ConfigureAwait(false);
            var now = clock.Now();
            clock.MoveTo(DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(now.Ms, next.Ms)));
            _scheduler.RunDue(next > now ? next : now);
            await SettleAsync(cancellationToken).ConfigureAwait(false);
        }

        fired += await _timers.FireUntilAsync(to, SendsMessages, cancellationToken).ConfigureAwait(false);
        await SettleAsync(cancellationToken).ConfigureAwait(false);
        return fired;
    }

    /// <summary>Records send each other messages, so what is due at one instant must be done before the next (ENG-15).</summary>
    private bool SendsMessages => _tenants.All.Any(t => t.Catalog.SendsMessages);

    /// <inheritdoc/>
    public async ValueTask<CheckpointResponse> CheckpointAsync(CancellationToken cancellationToken)
    {
        var result = await _store.CheckpointAsync(cancellationToken).ConfigureAwait(false);
        return new CheckpointResponse { Position = result.Position, Rows = result.Rows };
    }

    /// <inheritdoc/>
    public async ValueTask<BackupResponse> BackupAsync(BackupRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfStopped();
        if (_store is not IStoreBackup store)
        {
            throw new RosterException(
                RosterError.FailedPrecondition, $"The store `{_store.Name}` is not backed up by Roster. For PostgreSQL use pg_dump or pg_basebackup.");
        }

        if (!Path.IsPathFullyQualified(request.Folder))
        {
            throw RosterException.Invalid("folder", request.Folder, "The folder must be an absolute path on the machine of the server.");
        }

        try
        {
            var backup = await store.BackupAsync(request.Folder, cancellationToken).ConfigureAwait(false);
            return new BackupResponse { Folder = backup.Folder, Position = backup.Position, Records = backup.Records, Bytes = backup.Bytes };
        }
        catch (StoreFullException full)
        {
            throw new RosterException(RosterError.Overloaded, full.Message);
        }
        catch (Exception e) when (e is StoreRefusedException or StoreCorruptException or IOException or UnauthorizedAccessException)
        {
            throw new RosterException(RosterError.FailedPrecondition, $"There is no backup: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask<VerifyResponse> VerifyAsync(CancellationToken cancellationToken) =>
        await new Verifier(_store, _tenants).VerifyAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Name of the host in the status: <c>embedded</c>, <c>cluster</c>.</summary>
    protected abstract string HostName { get; }

    /// <summary>The package feed this program was built from.</summary>
    public static string PackageFeed { get; } = typeof(EngineHost).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(a => a.Key == "PackageFeed")?.Value ?? "unknown";

    private static void Add(Status status, in CounterKey key, long count)
    {
        var events = status.Events;
        switch (key.Kind)
        {
            case CounterKind.Applied:
                events.Applied += count;
                break;
            case CounterKind.Duplicate:
                events.Duplicate += count;
                break;
            case CounterKind.Mismatch:
                events.Mismatch += count;
                break;
            case CounterKind.RefusedInput:
                events.Refused += count;
                break;
            case CounterKind.LateWrite:
                events.LateWrites += count;
                break;
            case var _ when EngineMeasures.IsLoopGuard(key):
                status.LoopGuards += count;
                break;
            default:
                break;
        }
    }
}
