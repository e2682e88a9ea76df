using System.Globalization;
using System.Text;
using Roster.Embedded;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;
using PropertyType = Roster.V1.PropertyType;
using WireTimestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Simulator.Linked;

/// <summary>
/// One run over records that are linked to each other: links that both ends change, also to records that were deleted, merged away or erased,
/// merges, erasures, deletions, publishes while enrollments are active, a full disk and crashes, several things at once and nothing waited
/// for. There is no model that says what comes out, since between records there is no order; what must hold whatever the order was is judged
/// at quiet moments.
/// </summary>
internal sealed class LinkedSimulation : IAsyncDisposable
{
    private const string Tenant = "acme";
    private const int Phases = 3;
    private const int StepsPerPhase = 30;

    // A run takes some hundred milliseconds. One that never comes to rest is a failure like any other.
    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(1);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Random _random;
    private readonly LinkedWorld _world;
    private readonly VolatileRecordStore _inner = new();
    private readonly FaultStore _store;
    private readonly ManualClock _clock = new(Start);
    private readonly EmbeddedOptions _options;
    private readonly List<RecordRef> _records = [];
    private readonly HashSet<RecordRef> _gone = [];
    private readonly HashSet<RecordRef> _merged = [];
    private readonly HashSet<RecordRef> _erased = [];
    private readonly Dictionary<string, Workflow> _workflows = [];
    private readonly StringBuilder _log = new();
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly CancellationToken _token;
    private EmbeddedEngine _engine = null!;
    private int _ids;

    private LinkedSimulation(int seed, CancellationToken token)
    {
        _random = new Random(seed);
        _world = new LinkedWorld(_random);
        _store = new FaultStore(_inner);
        _token = token;
        _options = new EmbeddedOptions { Shards = 1 << _random.Next(3), CacheBytes = 1 << 20 };
        foreach (var type in LinkedWorld.Types)
        {
            // Few records have few links; with many, links and copies move out of the heads (ASC-04, ASC-07).
            _records.AddRange(Enumerable.Range(0, _random.Next(3) == 0 ? 24 : 5).Select(i => new RecordRef { ObjectType = type, RecordId = $"{type}-number-{i}-of-seed-{seed}" }));
        }
    }

    public static async Task RunAsync(int seed, CancellationToken token)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
        limited.CancelAfter(AtMost);
        await using var simulation = new LinkedSimulation(seed, limited.Token);
        try
        {
            await simulation.RunAsync();
        }
        catch (Exception failure) when (!token.IsCancellationRequested)
        {
            throw new InvalidOperationException($"Linked seed {seed}: {failure.Message}\nWhat it did:\n{simulation._log}", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        await _store.DisposeAsync();
        _opening.Dispose();
    }

    private async Task RunAsync()
    {
        await OpenAsync();
        await DeclareAsync();
        for (var phase = 0; phase < Phases; phase++)
        {
            for (var step = 0; step < StepsPerPhase; step++)
            {
                var atOnce = _random.Next(4) == 0 ? 2 + _random.Next(6) : 1;
                await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => NewStep()).ToList().Select(step => step()));
            }

            await CheckAsync();
        }
    }

    private async Task OpenAsync() => _engine = await EmbeddedEngine.StartAsync(_options, _store, _clock, _token);

    private async Task DeclareAsync()
    {
        foreach (var type in LinkedWorld.Types)
        {
            var request = new DeclarePropertiesRequest { ObjectType = type };
            request.Properties.Add(new PropertyDefinition { Name = LinkedWorld.TextOf[type], Type = PropertyType.Types.Kind.String });
            request.Properties.Add(new PropertyDefinition { Name = "score", Type = PropertyType.Types.Kind.Number });
            request.Properties.Add(new PropertyDefinition { Name = "hits", Type = PropertyType.Types.Kind.Number });
            await _engine.DeclarePropertiesAsync(Tenant, request, _token);
        }
    }

    /// <summary>What to do is drawn now; it is done when the returned function is called, perhaps with others at once.</summary>
    private Func<Task> NewStep()
    {
        switch (_random.Next(40))
        {
            case 0 or 1:
                return Publish();
            case 2:
                return SaveList();
            case 3 when _workflows.Count > 0:
                return Switch(Any(_workflows.Keys));
            case 4:
                return Merge();
            case 5:
                return Erase();
            case 6:
                return DeleteOrRestore();
            case 7 or 8 or 9:
                return Advance();
            case 10 or 11 or 12:
                return Work(_random.Next(6));
            case 13 or 14 when _workflows.Count > 0:
                return Request();
            case 15:
                return Fault();
            default:
                return Send();
        }
    }

    private Func<Task> Send()
    {
        var events = Enumerable.Range(0, _random.Next(3) == 0 ? 1 + _random.Next(10) : 1).Select(_ => NewEvent()).OfType<Event>().ToArray();
        Log($"send {string.Join("\n  ", events.Select(e => $"{e}"))}");
        return () => CallAsync(async () => await _engine.IngestAsync(Tenant, events, _token));
    }

    private Event? NewEvent()
    {
        if (AnyLive() is not { } reference)
        {
            return null;
        }

        var sent = new Event { EventId = $"e{++_ids}", ObjectType = reference.ObjectType, RecordId = reference.RecordId, Source = "sim", Type = _random.Next(6) == 0 ? "clicked" : "" };
        if (_random.Next(2) == 0)
        {
            sent.Writes.Add(new PropertyValue { Name = LinkedWorld.TextOf[reference.ObjectType], Value = new Value { Text = $"{Any(LinkedWorld.Values)} of {OnlyOf(reference)}" } });
        }

        if (_random.Next(3) == 0)
        {
            sent.Writes.Add(new PropertyValue { Name = "score", Value = new Value { Number = $"{_random.Next(10)}" } });
        }

        for (var links = _random.Next(6); links > 0; links--)
        {
            // From either side, so that changes of one link cross on their way; to records that have gone too, whose ids come back by that.
            if ((_random.Next(6) == 0 ? Any(_records) : AnyLive()) is { } other && !other.Equals(reference))
            {
                sent.Associations.Add(new AssociationChange { ObjectType = other.ObjectType, RecordId = other.RecordId, Label = _world.Label(), Remove = _random.Next(2) == 0 });
            }
        }

        return sent;
    }

    private Func<Task> Publish()
    {
        var isNew = _workflows.Count < 3 || _random.Next(8) == 0;
        var workflow = isNew ? _world.Workflow($"w{_workflows.Count}", Any(LinkedWorld.Types)) : _world.Edit(_workflows[Any(_workflows.Keys)]);
        _workflows[workflow.Id] = workflow;
        var enrolls = _random.Next(3) == 0;
        Log($"publish {workflow}");
        return async () =>
        {
            await CallAsync(async () => await _engine.SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = workflow, Force = true }, _token));
            await CallAsync(async () => await _engine.PublishWorkflowAsync(Tenant, new PublishWorkflowRequest { WorkflowId = workflow.Id, EnrollExisting = enrolls }, _token), RosterError.FailedPrecondition);
            if (isNew)
            {
                await CallAsync(async () => await _engine.SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = workflow.Id, State = Workflow.Types.State.On }, _token));
            }
        };
    }

    private Func<Task> Switch(string workflow)
    {
        var state = Any([Workflow.Types.State.On, Workflow.Types.State.On, Workflow.Types.State.Off, Workflow.Types.State.Paused]);
        Log($"switch {workflow} {state}");
        return () => CallAsync(async () => await _engine.SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = workflow, State = state }, _token), RosterError.NotFound, RosterError.FailedPrecondition);
    }

    private Func<Task> SaveList()
    {
        var number = _random.Next(5);
        var id = $"l{number}";
        var list = _world.List(id, LinkedWorld.Types[number % LinkedWorld.Types.Length]);
        Log($"list {list}");
        return () => CallAsync(async () => await _engine.SaveListAsync(Tenant, new SaveListRequest { List = list, Force = true }, _token));
    }

    private Func<Task> Merge()
    {
        if (AnyLive() is not { } reference || Live().Where(r => r.ObjectType == reference.ObjectType && !r.Equals(reference)).ToList() is not { Count: > 0 } others)
        {
            return static () => Task.CompletedTask;
        }

        var request = new MergeRecordsRequest { Ref = reference, Survivor = Any(others), RequestId = $"m{++_ids}" };
        Log($"merge {request.Ref} {request.Survivor}");
        _gone.Add(reference);
        _merged.Add(reference);
        return () => CallAsync(async () => await _engine.MergeRecordsAsync(Tenant, request, _token), RosterError.FailedPrecondition);
    }

    private Func<Task> Erase()
    {
        var reference = Any(_records);
        _erased.Add(reference);
        var request = new EraseRecordRequest { Ref = reference, RequestId = $"x{++_ids}", Caller = "sim" };
        Log($"erase {reference}");
        return () => CallAsync(async () => await _engine.EraseRecordAsync(Tenant, request, _token));
    }

    private Func<Task> DeleteOrRestore()
    {
        var deleted = _gone.Except(_merged).Except(_erased).ToList();
        if (deleted.Count > 0 && _random.Next(2) == 0)
        {
            var restored = Any(deleted);
            _gone.Remove(restored);
            Log($"restore {restored}");
            var request = new RestoreRecordRequest { Ref = restored, RequestId = $"r{++_ids}" };
            return () => CallAsync(async () => await _engine.RestoreRecordAsync(Tenant, request, _token));
        }

        if (AnyLive() is not { } reference)
        {
            return static () => Task.CompletedTask;
        }

        _gone.Add(reference);
        Log($"delete {reference}");
        var delete = new DeleteRecordRequest { Ref = reference, RequestId = $"d{++_ids}" };
        return () => CallAsync(async () => await _engine.DeleteRecordAsync(Tenant, delete, _token));
    }

    private Func<Task> Advance()
    {
        var time = TimeSpan.FromMinutes(_random.Next(3) switch { 0 => _random.Next(60), 1 => _random.Next(3_000), _ => _random.Next(20_000) });
        Log($"advance by {time}");
        return () => CallAsync(async () => await _engine.AdvanceClockAsync(new AdvanceClockRequest { To = WireTimestamp.FromDateTimeOffset(_clock.GetUtcNow() + time) }, _token), RosterError.InvalidArgument);
    }

    private Func<Task> Work(int count)
    {
        Log($"work {count}");
        return () => CallAsync(async () =>
        {
            foreach (var task in await _engine.LeaseTasksAsync(Tenant, "mail", count, TimeSpan.FromMinutes(1), "sim", _token))
            {
                await _engine.CompleteTaskAsync(Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, _token);
            }

            _engine.ReleaseLeases(Tenant, "mail", "sim");
            return true;
        });
    }

    private Func<Task> Request()
    {
        var workflow = _workflows[Any(_workflows.Keys)];
        if (Live().Where(r => r.ObjectType == workflow.ObjectType).ToList() is not { Count: > 0 } live)
        {
            return static () => Task.CompletedTask;
        }

        var reference = Any(live);
        var (id, enrolls) = ($"c{++_ids}", _random.Next(3) > 0);
        Log($"{(enrolls ? "enroll" : "unenroll")} {workflow.Id} {reference}");
        return enrolls
            ? () => CallAsync(async () => await _engine.EnrollAsync(Tenant, new EnrollRequest { Ref = reference, WorkflowId = workflow.Id, RequestId = id }, _token), RosterError.NotFound)
            : () => CallAsync(async () => await _engine.UnenrollAsync(Tenant, new UnenrollRequest { Ref = reference, WorkflowId = workflow.Id, RequestId = id }, _token), RosterError.NotFound);
    }

    private Func<Task> Fault()
    {
        var (crashes, count) = (_random.Next(2) == 0, 1 + _random.Next(4));
        Log(crashes ? $"crash at {count}" : $"full {count}");
        return () =>
        {
            if (crashes)
            {
                _store.CrashAt(count);
            }
            else
            {
                _store.FailNext(count);
            }

            return Task.CompletedTask;
        };
    }

    private async Task CheckAsync()
    {
        _store.FailNext(0);
        await SettleAsync();
        Log("check");
        await new LinkedAuditor(_engine, _inner, _records, _token).CheckAsync([.. _erased.Select(r => r.RecordId), .. _erased.Except(_merged).Select(OnlyOf)]);
    }

    /// <summary>What only the values of a record have in them, and of the record that it was merged into.</summary>
    private static string OnlyOf(RecordRef reference) => reference.RecordId.Replace("-number-", "-value-", StringComparison.Ordinal);

    private Task SettleAsync() =>
        CallAsync(async () => await _engine.AdvanceClockAsync(new AdvanceClockRequest { To = WireTimestamp.FromDateTimeOffset(_clock.GetUtcNow()) }, _token));

    /// <summary>A client that hears that nothing was applied, or nothing at all, sends the same again.</summary>
    private async Task CallAsync<T>(Func<Task<T>> call, params RosterError[] expected)
    {
        for (var attempt = 0; ; attempt++)
        {
            var engine = _engine;
            try
            {
                await call();
                return;
            }
            catch (RosterException failure) when (expected.Contains(failure.Error))
            {
                return;
            }
            catch (RosterException failure) when (failure.Error == RosterError.Overloaded && attempt < 100)
            {
            }
            catch (Exception failure) when (attempt < 100 && (failure is ObjectDisposedException or IOException or RosterException { Error: RosterError.Unavailable }))
            {
                await ReopenAsync(engine);
            }
        }
    }

    private async Task ReopenAsync(EmbeddedEngine failed)
    {
        await _opening.WaitAsync(_token);
        try
        {
            if (ReferenceEquals(_engine, failed))
            {
                await failed.DisposeAsync();
                await OpenAsync();
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    private IEnumerable<RecordRef> Live() => _records.Where(r => !_gone.Contains(r) && !_erased.Contains(r));

    private RecordRef? AnyLive() => Live().ToList() is { Count: > 0 } live ? Any(live) : null;

    private T Any<T>(IEnumerable<T> all)
    {
        var list = all.ToList();
        return list[_random.Next(list.Count)];
    }

    private void Log(string line) => _log.Append(CultureInfo.InvariantCulture, $"{_clock.GetUtcNow():O} {line}\n");
}
