using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Ingest;
using Roster.Client;
using Roster.Embedded;
using Roster.Engine;
using Roster.Engine.Operations;
using Roster.Engine.Stores;
using Roster.V1;
using Instant = Roster.Core.Timestamp;

namespace Roster.Cli.Simulate;

/// <summary>
/// Lives through a file of events on a virtual clock, with an engine in this process that forgets everything at the end. The clock
/// stops at every instant at which something is due: timers fire and schedules run there, and the made-up worker takes what they asked
/// for at once, before time goes on.
/// </summary>
/// <remarks>One shard and one event at a time, so that equal inputs give equal journals.</remarks>
internal sealed class Simulation : IAsyncDisposable
{
    /// <summary>How long a simulation without an end goes on at most, after the last event.</summary>
    public const int DaysMax = 3_660;

    private const string Tenant = "default";

    // The only tenant of an engine that begins empty.
    private const int TenantNumber = 1;
    private const int TasksPerLease = 1_000;
    private static readonly TimeSpan LeaseFor = TimeSpan.FromMinutes(1);

    private readonly VolatileRecordStore _store;
    private readonly ManualClock _clock;
    private readonly EmbeddedEngine _engine;
    private readonly SimulationFold _fold;
    private readonly WorkerConduct _conduct;
    private long _position;

    private Simulation(VolatileRecordStore store, ManualClock clock, EmbeddedEngine engine, SimulationFold fold, WorkerConduct conduct)
    {
        _store = store;
        _clock = clock;
        _engine = engine;
        _fold = fold;
        _conduct = conduct;
    }

    /// <summary>What the clock shows.</summary>
    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>Counts of what was done.</summary>
    public SimulationCounts Counts { get; } = new();

    /// <summary>Starts an engine with the definitions applied; the clock then shows <paramref name="from"/>.</summary>
    /// <exception cref="CliException">A definition was refused.</exception>
    public static async Task<Simulation> StartAsync(
        SimulationDefinitions definitions,
        DateTimeOffset from,
        SimulationFold fold,
        WorkerConduct conduct,
        bool declares,
        CliConsole console,
        CancellationToken cancellationToken)
    {
        var store = new VolatileRecordStore();
        var clock = new ManualClock(Earlier(from, definitions.ApplyTakes));
        var engine = await EmbeddedEngine.StartAsync(new EmbeddedOptions { Shards = 1 }, store, clock, cancellationToken);
        var simulation = new Simulation(store, clock, engine, fold, conduct);
        try
        {
            await definitions.ApplyAsync(engine, Tenant, clock, console, cancellationToken);
            if (declares)
            {
                var settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare };
                await engine.UpdateSettingsAsync(Tenant, new UpdateSettingsRequest { Settings = settings }, cancellationToken);
            }

            return simulation;
        }
        catch
        {
            await simulation.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lives through the events, each at its own instant; those after <paramref name="until"/> are left out.</summary>
    public async Task LiveAsync(IEnumerable<SourceEvent> events, DateTimeOffset? until, IngestTracker tracker, Action onEvent, CancellationToken cancellationToken)
    {
        var last = until?.ToUnixTimeMilliseconds() ?? long.MaxValue;
        foreach (var item in events)
        {
            onEvent();
            if (item.AtMs > last)
            {
                Counts.LeftOut++;
                continue;
            }

            if (item.AtMs != long.MinValue)
            {
                var at = DateTimeOffset.FromUnixTimeMilliseconds(item.AtMs);
                Counts.Early += at < Now ? 1 : 0;
                await MoveToAsync(at, cancellationToken);
            }

            tracker.Add(item);
            var results = await _engine.IngestAsync(Tenant, [item.Event], cancellationToken);
            var result = results.Count == 0 ? null : results[0].Result;
            Counts.Add(result?.Code ?? EventResult.Types.Code.Applied);
            tracker.OnResult(new IngestOutcome(item.Event, result?.Code ?? EventResult.Types.Code.Applied, result?.Refusal));
            await SettleAsync(cancellationToken);
        }
    }

    /// <summary>Moves the clock to an instant, and stops on the way wherever something is due. An instant that is past is no move.</summary>
    public async Task MoveToAsync(DateTimeOffset to, CancellationToken cancellationToken)
    {
        while (await NextDueAsync(cancellationToken) is { } due && due <= to)
        {
            await StopAtAsync(due, cancellationToken);
        }

        if (to > Now)
        {
            await AdvanceAsync(to, cancellationToken);
        }
    }

    /// <summary>
    /// Moves the clock on until no record waits for anything any more; false when <paramref name="latest"/> came first. Schedules run on
    /// the way, but nobody waits for them: they have no end.
    /// </summary>
    public async Task<bool> RunOutAsync(DateTimeOffset latest, CancellationToken cancellationToken)
    {
        while (await NextTimerAsync(cancellationToken) is { } due)
        {
            if (due > latest)
            {
                return false;
            }

            await MoveToAsync(due, cancellationToken);
        }

        return true;
    }

    /// <summary>The earliest run of a schedule, or instant at which a workflow turns itself off, and of which workflow; null for none.</summary>
    public (DateTimeOffset At, string Workflow)? NextScheduled()
    {
        var (at, workflow) = ((IJobHost)_engine).TenantOf(TenantNumber).NextScheduled();
        return at.IsNone ? null : (DateTimeOffset.FromUnixTimeMilliseconds(at.Ms), workflow);
    }

    /// <summary>Counters of a workflow, or of a sequence as far as it has those of a workflow.</summary>
    public async Task<WorkflowStats> GetStatsAsync(SimulatedWorkflow workflow, CancellationToken cancellationToken)
    {
        if (!workflow.IsSequence)
        {
            return await _engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = workflow.Id }, cancellationToken);
        }

        var stats = await _engine.GetSequenceStatsAsync(Tenant, new GetSequenceStatsRequest { SequenceId = workflow.Id }, cancellationToken);
        return new WorkflowStats
        {
            WorkflowId = workflow.Id,
            Enrolled = stats.Enrolled,
            Active = stats.Active,
            Completed = stats.Ended.FirstOrDefault(e => e.Name == "FINISHED")?.Count ?? 0,
            Unenrolled = { stats.Ended.Where(e => e.Name != "FINISHED") },
            Refused = { stats.Refused },
            Steps = { stats.Steps },
            Emails = stats.Emails,
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static DateTimeOffset Earlier(DateTimeOffset instant, TimeSpan span) =>
        instant - DateTimeOffset.MinValue > span ? instant - span : instant;

    private async Task StopAtAsync(DateTimeOffset instant, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await AdvanceAsync(instant > Now ? instant : Now, cancellationToken);
        await SettleAsync(cancellationToken);
    }

    /// <summary>
    /// Lets happen whatever happens at this instant: tasks are taken as soon as they are there, jobs run to their end, and what that makes
    /// due fires, until the journal says nothing new.
    /// </summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        do
        {
            while (await WorkAsync(await ReadJournalAsync(cancellationToken), cancellationToken))
            {
                // A completion lets its enrollment go on, which may ask for the next task.
            }
        }
        while (await AdvanceAsync(Now, cancellationToken) > 0 || _store.Status.JournalPosition > _position);
    }

    /// <summary>Reads on in the journal; returns the queues that got a task.</summary>
    private async Task<List<string>> ReadJournalAsync(CancellationToken cancellationToken)
    {
        var queues = new List<string>();
        await foreach (var page in _engine.ReadJournalAsync(Tenant, new ReadJournalRequest { AfterPosition = _position }, cancellationToken))
        {
            _fold.Add(page.Entries);
            _position = page.Position;
            queues.AddRange(page.Entries.Where(entry => entry.Kind == JournalEntry.Types.Kind.EffectRequested).Select(entry => entry.Name));
        }

        return [.. queues.Distinct()];
    }

    /// <summary>Does what the made-up worker does with the tasks of some queues; true when it did anything.</summary>
    private async Task<bool> WorkAsync(List<string> queues, CancellationToken cancellationToken)
    {
        var done = 0;
        foreach (var queue in _conduct == WorkerConduct.None ? [] : queues)
        {
            while (await _engine.LeaseTasksAsync(Tenant, queue, TasksPerLease, LeaseFor, "simulation", cancellationToken) is { Count: > 0 } tasks)
            {
                foreach (var task in tasks)
                {
                    await _engine.CompleteTaskAsync(Tenant, Completion(task.Key), cancellationToken);
                    done++;
                }
            }
        }

        return done > 0;
    }

    private TaskCompletion Completion(string key) => _conduct switch
    {
        WorkerConduct.Success => new TaskCompletion { Key = key, Outcome = TaskCompletion.Types.Outcome.Completed },
        WorkerConduct.Fail => new TaskCompletion { Key = key, Outcome = TaskCompletion.Types.Outcome.Failed, Error = "failed by --complete fail" },
        _ => throw new InvalidOperationException($"A worker that does {_conduct} completes nothing."),
    };

    private async Task<DateTimeOffset?> NextDueAsync(CancellationToken cancellationToken)
    {
        var timer = await NextTimerAsync(cancellationToken);
        return NextScheduled() is { At: var run } && !(timer < run) ? run : timer;
    }

    // What is due now or before has had its turn; a timer that could not run is not waited for.
    private async Task<DateTimeOffset?> NextTimerAsync(CancellationToken cancellationToken)
    {
        var now = new TimerEntry(new Instant(Now.ToUnixTimeMilliseconds()), long.MaxValue);
        var next = await _store.ReadTimersAsync(now, 1, cancellationToken);
        return next.Count == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(next[0].DueAt.Ms);
    }

    private async Task<long> AdvanceAsync(DateTimeOffset to, CancellationToken cancellationToken)
    {
        var answer = await _engine.AdvanceClockAsync(new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(to) }, cancellationToken);
        Counts.TimersFired += answer.TimersFired;
        return answer.TimersFired;
    }
}

/// <summary>What the made-up worker does with tasks.</summary>
internal enum WorkerConduct
{
    /// <summary>Completes each at once.</summary>
    Success,

    /// <summary>Fails each at once, for good.</summary>
    Fail,

    /// <summary>Takes none: tasks stay open, and time out where the workflow waits for them.</summary>
    None,
}

/// <summary>Counts of a simulation.</summary>
internal sealed class SimulationCounts
{
    public long Applied { get; private set; }

    public long Duplicates { get; private set; }

    public long Mismatches { get; private set; }

    public long Refused { get; private set; }

    /// <summary>Events from before the start of the simulation: the clock never goes back to them.</summary>
    public long Early { get; set; }

    /// <summary>Events after the end of the simulation.</summary>
    public long LeftOut { get; set; }

    public long TimersFired { get; set; }

    /// <summary>Events that were handed in.</summary>
    public long Events => Applied + Duplicates + Mismatches + Refused;

    public void Add(EventResult.Types.Code code)
    {
        switch (code)
        {
            case EventResult.Types.Code.Applied:
                Applied++;
                break;
            case EventResult.Types.Code.Duplicate:
                Duplicates++;
                break;
            case EventResult.Types.Code.DuplicateMismatch:
                Mismatches++;
                break;
            default:
                Refused++;
                break;
        }
    }
}
