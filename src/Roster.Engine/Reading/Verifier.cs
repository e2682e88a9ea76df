using Roster.Core.Hashing;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <summary>
/// Replays the whole journal and compares what comes out with what is stored: counters (MET-01), states byte for byte, timers and open
/// effects. It holds a state per record in memory, so it is for tests and small installations.
/// </summary>
/// <remarks>
/// When retention removed turns, the recount starts at what they had counted. A record whose first turn was removed cannot be replayed: what is
/// compared is that its state is of its latest turn and due when that says, and timers and open effects with that state.
/// </remarks>
public sealed class Verifier
{
    private const int ChunkMax = 2_000;

    private readonly IRecordStore _store;
    private readonly TenantDirectory _tenants;
    private readonly Dictionary<long, byte[]> _heads = [];
    private readonly Dictionary<CounterKey, long> _counters = [];
    private readonly RecordState _state = new();
    private readonly PackedWriter _writer = new();
    private readonly List<string> _differences = [];
    private readonly Dictionary<long, TurnInfo> _partial = [];
    private long _begin;

    /// <summary>Creates a verifier.</summary>
    public Verifier(IRecordStore store, TenantDirectory tenants)
    {
        _store = store;
        _tenants = tenants;
    }

    /// <summary>Compares. What is committed meanwhile makes it start again; give it a quiet moment.</summary>
    public async Task<VerifyResponse> VerifyAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var before = await _store.ReadStatusAsync(cancellationToken).ConfigureAwait(false);
            _begin = before.JournalBegin;
            var response = await VerifyOnceAsync(cancellationToken).ConfigureAwait(false);
            var after = await _store.ReadStatusAsync(cancellationToken).ConfigureAwait(false);
            if (after.JournalPosition == before.JournalPosition && after.JournalBegin == _begin)
            {
                return response;
            }
        }
    }

    private async Task<VerifyResponse> VerifyOnceAsync(CancellationToken cancellationToken)
    {
        _heads.Clear();
        _counters.Clear();
        _differences.Clear();
        _partial.Clear();
        var response = new VerifyResponse { Turns = await ReplayAsync(cancellationToken).ConfigureAwait(false) };
        await CompareStatesAsync(response, cancellationToken).ConfigureAwait(false);
        foreach (var tenant in _tenants.All)
        {
            if (await _store.ReadRemovedCountersAsync(tenant.Number, cancellationToken).ConfigureAwait(false) is not { } removed)
            {
                response.CountersSkipped = true;
                continue;
            }

            foreach (var (key, value) in removed)
            {
                _counters[key] = _counters.GetValueOrDefault(key) + value;
            }

            response.Counters += await CompareCountersAsync(tenant, cancellationToken).ConfigureAwait(false);
        }

        await CompareTimersAsync(cancellationToken).ConfigureAwait(false);
        response.JournalBegin = _begin;
        response.Differences.AddRange(_differences.Take(100));
        return response;
    }

    private async Task<long> ReplayAsync(CancellationToken cancellationToken)
    {
        var turns = 0L;
        var position = 0L;
        while (true)
        {
            var chunk = await _store.ReadJournalAsync(position, ChunkMax, cancellationToken).ConfigureAwait(false);
            if (chunk.Count == 0)
            {
                return turns;
            }

            foreach (var turn in chunk)
            {
                Replay(turn);
            }

            turns += chunk.Count;
            position = chunk[^1].Position;
        }
    }

    private void Replay(StoredTurn turn)
    {
        var decoded = TurnDecoder.Decode(turn);
        CounterFold.Fold(decoded.Info, decoded.Entries, (key, change) => _counters[key] = _counters.GetValueOrDefault(key) + change);
        if (_begin > 0 && decoded.Info.ExpectedTurnId != 0 && !_heads.ContainsKey(decoded.Info.RecordNumber))
        {
            _partial[decoded.Info.RecordNumber] = decoded.Info;
            return;
        }

        if (_heads.TryGetValue(decoded.Info.RecordNumber, out var head))
        {
            _state.Load(head);
        }

        TurnFolder.Fold(_state, turn);
        if (_state.NextDueAt != decoded.Info.NextDueAt)
        {
            _differences.Add($"Record {_state.Number} is due at {_state.NextDueAt} after position {turn.Position}, its journal says {decoded.Info.NextDueAt}.");
        }

        _writer.Clear();
        _state.Pack(_writer);
        _heads[_state.Number] = _writer.Written.ToArray();
    }

    private async Task CompareStatesAsync(VerifyResponse response, CancellationToken cancellationToken)
    {
        var after = 0L;
        var seen = 0;
        while (true)
        {
            var chunk = await _store.ScanRecordsAsync(after, ChunkMax, cancellationToken).ConfigureAwait(false);
            if (chunk.Count == 0)
            {
                break;
            }

            foreach (var record in chunk)
            {
                if (_begin > 0 && !_heads.ContainsKey(record.Number))
                {
                    response.PartlyReplayed++;
                    ComparePartial(record);
                }

                var replayed = _heads.GetValueOrDefault(record.Number, []);
                response.StateHash = StableHash.Hash64(response.StateHash, StableHash.Hash64(record.Head.Span));
                response.ReplayHash = StableHash.Hash64(response.ReplayHash, StableHash.Hash64(replayed));
                if (!record.Head.Span.SequenceEqual(replayed))
                {
                    _differences.Add($"The state of record {record.Number} is not what its journal gives.");
                }
            }

            seen += chunk.Count;
            after = chunk[^1].Number;
        }

        if (seen != _heads.Count)
        {
            _differences.Add($"There are {seen} records, the journal has {_heads.Count}.");
        }
    }

    /// <summary>A record without its first turns: the state that is stored stands for the one that cannot be replayed.</summary>
    private void ComparePartial(LoadedRecord record)
    {
        _state.Load(record.Head.Span);
        if (_partial.TryGetValue(record.Number, out var latest) && (latest.TurnId != _state.TurnId || latest.NextDueAt != _state.NextDueAt))
        {
            _differences.Add($"The state of record {record.Number} is of turn {_state.TurnId:x16} and due at {_state.NextDueAt}, its journal says {latest.TurnId:x16} and {latest.NextDueAt}.");
        }

        _heads[record.Number] = record.Head.ToArray();
    }

    private async Task<long> CompareCountersAsync(TenantOwner tenant, CancellationToken cancellationToken)
    {
        var stored = (await _store.ReadCountersAsync(tenant.Number, cancellationToken).ConfigureAwait(false))
            .Where(c => c.Key.Kind is not (CounterKind.Duplicate or CounterKind.Mismatch or CounterKind.RefusedInput))
            .ToDictionary();
        foreach (var key in stored.Keys.Union(_counters.Keys.Where(k => k.Tenant == tenant.Number)))
        {
            var (held, counted) = (stored.GetValueOrDefault(key), _counters.GetValueOrDefault(key));
            if (held != counted)
            {
                _differences.Add($"Counter {key} is {held}, the journal gives {counted}.");
            }
        }

        return stored.Count;
    }

    /// <summary>Open tasks that are in the outbox, withdrawn and blocked ones are not (UNE-07, ACT-62), and dead letters (ERR-11).</summary>
    private static int CountOffered(RecordState state)
    {
        var count = 0;
        foreach (ref readonly var effect in state.OpenEffects)
        {
            count += effect.IsOut ? 0 : 1;
        }

        return count + state.DeadLetters.Length;
    }

    private async Task CompareTimersAsync(CancellationToken cancellationToken)
    {
        var expected = new List<TimerEntry>();
        var effects = 0;
        foreach (var head in _heads.Values)
        {
            _state.Load(head);
            effects += CountOffered(_state);
            if (!_state.NextDueAt.IsNone)
            {
                expected.Add(new TimerEntry(_state.NextDueAt, _state.Number));
            }
        }

        expected.Sort();
        var stored = new List<TimerEntry>();
        while (await _store.ReadTimersAsync(stored.LastOrDefault(), ChunkMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } chunk)
        {
            stored.AddRange(chunk);
        }

        if (!expected.SequenceEqual(stored))
        {
            _differences.Add($"There are {stored.Count} timers, the states of the records want {expected.Count}, or others.");
        }

        var open = (await _store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false)).Sum(q => q.Count);
        if (open != effects)
        {
            _differences.Add($"There are {open} open tasks, the states of the records have {effects}.");
        }
    }
}
