using System.Text;
using Roster.Core.Journal;
using Roster.Embedded;
using Roster.Engine.Messages;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.V1;
using JournalEntry = Roster.V1.JournalEntry;
using Kind = Roster.V1.JournalEntry.Types.Kind;
using ReadValues = Roster.Simulator.Reference.Values;
using Record = Roster.V1.Record;

namespace Roster.Simulator.Linked;

/// <summary>Judges an engine whose records are linked, at a moment when nothing is on its way.</summary>
internal sealed class LinkedAuditor(EmbeddedEngine engine, IRecordStore store, IReadOnlyCollection<RecordRef> records, CancellationToken token)
{
    private const string Tenant = "acme";
    private readonly Dictionary<(string Type, string Id), Record> _records = [];
    private readonly Dictionary<(string Type, string Id), List<Association>> _links = [];

    /// <param name="erased">What must not be anywhere any more.</param>
    public async Task CheckAsync(IEnumerable<string> erased)
    {
        var verified = await engine.VerifyAsync(token);
        Require(verified.Differences.Count == 0 && verified.StateHash == verified.ReplayHash, string.Join('\n', verified.Differences));
        await ReadAsync();
        await CheckLinksAsync();
        CheckLists((await engine.ListListsAsync(Tenant, new ListListsRequest(), token)).Lists);
        await CheckMessagesAsync();
        await CheckJournalAsync();
        await CheckErasedAsync([.. erased.Select(Encoding.UTF8.GetBytes)]);
    }

    private async Task ReadAsync()
    {
        foreach (var reference in records)
        {
            if (await engine.GetRecordAsync(Tenant, reference, token) is not { } record)
            {
                continue;
            }

            var key = (reference.ObjectType, reference.RecordId);
            _records[key] = record;
            _links[key] = [];
            var request = new ListAssociationsRequest { Ref = reference, PageSize = 1_000 };
            do
            {
                var page = await engine.ListAssociationsAsync(Tenant, request, token);
                _links[key].AddRange(page.Associations);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            Require(_links[key].Count == record.AssociationCount, $"{reference} counts {record.AssociationCount} links and has {_links[key].Count}.");
        }
    }

    /// <summary>ACT-27: both sides have a link, with the same labels. Notes are not among the records that are looked at.</summary>
    private async Task CheckLinksAsync()
    {
        foreach (var ((type, id), links) in _links)
        {
            foreach (var link in links.Where(l => l.Ref.ObjectType != "note"))
            {
                var back = _links.GetValueOrDefault((link.Ref.ObjectType, link.Ref.RecordId))?.Find(l => l.Ref.ObjectType == type && l.Ref.RecordId == id);
                var isSame = back is not null && back.Labels.Order(StringComparer.Ordinal).SequenceEqual(link.Labels.Order(StringComparer.Ordinal));
                Require(isSame, isSame ? "" : $"{type}/{id} has {link}, the other side has {back?.ToString() ?? "no link"}.\n{await TellAsync(id, link.Ref.RecordId)}");
            }
        }
    }

    /// <summary>What the journal says of two records and each other, and of their merges and deletions.</summary>
    private async Task<string> TellAsync(string left, string right)
    {
        var told = new StringBuilder();
        var ids = new Dictionary<long, string>();
        await foreach (var stored in ReadTurnsAsync())
        {
            var turn = TurnDecoder.Decode(stored);
            _ = turn.CreatedId.Length > 0 && ids.TryAdd(turn.Info.RecordNumber, turn.CreatedId);
            var id = ids.GetValueOrDefault(turn.Info.RecordNumber, "");
            foreach (var entry in turn.Entries.Where(e => (id == left && e.Text == right) || (id == right && e.Text == left)
                || ((id == left || id == right) && e.Kind is EntryKind.RecordMerged or EntryKind.RecordAbsorbed or EntryKind.RecordDeleted or EntryKind.RecordRestored)))
            {
                told.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"{stored.Position} {turn.Info.At} {id}: {entry.Kind} {(entry.Kind is EntryKind.MessageReceived or EntryKind.MessageReturned ? (Core.Turns.MessageKind)entry.Code : "")} {entry.Text} {entry.Source}{(entry.Flag ? " gone or first" : "")}");
            }
        }

        return told.ToString();
    }

    /// <summary>ASC-04, LST-02: who is in a list follows from the values of the linked records themselves, whatever the copies say.</summary>
    private void CheckLists(IReadOnlyCollection<List> lists)
    {
        foreach (var ((type, id), record) in _records.Where(r => !r.Value.Deleted && r.Value.MergedInto.Length == 0))
        {
            foreach (var list in lists.Where(l => l.ObjectType == type))
            {
                var expected = list.Criteria.AnyOf.Any(group => group.AllOf.All(filter => Accepts(filter, type, id)));
                Require(record.Lists.Contains(list.Id) == expected, $"{type}/{id} is {(expected ? "not " : "")}in {list}.\nIt is {record}\nIts links are {string.Join('\n', _links[(type, id)].Select(l => $"{l} {_records.GetValueOrDefault((l.Ref.ObjectType, l.Ref.RecordId))}"))}");
            }
        }
    }

    private bool Accepts(Filter filter, string type, string id)
    {
        if (filter.Associated is { } associated)
        {
            return _links[(type, id)].Exists(link => link.Ref.ObjectType == associated.ObjectType
                && (associated.Label.Length == 0 || link.Labels.Contains(associated.Label))
                && _records.GetValueOrDefault((link.Ref.ObjectType, link.Ref.RecordId)) is { Deleted: false }
                && associated.AllOf.All(inner => Accepts(inner, link.Ref.ObjectType, link.Ref.RecordId)));
        }

        var value = ReadValues.Read(_records[(type, id)].Properties.FirstOrDefault(p => p.Name == filter.Property)?.Value);
        return value is not null && (filter.Property == "score"
            ? decimal.Parse(value, System.Globalization.CultureInfo.InvariantCulture) > decimal.Parse(filter.Values[0], System.Globalization.CultureInfo.InvariantCulture)
            : value.StartsWith(filter.Values[0], StringComparison.Ordinal));
    }

    /// <summary>ENG-15: every message that was sent was received once, or came back once.</summary>
    private async Task CheckMessagesAsync()
    {
        Require((await store.ReadEffectQueuesAsync(token)).All(q => q.Queue != MessageCodec.Queue), "Messages are left at a quiet moment.");
        var (sent, arrived) = (0L, 0L);
        await foreach (var turn in ReadTurnsAsync())
        {
            foreach (var entry in TurnDecoder.Decode(turn).Entries)
            {
                sent += entry.Kind == EntryKind.MessagesSent ? entry.Subject : 0;
                arrived += entry.Kind is EntryKind.MessageReceived or EntryKind.MessageReturned ? 1 : 0;
            }
        }

        Require(sent == arrived, $"{sent} messages were sent, {arrived} arrived or came back.");
    }

    private async IAsyncEnumerable<StoredTurn> ReadTurnsAsync()
    {
        var position = 0L;
        while (await store.ReadJournalAsync(position, 1_000, token) is { Count: > 0 } turns)
        {
            foreach (var turn in turns)
            {
                yield return turn;
            }

            position = turns[^1].Position;
        }
    }

    private async Task CheckJournalAsync()
    {
        var all = new List<JournalEntry>();
        await foreach (var page in engine.ReadJournalAsync(Tenant, new ReadJournalRequest(), token))
        {
            all.AddRange(page.Entries);
        }

        // An erased record has no id any more.
        foreach (var record in all.Where(e => e.Ref.RecordId.Length > 0).GroupBy(e => e.Ref))
        {
            var active = new HashSet<string>();
            foreach (var entry in record)
            {
                // S9, S10: at most one enrollment of a workflow is active, and each ends at most once.
                Require(entry.Kind != Kind.Enrolled || active.Add(entry.WorkflowId), $"{record.Key} is enrolled twice in {entry.WorkflowId}.");
                Require(entry.Kind != Kind.EnrollmentEnded || active.Remove(entry.WorkflowId), $"{record.Key} left {entry.WorkflowId} without being in it.");
            }

            // S3, S14: an id is applied once, and a run of a step requests one task and hears of it once.
            Once(record.Where(e => e.Kind is Kind.EventReceived or Kind.CommandReceived && e.EventId.Length > 0).Select(e => e.EventId), $"{record.Key} applied");
            foreach (var kind in new[] { Kind.EffectRequested, Kind.EffectCompleted })
            {
                Once(record.Where(e => e.Kind == kind).Select(e => $"{e.EnrollmentNumber}/{e.StepId}/{e.ExecutionIndex}"), $"{record.Key} has {kind} of");
            }

            var present = _records.GetValueOrDefault((record.Key.ObjectType, record.Key.RecordId));
            Require(present is null || present.Enrollments.Select(e => e.WorkflowId).ToHashSet().SetEquals(active), $"{record.Key} is active in {string.Join(' ', active)}, its head says {present}.");
        }
    }

    private static void Once(IEnumerable<string> ids, string what)
    {
        var twice = ids.GroupBy(id => id).FirstOrDefault(g => g.Count() > 1);
        Require(twice is null, $"{what} {twice?.Key} twice.");
    }

    /// <summary>REC-17: no head, section, turn or document has an erased id or a value that only the erased record had.</summary>
    private async Task CheckErasedAsync(List<byte[]> words)
    {
        if (words.Count == 0)
        {
            return;
        }

        foreach (var record in await store.ScanRecordsAsync(0, 10_000, token))
        {
            Absent(words, record.Head, $"the head of record {record.Number}");
            foreach (var section in Enumerable.Range(1, 500))
            {
                Absent(words, await store.LoadSectionAsync(record.Number, section, token) ?? [], $"section {section} of record {record.Number}");
            }
        }

        await foreach (var turn in ReadTurnsAsync())
        {
            Absent(words, turn.Skeleton, $"the skeleton of turn {turn.Position}");
            var decoded = TurnDecoder.Decode(turn);
            Absent(words, turn.Payload, $"turn {turn.Position} of record {decoded.Info.RecordNumber} at {decoded.Info.At}: {string.Join(", ", decoded.Entries.Select(e => $"{e.Kind} {e.Code} {e.Subject} {e.Text}"))}");
        }

        foreach (var document in await store.ReadDocumentsAsync(token))
        {
            Absent(words, document.Content, $"document {document.Kind}/{document.Id}");
        }
    }

    private static void Absent(List<byte[]> words, ReadOnlyMemory<byte> bytes, string where)
    {
        foreach (var word in words)
        {
            Require(bytes.Span.IndexOf(word) < 0, $"{Encoding.UTF8.GetString(word)} is erased and still in {where}.");
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
