using System.Text;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Engine.Erasing;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Tests.Erasing;

/// <summary>What stands for erased ids, and how they are taken out of the turns of others (REC-17).</summary>
public sealed class ErasedIdsTests
{
    private static readonly RecordKey Ada = new(1, 2, "ada@example.com");
    private readonly List<StoredDocument> _documents = [];

    [Fact]
    public void REC_17_The_hash_is_keyed_by_a_secret_that_is_made_once_and_kept()
    {
        var ids = Begin();
        ids.Begin(_ => Assert.Fail("There is a key already."));
        var document = Assert.Single(_documents);
        Assert.Equal((0, 32), (document.Tenant, document.Content!.Length));
        Assert.Equal(ids.Of(Ada), new ErasedIds(_documents).Of(Ada));
        var other = new ErasedIds([]);
        Assert.True(other.IsEmpty);
        Assert.Throws<InvalidOperationException>(() => other.Of(Ada));
        other.Begin(_ => { });
        Assert.NotEqual(ids.Of(Ada), other.Of(Ada));
    }

    [Fact]
    public void REC_17_The_hash_is_of_tenant_type_and_id()
    {
        var ids = Begin();
        RecordKey[] keys = [Ada, Ada with { Tenant = 2 }, Ada with { ObjectType = 3 }, Ada with { Id = "ada@example.co" }];
        Assert.Equal(4, keys.Select(k => ids.Of(k).Id).Distinct().Count());
        Assert.All(keys, k => Assert.Equal((k.Tenant, k.ObjectType), (ids.Of(k).Tenant, ids.Of(k).ObjectType)));
        Assert.All(keys, k => Assert.True(ids.Of(k).Id.Length < RecordKey.IdBytesMax));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("ada@example.com")]
    [InlineData("Žofie Ångström 🙂")]
    public void REC_17_A_mask_has_as_many_bytes_as_the_id_and_nothing_of_it(string id)
    {
        var key = Ada with { Id = id };
        var mask = Begin().MaskOf(key);
        Assert.Equal(Encoding.UTF8.GetByteCount(id), Encoding.UTF8.GetByteCount(mask));
        Assert.True(id.Length < 4 || !mask.Contains(id[..4], StringComparison.Ordinal));
        var longest = Ada with { Id = new string('x', RecordKey.IdBytesMax) };
        Assert.Equal(RecordKey.IdBytesMax, Begin().MaskOf(longest).Length);
    }

    [Fact]
    public void REC_17_A_turn_of_another_record_loses_the_id_and_the_copy_and_keeps_the_rest()
    {
        var ids = Begin();
        var mask = new TurnMask(Ada, ids.MaskOf(Ada));
        var content = new NamedValue[] { new("1", Value.OfText("Augusta")) };
        var since = new Timestamp(1_700_000_000_000);
        JournalEntry[] entries =
        [
            JournalEntry.Associated(new Association(2, Ada.Id, [3], since), isNew: true, 3),
            JournalEntry.CopyChanged(new Association(2, Ada.Id, [3], since), content, isRemoved: false),
            JournalEntry.CopyChanged(new Association(2, "bob", [3], since), content, isRemoved: false),
            JournalEntry.PropertyChanged(1, Value.OfText("kept"), since, "test"),
            JournalEntry.CopiesCut(4, Ada.Id, 0),
            JournalEntry.AssociationMarked(new Association(2, Ada.Id, [3], since)),
        ];
        var turn = Encode(entries, [new SectionWrite(1, Encoding.UTF8.GetBytes($"a leaf with {Ada.Id} in it")), new SectionWrite(2, [7]), new SectionWrite(3, null)]);
        var rewritten = mask.Rewrite(turn)!.Value;
        Assert.True(rewritten.Payload.Length <= turn.Payload.Length);
        var after = turn with { Payload = rewritten.Payload };
        var decoded = TurnDecoder.Decode(after);
        Assert.Equal("created", decoded.CreatedId);
        Assert.Equal([ids.MaskOf(Ada), ids.MaskOf(Ada), "bob", null, Ada.Id, ids.MaskOf(Ada)], decoded.Entries.Select(e => e.Text));
        Assert.Equal([false, false, true], decoded.Entries.Take(3).Select(e => e.Fields is { Length: > 0 }));
        Assert.Equal("kept", decoded.Entries[3].Value.Text);
        Assert.Equal([0, 1, null], TurnDecoder.ReadSections(after).Select(s => s.Content?.Length));
        Assert.Null(mask.Rewrite(Encode([entries[2], entries[3], entries[4]], [])));
    }

    [Fact]
    public async Task REC_17_An_erased_record_is_found_by_its_id_and_unknown_ids_are_not()
    {
        var ids = Begin();
        await using var store = new VolatileRecordStore();
        var batch = new TurnBatch();
        var key = Ada;
        Create(batch, ids.Of(key), 7);
        Create(batch, new RecordKey(1, 2, "bob"), 8);
        await store.CommitAsync(batch, TestContext.Current.CancellationToken);
        foreach (var (reader, numbers) in new[] { (new ErasedIds([]), new long[] { 0, 8, 0 }), (ids, [7, 8, 0]) })
        {
            var results = new List<LoadedRecord> { default, default, default };
            await reader.LoadAsync(store, [key, new RecordKey(1, 2, "bob"), new RecordKey(1, 2, "eve")], results, TestContext.Current.CancellationToken);
            Assert.Equal(numbers, results.Select(r => r.Number));
        }
    }

    private static void Create(TurnBatch batch, RecordKey key, long number)
    {
        ref var turn = ref batch.AddTurn();
        (turn.RecordNumber, turn.Tenant, turn.TurnId, turn.CreatedKey) = (number, key.Tenant, 1, key);
        turn.Skeleton = turn.Head = new ByteRange(batch.Bytes.Length, 1);
        batch.Bytes.Raw([1]);
    }

    private ErasedIds Begin()
    {
        var ids = new ErasedIds([]);
        ids.Begin(_documents.AddRange);
        return ids;
    }

    private static StoredTurn Encode(JournalEntry[] entries, SectionWrite[] sections)
    {
        var (skeleton, payload) = (new PackedWriter(), new PackedWriter());
        TurnEncoder.WriteSkeleton(skeleton, new TurnInfo(1, 5, 9, 11, 10, new Timestamp(5), default, TurnCause.Message), entries);
        TurnEncoder.WritePayload(payload, "created", entries, sections);
        return new StoredTurn(7, 3, skeleton.Written.ToArray(), payload.Written.ToArray());
    }
}
