using System.Runtime.CompilerServices;
using Google.Protobuf;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Storage.V1;

namespace Roster.Engine.Moving;

/// <summary>Reads all of a tenant from a store that nobody writes to, a page at a time, in the order of <see cref="TenantPage"/>.</summary>
internal sealed class TenantReader
{
    private const int ItemsMax = 1_000;
    private const int BytesMax = 1024 * 1024;

    /// <summary>Records of which sections are read at once: few, since one may have megabytes of them.</summary>
    private const int SectionsOfMax = 16;
    private const int TenantField = 2;

    private readonly IMovableStore _store;
    private readonly IReadOnlyList<StoredDocument> _documents;
    private readonly Dictionary<CounterKey, long> _folded = [];
    private TenantPage _page = new();
    private int _items;
    private int _bytes;

    private TenantReader(IMovableStore store, IReadOnlyList<StoredDocument> documents, TenantFileHeader header)
    {
        _store = store;
        _documents = documents;
        Header = header;
    }

    public TenantFileHeader Header { get; }

    /// <exception cref="StoreRefusedException">There is no such tenant.</exception>
    public static async Task<TenantReader> OpenAsync(IMovableStore store, string tenantId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await store.CheckpointAsync(cancellationToken).ConfigureAwait(false);
        var documents = await store.ReadDocumentsAsync(cancellationToken).ConfigureAwait(false);
        var tenant = documents.Where(d => d.Kind == DocumentKinds.Tenant).Select(d => TenantDocument.Parser.ParseFrom(d.Content)).FirstOrDefault(t => t.Id == tenantId)
            ?? throw new StoreRefusedException($"The store `{store.Name}` has no tenant `{tenantId}`.");
        var queues = await store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false);
        return new TenantReader(store, documents, new TenantFileHeader
        {
            Format = TenantFile.Format,
            Tenant = tenant.Number,
            TenantId = tenant.Id,
            Source = store.Name,
            ExportedAt = now.ToUnixTimeMilliseconds(),
            NextSequence = await store.ReadNextSequenceAsync(cancellationToken).ConfigureAwait(false),
            Zones = documents.FirstOrDefault(d => d.Kind == DocumentKinds.Zones)?.Content is { } zones ? System.Text.Encoding.UTF8.GetString(zones) : string.Empty,
            ErasureKey = documents.FirstOrDefault(d => d.Kind == DocumentKinds.Erasure)?.Content is { } key ? ByteString.CopyFrom(key) : ByteString.Empty,
            Cut = store.Status.JournalBegin > 0,
            Effects = queues.Where(q => q.Tenant == tenant.Number).Sum(q => q.Count),
        });
    }

    public async IAsyncEnumerable<TenantPage> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var part in new[] { ReadDocuments(), ReadEffectsAsync(cancellationToken), ReadTurnsAsync(cancellationToken), ReadCountersAsync(cancellationToken), ReadKeysAsync(cancellationToken), ReadRecordsAsync(cancellationToken), ReadSectionsAsync(cancellationToken) })
        {
            await foreach (var bytes in part.ConfigureAwait(false))
            {
                _items++;
                _bytes += bytes;
                if (_items >= ItemsMax || _bytes >= BytesMax)
                {
                    yield return TakePage();
                }
            }

            if (_items > 0)
            {
                yield return TakePage();
            }
        }
    }

    private TenantPage TakePage()
    {
        var page = _page;
        (_page, _items, _bytes) = (new TenantPage(), 0, 0);
        return page;
    }

    private async IAsyncEnumerable<int> ReadDocuments()
    {
        foreach (var document in _documents.Where(d => d.Tenant == Header.Tenant))
        {
            _page.Documents.Add(new TenantPage.Types.Document { Kind = document.Kind, Id = document.Id, Content = Wrap(document.Content) });
            yield return document.Content!.Length;
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }

    private async IAsyncEnumerable<int> ReadEffectsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var queues = await _store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false);
        foreach (var queue in queues.Where(q => q.Tenant == Header.Tenant).OrderBy(q => q.Queue, StringComparer.Ordinal))
        {
            var after = 0L;
            while (await _store.ReadEffectsAsync(queue.Tenant, queue.Queue, after, ItemsMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } effects)
            {
                foreach (var effect in effects)
                {
                    _page.Effects.Add(new TenantPage.Types.Effect
                    {
                        Queue = effect.Queue,
                        Record = effect.Id.RecordNumber,
                        Enrollment = effect.Id.Enrollment,
                        Step = effect.Id.Step,
                        Execution = effect.Id.Execution,
                        Task = Wrap(effect.Task),
                    });
                    yield return effect.Task.Length;
                }

                after = effects[^1].Sequence;
            }
        }
    }

    private async IAsyncEnumerable<int> ReadTurnsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = 0L;
        while (await _store.ReadJournalAsync(after, ItemsMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } turns)
        {
            foreach (var turn in turns)
            {
                if (TenantOf(turn.Skeleton.Span) == Header.Tenant)
                {
                    Fold(turn);
                    var link = turn.Previous switch { 0 => TurnLink.First, > 0 => TurnLink.Follows, _ => TurnLink.Removed };
                    _page.Turns.Add(new TenantPage.Types.Turn { Skeleton = Wrap(turn.Skeleton), Payload = Wrap(turn.Payload), Link = (int)link });
                    yield return turn.Skeleton.Length + turn.Payload.Length;
                }
            }

            after = turns[^1].Position;
        }
    }

    /// <summary>What turns counted is needed where turns are missing and the store does not know what those had counted.</summary>
    private void Fold(StoredTurn turn)
    {
        if (Header.Cut)
        {
            var entries = new List<JournalEntry>();
            var info = TurnDecoder.ReadSkeleton(turn.Skeleton.Span, entries);
            CounterFold.Fold(info, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(entries), (key, change) => _folded[key] = _folded.GetValueOrDefault(key) + change);
        }
    }

    private async IAsyncEnumerable<int> ReadCountersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var counters = await _store.ReadCountersAsync(Header.Tenant, cancellationToken).ConfigureAwait(false);
        foreach (var (key, value) in counters.Where(c => c.Value != 0))
        {
            _page.Counters.Add(ToItem(key, value));
            yield return 0;
        }

        var removed = !Header.Cut ? [] : await _store.ReadRemovedCountersAsync(Header.Tenant, cancellationToken).ConfigureAwait(false)
            ?? [.. counters.Where(c => c.Key.Kind is not (CounterKind.Duplicate or CounterKind.Mismatch or CounterKind.RefusedInput)).Select(c => KeyValuePair.Create(c.Key, c.Value - _folded.GetValueOrDefault(c.Key)))];
        foreach (var (key, value) in removed.Where(c => c.Value != 0))
        {
            _page.RemovedCounters.Add(ToItem(key, value));
            yield return 0;
        }
    }

    private async IAsyncEnumerable<int> ReadKeysAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RecordKey? after = null;
        while (await _store.ReadKeysAsync(Header.Tenant, after, ItemsMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } keys)
        {
            foreach (var (key, number) in keys)
            {
                _page.Keys.Add(new TenantPage.Types.Key { ObjectType = key.ObjectType, Id = key.Id, Number = number });
                yield return key.Id.Length;
            }

            after = keys[^1].Key;
        }
    }

    private async IAsyncEnumerable<int> ReadRecordsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var record in ScanAsync(cancellationToken).ConfigureAwait(false))
        {
            _page.Records.Add(new TenantPage.Types.Record { Number = record.Number, Head = Wrap(record.Head) });
            yield return record.Head.Length;
        }
    }

    private async IAsyncEnumerable<int> ReadSectionsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var numbers = new List<long>();
        await foreach (var record in ScanAsync(cancellationToken).ConfigureAwait(false))
        {
            if (HasSections(record.Head.Span))
            {
                numbers.Add(record.Number);
            }

            if (numbers.Count == SectionsOfMax)
            {
                foreach (var section in await _store.ReadSectionsAsync(numbers, cancellationToken).ConfigureAwait(false))
                {
                    yield return Add(section);
                }

                numbers.Clear();
            }
        }

        foreach (var section in await _store.ReadSectionsAsync(numbers, cancellationToken).ConfigureAwait(false))
        {
            yield return Add(section);
        }
    }

    private int Add(in StoredSection section)
    {
        _page.Sections.Add(new TenantPage.Types.Section { Record = section.RecordNumber, Index = section.Index, Content = Wrap(section.Content) });
        return section.Content.Length;
    }

    private async IAsyncEnumerable<LoadedRecord> ScanAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = 0L;
        while (await _store.ScanRecordsAsync(after, ItemsMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } records)
        {
            foreach (var record in records.Where(r => TenantOf(r.Head.Span) == Header.Tenant))
            {
                yield return record;
            }

            after = records[^1].Number;
        }
    }

    private static TenantPage.Types.Counter ToItem(CounterKey key, long value) => new()
    {
        Workflow = key.Workflow,
        Version = key.Version,
        Kind = (int)key.Kind,
        Step = key.Step,
        Code = key.Code,
        Value = value,
    };

    /// <summary>The same field of a head and of a skeleton.</summary>
    private static int TenantOf(ReadOnlySpan<byte> packed)
    {
        var reader = new PackedReader(packed);
        while (reader.Next(out var field) && field <= TenantField)
        {
            if (field == TenantField)
            {
                return reader.Int();
            }

            reader.Skip();
        }

        return 0;
    }

    /// <summary>Whether the record ever had a section: the number of the next one is not left out then.</summary>
    private static bool HasSections(ReadOnlySpan<byte> head)
    {
        const int NextSectionField = 10;
        var reader = new PackedReader(head);
        while (reader.Next(out var field) && field <= NextSectionField)
        {
            if (field == NextSectionField)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    private static ByteString Wrap(ReadOnlyMemory<byte> bytes) => UnsafeByteOperations.UnsafeWrap(bytes);
}
