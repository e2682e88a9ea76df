using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.TestKit;

/// <summary>
/// Random batches from a seed, applied to any number of stores alike: new records and old ones, timers, sections, effects, activity,
/// documents, counters, and now and then a turn that must be a conflict.
/// </summary>
public sealed class RandomWorkload(int seed)
{
    public static readonly IReadOnlyList<int> Tenants = [1, 2];
    public static readonly IReadOnlyList<int> Workflows = [1, 2, 3, 4, 5];
    private readonly Random _random = new(seed);
    private readonly List<TestRecord> _records = [];
    private readonly List<EffectId> _effects = [];
    private readonly TestBatch _batch = new();
    private long _nextNumber = 1;
    private int _nextEffect = 1;
    private int _nextEvent;

    /// <summary>Number of some record that was written.</summary>
    public long AnyNumber(Random random) => _records[random.Next(_records.Count)].Number;

    /// <summary>Commits one random batch to every store and checks that they agree on the conflicts.</summary>
    public async Task CommitAsync(params IRecordStore[] stores)
    {
        ArgumentNullException.ThrowIfNull(stores);
        var turns = _random.Next(0, 12);
        var expected = new List<bool>();
        for (var i = 0; i < turns; i++)
        {
            expected.Add(AddTurn());
        }

        AddOther();
        foreach (var store in stores)
        {
            await store.CommitAsync(_batch.Batch, CancellationToken.None);
            Assert.Equal(expected, _batch.Positions.Select(position => position != 0));
        }

        _batch.Clear();
    }

    /// <summary>Everything that a store says.</summary>
    public static Task<string> DumpAsync(IRecordStore store) => StoreDump.ReadAsync(store, Tenants, Workflows);

    private bool AddTurn()
    {
        var kind = _random.Next(20);
        if (_records.Count == 0 || kind < 5)
        {
            var tenant = 1 + _random.Next(Tenants.Count);
            _nextNumber += 1 + _random.Next(3);
            var record = new TestRecord(new RecordKey(tenant, 1 + _random.Next(2), $"id-{_random.Next(1000)}-{_nextNumber}@example.com"), _nextNumber);
            _records.Add(record);
            _batch.Turn(record, Parts(record));
            return true;
        }

        var known = _records[_random.Next(_records.Count)];
        switch (kind)
        {
            case 5:
                // Decided on a turn that is not the latest one.
                var stale = known.Fork();
                stale.TurnId ^= 0x10;
                _batch.Turn(stale, TurnPart.Set(1, "stale"), TurnPart.Due(5), TurnPart.Concerns(2), TurnPart.Events(_nextEvent, 41));
                return false;
            case 6:
                // The key is taken.
                _batch.Turn(new TestRecord(known.Key, _nextNumber + 1_000_000), TurnPart.Set(1, "taken"));
                return false;
            case 7:
                // The effect is not there.
                _batch.Turn(known.Fork(), TurnPart.Remove(new EffectId(known.Number, 99, 99, 99)), TurnPart.Concerns(1));
                return false;
            default:
                _batch.Turn(known, Parts(known));
                return true;
        }
    }

    private TurnPart[] Parts(TestRecord record)
    {
        var parts = new List<TurnPart> { TurnPart.Set(1 + _random.Next(5), $"value {_random.Next(1_000_000)}") };
        if (_random.Next(3) == 0)
        {
            parts.Add(TurnPart.Due(1_800_000_000_000 + _random.Next(40)));
        }

        if (_random.Next(4) == 0)
        {
            var count = _random.Next(1, 30);
            parts.Add(TurnPart.Events(_nextEvent, count));
            _nextEvent += count;
        }

        if (_random.Next(3) == 0 && _effects.Count > 0)
        {
            var at = _random.Next(_effects.Count);
            parts.Add(TurnPart.Remove(_effects[at]));
            _effects.RemoveAt(at);
        }

        for (var i = _random.Next(6) - 3; i > 0; i--)
        {
            var id = new EffectId(record.Number, 1, 1, _nextEffect++);
            _effects.Add(id);
            parts.Add(TurnPart.Add(id, _random.Next(2) == 0 ? "mail" : "webhook", (byte)i, (byte)_nextEffect));
        }

        parts.AddRange(Workflows.Where(_ => _random.Next(5) == 0).Select(TurnPart.Concerns));
        return [.. parts];
    }

    private void AddOther()
    {
        if (_random.Next(10) == 0)
        {
            byte[]? content = _random.Next(4) == 0 ? null : [(byte)_random.Next(256)];
            _batch.Document(_random.Next(3), "workflow", $"w{_random.Next(4)}", content);
        }

        for (var i = _random.Next(4); i > 0; i--)
        {
            _batch.Count(new CounterKey(1 + _random.Next(2), _random.Next(3), 1, CounterKind.Applied, 0, _random.Next(2)), _random.Next(-2, 5));
        }
    }
}
