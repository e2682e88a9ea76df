using System.Text;
using Roster.Core.Records;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Embedded.Tests;

/// <summary>Erasure of a record and what it means for others (REC-17). What is left in files is tested over SQLite.</summary>
public sealed class ErasureTests
{
    private const string Ada = "ada@erased.example";

    /// <summary>Deals keep copies of the names of their contacts, and contacts of the stages of their deals.</summary>
    private static readonly string[] KeepCopies =
    [
        """
        { "id": "deals", "objectType": "deal", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "contact", "allOf": [
            { "property": "name", "operator": "IS_EQUAL_TO", "values": ["nobody"] } ] } } ] } ] } } }, "steps": [ { "id": "s", "setProperty": { "property": "stage", "value": "won" } } ] }
        """,
        """
        { "id": "contacts", "objectType": "contact", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
            { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["none"] } ] } } ] } ] } } }, "steps": [ { "id": "s", "setProperty": { "property": "name", "value": "won" } } ] }
        """,
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task REC_17_ENG_15_All_who_are_linked_to_an_erased_record_forget_it_however_many_they_are()
    {
        await using var harness = await StartAsync();
        for (var chunk = 0; chunk < 6; chunk++)
        {
            await harness.SendAsync(Contact(harness, Ada, "Augusta King", [.. Enumerable.Range(chunk * 50, 50).Select(i => $"d{i}")]));
        }

        await harness.SettleAsync();
        await harness.SendAsync(Contact(harness, Ada, "Augusta Ada King", "d0"));
        await harness.SettleAsync();
        Assert.Equal(300, await CountLinksAsync(harness, "contact", Ada));
        await EraseAsync(harness, "contact", Ada);
        Assert.Equal(0, await CountLinksAsync(harness, "deal", "d7"));
        await AssertForgottenAsync(harness, Ada, "Augusta");
    }

    [Fact]
    public async Task REC_17_ASC_05_A_record_with_many_links_and_copies_forgets_the_one_that_was_erased()
    {
        await using var harness = await StartAsync();
        for (var i = 0; i < 300; i++)
        {
            await harness.SendAsync(Contact(harness, i == 20 ? Ada : $"c{i}", i == 20 ? "Augusta King" : "Other", "hub"));
        }

        await harness.SettleAsync();
        Assert.Equal(300, await CountLinksAsync(harness, "deal", "hub"));
        await EraseAsync(harness, "contact", Ada);
        Assert.Equal(299, await CountLinksAsync(harness, "deal", "hub"));
        await AssertForgottenAsync(harness, Ada, "Augusta");
        await harness.SendAsync(Contact(harness, "c21", "Else", "hub"), Contact(harness, "late", "Later", "hub"));
        await harness.SettleAsync();
        Assert.Equal(300, await CountLinksAsync(harness, "deal", "hub"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_16_REC_17_A_deleted_record_forgets_it_too_since_it_may_be_brought_back()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Contact(harness, Ada, "Augusta King", "d1"));
        await harness.SettleAsync();
        var deal = new RecordRef { ObjectType = "deal", RecordId = "d1" };
        await harness.Engine.DeleteRecordAsync(EngineHarness.Tenant, new DeleteRecordRequest { Ref = deal, RequestId = "r1" }, Token);
        await EraseAsync(harness, "contact", Ada);
        await harness.Engine.RestoreRecordAsync(EngineHarness.Tenant, new RestoreRecordRequest { Ref = deal, RequestId = "r2" }, Token);
        Assert.Equal(0, await CountLinksAsync(harness, "deal", "d1"));
        await AssertForgottenAsync(harness, Ada, "Augusta");
    }

    [Fact]
    public async Task REC_17_Records_that_are_linked_to_each_other_are_erased_at_once()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Contact(harness, Ada, "Augusta King", "d1@erased.example", "d2"), Contact(harness, "eve@erased.example", "Augusta Eve", "d1@erased.example", "d2"));
        await harness.SettleAsync();
        await Task.WhenAll(SendErasureAsync(harness, "contact", Ada), SendErasureAsync(harness, "deal", "d1@erased.example"), SendErasureAsync(harness, "contact", "eve@erased.example"));
        await harness.SettleAsync();
        await AssertForgottenAsync(harness, Ada, "d1@erased.example", "eve@erased.example", "Augusta");
    }

    [Theory]
    [InlineData(3)]
    [InlineData(150)]
    public async Task REC_13_REC_17_What_was_merged_into_an_erased_record_is_erased_with_it(int links)
    {
        await using var harness = await StartAsync();
        const string Old = "old@erased.example";
        await harness.SendAsync(Contact(harness, Ada, "Augusta King", "d0"));
        foreach (var chunk in Enumerable.Range(0, links).Chunk(50))
        {
            await harness.SendAsync(Contact(harness, Old, "Augusta Byron", [.. chunk.Select(i => $"d{i}")]));
        }

        await harness.SettleAsync();
        RecordRef Ref(string id) => new() { ObjectType = "contact", RecordId = id };
        await harness.Engine.MergeRecordsAsync(EngineHarness.Tenant, new MergeRecordsRequest { Ref = Ref(Old), Survivor = Ref(Ada), RequestId = "m" }, Token);
        await harness.SettleAsync();
        await EraseAsync(harness, "contact", Ada);
        Assert.Null(await harness.Engine.GetRecordAsync(EngineHarness.Tenant, Ref(Old), Token));
        var refused = Assert.Single(await harness.SendAsync(Contact(harness, Old, "Augusta")));
        Assert.Contains("erased", refused.Result.Refusal.Message, StringComparison.Ordinal);
        await AssertForgottenAsync(harness, Ada, Old, "Augusta");
    }

    [Fact]
    public async Task REC_13_REC_17_A_record_that_was_merged_away_forgets_what_it_was_linked_to()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Contact(harness, "eve", "Eve", "d1@erased.example"), Contact(harness, "bob", "Bob"));
        var deal = harness.Event("d1@erased.example", "", EngineHarness.Text("stage", "Augusta"));
        deal.ObjectType = "deal";
        await harness.SendAsync(deal);
        await harness.SettleAsync();
        RecordRef Ref(string id) => new() { ObjectType = "contact", RecordId = id };
        await harness.Engine.MergeRecordsAsync(EngineHarness.Tenant, new MergeRecordsRequest { Ref = Ref("eve"), Survivor = Ref("bob"), RequestId = "m" }, Token);
        await harness.SettleAsync();
        await EraseAsync(harness, "deal", "d1@erased.example");
        await AssertForgottenAsync(harness, "d1@erased.example", "Augusta");
    }

    [Fact]
    public async Task REC_13_REC_17_A_record_is_erased_while_its_links_are_handed_over()
    {
        await using var harness = await StartAsync();
        const string Old = "old@erased.example";
        await harness.SendAsync(Contact(harness, "eve", "Eve", "d0"));
        foreach (var chunk in Enumerable.Range(0, 300).Chunk(50))
        {
            await harness.SendAsync(Contact(harness, Old, "Augusta Byron", [.. chunk.Select(i => $"d{i}")]));
        }

        await harness.SettleAsync();
        RecordRef Ref(string id) => new() { ObjectType = "contact", RecordId = id };
        await harness.Engine.MergeRecordsAsync(EngineHarness.Tenant, new MergeRecordsRequest { Ref = Ref(Old), Survivor = Ref("eve"), RequestId = "m" }, Token);
        await EraseAsync(harness, "contact", Old);
        await AssertForgottenAsync(harness, Old);
    }

    /// <summary>Contacts look at the line items of their deals.</summary>
    private const string KeepItems = """
        { "id": "items", "objectType": "contact", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
            { "associated": { "objectType": "line_item", "allOf": [ { "property": "sku", "operator": "IS_EQUAL_TO", "values": ["none"] } ] } } ] } } ] } ] } } },
          "steps": [ { "id": "s", "setProperty": { "property": "name", "value": "won" } } ] }
        """;

    [Theory]
    [InlineData(1, 1, "")]
    [InlineData(12, 1, "")]
    [InlineData(1, 150, "")]
    [InlineData(12, 2, "contact")]
    [InlineData(12, 2, "line_item")]
    public async Task ASC_03_REC_17_Contacts_forget_an_erased_line_item_of_their_deals(int deals, int contacts, string unlinked)
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Item(harness, "seed", "x"));
        await harness.PublishAsync(KeepItems);
        string[] linked = [.. Enumerable.Range(0, deals).Select(i => $"d{i}")];
        await harness.SendAsync([.. Enumerable.Range(0, contacts).Select(i => Contact(harness, $"c{i}", "Other", linked))]);
        await harness.SendAsync(Item(harness, Ada, "Augusta 1", linked), Item(harness, "other", "Other", linked));
        await harness.SettleAsync();
        for (var i = 2; i < 5; i++)
        {
            await harness.SendAsync(Item(harness, Ada, $"Augusta {i}"), Item(harness, "other", $"Other {i}"));
            await harness.SettleAsync();
        }

        if (unlinked.Length > 0)
        {
            var e = harness.Event(unlinked == "contact" ? "c0" : Ada);
            e.ObjectType = unlinked;
            e.Associations.AddRange(linked.Take(2).Select(d => new AssociationChange { ObjectType = "deal", RecordId = d, Remove = true }));
            await harness.SendAsync(e);
            await harness.SettleAsync();
        }

        await EraseAsync(harness, "line_item", Ada);
        await AssertForgottenAsync(harness, Ada, "Augusta");
    }

    /// <summary>Since a publish nothing looks at the line items, so the deal does not tell that one went.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    public async Task ASC_03_REC_17_Contacts_forget_an_erased_line_item_that_nobody_looks_at_any_more(int deals)
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Item(harness, Ada, "Augusta"));
        await harness.PublishAsync(KeepItems);
        string[] linked = [.. Enumerable.Range(0, deals).Select(i => $"d{i}")];
        await harness.SendAsync(Contact(harness, "eve", "Eve", linked));
        await harness.SendAsync(Item(harness, Ada, "Augusta", linked));
        await harness.SettleAsync();
        await harness.RepublishAsync("""
            { "id": "items", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "s", "setProperty": { "property": "name", "value": "won" } } ] }
            """);
        await harness.SettleAsync();
        await EraseAsync(harness, "line_item", Ada);
        await AssertForgottenAsync(harness, Ada, "Augusta");
    }

    [Theory]
    [InlineData(12)]
    [InlineData(200)]
    public async Task REC_17_A_record_forgets_an_erased_one_that_it_was_linked_to_before(int deals)
    {
        await using var harness = await StartAsync();
        var erased = harness.Event(Ada, "", EngineHarness.Text("stage", "Augusta"));
        erased.ObjectType = "deal";
        await harness.SendAsync(erased);
        await harness.SendAsync(Contact(harness, "eve", "Eve", Ada));
        foreach (var chunk in Enumerable.Range(0, deals).Chunk(50))
        {
            await harness.SendAsync(Contact(harness, "eve", "Eve", [.. chunk.Select(i => $"d{i}")]));
        }

        await harness.SettleAsync();
        var unlink = harness.Event("eve");
        unlink.Associations.Add(new AssociationChange { ObjectType = "deal", RecordId = Ada, Remove = true });
        await harness.SendAsync(unlink);
        await harness.SettleAsync();
        await EraseAsync(harness, "deal", Ada);
        await AssertForgottenAsync(harness, Ada, "Augusta");
        await harness.SendAsync(Contact(harness, "eve", "Eve", "late"));
        await harness.SettleAsync();
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_17_An_id_that_never_was_is_erased_ahead_and_erasing_twice_is_the_same_as_once()
    {
        await using var harness = await StartAsync();
        var records = (await harness.Store.ReadStatusAsync(Token)).Records;
        var first = await EraseAsync(harness, "contact", Ada);
        var second = await EraseAsync(harness, "contact", Ada);
        Assert.Equal((EventResult.Types.Code.Applied, EventResult.Types.Code.Duplicate), (first.Result.Code, second.Result.Code));
        Assert.Equal(first.OperationId, second.OperationId);
        Assert.Equal(records + 1, (await harness.Store.ReadStatusAsync(Token)).Records);
        var refused = Assert.Single(await harness.SendAsync(Contact(harness, Ada, "Augusta")));
        Assert.Equal(Refusal.Types.Reason.RecordGone, refused.Result.Refusal.Reason);
        await AssertForgottenAsync(harness, Ada, "Augusta");
    }

    [Fact]
    public async Task REC_17_A_link_to_an_erased_record_is_taken_away_again()
    {
        await using var harness = await StartAsync();
        await EraseAsync(harness, "contact", Ada);
        var deal = harness.Event("d1");
        deal.ObjectType = "deal";
        deal.Associations.Add(new AssociationChange { ObjectType = "contact", RecordId = Ada });
        await harness.SendAsync(deal);
        await harness.SettleAsync();
        Assert.Equal(0, await CountLinksAsync(harness, "deal", "d1"));
        Assert.Equal("RECORD_GONE", Assert.Single(await harness.JournalAsync(Kind.MessageReturned)).Detail);
        await AssertForgottenAsync(harness, Ada);

        // And again, with the same outcome.
        deal.EventId = "again";
        await harness.SendAsync(deal);
        await harness.SettleAsync();
        await AssertForgottenAsync(harness, Ada);
        var refused = Assert.Single(await harness.SendAsync(Contact(harness, Ada, "Augusta")));
        Assert.Equal(Refusal.Types.Reason.RecordGone, refused.Result.Refusal.Reason);
    }

    /// <summary>The record refused them, so it was never linked to them; their journals name it all the same.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task REC_16_REC_17_Those_that_linked_to_a_record_while_it_was_gone_forget_it_when_it_is_erased(bool isMerged)
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Contact(harness, Ada, "Augusta King"), Contact(harness, "eve", "Eve"));
        var gone = new RecordRef { ObjectType = "contact", RecordId = Ada };
        if (isMerged)
        {
            var survivor = new RecordRef { ObjectType = "contact", RecordId = "eve" };
            await harness.Engine.MergeRecordsAsync(EngineHarness.Tenant, new MergeRecordsRequest { Ref = gone, Survivor = survivor, RequestId = "m" }, Token);
        }
        else
        {
            await harness.Engine.DeleteRecordAsync(EngineHarness.Tenant, new DeleteRecordRequest { Ref = gone, RequestId = "d" }, Token);
        }

        await harness.SettleAsync();
        await harness.SendAsync(LinkToAda(harness, "d1"), LinkToAda(harness, "d2"));
        await harness.SettleAsync();
        Assert.Equal(2, (await harness.JournalAsync(Kind.MessageReturned)).Count);
        await EraseAsync(harness, "contact", isMerged ? "eve" : Ada);
        await AssertForgottenAsync(harness, Ada);
    }

    /// <summary>Links arrive before the first turn, between it and the job, and while the job is at work.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task REC_17_Those_that_link_to_a_record_while_it_is_erased_forget_it(int shards)
    {
        await using var harness = await StartAsync(options: new EmbeddedOptions { Shards = shards });
        await harness.SendAsync(Contact(harness, Ada, "Augusta King", "d0"));
        await harness.SettleAsync();
        var erasure = SendErasureAsync(harness, "contact", Ada);
        for (var i = 0; i < 40; i++)
        {
            await harness.SendAsync(LinkToAda(harness, $"d{i}"));
        }

        await erasure;
        await harness.SettleAsync();
        Assert.Equal(0, await CountLinksAsync(harness, "deal", "d39"));
        await AssertForgottenAsync(harness, Ada, "Augusta");
    }

    private static Event LinkToAda(EngineHarness harness, string deal)
    {
        var e = harness.Event(deal);
        e.ObjectType = "deal";
        e.Associations.Add(new AssociationChange { ObjectType = "contact", RecordId = Ada });
        return e;
    }

    [Fact]
    public async Task REC_17_An_erasure_whose_last_turn_a_crash_prevented_goes_on_at_the_next_start_and_is_not_cancelled()
    {
        var store = new VolatileRecordStore();
        var options = new EmbeddedOptions
        {
            BeforeTurn = state =>
            {
                if (state is { Gone: GoneKind.Erased, OpenEffects.Length: 0 })
                {
                    throw new InvalidOperationException("The process ends here.");
                }
            },
        };
        var harness = await StartAsync(store, options);
        await harness.SendAsync(Contact(harness, Ada, "Augusta King", "d1"));
        await harness.SettleAsync();
        var sent = await SendErasureAsync(harness, "contact", Ada);
        var cancelled = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.CancelOperationAsync(
            EngineHarness.Tenant, new CancelOperationRequest { OperationId = sent.OperationId }, Token));
        Assert.Equal(RosterError.FailedPrecondition, cancelled.Error);
        await harness.Engine.DisposeAsync();
        await using var again = await EngineHarness.StartAsync(store: store, clock: harness.Clock);
        await again.SettleAsync();
        var operation = await again.Engine.GetOperationAsync(EngineHarness.Tenant, new GetOperationRequest { OperationId = sent.OperationId }, Token);
        Assert.Equal(Operation.Types.State.Succeeded, operation.State);
        await AssertForgottenAsync(again, Ada, "Augusta");
    }

    private static async Task<EngineHarness> StartAsync(IRecordStore? store = null, EmbeddedOptions? options = null)
    {
        var harness = await EngineHarness.StartAsync(options, store);
        await harness.SendAsync(Contact(harness, "seed", "x"));
        var deal = harness.Event("seed", "", EngineHarness.Text("stage", "open"));
        deal.ObjectType = "deal";
        await harness.SendAsync(deal);
        foreach (var workflow in KeepCopies)
        {
            await harness.PublishAsync(workflow);
        }

        return harness;
    }

    private static Event Item(EngineHarness harness, string id, string sku, params string[] deals)
    {
        var e = harness.Event(id, "", EngineHarness.Text("sku", sku));
        e.ObjectType = "line_item";
        e.Associations.AddRange(deals.Select(d => new AssociationChange { ObjectType = "deal", RecordId = d }));
        return e;
    }

    private static Event Contact(EngineHarness harness, string id, string name, params string[] deals)
    {
        var e = harness.Event(id, "", EngineHarness.Text("name", name));
        e.Associations.AddRange(deals.Select(d => new AssociationChange { ObjectType = "deal", RecordId = d }));
        return e;
    }

    private static Task<EraseRecordResponse> SendErasureAsync(EngineHarness harness, string type, string id) => harness.Engine.EraseRecordAsync(
        EngineHarness.Tenant, new EraseRecordRequest { Ref = new RecordRef { ObjectType = type, RecordId = id }, RequestId = "r", Caller = "me" }, Token).AsTask();

    private static async Task<EraseRecordResponse> EraseAsync(EngineHarness harness, string type, string id)
    {
        var response = await SendErasureAsync(harness, type, id);
        await harness.SettleAsync();
        var operation = await harness.Engine.GetOperationAsync(EngineHarness.Tenant, new GetOperationRequest { OperationId = response.OperationId }, Token);
        Assert.Equal(Operation.Types.State.Succeeded, operation.State);
        return response;
    }

    private static async Task<int> CountLinksAsync(EngineHarness harness, string type, string id)
    {
        var request = new ListAssociationsRequest { Ref = new RecordRef { ObjectType = type, RecordId = id }, PageSize = 100 };
        var count = 0;
        do
        {
            var page = await harness.Engine.ListAssociationsAsync(EngineHarness.Tenant, request, Token);
            count += page.Associations.Count;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return count;
    }

    /// <summary>No head, section, turn, message or document has the words any more, and the journal gives the states all the same.</summary>
    private static async Task AssertForgottenAsync(EngineHarness harness, params string[] words)
    {
        await harness.VerifyAsync();
        var bytes = new List<ReadOnlyMemory<byte>>();
        foreach (var record in await harness.Store.ScanRecordsAsync(0, 10_000, Token))
        {
            bytes.Add(record.Head);
            for (var section = 1; section < 400; section++)
            {
                bytes.Add(await harness.Store.LoadSectionAsync(record.Number, section, Token) ?? []);
            }
        }

        for (var turns = await harness.Store.ReadJournalAsync(0, 10_000, Token); turns.Count > 0; turns = await harness.Store.ReadJournalAsync(turns[^1].Position, 10_000, Token))
        {
            bytes.AddRange(turns.SelectMany(t => new[] { t.Skeleton, t.Payload }));
        }

        bytes.AddRange((await harness.Store.ReadDocumentsAsync(Token)).Select(d => new ReadOnlyMemory<byte>(d.Content)));
        Assert.Empty(await harness.Store.ReadEffectQueuesAsync(Token));
        Assert.All(words, word => Assert.DoesNotContain(bytes, part => part.Span.IndexOf(Encoding.UTF8.GetBytes(word)) >= 0));
    }
}
