using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Roster.Core;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>
/// Loading: the row of a record, and the turns that are newer. The map is asked before the row is read, so that a row which a
/// checkpoint writes in between can only be newer than what the map said, never older.
/// </content>
public sealed partial class SqliteRecordStore
{
    /// <inheritdoc/>
    public ValueTask LoadAsync(IReadOnlyList<RecordKey> keys, IList<LoadedRecord> results, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(results);
        cancellationToken.ThrowIfCancellationRequested();
        var wanted = ArrayPool<WantedHead>.Shared.Rent(keys.Count);
        try
        {
            using var hold = _holds.Enter();
            using var reader = _tableReaders.Rent();
            var heads = wanted.AsSpan(0, keys.Count);
            FindNumbers(reader.Item, keys, heads);
            LoadHeads(reader.Item, heads);
            for (var i = 0; i < heads.Length; i++)
            {
                if (i < results.Count)
                {
                    results[i] = heads[i].Loaded;
                }
                else
                {
                    results.Add(heads[i].Loaded);
                }
            }
        }
        finally
        {
            ArrayPool<WantedHead>.Shared.Return(wanted, clearArray: true);
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<LoadedRecord> LoadAsync(long recordNumber, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var hold = _holds.Enter();
        using var reader = _tableReaders.Rent();
        Span<WantedHead> wanted = [new WantedHead { Number = recordNumber }];
        LoadHeads(reader.Item, wanted);
        return new(wanted[0].Loaded);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoadedRecord>> LoadAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(recordNumbers);
        cancellationToken.ThrowIfCancellationRequested();
        using var reader = _tableReaders.Rent();
        var wanted = recordNumbers.Select(number => new WantedHead { Number = number }).ToArray();
        LoadHeads(reader.Item, wanted);
        return new(wanted.Select(head => head.Loaded).ToArray());
    }

    /// <inheritdoc/>
    public ValueTask<byte[]?> LoadSectionAsync(long recordNumber, int sectionIndex, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var hold = _holds.Enter();
        SectionAt? found;
        lock (_gate)
        {
            found = FindSection(_live, recordNumber, sectionIndex) ?? FindSection(_frozen, recordNumber, sectionIndex);
        }

        if (found is { } section)
        {
            return new(section.IsRemoved ? null : ReadSection(section));
        }

        using var reader = _tableReaders.Rent();
        return new(reader.Item.FindSection(recordNumber, sectionIndex));
    }

    /// <inheritdoc/>
    public void KeepHead(long recordNumber, long position, ReadOnlySpan<byte> head)
    {
        EvictedHeads evicted;
        lock (_gate)
        {
            ref var entry = ref _map.Find(recordNumber);
            if (RecordMap.IsMissing(ref entry) || entry.DirtyIn == 0 || entry.Position != position)
            {
                // Its row has it, or will be written with a later turn that is in memory.
                return;
            }

            evicted = (_frozen is { } frozen && frozen.Id == entry.DirtyIn ? frozen : _live).Evicted;
        }

        evicted.Add(recordNumber, position, head);
    }

    /// <summary>The head of a record at a position, when the host gave it when it dropped it from memory.</summary>
    private bool TryReadEvicted(long number, long position, out ReadOnlyMemory<byte> head)
    {
        EvictedHeads live;
        EvictedHeads? frozen;
        lock (_gate)
        {
            (live, frozen) = (_live.Evicted, _frozen?.Evicted);
        }

        if (live.TryRead(number, position, out head))
        {
            return true;
        }

        return frozen is not null && frozen.TryRead(number, position, out head);
    }

    private void FindNumbers(TableReader reader, IReadOnlyList<RecordKey> keys, Span<WantedHead> heads)
    {
        var unknown = 0;
        lock (_gate)
        {
            for (var i = 0; i < heads.Length; i++)
            {
                heads[i] = new WantedHead { Number = FindCreated_NeedsGate(keys[i]) };
                unknown += heads[i].Number == 0 ? 1 : 0;
            }
        }

        if (unknown == 0)
        {
            return;
        }

        reader.Begin();
        for (var i = 0; i < heads.Length; i++)
        {
            if (heads[i].Number == 0)
            {
                heads[i].Number = reader.FindNumber(keys[i]);
            }
        }

        reader.End();
    }

    private void LoadHeads(TableReader reader, Span<WantedHead> heads)
    {
        int cleanings;
        lock (_gate)
        {
            cleanings = _cleanings;
            foreach (ref var head in heads)
            {
                ref var entry = ref _map.Find(head.Number);
                head.IsKnown = !RecordMap.IsMissing(ref entry);
                head.Position = head.IsKnown ? entry.Position : 0;
            }
        }

        var isFoldingNeeded = false;
        reader.Begin();
        foreach (ref var head in heads)
        {
            if (head.Number != 0)
            {
                Load(reader, ref head);
                isFoldingNeeded |= head.IsOld;
            }
        }

        reader.End();
        if (isFoldingNeeded)
        {
            FoldAll(reader, heads);
        }

        lock (_gate)
        {
            // A checkpoint that cleaned records since may have let the map forget a turn that is newer than what was read.
            if (cleanings == _cleanings)
            {
                Remember_NeedsGate(heads);
            }
        }
    }

    /// <summary>So that the commit which follows finds the turn it is decided on without a read.</summary>
    private void Remember_NeedsGate(Span<WantedHead> heads)
    {
        foreach (ref var head in heads)
        {
            if (!head.IsKnown && head.Loaded.Found && RecordMap.IsMissing(ref _map.Find(head.Number)))
            {
                ref var entry = ref _map.Add(head.Number);
                entry.Position = head.Row.Position;
                entry.TurnId = head.Row.TurnId;
                entry.NextDueMs = head.Row.NextDueMs;
            }
        }
    }

    private void FoldAll(TableReader reader, Span<WantedHead> heads)
    {
        using var log = _logReaders.Rent();
        log.Item.Begin();
        foreach (ref var head in heads)
        {
            if (head.IsOld)
            {
                head.Loaded = Fold(reader, log.Item, head.Number, head.Row, head.Loaded.Head.Span, head.Position);
            }
        }

        log.Item.End();
    }

    /// <summary>Loads a head at the position that the map said, or a later one; or one that turns are to be folded into.</summary>
    private void Load(TableReader reader, ref WantedHead wanted)
    {
        if (wanted.IsKnown && TryReadEvicted(wanted.Number, wanted.Position, out var evicted))
        {
            wanted.Loaded = new LoadedRecord(Found: true, wanted.Number, wanted.Position, evicted);
            return;
        }

        wanted.Row = reader.FindHead(wanted.Number, out var head);
        wanted.IsOld = wanted.Row.Position < wanted.Position;
        if (wanted.IsOld || wanted.Row.Position != 0)
        {
            wanted.Loaded = new LoadedRecord(Found: true, wanted.Number, wanted.Row.Position, head);
        }
    }

    /// <summary>Folds the turns after a row, up to a position.</summary>
    private static LoadedRecord Fold(TableReader reader, LogReader log, long number, in HeadRow row, ReadOnlySpan<byte> head, long position)
    {
        var (chain, frames, state) = (reader.Chain, reader.Frames, reader.State);
        chain.Clear();
        frames.Clear();
        for (var at = position; at != row.Position; at = chain[^1].Header.Previous)
        {
            if (at < row.Position)
            {
                throw LogFormat.Corrupt(log.Path, position, $"the turns of record {number} do not lead to its row at position {row.Position}");
            }

            chain.Add((at, frames.Start, log.Read(at, frames)));
            frames.Keep();
        }

        if (row.Position != 0)
        {
            state.Load(head);
        }

        for (var i = chain.Count - 1; i >= 0; i--)
        {
            var (at, start, header) = chain[i];
            TurnFolder.Fold(state, header.ToTurn(at, frames.Kept(start, header.Length)));
        }

        var facts = TurnFacts.Read(chain[0].Header.Skeleton(frames.Kept(chain[0].Start, chain[0].Header.Length).Span));
        if (facts.RecordNumber != number)
        {
            throw LogFormat.Corrupt(log.Path, position, $"it is a turn of record {facts.RecordNumber} and not of {number}");
        }

        reader.Packed.Clear();
        state.Pack(reader.Packed);
        return new LoadedRecord(Found: true, number, position, reader.Packed.Written.ToArray());
    }

    private static SectionAt? FindSection(Delta? delta, long number, int index)
    {
        if (delta is null || !delta.Sections.TryGetValue(number, out var sections))
        {
            return null;
        }

        var at = sections.FindLastIndex(section => section.Index == index);
        return at < 0 ? null : sections[at];
    }

    private byte[] ReadSection(SectionAt section)
    {
        using var log = _logReaders.Rent();
        var frames = log.Item.Frames;
        var header = log.Item.Read(section.Position, frames);
        var written = TurnFacts.ReadSections(header.Payload(frames.Bytes.Span), isWithContent: true);
        return written.Find(s => s.Index == section.Index).Content
            ?? throw LogFormat.Corrupt(log.Item.Path, section.Position, $"the turn has no section {section.Index}");
    }

    private struct WantedHead
    {
        public long Number;
        public long Position;
        public bool IsKnown;

        /// <summary>The row in <see cref="Loaded"/> lacks turns that the log has.</summary>
        public bool IsOld;

        public HeadRow Row;
        public LoadedRecord Loaded;
    }
}
