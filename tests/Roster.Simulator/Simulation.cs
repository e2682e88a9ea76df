using System.Globalization;
using System.Text;
using Roster.Core.Hashing;
using Roster.Embedded;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.Simulator.Reference;
using Roster.V1;
using PropertyType = Roster.V1.PropertyType;
using WireTimestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Simulator;

/// <summary>
/// One run: an engine over a volatile store, driven by one seed through workflows, events, duplicates, late events, completions, clock
/// moves, publishes, restarts and a full disk, while a naive model of the rules follows. After each phase the two must agree, and the
/// engine with itself.
/// </summary>
internal sealed class Simulation : IAsyncDisposable
{
    private const string Tenant = "acme";
    private const int Phases = 6;
    private const int StepsPerPhase = 25;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Random _random;
    private readonly RandomWorld _world;
    private readonly Model _model = new();
    private readonly FaultStore _store = new(new VolatileRecordStore());
    private readonly ManualClock _clock = new(Start);
    private readonly EmbeddedOptions _options;
    private readonly List<Event> _sent = [];
    private readonly List<(string Record, string Workflow, string Request, bool IsEnroll)> _requests = [];
    private readonly string[] _records;
    private readonly StringBuilder _log = new();
    private readonly CancellationToken _token;
    private EmbeddedEngine _engine = null!;
    private (long Applied, long Duplicate, long Mismatch) _answers;
    private bool _hasFailed;
    private int _ids;

    private Simulation(int seed, CancellationToken token)
    {
        _random = new Random(seed);
        _world = new RandomWorld(_random);
        _token = token;
        _records = [.. Enumerable.Range(0, 1 + _random.Next(8)).Select(i => $"r{i}")];
        _options = new EmbeddedOptions { Shards = 1 << _random.Next(3), CacheBytes = 1 << 20 };
    }

    /// <summary>Runs a seed and gives a hash of all that a client can see at its end.</summary>
    public static async Task<ulong> RunAsync(int seed, CancellationToken token)
    {
        await using var simulation = new Simulation(seed, token);
        try
        {
            return await simulation.RunAsync();
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            throw new InvalidOperationException($"Seed {seed}: {failure.Message}\nWhat it did:\n{simulation._log}", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        await _store.DisposeAsync();
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<ulong> RunAsync()
    {
        await OpenAsync();
        await DeclareAsync();
        for (var i = 0; i < 1 + _random.Next(4); i++)
        {
            await PublishAsync(_world.Workflow($"w{i}"), isNew: true);
        }

        for (var phase = 0; phase < Phases; phase++)
        {
            for (var step = 0; step < StepsPerPhase; step++)
            {
                await StepAsync();
                await SettleAsync();
            }

            await CheckAsync();
        }

        return await HashAsync();
    }

    private async Task OpenAsync() => _engine = await EmbeddedEngine.StartAsync(_options, _store, _clock, _token);

    private async Task DeclareAsync()
    {
        var request = new DeclarePropertiesRequest { ObjectType = "contact" };
        foreach (var name in new[] { "stage", "name" })
        {
            request.Properties.Add(new PropertyDefinition { Name = name, Type = PropertyType.Types.Kind.String });
        }

        request.Properties.Add(new PropertyDefinition { Name = "score", Type = PropertyType.Types.Kind.Number });
        request.Properties.Add(new PropertyDefinition { Name = "tags", Type = PropertyType.Types.Kind.Enumeration, Options = { "a", "b", "c", "d" } });
        await _engine.DeclarePropertiesAsync(Tenant, request, _token);
    }

    /// <summary>Jobs and reports of withdrawn tasks end before the next step, so that the journal is a function of the seed.</summary>
    private Task SettleAsync() => RetryAsync(
        async () => await _engine.AdvanceClockAsync(new AdvanceClockRequest { To = WireTimestamp.FromDateTimeOffset(_clock.GetUtcNow()) }, _token), () => { });

    /// <summary>
    /// Workflows without active enrollments. What a publish does to active ones (EDT-06 to EDT-12) this model does not know; the cases of
    /// the other interpreter (<c>Cases/</c>) do.
    /// </summary>
    private string[] Unoccupied() => [.. _model.Workflows.Where(id => !_model.Records.Values.Any(r => r.Active.Any(e => e.Workflow == id)))];

    private async Task StepAsync()
    {
        if (_world.Has("full") && _random.Next(12) == 0)
        {
            Log("full");
            _store.FailNext(1);
            _hasFailed = true;
        }

        switch (_random.Next(20))
        {
            case 0 when _world.Has("edits") && Unoccupied() is { Length: > 0 } unoccupied:
                await PublishAsync(_world.Edit(_model.Newest(Any(unoccupied))), isNew: false);
                break;
            case 1 when _world.Has("switch") && _model.Workflows.Any():
                await SwitchAsync(Any(_model.Workflows));
                break;
            case 2 when _world.Has("restart"):
                Log("restart");
                await _engine.DisposeAsync();
                await OpenAsync();
                break;
            case 3 or 4 when _model.Workflows.Any():
                await RequestAsync((Any(_records), Any(_model.Workflows), $"c{++_ids}", _random.Next(3) > 0));
                break;
            case 5 when _requests.Count > 0:
                await RequestAsync(Any(_requests));
                break;
            case 6 when _sent.Count > 0:
                await ResendAsync();
                break;
            case 7 or 8 or 9:
                await AdvanceAsync();
                break;
            case 10 or 11 or 12:
                await WorkAsync();
                break;
            case 13 when _world.Has("bursts"):
                await SendAsync([.. Enumerable.Range(0, 2 + _random.Next(40)).Select(_ => NewEvent())]);
                break;
            default:
                await SendAsync([NewEvent()]);
                break;
        }
    }

    private Event NewEvent()
    {
        var sent = _world.Event(Any(_records), $"e{++_ids}", _clock.GetUtcNow());
        _sent.Add(sent);
        return sent;
    }

    private async Task ResendAsync()
    {
        var again = Any(_sent).Clone();
        if (_random.Next(4) == 0)
        {
            again.Source = "other";
        }

        await SendAsync([again]);
    }

    private async Task SendAsync(Event[] events)
    {
        Log($"send {string.Join(", ", events.Select(e => $"{e.EventId}/{e.RecordId} {e.Type} [{string.Join(' ', e.Writes.Select(w => $"{w.Name}={Values.Read(w.Value)}"))}]{(e.OccurredAt is null ? "" : " at " + e.OccurredAt)}{(e.Baseline ? " base" : "")}"))}");
        var failed = false;
        var results = await RetryAsync(
            async () => await _engine.IngestAsync(Tenant, events, _token),
            () => failed = true);
        for (var i = 0; i < events.Length; i++)
        {
            var answer = results.FirstOrDefault(r => r.Index == i)?.Result.Code ?? EventResult.Types.Code.Applied;
            var expected = _model.Event(events[i], Now);
            Count(expected);

            // After a failed commit the first answer is not known, so the event may be a duplicate of itself.
            if (Name(answer) != expected && !(failed && answer == EventResult.Types.Code.Duplicate))
            {
                throw new InvalidOperationException($"Event {events[i].EventId} is {Name(answer)}, the model says {expected}. {results.FirstOrDefault(r => r.Index == i)?.Result}");
            }
        }
    }

    private async Task RequestAsync((string Record, string Workflow, string Request, bool IsEnroll) request)
    {
        Log($"{(request.IsEnroll ? "enroll" : "unenroll")} {request.Request}/{request.Record} {request.Workflow}");
        _requests.Add(request);
        var reference = new RecordRef { ObjectType = "contact", RecordId = request.Record };
        var failed = false;
        if (!request.IsEnroll)
        {
            var unenrolled = await RetryAsync(
                async () => await _engine.UnenrollAsync(Tenant, new UnenrollRequest { Ref = reference, WorkflowId = request.Workflow, RequestId = request.Request }, _token), () => failed = true);
            var wanted = _model.Unenroll(request.Record, request.Workflow, request.Request, Now);
            Count(wanted, isEmpty: wanted == "APPLIED" && !_model.Record(request.Record).Exists);
            Same(wanted, Name(unenrolled.Result.Code), failed);
            return;
        }

        var response = await RetryAsync(
            async () => await _engine.EnrollAsync(Tenant, new EnrollRequest { Ref = reference, WorkflowId = request.Workflow, RequestId = request.Request }, _token), () => failed = true);
        var decision = _model.Enroll(request.Record, request.Workflow, request.Request, Now);
        var isKnown = decision is "DUPLICATE" or "DUPLICATE_MISMATCH";
        Count(isKnown ? decision : "APPLIED");
        Same(isKnown ? decision : "APPLIED", Name(response.Result.Code), failed);
        if (!isKnown && Name(response.Decision) != decision)
        {
            throw new InvalidOperationException($"Request {request.Request} is decided {Name(response.Decision)}, the model says {decision}.");
        }
    }

    private static void Same(string expected, string actual, bool failed)
    {
        if (actual != expected && !(failed && actual == "DUPLICATE"))
        {
            throw new InvalidOperationException($"The answer is {actual}, the model says {expected}.");
        }
    }

    private void Count(string answer, bool isEmpty = false) => _answers = answer switch
    {
        _ when isEmpty => _answers,
        "APPLIED" => _answers with { Applied = _answers.Applied + 1 },
        "DUPLICATE" => _answers with { Duplicate = _answers.Duplicate + 1 },
        _ => _answers with { Mismatch = _answers.Mismatch + 1 },
    };

    private async Task AdvanceAsync()
    {
        var minutes = _random.Next(4) switch { 0 => _random.Next(60), 1 => _random.Next(3_000), 2 => _random.Next(20_000), _ => _random.Next(200_000) };
        var to = _clock.GetUtcNow().AddMinutes(minutes).AddMilliseconds(_random.Next(3));
        Log($"advance to {to:O}");
        await RetryAsync(async () => await _engine.AdvanceClockAsync(new AdvanceClockRequest { To = WireTimestamp.FromDateTimeOffset(to) }, _token), () => { });
        _model.Advance(Now);
    }

    private async Task WorkAsync()
    {
        // All are leased and some are chosen here: between records their order is that of commits, which is no function of the seed.
        var tasks = await _engine.LeaseTasksAsync(Tenant, "mail", 10_000, TimeSpan.FromMinutes(1), "sim", _token);
        var sorted = tasks.Select(t => (Task: t, Key: t.Key.Split('/')))
            .OrderBy(t => t.Task.Ref.RecordId, StringComparer.Ordinal).ThenBy(t => int.Parse(t.Key[2], CultureInfo.InvariantCulture))
            .ThenBy(t => t.Key[3], StringComparer.Ordinal).ThenBy(t => int.Parse(t.Key[4], CultureInfo.InvariantCulture)).Select(t => t.Task).ToList();
        foreach (var task in sorted.Skip(_random.Next(3)).Take(1 + _random.Next(5)))
        {
            if (_random.Next(5) == 0)
            {
                continue;
            }

            var outcome = (TaskCompletion.Types.Outcome)new[] { 1, 2, 3 }[_random.Next(3)];
            Log($"complete {task.Ref.RecordId} {task.Key[(task.Key.IndexOf('/', 5) + 1)..]} {outcome}");
            var completion = new TaskCompletion { Key = task.Key, Outcome = outcome, Error = "no" };
            var failed = false;
            var applied = await RetryAsync(async () => await _engine.CompleteTaskAsync(Tenant, completion, _token), () => failed = true);
            var parts = task.Key.Split('/');
            var expected = _model.Complete(task.Ref.RecordId, int.Parse(parts[2], CultureInfo.InvariantCulture), parts[3], int.Parse(parts[4], CultureInfo.InvariantCulture), Now);
            if (applied != expected && !failed)
            {
                throw new InvalidOperationException($"Completion of {task.Key} was {(applied ? "" : "not ")}applied, the model says otherwise.");
            }

            if (_random.Next(3) == 0 && await _engine.CompleteTaskAsync(Tenant, completion, _token))
            {
                throw new InvalidOperationException($"A second completion of {task.Key} was applied.");
            }
        }

        _engine.ReleaseLeases(Tenant, "mail", "sim");
    }

    private async Task PublishAsync(Workflow workflow, bool isNew)
    {
        Log($"publish {workflow}");
        await RetryAsync(async () => await _engine.SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = workflow, Force = true }, _token), () => { });
        await RetryAsync(async () => await _engine.PublishWorkflowAsync(Tenant, new PublishWorkflowRequest { WorkflowId = workflow.Id }, _token), () => { });
        _model.Publish(workflow, Now);
        if (isNew)
        {
            await RetryAsync(
                async () => await _engine.SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = workflow.Id, State = Workflow.Types.State.On }, _token), () => { });
        }
    }

    private async Task SwitchAsync(string workflow)
    {
        var isOn = !_model.IsOn(workflow);
        Log($"switch {workflow} {(isOn ? "on" : "off")}");
        await RetryAsync(
            async () => await _engine.SetWorkflowStateAsync(
                Tenant, new SetWorkflowStateRequest { WorkflowId = workflow, State = isOn ? Workflow.Types.State.On : Workflow.Types.State.Off }, _token), () => { });
        _model.Switch(workflow, isOn);
    }

    private async Task CheckAsync()
    {
        _store.FailNext(0);
        await new Auditor(_engine, _model, _records, _token).CheckAsync();
        if (!_hasFailed)
        {
            // S41: every input has exactly one answer, and the counters have them all.
            var events = (await _engine.GetStatusAsync(_token)).Events;
            if ((events.Applied, events.Duplicate, events.Mismatch, events.Refused) != (_answers.Applied, _answers.Duplicate, _answers.Mismatch, 0))
            {
                throw new InvalidOperationException($"The counters say {events}, the answers were {_answers}.");
            }
        }
    }

    private async Task<ulong> HashAsync()
    {
        var seen = new StringBuilder();
        foreach (var id in _records)
        {
            seen.Append(await _engine.GetRecordAsync(Tenant, new RecordRef { ObjectType = "contact", RecordId = id }, _token));
        }

        foreach (var workflow in _model.Workflows)
        {
            seen.Append(await _engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = workflow }, _token));
        }

        return StableHash.Hash128(seen.ToString()).High;
    }

    /// <summary>A client that is told that nothing was applied sends the same again.</summary>
    private async Task<T> RetryAsync<T>(Func<Task<T>> call, Action onFailure)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (RosterException failure) when (failure.Error == RosterError.Overloaded && attempt < 10)
            {
                Log("  overloaded");
                onFailure();
            }
        }
    }

    private T Any<T>(IEnumerable<T> all)
    {
        var list = all.ToList();
        return list[_random.Next(list.Count)];
    }

    private void Log(string line) => _log.Append(CultureInfo.InvariantCulture, $"{Now} {line}\n");

    private static string Name<TEnum>(TEnum code)
        where TEnum : struct, Enum => Protocol.Mapping.JournalMapping.ApiName(code.ToString());
}
