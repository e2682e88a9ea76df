using Google.Protobuf.WellKnownTypes;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Ingest;

/// <summary>Sends a feed of events over one session, and moves a manual clock with them if so asked.</summary>
internal sealed class IngestRun(RosterClient client, EventFeed feed, IngestTracker tracker, ResumeState? resume, int batch)
{
    private readonly long _skip = resume?.Acknowledged ?? 0;
    private readonly Lock _resumeLock = new();
    private IngestSession? _session;
    private long _startedAt;
    private TimeSpan _elapsed;
    private DateTimeOffset _clock;

    /// <summary>Counts of the session.</summary>
    public IngestProgress Progress => _session?.Progress ?? default;

    /// <summary>Events left out because they had been acknowledged before.</summary>
    public long Skipped { get; private set; }

    /// <summary>Times the clock was moved.</summary>
    public long ClockMoves { get; private set; }

    /// <summary>Timers that fired when the clock was moved.</summary>
    public long TimersFired { get; private set; }

    /// <summary>How long it took, or takes so far.</summary>
    public TimeSpan Elapsed => _elapsed > TimeSpan.Zero ? _elapsed : TimeProvider.System.GetElapsedTime(_startedAt);

    /// <summary>Events per second.</summary>
    public double Rate => Elapsed.TotalSeconds > 0 ? Progress.Acknowledged / Elapsed.TotalSeconds : 0;

    /// <summary>How much is done, 0 to 1.</summary>
    public double Fraction => feed.Count is { } count ? (count == 0 ? 1 : (double)tracker.Through / count) : feed.ReadFraction;

    /// <summary>Sends everything and waits for all results.</summary>
    public async Task SendAsync(bool followClock, CancellationToken cancellationToken)
    {
        _startedAt = TimeProvider.System.GetTimestamp();
        await using var session = client.OpenIngest(new IngestSessionOptions
        {
            ClientName = "roster ingest",
            BatchEventsMax = batch,
            OnResult = tracker.OnResult,
        });
        _session = session;
        var instant = long.MinValue;
        foreach (var item in feed.Read())
        {
            if (Skipped < _skip)
            {
                Skipped++;
                continue;
            }

            if (followClock && item.AtMs != instant)
            {
                // Everything before must be durable, and every timer due by then must have fired, before the next instant begins.
                await session.FlushAsync(cancellationToken);
                instant = item.AtMs;
                await MoveClockAsync(instant, cancellationToken);
            }

            tracker.Add(item);
            await session.SendAsync(item.Event, cancellationToken);
        }

        await session.CompleteAsync(cancellationToken);
        _elapsed = TimeProvider.System.GetElapsedTime(_startedAt);
    }

    /// <summary>Remembers how far everything is acknowledged.</summary>
    public void SaveResume()
    {
        if (resume is null)
        {
            return;
        }

        lock (_resumeLock)
        {
            resume.Acknowledged = tracker.Through;
            resume.Save();
        }
    }

    private async Task MoveClockAsync(long atMs, CancellationToken cancellationToken)
    {
        if (atMs == long.MinValue)
        {
            return;
        }

        if (ClockMoves == 0)
        {
            var status = await client.Admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: cancellationToken);
            _clock = status.Now.ToDateTimeOffset();
        }

        var to = DateTimeOffset.FromUnixTimeMilliseconds(atMs);
        if (to <= _clock)
        {
            // Late data: the clock never goes back, and the event is applied at the time the clock shows.
            return;
        }

        var answer = await client.Admin.AdvanceClockAsync(
            new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(to) }, cancellationToken: cancellationToken);
        _clock = to;
        ClockMoves++;
        TimersFired += answer.TimersFired;
    }
}
