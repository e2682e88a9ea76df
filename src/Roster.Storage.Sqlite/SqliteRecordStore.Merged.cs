using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>Ordered reads: rows of a table merged with what no table has yet.</content>
public sealed partial class SqliteRecordStore
{
    internal const string TimersOfInstantSql = "SELECT next_due, number FROM heads WHERE next_due = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    internal const string LaterTimersSql = "SELECT next_due, number FROM heads WHERE next_due > ?1 ORDER BY next_due, number LIMIT ?2";

    private const int PageRowsMin = 64;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TimerEntry>> ReadTimersAsync(TimerEntry after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var cursor = (after.DueAt.Ms, after.RecordNumber);
        var deltas = ReadRuns(static delta => delta.Timers, cursor, out var cleanings);
        using var reader = _tableReaders.Rent();
        var timers = new List<TimerEntry>();
        var isLast = false;
        while (!isLast && timers.Count < limit)
        {
            var page = ReadTimerRows(reader.Item, cursor, Math.Max(PageRowsMin, limit - timers.Count), out isLast);
            var merged = Merge(page, deltas, isLast);
            cursor = merged.Count > 0 ? merged[^1] : cursor;
            AddPending(timers, merged, page, reader.Item, cleanings, limit);
        }

        return new(timers);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoadedRecord>> ScanRecordsAsync(long afterNumber, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        using var hold = _holds.Enter();
        var created = ReadRuns(static delta => delta.CreatedNumbers, (afterNumber, long.MaxValue), out _);
        using var reader = _tableReaders.Rent();
        var rows = ReadNumbers(reader.Item, afterNumber, limit);
        var numbers = Merge(rows, created, isLast: rows.Count < limit);
        var wanted = new WantedHead[Math.Min(limit, numbers.Count)];
        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i].Number = numbers[i].First;
        }

        LoadHeads(reader.Item, wanted);
        return new(wanted.Select(head => head.Loaded).ToArray());
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredEffect>> ReadEffectsAsync(
        int tenant, string queue, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        using var hold = _holds.Enter();
        Delta live;
        Delta? frozen;
        long end;
        var newer = new List<EffectAt>();
        lock (_gate)
        {
            if (!_queues.TryGetValue((tenant, queue), out var known) || known.Open == 0)
            {
                return new([]);
            }

            (live, frozen, end) = (_live, _frozen, _checkpointEnd);
            AddOpen(newer, frozen, live, known, afterSequence, limit);
            AddOpen(newer, live, live, known, afterSequence, limit);
        }

        var effects = ReadEffectRows(tenant, queue, afterSequence, end, limit, live, frozen);
        ReadEffects(effects, newer, limit);
        return new(effects);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<EffectQueueCount>> ReadEffectQueuesAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_queues.Values.Where(q => q.Open > 0).Select(q => new EffectQueueCount(q.Tenant, q.Name, q.Open)).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredDocument>> ReadDocumentsAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var newer = new Dictionary<(int Tenant, string Kind, string Id), byte[]?>();
        lock (_gate)
        {
            foreach (var (key, content) in (_frozen?.Documents ?? []).Concat(_live.Documents))
            {
                newer[key] = content;
            }
        }

        using var reader = _tableReaders.Rent();
        var documents = new List<StoredDocument>();
        var rows = reader.Item.Prepared(ref reader.Item.Documents, "SELECT tenant, kind, id, content FROM documents");
        while (rows.Step())
        {
            var document = new StoredDocument(rows.Int(0), rows.Text(1), rows.Text(2), rows.Blob(3).ToArray());
            if (!newer.ContainsKey((document.Tenant, document.Kind, document.Id)))
            {
                documents.Add(document);
            }
        }

        documents.AddRange(newer
            .Where(d => d.Value is not null)
            .Select(d => new StoredDocument(d.Key.Tenant, d.Key.Kind, d.Key.Id, (byte[])d.Value!.Clone())));
        return new(documents
            .OrderBy(d => d.Tenant).ThenBy(d => d.Kind, StringComparer.Ordinal).ThenBy(d => d.Id, StringComparer.Ordinal)
            .ToArray());
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>> ReadCountersAsync(int tenant, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_counters.TryGetValue(tenant, out var counters) ? counters.ToArray() : []);
        }
    }

    private RunReader ReadRuns(Func<Delta, SortedRuns> select, (long, long) after, out int cleanings)
    {
        var runs = new List<(long First, long Second)[]>();
        lock (_gate)
        {
            cleanings = _cleanings;
            select(_live).AddRunsTo(runs);
            if (_frozen is not null)
            {
                select(_frozen).AddRunsTo(runs);
            }
        }

        return new RunReader(runs, after);
    }

    /// <summary>Rows and newer pairs in one order, without repetitions; pairs beyond the last row wait for the next page of rows.</summary>
    private static List<(long First, long Second)> Merge(List<(long First, long Second)> rows, RunReader newer, bool isLast)
    {
        var merged = new List<(long First, long Second)>(rows.Count);
        var at = 0;
        while (true)
        {
            var hasNewer = newer.TryPeek(out var pair);
            if (at < rows.Count && (!hasNewer || rows[at].CompareTo(pair) <= 0))
            {
                if (hasNewer && rows[at] == pair)
                {
                    newer.Advance();
                }

                merged.Add(rows[at++]);
            }
            else if (hasNewer && (isLast || at < rows.Count))
            {
                merged.Add(pair);
                newer.Advance();
            }
            else
            {
                return merged;
            }
        }
    }

    /// <summary>
    /// First the rest of the instant of the cursor, then later instants. In one comparison of pairs SQLite would use the index for the instant only,
    /// and read all timers of that instant again for each page of them.
    /// </summary>
    private static List<(long First, long Second)> ReadTimerRows(TableReader reader, (long Due, long Number) after, int limit, out bool isLast)
    {
        var page = new List<(long, long)>();
        Add(page, reader.Prepared(ref reader.TimersOfInstant, TimersOfInstantSql).Bind(1, after.Due).Bind(2, after.Number).Bind(3, limit));
        if (page.Count < limit)
        {
            Add(page, reader.Prepared(ref reader.LaterTimers, LaterTimersSql).Bind(1, after.Due).Bind(2, limit - page.Count));
        }

        isLast = page.Count < limit;
        return page;

        static void Add(List<(long, long)> page, Statement rows)
        {
            while (rows.Step())
            {
                page.Add((rows.Long(0), rows.Long(1)));
            }
        }
    }

    private static List<(long First, long Second)> ReadNumbers(TableReader reader, long after, int limit)
    {
        const string Sql = "SELECT number FROM heads WHERE number > ?1 ORDER BY number LIMIT ?2";
        var rows = reader.Prepared(ref reader.Scan, Sql).Bind(1, after).Bind(2, limit);
        var page = new List<(long, long)>();
        while (rows.Step())
        {
            page.Add((rows.Long(0), 0));
        }

        return page;
    }

    /// <summary>
    /// Keeps the pairs that hold: the record still goes on by itself at that instant. What the map does not know is in its row; a pair
    /// of a row is then good, one of a delta is looked up, and both when a checkpoint wrote rows meanwhile.
    /// </summary>
    private void AddPending(
        List<TimerEntry> timers, List<(long Due, long Number)> pairs, List<(long Due, long Number)> rows, TableReader reader, int cleanings, int limit)
    {
        var doubtful = new List<(long Due, long Number)>();
        var pending = new List<(long Due, long Number)>(pairs.Count);
        lock (_gate)
        {
            foreach (var pair in pairs)
            {
                ref var entry = ref _map.Find(pair.Number);
                if (!RecordMap.IsMissing(ref entry) ? entry.NextDueMs == pair.Due : cleanings == _cleanings && rows.BinarySearch(pair) >= 0)
                {
                    pending.Add(pair);
                }
                else if (RecordMap.IsMissing(ref entry))
                {
                    doubtful.Add(pair);
                }
            }
        }

        doubtful.RemoveAll(pair => reader.FindKnown(pair.Number).NextDueMs != pair.Due);
        if (doubtful.Count > 0)
        {
            pending.AddRange(doubtful);
            pending.Sort();
        }

        timers.AddRange(pending.Take(limit - timers.Count).Select(pair => new TimerEntry(new Timestamp(pair.Due), pair.Number)));
    }

    private static void AddOpen(List<EffectAt> effects, Delta? delta, Delta live, EffectQueue queue, long after, int limit)
    {
        if (delta is null || !delta.EffectsByQueue.TryGetValue(queue, out var added))
        {
            return;
        }

        var (low, high) = (0, added.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = added[middle].Sequence > after ? (low, middle) : (middle + 1, high);
        }

        for (var i = low; i < added.Count && effects.Count < limit; i++)
        {
            // The newer delta may have removed what the frozen one added, and added again what it removed.
            if (delta.IsOpen(added[i]) && (delta == live || !live.EffectsRemoved.ContainsKey(added[i].Id)))
            {
                effects.Add(added[i]);
            }
        }
    }

    private List<StoredEffect> ReadEffectRows(int tenant, string queue, long after, long end, int limit, Delta live, Delta? frozen)
    {
        const string Sql =
            "SELECT sequence, record, enrollment, step, execution, task FROM effects WHERE tenant = ?1 AND queue = ?2 AND sequence > ?3 AND sequence < ?4 " +
            "ORDER BY sequence LIMIT ?5";
        using var reader = _tableReaders.Rent();
        var effects = new List<StoredEffect>();
        var page = new List<StoredEffect>();
        do
        {
            var rows = reader.Item.Prepared(ref reader.Item.Effects, Sql).Bind(1, tenant).Bind(2, queue).Bind(3, after).Bind(4, end).Bind(5, limit);
            page.Clear();
            while (rows.Step())
            {
                var id = new EffectId(rows.Long(1), rows.Int(2), rows.Int(3), rows.Int(4));
                page.Add(new StoredEffect(rows.Long(0), id, tenant, queue, rows.Blob(5).ToArray()));
            }

            lock (_gate)
            {
                effects.AddRange(page.Where(e => !live.EffectsRemoved.ContainsKey(e.Id) && frozen?.EffectsRemoved.ContainsKey(e.Id) != true));
            }

            after = page.Count > 0 ? page[^1].Sequence : after;
        }
        while (page.Count == limit && effects.Count < limit);
        return effects.Count > limit ? effects[..limit] : effects;
    }

    /// <summary>Adds effects of the deltas with their tasks, which are in the log.</summary>
    private void ReadEffects(List<StoredEffect> effects, List<EffectAt> newer, int limit)
    {
        using var log = _logReaders.Rent();
        log.Item.Frames.Clear();
        foreach (var effect in newer.Take(limit - effects.Count))
        {
            effects.Add(new StoredEffect(effect.Sequence, effect.Id, effect.Queue.Tenant, effect.Queue.Name, ReadTask(log.Item, effect)));
        }
    }

    private static byte[] ReadTask(LogReader log, in EffectAt effect)
    {
        var header = log.Read(effect.Position, log.Frames);
        return TurnExtra.FindTask(header.Extra(log.Frames.Bytes.Span), effect.Sequence - effect.Position)
            ?? throw LogFormat.Corrupt(log.Path, effect.Position, "the turn lacks an effect");
    }
}
