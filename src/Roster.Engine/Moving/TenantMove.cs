using Google.Protobuf;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Storage.V1;

namespace Roster.Engine.Moving;

/// <summary>
/// Moves a whole tenant from one store to another: what it is now, what waits to happen, and what happened. Whoever moves has both stores for himself. Decision
/// 0022 says what is in the file and why it keeps its numbers.
/// </summary>
public static class TenantMove
{
    /// <summary>Writes all of a tenant to a file.</summary>
    /// <param name="store">Where it is; nobody writes to it meanwhile.</param>
    /// <param name="tenantId">Its name.</param>
    /// <param name="file">Gets the file. It has secrets: those of webhooks, hashes of keys, and all personal data.</param>
    /// <param name="now">When; noted in the file.</param>
    /// <param name="cancellationToken">Gives up; what was written is no whole file, and refused by an import.</param>
    /// <returns>What was written, with the hash of the state.</returns>
    /// <exception cref="StoreRefusedException">There is no such tenant.</exception>
    public static async Task<TenantSummary> ExportAsync(IMovableStore store, string tenantId, Stream file, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(file);
        var reader = await TenantReader.OpenAsync(store, tenantId, now, cancellationToken).ConfigureAwait(false);
        var writer = new TenantFileWriter(file);
        await writer.WriteAsync(TenantFile.HeaderKind, reader.Header, cancellationToken).ConfigureAwait(false);
        var count = new Count(reader.Header);
        await foreach (var page in reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            count.Add(page);
            await writer.WriteAsync(TenantFile.PageKind, page, cancellationToken).ConfigureAwait(false);
        }

        var end = count.End();
        await writer.WriteAsync(TenantFile.EndKind, end, cancellationToken).ConfigureAwait(false);
        await file.FlushAsync(cancellationToken).ConfigureAwait(false);
        return count.ToSummary(end);
    }

    /// <summary>Counts and hash of a tenant as it is in a store: the same in every store that has the same.</summary>
    /// <exception cref="StoreRefusedException">There is no such tenant.</exception>
    public static async Task<TenantSummary> HashAsync(IMovableStore store, string tenantId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        var reader = await TenantReader.OpenAsync(store, tenantId, default, cancellationToken).ConfigureAwait(false);
        var count = new Count(reader.Header);
        await foreach (var page in reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            count.Add(page);
        }

        return count.ToSummary(count.End());
    }

    /// <summary>Takes the tenant of a file into a store. All of it is there when this returns, and nothing when it throws.</summary>
    /// <param name="file">A file that <see cref="ExportAsync"/> wrote.</param>
    /// <param name="target">Where to; disposed of by the caller.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was taken, with the hash that the export had noted; it was compared with what was read.</returns>
    /// <exception cref="TenantFileException">The file is damaged, cut short, or of another version.</exception>
    /// <exception cref="StoreRefusedException">The store has a tenant of that name or number, or something that does not go with the file.</exception>
    public static async Task<TenantSummary> ImportAsync(Stream file, ITenantImport target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(target);
        var reader = new TenantFileReader(file);
        var header = await reader.ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
        var ofEngine = OfEngine(header, target.Present);
        await target.BeginAsync(new TenantPlan(header.Tenant, header.NextSequence, header.Cut, header.Effects), cancellationToken).ConfigureAwait(false);
        await target.AddDocumentsAsync(ofEngine, cancellationToken).ConfigureAwait(false);
        try
        {
            return await TakeAsync(reader, header, target, cancellationToken).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw new TenantFileException($"The file has something that this program cannot read: {e.Message} Use the version that wrote it, or a later one.", e);
        }
    }

    private static async Task<TenantSummary> TakeAsync(TenantFileReader reader, TenantFileHeader header, ITenantImport target, CancellationToken cancellationToken)
    {
        var (count, taker) = (new Count(header), new Taker(header.Tenant, target));
        while (true)
        {
            var (page, end) = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (page is not null)
            {
                count.Add(page);
                await taker.TakeAsync(page, cancellationToken).ConfigureAwait(false);
                continue;
            }

            var counted = count.End();
            if (!counted.Equals(end))
            {
                throw new TenantFileException($"The file has other items than its end says: {counted} instead of {end}. Nothing of it was taken; export again.");
            }

            await target.CompleteAsync(cancellationToken).ConfigureAwait(false);
            return count.ToSummary(counted);
        }
    }

    /// <summary>What the tenant needs of the documents of the engine itself, and refuses a store that has it otherwise.</summary>
    private static List<StoredDocument> OfEngine(TenantFileHeader header, IReadOnlyList<StoredDocument> present)
    {
        foreach (var document in present.Where(d => d.Kind == DocumentKinds.Tenant))
        {
            var other = TenantDocument.Parser.ParseFrom(document.Content);
            if (other.Id == header.TenantId || other.Number == header.Tenant)
            {
                throw new StoreRefusedException(
                    $"The store has the tenant `{other.Id}` with number {other.Number}; the file is of `{header.TenantId}` with number {header.Tenant}. A tenant keeps its name and number when it moves: take a store that has neither.");
            }
        }

        var missing = new List<StoredDocument>();
        if (header.Zones.Length > 0 && Needs(present, DocumentKinds.Zones, System.Text.Encoding.UTF8.GetBytes(header.Zones), "instants were computed with another zone database. Start the server of the file's store once with the program of this one, which computes them again, and export after that"))
        {
            missing.Add(new StoredDocument(0, DocumentKinds.Zones, DocumentKinds.Zones, System.Text.Encoding.UTF8.GetBytes(header.Zones)));
        }

        if (!header.ErasureKey.IsEmpty && Needs(present, DocumentKinds.Erasure, header.ErasureKey.ToByteArray(), "ids of erased records are hashed with another key. Take a store of its own for the tenant"))
        {
            missing.Add(new StoredDocument(0, DocumentKinds.Erasure, "key", header.ErasureKey.ToByteArray()));
        }

        return missing;
    }

    private static bool Needs(IReadOnlyList<StoredDocument> present, string kind, byte[] content, string otherwise)
    {
        var own = present.FirstOrDefault(d => d.Kind == kind)?.Content;
        return own is null || own.AsSpan().SequenceEqual(content) ? own is null : throw new StoreRefusedException($"The store cannot take the tenant: {otherwise}.");
    }

    private sealed class Count(TenantFileHeader header)
    {
        private readonly TenantHash _hash = new(header.Tenant, header.TenantId);
        private readonly RecordState _state = new();
        private long _timers;

        public void Add(TenantPage page)
        {
            _hash.Add(page);
            foreach (var record in page.Records)
            {
                _state.Load(record.Head.Span);
                _timers += _state.NextDueAt.IsNone ? 0 : 1;
            }
        }

        public TenantFileEnd End() => _hash.End();

        public TenantSummary ToSummary(TenantFileEnd end) => new(
            header.Tenant, header.TenantId, end.Records, end.Turns, _timers, end.Effects, end.Documents, Convert.ToHexStringLower(end.Hash.Span));
    }

    /// <summary>Gives the items of pages to a store.</summary>
    private sealed class Taker(int tenant, ITenantImport target)
    {
        private readonly RecordState _state = new();
        private readonly List<JournalEntry> _entries = [];

        public async ValueTask TakeAsync(TenantPage page, CancellationToken cancellationToken)
        {
            await target.AddDocumentsAsync([.. page.Documents.Select(d => new StoredDocument(tenant, d.Kind, d.Id, d.Content.ToByteArray()))], cancellationToken).ConfigureAwait(false);
            await target.AddEffectsAsync([.. page.Effects.Select(ToEffect)], cancellationToken).ConfigureAwait(false);
            await target.AddTurnsAsync([.. page.Turns.Select(ToTurn)], cancellationToken).ConfigureAwait(false);
            await target.AddCountersAsync([.. page.Counters.Select(ToCounter)], [.. page.RemovedCounters.Select(ToCounter)], cancellationToken).ConfigureAwait(false);
            await target.AddKeysAsync([.. page.Keys.Select(k => KeyValuePair.Create(new RecordKey(tenant, k.ObjectType, k.Id), k.Number))], cancellationToken).ConfigureAwait(false);
            await target.AddRecordsAsync([.. page.Records.Select(ToRecord)], cancellationToken).ConfigureAwait(false);
            await target.AddSectionsAsync([.. page.Sections.Select(s => new StoredSection(s.Record, s.Index, s.Content.Memory))], cancellationToken).ConfigureAwait(false);
        }

        private StoredEffect ToEffect(TenantPage.Types.Effect effect) =>
            new(0, new EffectId(effect.Record, effect.Enrollment, effect.Step, effect.Execution), tenant, effect.Queue, effect.Task.ToByteArray());

        private KeyValuePair<CounterKey, long> ToCounter(TenantPage.Types.Counter counter) =>
            KeyValuePair.Create(new CounterKey(tenant, counter.Workflow, counter.Version, (CounterKind)counter.Kind, counter.Step, counter.Code), counter.Value);

        private MovedTurn ToTurn(TenantPage.Types.Turn turn)
        {
            _entries.Clear();
            var info = TurnDecoder.ReadSkeleton(turn.Skeleton.Span, _entries);
            return new MovedTurn(turn.Skeleton.Memory, turn.Payload.Memory, (TurnLink)turn.Link, info, [.. _entries]);
        }

        private MovedRecord ToRecord(TenantPage.Types.Record record)
        {
            _state.Load(record.Head.Span);
            var active = new int[_state.Enrollments.Length];
            for (var i = 0; i < active.Length; i++)
            {
                active[i] = _state.Enrollments[i].Workflow;
            }

            return new MovedRecord(record.Number, record.Head.Memory, _state.TurnId, _state.NextDueAt, active);
        }
    }
}
