using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Embedded.Tests;

/// <summary>Links, copies and messages between records on a host (ASC, ENG-11, ENG-15, ACT-20 to ACT-27).</summary>
public sealed class AssociationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A contact enrolls when an associated deal is worth more than 1,000.</summary>
    private const string OnBigDeal = """
        { "id": "big", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
            { "property": "amount", "operator": "IS_GREATER_THAN", "values": ["1000"] },
            { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["open"] } ] } } ] } ] } } },
          "steps": [ { "id": "mark", "setProperty": { "property": "tier", "value": "gold" } } ] }
        """;

    private static async Task<EngineHarness> StartAsync(IRecordStore? store = null)
    {
        var harness = await EngineHarness.StartAsync(store: store);
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("tier", "x"), EngineHarness.Text("deal_id", "x")));
        await harness.SendAsync(Deal(harness, "seed", "1", "closed"));
        return harness;
    }

    private static Event Deal(EngineHarness harness, string id, string amount, string stage, params string[] contacts)
    {
        var e = harness.Event(id, "", EngineHarness.Number("amount", amount), EngineHarness.Text("stage", stage));
        e.ObjectType = "deal";
        e.Associations.AddRange(contacts.Select(c => new AssociationChange { ObjectType = "contact", RecordId = c }));
        return e;
    }

    private static Event Link(EngineHarness harness, string contact, string type, string id, string label = "", bool removes = false)
    {
        var e = harness.Event(contact);
        e.Associations.Add(new AssociationChange { ObjectType = type, RecordId = id, Label = label, Remove = removes });
        return e;
    }

    private static async Task<List<string>> EnrolledAsync(EngineHarness harness) => [.. (await harness.JournalAsync(Kind.Enrolled)).Select(e => e.Ref.RecordId)];

    private static async Task<List<string>> LinksAsync(EngineHarness harness, string type, string id)
    {
        var links = new List<string>();
        var request = new ListAssociationsRequest { Ref = new RecordRef { ObjectType = type, RecordId = id }, PageSize = 100 };
        do
        {
            var page = await harness.Engine.ListAssociationsAsync(EngineHarness.Tenant, request, Token);
            links.AddRange(page.Associations.Select(a => $"{a.Ref.ObjectType}/{a.Ref.RecordId}{(a.Labels.Count == 0 ? "" : $" {string.Join(',', a.Labels)}")}"));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        links.Sort(StringComparer.Ordinal);
        return links;
    }

    [Fact]
    public async Task ASC_01_A_contact_enrolls_when_a_linked_deal_meets_all_filters_in_the_turn_of_its_message()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(OnBigDeal);
        await harness.SendAsync(Deal(harness, "d1", "500", "open", "ada"));
        await harness.SettleAsync();
        Assert.Empty(await EnrolledAsync(harness));
        await harness.SendAsync(Deal(harness, "d1", "1500", "open"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await EnrolledAsync(harness));
        Assert.Equal(["deal/d1"], await LinksAsync(harness, "contact", "ada"));
        Assert.Equal(["contact/ada"], await LinksAsync(harness, "deal", "d1"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_02_Filters_of_one_branch_are_met_by_one_record()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(OnBigDeal);
        await harness.SendAsync(Deal(harness, "d1", "2000", "closed", "ada"), Deal(harness, "d2", "10", "open", "ada"));
        await harness.SettleAsync();
        Assert.Empty(await EnrolledAsync(harness));
        await harness.SendAsync(Deal(harness, "d2", "2000", "open"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await EnrolledAsync(harness));
    }

    [Fact]
    public async Task ASC_04_A_link_to_a_deal_that_meets_the_criteria_already_fires_and_one_that_is_taken_away_counts_no_more()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(OnBigDeal);
        await harness.SendAsync(Deal(harness, "d1", "2000", "open"));
        await harness.SendAsync(Link(harness, "ada", "deal", "d1"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await EnrolledAsync(harness));
        await harness.SendAsync(Link(harness, "ada", "deal", "d1", removes: true));
        await harness.SettleAsync();
        Assert.Empty(await LinksAsync(harness, "deal", "d1"));
        var explained = await harness.Engine.ExplainAsync(
            EngineHarness.Tenant, new ExplainRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "big" }, Token);
        Assert.Contains("no associated record", explained.ToString(), StringComparison.Ordinal);
        await harness.VerifyAsync();
    }

    /// <summary>Both events are decided before a message of either has arrived; what comes of it is the same wherever it crossed.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task ACT_27_ENG_15_Both_ends_of_a_link_agree_when_both_change_it_at_once(int shards)
    {
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions { Shards = shards });
        await harness.SendAsync(Deal(harness, "d1", "1", "open"), Link(harness, "ada", "deal", "d1", "buyer"));
        for (var round = 0; round < 24; round++)
        {
            await harness.SettleAsync();
            Event Change(bool isContact, int change)
            {
                var (id, type, other) = isContact ? ("ada", "contact", "deal/d1") : ("d1", "deal", "contact/ada");
                var e = Link(harness, id, other.Split('/')[0], other.Split('/')[1], change % 3 == 0 ? "" : change % 3 == 1 ? "buyer" : "user", removes: change >= 3);
                e.ObjectType = type;
                return e;
            }

            await harness.SendAsync(Change(true, round % 6), Change(false, (round / 6) + 2), Change(true, (round + 1) % 6));
            await harness.SettleAsync();
            var (atContact, atDeal) = (await LinksAsync(harness, "contact", "ada"), await LinksAsync(harness, "deal", "d1"));
            Assert.Equal(atContact.Select(l => l.Replace("deal/d1", "contact/ada", StringComparison.Ordinal)), atDeal);
        }

        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ENG_15_A_record_with_many_links_tells_them_all_leaf_by_leaf()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(OnBigDeal);
        for (var chunk = 0; chunk < 10; chunk++)
        {
            var from = chunk * 50;
            await harness.SendAsync(Deal(harness, "hub", "1", "open", [.. Enumerable.Range(from, 50).Select(i => $"c{i}")]));
        }

        await harness.SettleAsync();
        Assert.Equal(500, (await LinksAsync(harness, "deal", "hub")).Count);
        await harness.SendAsync(Deal(harness, "hub", "5000", "open"));
        await harness.SettleAsync();
        Assert.Equal(500, (await EnrolledAsync(harness)).Distinct().Count());
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ENG_15_A_write_reaches_a_record_whose_many_links_are_not_in_memory()
    {
        var store = new VolatileRecordStore();
        var harness = await StartAsync(store);
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go" } ] }, "reenroll": true },
              "dataSources": [ { "name": "d", "objectType": "deal" } ],
              "steps": [ { "id": "s", "setProperty": { "property": "amount", "dataSource": "d", "mode": "INCREMENT", "value": "1" } } ] }
            """);
        for (var chunk = 0; chunk < 3; chunk++)
        {
            await harness.SendAsync(Deal(harness, "hub", "1", "open", [.. Enumerable.Range(chunk * 16, 16).Select(i => $"c{i}")]));
        }

        await harness.SettleAsync();
        await harness.Engine.DisposeAsync();
        await using var again = await EngineHarness.StartAsync(store: store, clock: harness.Clock);
        var go = again.Event("c1", "go");
        go.EventId = "after";
        await again.SendAsync(go);
        await again.SettleAsync();
        var hub = await again.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "deal", RecordId = "hub" }, Token);
        Assert.Equal("2", hub!.Properties.Single(p => p.Name == "amount").Value.Number);
        Assert.Empty(await again.JournalAsync(Kind.MessageReturned));
        await again.VerifyAsync();
    }

    [Fact]
    public async Task ENG_15_Messages_that_were_committed_before_a_stop_are_delivered_once_after_it()
    {
        var store = new VolatileRecordStore();
        var harness = await StartAsync(store);
        await harness.PublishAsync(OnBigDeal);
        await harness.SendAsync(Deal(harness, "d1", "2000", "open", "ada", "bob"));
        await harness.Engine.DisposeAsync();
        await using var again = await EngineHarness.StartAsync(store: store, clock: harness.Clock);
        await again.SettleAsync();
        Assert.Equal(["ada", "bob"], (await EnrolledAsync(again)).Order(StringComparer.Ordinal));
        Assert.Empty(await again.Store.ReadEffectQueuesAsync(Token));
        await again.VerifyAsync();
    }

    [Fact]
    public async Task ENG_15_Messages_wait_for_a_full_disk_and_keep_their_order()
    {
        var faults = new FaultStore(new VolatileRecordStore());
        await using var harness = await StartAsync(faults);
        await harness.PublishAsync(OnBigDeal);
        await harness.SettleAsync();
        await harness.SendAsync(Deal(harness, "d1", "1", "open", "ada", "bob"));
        await harness.SettleAsync();
        for (var i = 2; i < 40; i++)
        {
            var amount = i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var change = Deal(harness, "d1", amount, "open");
            while (!await IsTakenAsync(harness, change))
            {
                // The disk was still full: it is sent again, as a client does.
            }

            faults.FailNext(i % 3 == 0 ? 2 : 0);
        }

        faults.FailNext(0);
        await harness.SettleAsync();
        var copies = (await harness.JournalAsync(Kind.MessageReceived)).Where(e => e.Ref.RecordId == "ada" && e.Type == "copy").ToList();
        var sent = (await harness.JournalAsync(Kind.PropertyChanged)).Count(e => e.Ref.RecordId == "d1" && e.Name == "amount");
        Assert.Equal((38, 39), (copies.Count, sent));
        await harness.SendAsync(Deal(harness, "d1", "2000", "open"));
        await harness.SettleAsync();
        Assert.Equal(["ada", "bob"], (await EnrolledAsync(harness)).Order(StringComparer.Ordinal));
        await harness.VerifyAsync();
    }

    private static async Task<bool> IsTakenAsync(EngineHarness harness, Event e)
    {
        try
        {
            await harness.SendAsync(e);
            return true;
        }
        catch (RosterException full) when (full.Error == RosterError.Overloaded)
        {
            return false;
        }
    }

    [Fact]
    public async Task ACT_27_Steps_link_and_unlink_both_sides_with_labels()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] }, "reenroll": true },
              "steps": [ { "id": "a", "next": "b", "associate": { "objectType": "deal", "recordId": { "property": "deal_id" }, "label": "buyer" } },
                         { "id": "b", "next": "c", "delay": { "amount": 1, "unit": "DAYS" } },
                         { "id": "c", "dissociate": { "objectType": "deal" } } ] }
            """);
        var go = harness.Event("ada", "go", EngineHarness.Text("deal_id", "d7"));
        await harness.SendAsync(go);
        await harness.SettleAsync();
        Assert.Equal(["deal/d7 buyer"], await LinksAsync(harness, "contact", "ada"));
        Assert.Equal(["contact/ada buyer"], await LinksAsync(harness, "deal", "d7"));
        await harness.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Empty(await LinksAsync(harness, "contact", "ada"));
        Assert.Empty(await LinksAsync(harness, "deal", "d7"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ACT_22_A_step_creates_a_linked_record_with_an_id_that_later_steps_read()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "steps": [ { "id": "make", "next": "keep", "createRecord": { "objectType": "deal", "label": "primary", "properties": [
                             { "property": "stage", "value": { "text": "for {{tier}}" } }, { "property": "amount", "value": { "text": "77" } } ] } },
                         { "id": "keep", "setProperty": { "property": "deal_id", "source": { "output": { "step": "make", "name": "record_id" } } } } ] }
            """);
        await harness.SendAsync(harness.Event("ada", "go", EngineHarness.Text("tier", "gold")));
        await harness.SettleAsync();
        var id = (await harness.RecordAsync("ada")).Properties.Single(p => p.Name == "deal_id").Value.Text;
        var deal = await harness.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "deal", RecordId = id }, Token);
        Assert.Equal(["77", "for gold"], deal!.Properties.Select(p => p.Value.KindCase == Value.KindOneofCase.Number ? p.Value.Number : p.Value.Text));
        Assert.Equal([$"deal/{id} primary"], await LinksAsync(harness, "contact", "ada"));
        Assert.Equal(["contact/ada primary"], await LinksAsync(harness, "deal", id));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ACT_23_A_created_record_does_not_create_a_further_one_of_its_type_by_the_workflow_that_led_to_it()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "w", "objectType": "deal", "start": { "event": { "anyOf": [ { "eventType": "record_created" } ] } },
              "steps": [ { "id": "make", "createRecord": { "objectType": "deal" } } ] }
            """);
        await harness.SendAsync(Deal(harness, "first", "1", "open"));
        await harness.SettleAsync();
        Assert.Equal(2, (await EnrolledAsync(harness)).Count);
        Assert.Equal(["SUCCESS", "SKIPPED_LOOP"], (await harness.JournalAsync(Kind.StepFinished)).Select(e => e.Result));
    }

    [Fact]
    public async Task ACT_24_ACT_25_A_human_step_waits_until_its_own_task_is_completed()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "steps": [ { "id": "call", "next": "done", "createTask": { "title": "Call {{tier}}", "due": { "amount": 2, "unit": "DAYS" }, "wait": true,
                             "timeout": "864000s", "timeoutNext": "late" } },
                         { "id": "done", "setProperty": { "property": "tier", "value": "called" } },
                         { "id": "late", "setProperty": { "property": "tier", "value": "late" } } ] }
            """);
        await harness.SendAsync(harness.Event("ada", "go", EngineHarness.Text("tier", "Ada")), harness.Event("bob", "go"));
        await harness.SettleAsync();
        var task = Assert.Single(await LinksAsync(harness, "contact", "ada"))["task/".Length..];
        var record = await harness.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "task", RecordId = task }, Token);
        Assert.Equal("Call Ada", record!.Properties.Single(p => p.Name == "title").Value.Text);
        Assert.Equal(EngineHarness.Start.AddDays(2), record.Properties.Single(p => p.Name == "due_at").Value.Datetime.ToDateTimeOffset());
        var completed = harness.Event(task, "task_completed");
        completed.ObjectType = "task";
        await harness.SendAsync(completed);
        await harness.SettleAsync();
        Assert.Equal("called", (await harness.RecordAsync("ada")).Properties.Single(p => p.Name == "tier").Value.Text);
        await harness.AdvanceAsync(TimeSpan.FromDays(11));
        Assert.Equal("late", (await harness.RecordAsync("bob")).Properties.Single(p => p.Name == "tier").Value.Text);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_06_A_data_source_names_one_associated_record_for_tokens_and_writes()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go" } ] }, "reenroll": true },
              "dataSources": [ { "name": "best", "objectType": "deal", "sortBy": "amount", "descending": true } ],
              "steps": [ { "id": "copy", "next": "write", "setProperty": { "property": "deal_id", "source": { "text": "{{best.stage|none}}" } } },
                         { "id": "write", "setProperty": { "property": "amount", "dataSource": "best", "mode": "INCREMENT", "value": "5" } } ] }
            """);
        await harness.SendAsync(harness.Event("ada"));
        await harness.SendAsync(harness.Event("ada", "go"));
        Assert.Equal("none", (await harness.RecordAsync("ada")).Properties.Single(p => p.Name == "deal_id").Value.Text);
        Assert.Equal("NO_TARGET", (await harness.JournalAsync(Kind.StepFinished))[^1].Result);
        await harness.SendAsync(Deal(harness, "d1", "10", "small", "ada"), Deal(harness, "d2", "900", "big", "ada"));
        await harness.SettleAsync();
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SettleAsync();
        Assert.Equal("big", (await harness.RecordAsync("ada")).Properties.Single(p => p.Name == "deal_id").Value.Text);
        var deal = await harness.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "deal", RecordId = "d2" }, Token);
        Assert.Equal("905", deal!.Properties.Single(p => p.Name == "amount").Value.Number);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ENG_11_Two_records_that_write_to_each_other_without_end_are_stopped()
    {
        await using var harness = await StartAsync();
        string PingPong(string id, string type, string other) => $$"""
            { "id": "{{id}}", "objectType": "{{type}}", "start": { "event": { "anyOf": [ { "eventType": "property_changed", "where": [ { "property": "property", "operator": "IS_EQUAL_TO", "values": ["amount"] } ] } ] }, "reenroll": true },
              "dataSources": [ { "name": "o", "objectType": "{{other}}" } ],
              "steps": [ { "id": "s", "setProperty": { "property": "amount", "dataSource": "o", "mode": "INCREMENT", "value": "1" } } ] }
            """;
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Number("amount", "0")));
        await harness.Engine.UpdateSettingsAsync(
            EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { EnrollmentsPerHourMax = 1_000, Undeclared = TenantSettings.Types.Undeclared.Declare } }, Token);
        await harness.PublishAsync(PingPong("p", "contact", "deal"));
        await harness.PublishAsync(PingPong("q", "deal", "contact"));
        await harness.SendAsync(Link(harness, "ada", "deal", "d1"));
        await harness.SettleAsync();
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Number("amount", "1")));
        await harness.SettleAsync();
        Assert.Single(await harness.JournalAsync(Kind.LoopGuard));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_16_A_deleted_record_counts_for_no_filter_and_a_link_to_it_is_taken_away_again()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(OnBigDeal);
        await harness.SendAsync(Deal(harness, "d1", "5000", "closed", "ada"));
        await harness.SettleAsync();
        await harness.Engine.DeleteRecordAsync(
            EngineHarness.Tenant, new DeleteRecordRequest { Ref = new RecordRef { ObjectType = "deal", RecordId = "d1" }, RequestId = "r" }, Token);
        await harness.SettleAsync();
        await harness.SendAsync(Link(harness, "bob", "deal", "d1"));
        await harness.SettleAsync();
        Assert.Empty(await LinksAsync(harness, "contact", "bob"));
        var returned = Assert.Single(await harness.JournalAsync(Kind.MessageReturned));
        Assert.Equal(("RECORD_GONE", "d1"), (returned.Detail, returned.Other.RecordId));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_16_ACT_27_A_deleted_record_follows_what_becomes_of_its_links()
    {
        await using var harness = await StartAsync();
        await harness.ListAsync("""
            { "id": "rich", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
              { "property": "amount", "operator": "IS_GREATER_THAN", "values": ["1000"] } ] } } ] } ] } }
            """);
        await harness.SendAsync(Deal(harness, "d1", "1", "open", "ada", "bob", "cleo"));
        await harness.SettleAsync();
        var (deal, ada) = (new RecordRef { ObjectType = "deal", RecordId = "d1" }, new RecordRef { ObjectType = "contact", RecordId = "ada" });
        await harness.Engine.DeleteRecordAsync(EngineHarness.Tenant, new DeleteRecordRequest { Ref = deal, RequestId = "r1" }, Token);
        await harness.SettleAsync();
        await harness.SendAsync(Link(harness, "bob", "deal", "d1", removes: true), Link(harness, "cleo", "deal", "d1", "buyer"), Link(harness, "dan", "deal", "d1"));
        await harness.SettleAsync();
        await harness.Engine.RestoreRecordAsync(EngineHarness.Tenant, new RestoreRecordRequest { Ref = deal, RequestId = "r2" }, Token);
        await harness.Engine.DeleteRecordAsync(EngineHarness.Tenant, new DeleteRecordRequest { Ref = ada, RequestId = "r3" }, Token);
        await harness.SettleAsync();
        await harness.SendAsync(Deal(harness, "d1", "5000", "open"));
        await harness.SettleAsync();
        await harness.Engine.RestoreRecordAsync(EngineHarness.Tenant, new RestoreRecordRequest { Ref = ada, RequestId = "r4" }, Token);
        await harness.SettleAsync();
        Assert.Equal(["contact/ada", "contact/cleo buyer"], await LinksAsync(harness, "deal", "d1"));
        Assert.Equal(["deal/d1 buyer"], await LinksAsync(harness, "contact", "cleo"));
        Assert.Empty(await LinksAsync(harness, "contact", "bob"));
        Assert.Empty(await LinksAsync(harness, "contact", "dan"));
        Assert.Equal(["ada", "cleo"], await harness.MembersAsync("rich"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_04_A_publish_has_owners_send_first_copies_which_fire_nothing_and_then_considers_existing_records()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Deal(harness, "d1", "5000", "open", "ada"), Deal(harness, "d2", "10", "open", "bob"));
        await harness.SettleAsync();
        await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = Google.Protobuf.JsonParser.Default.Parse<Workflow>(OnBigDeal) }, Token);
        var published = await harness.Engine.PublishWorkflowAsync(EngineHarness.Tenant, new PublishWorkflowRequest { WorkflowId = "big" }, Token);
        Assert.Equal("send_copies", Assert.Single(published.Operations).Kind);
        await harness.SwitchAsync("big", Workflow.Types.State.On);
        await harness.SettleAsync();
        Assert.Empty(await EnrolledAsync(harness));
        await harness.SwitchAsync("big", Workflow.Types.State.Off);
        await harness.SwitchAsync("big", Workflow.Types.State.On, enrollExisting: true);
        await harness.SettleAsync();
        Assert.Equal(["ada"], await EnrolledAsync(harness));
        await harness.SendAsync(Deal(harness, "d2", "1001", "open"));
        await harness.SettleAsync();
        Assert.Equal(["ada", "bob"], await EnrolledAsync(harness));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_04_A_list_on_associated_records_is_computed_after_the_copies_have_come()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(Deal(harness, "d1", "5000", "open", "ada"), Deal(harness, "d2", "10", "open", "bob"));
        await harness.SettleAsync();
        await harness.ListAsync("""
            { "id": "rich", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
              { "property": "amount", "operator": "IS_GREATER_THAN", "values": ["1000"] } ] } } ] } ] } }
            """);
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("rich"));
        await harness.SendAsync(Deal(harness, "d1", "1", "open"), Deal(harness, "d2", "2000", "open"));
        await harness.SettleAsync();
        Assert.Equal(["bob"], await harness.MembersAsync("rich"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_05_Of_a_label_the_newest_copies_are_kept_and_the_cut_is_journaled()
    {
        await using var harness = await StartAsync();
        await harness.Engine.UpdateSettingsAsync(
            EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { AssociatedCopiesMax = 20, Undeclared = TenantSettings.Types.Undeclared.Declare } }, Token);
        await harness.PublishAsync(OnBigDeal);
        for (var i = 0; i < 25; i++)
        {
            await harness.SendAsync(Deal(harness, $"d{i}", "1", "open", "ada"));
            await harness.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["d0", "d1", "d2", "d3", "d4"], (await harness.JournalAsync(Kind.CopiesCut)).Select(e => e.Other.RecordId));
        await harness.SendAsync(Deal(harness, "d0", "5000", "open"));
        await harness.SettleAsync();
        Assert.Empty(await EnrolledAsync(harness));
        await harness.SendAsync(Deal(harness, "d24", "5000", "open"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await EnrolledAsync(harness));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_07_One_link_too_many_is_refused_on_either_side()
    {
        await using var harness = await StartAsync();
        await harness.Engine.UpdateSettingsAsync(
            EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { AssociationsPerRecordMax = 2, Undeclared = TenantSettings.Types.Undeclared.Declare } }, Token);
        await harness.SendAsync(Link(harness, "ada", "deal", "d1"), Link(harness, "ada", "deal", "d2"));
        await harness.SettleAsync();
        var refused = Assert.Single(await harness.SendAsync(Link(harness, "ada", "deal", "d3"))).Result.Refusal;
        Assert.Equal((Refusal.Types.Reason.LimitReached, "associations_per_record_max"), (refused.Reason, refused.Setting));
        await harness.SendAsync(Link(harness, "bob", "deal", "d1"));
        await harness.SettleAsync();
        await harness.SendAsync(Link(harness, "cleo", "deal", "d1"));
        await harness.SettleAsync();
        Assert.Equal(2, (await LinksAsync(harness, "deal", "d1")).Count);
        Assert.Empty(await LinksAsync(harness, "contact", "cleo"));
        Assert.Equal("LIMIT_REACHED", Assert.Single(await harness.JournalAsync(Kind.MessageReturned)).Detail);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ACT_24_A_note_is_a_record_linked_to_the_enrolled_one()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "steps": [ { "id": "n", "createNote": { "body": "Came in as {{tier|nobody}}" } } ] }
            """);
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SettleAsync();
        var id = Assert.Single(await LinksAsync(harness, "contact", "ada"))["note/".Length..];
        var note = await harness.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "note", RecordId = id }, Token);
        Assert.Equal("Came in as nobody", Assert.Single(note!.Properties).Value.Text);
        Assert.Equal(["contact/ada"], await LinksAsync(harness, "note", id));
    }

    /// <summary>A contact enrolls when a deal of it that is open has a line item of more than five shoes (ASC-03).</summary>
    private const string OnShoes = """
        { "id": "shoes", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
            { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["open"] },
            { "associated": { "objectType": "line_item", "allOf": [
              { "property": "sku", "operator": "IS_EQUAL_TO", "values": ["shoe"] },
              { "property": "quantity", "operator": "IS_GREATER_THAN", "values": ["5"] } ] } } ] } } ] } ] } } },
          "steps": [ { "id": "mark", "setProperty": { "property": "tier", "value": "gold" } } ] }
        """;

    /// <summary>Its members are the contacts that the filter of <see cref="OnShoes"/> accepts now.</summary>
    private const string ListOfShoes = """
        { "id": "shoes", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
            { "associated": { "objectType": "line_item", "allOf": [
              { "property": "sku", "operator": "IS_EQUAL_TO", "values": ["shoe"] },
              { "property": "quantity", "operator": "IS_GREATER_THAN", "values": ["5"] } ] } } ] } } ] } ] } }
        """;

    private static async Task<EngineHarness> StartWithItemsAsync(params string[] workflows)
    {
        var harness = await StartAsync();
        await harness.SendAsync(Item(harness, "seed", "x", "1"));
        foreach (var workflow in workflows)
        {
            await harness.PublishAsync(workflow);
        }

        return harness;
    }

    private static Event Item(EngineHarness harness, string id, string sku, string quantity, params string[] deals)
    {
        var e = harness.Event(id, "", EngineHarness.Text("sku", sku), EngineHarness.Number("quantity", quantity));
        e.ObjectType = "line_item";
        e.Associations.AddRange(deals.Select(d => new AssociationChange { ObjectType = "deal", RecordId = d }));
        return e;
    }

    private static RecordRef Ref(string type, string id) => new() { ObjectType = type, RecordId = id };

    private static async Task MergeAsync(EngineHarness harness, string type, string id, string survivor)
    {
        await harness.Engine.MergeRecordsAsync(
            EngineHarness.Tenant, new MergeRecordsRequest { Ref = Ref(type, id), Survivor = Ref(type, survivor), RequestId = $"merge {id}" }, Token);
        await harness.SettleAsync();
    }

    [Fact]
    public async Task ASC_03_A_contact_enrolls_when_one_line_item_of_one_of_its_deals_passes_all_filters()
    {
        await using var harness = await StartWithItemsAsync(OnShoes);
        await harness.SendAsync(Deal(harness, "d1", "1", "open", "ada"), Deal(harness, "d2", "1", "closed", "ada"));
        await harness.SendAsync(Item(harness, "l1", "shoe", "1", "d1"), Item(harness, "l2", "hat", "9", "d1"), Item(harness, "l3", "shoe", "9", "d2"));
        await harness.SettleAsync();
        Assert.Empty(await EnrolledAsync(harness));
        await harness.SendAsync(Item(harness, "l1", "shoe", "6"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await EnrolledAsync(harness));
        var explained = await harness.Engine.ExplainAsync(EngineHarness.Tenant, new ExplainRequest { Ref = Ref("contact", "ada"), WorkflowId = "shoes" }, Token);
        Assert.Contains("associated line_item with sku IS_EQUAL_TO shoe and quantity IS_GREATER_THAN 5", explained.ToString(), StringComparison.Ordinal);
        Assert.Contains("2 associated, 1 pass all filters", explained.ToString(), StringComparison.Ordinal);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_03_Links_of_line_items_to_deals_and_of_deals_to_contacts_come_and_go()
    {
        await using var harness = await StartWithItemsAsync();
        await harness.ListAsync(ListOfShoes);
        async Task ExpectAsync(Event sent, params string[] members)
        {
            await harness.SendAsync(sent);
            await harness.SettleAsync();
            Assert.Equal(members, await harness.MembersAsync("shoes"));
        }

        Event Of(Event e, string type)
        {
            e.ObjectType = type;
            return e;
        }

        await ExpectAsync(Item(harness, "l1", "shoe", "9"));
        await ExpectAsync(Deal(harness, "d1", "1", "open"));
        await ExpectAsync(Link(harness, "ada", "deal", "d1"));
        await ExpectAsync(Of(Link(harness, "d1", "line_item", "l1"), "deal"), "ada");
        await ExpectAsync(Deal(harness, "d1", "1", "open", "bob"), "ada", "bob");
        await ExpectAsync(Of(Link(harness, "l1", "deal", "d1", removes: true), "line_item"));
        await ExpectAsync(Of(Link(harness, "l1", "deal", "d1"), "line_item"), "ada", "bob");
        await ExpectAsync(Link(harness, "ada", "deal", "d1", removes: true), "bob");
        await ExpectAsync(Item(harness, "l1", "shoe", "2"));
        await ExpectAsync(Item(harness, "l1", "shoe", "20"), "bob");
        await ExpectAsync(Link(harness, "cleo", "line_item", "l1"), "bob");
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_03_ASC_04_First_copies_come_through_the_deals_and_fire_nothing()
    {
        await using var harness = await StartWithItemsAsync();
        await harness.SendAsync(Deal(harness, "d1", "1", "open", "ada"), Deal(harness, "d2", "1", "open", "bob"));
        await harness.SendAsync(Item(harness, "l1", "shoe", "9", "d1"), Item(harness, "l2", "shoe", "1", "d2"));
        await harness.SettleAsync();
        await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = Google.Protobuf.JsonParser.Default.Parse<Workflow>(OnShoes) }, Token);
        var published = await harness.Engine.PublishWorkflowAsync(EngineHarness.Tenant, new PublishWorkflowRequest { WorkflowId = "shoes" }, Token);
        Assert.Equal(["send_copies", "send_copies"], published.Operations.Select(o => o.Kind));
        await harness.SwitchAsync("shoes", Workflow.Types.State.On);
        await harness.SettleAsync();
        Assert.Empty(await EnrolledAsync(harness));
        await harness.ListAsync(ListOfShoes);
        await harness.SwitchAsync("shoes", Workflow.Types.State.Off);
        await harness.SwitchAsync("shoes", Workflow.Types.State.On, enrollExisting: true);
        await harness.SettleAsync();
        Assert.Equal(["ada"], await EnrolledAsync(harness));
        Assert.Equal(["ada"], await harness.MembersAsync("shoes"));
        await harness.SendAsync(Item(harness, "l2", "shoe", "7"));
        await harness.SettleAsync();
        Assert.Equal(["ada", "bob"], await EnrolledAsync(harness));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_03_A_list_over_line_items_is_computed_when_the_copies_have_come_through_the_deals()
    {
        await using var harness = await StartWithItemsAsync();
        await harness.SendAsync(Deal(harness, "d1", "1", "open", "ada"), Deal(harness, "d2", "1", "open", "bob"));
        await harness.SendAsync(Item(harness, "l1", "shoe", "9", "d1"), Item(harness, "l2", "shoe", "1", "d2"));
        await harness.SettleAsync();
        await harness.ListAsync(ListOfShoes);
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("shoes"));
        await harness.VerifyAsync();
    }

    [Theory]
    [InlineData("line_item", "l1", "l2")]
    [InlineData("deal", "d1", "d2")]
    [InlineData("contact", "ada", "bob")]
    public async Task ASC_03_REC_13_A_merge_on_any_of_the_three_sides_keeps_what_is_behind(string type, string id, string survivor)
    {
        await using var harness = await StartWithItemsAsync(OnShoes);
        await harness.ListAsync(ListOfShoes);
        await harness.SendAsync(Deal(harness, "d1", "1", "closed", "ada"), Deal(harness, "d2", "1", "closed", "bob"));
        await harness.SendAsync(Item(harness, "l1", "shoe", "9", "d1"), Item(harness, "l2", "hat", "9", "d2"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("shoes"));
        await MergeAsync(harness, type, id, survivor);
        string[] expected = type switch
        {
            "contact" => ["bob"],
            "deal" => ["ada", "bob"],
            _ => [],
        };
        Assert.Equal(expected, await harness.MembersAsync("shoes"));
        await harness.SendAsync(Item(harness, type == "line_item" ? "l2" : "l1", "shoe", "8"));
        await harness.SettleAsync();
        Assert.Equal(type == "contact" ? ["bob"] : ["ada", "bob"], await harness.MembersAsync("shoes"));
        Assert.Empty(await EnrolledAsync(harness));
        await harness.VerifyAsync();
    }

    [Theory]
    [InlineData("line_item", "l1")]
    [InlineData("deal", "d1")]
    public async Task ASC_03_REC_16_What_is_deleted_counts_no_more_and_counts_again_when_it_is_brought_back(string type, string id)
    {
        await using var harness = await StartWithItemsAsync();
        await harness.ListAsync(ListOfShoes);
        await harness.SendAsync(Deal(harness, "d1", "1", "open", "ada"));
        await harness.SendAsync(Item(harness, "l1", "shoe", "9", "d1"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("shoes"));
        await harness.Engine.DeleteRecordAsync(EngineHarness.Tenant, new DeleteRecordRequest { Ref = Ref(type, id), RequestId = "r1" }, Token);
        await harness.SettleAsync();
        Assert.Empty(await harness.MembersAsync("shoes"));
        await harness.Engine.RestoreRecordAsync(EngineHarness.Tenant, new RestoreRecordRequest { Ref = Ref(type, id), RequestId = "r2" }, Token);
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("shoes"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_03_ENG_15_A_deal_of_many_contacts_and_line_items_tells_all_of_them()
    {
        await using var harness = await StartWithItemsAsync(OnShoes);
        for (var chunk = 0; chunk < 4; chunk++)
        {
            await harness.SendAsync(Deal(harness, "hub", "1", "open", [.. Enumerable.Range(chunk * 50, 50).Select(i => $"c{i}")]));
            await harness.SendAsync([.. Enumerable.Range(chunk * 50, 50).Select(i => Item(harness, $"l{i}", "hat", "9", "hub"))]);
        }

        await harness.SettleAsync();
        await harness.SendAsync(Item(harness, "l77", "shoe", "9"));
        await harness.SettleAsync();
        Assert.Equal(200, (await EnrolledAsync(harness)).Distinct().Count());
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ASC_03_ASC_05_Line_items_that_do_not_fit_into_the_copy_of_a_deal_are_not_seen_and_the_cut_is_journaled()
    {
        await using var harness = await StartWithItemsAsync();
        await harness.ListAsync(ListOfShoes);
        await harness.SendAsync(Deal(harness, "d1", "1", "open", "ada"));
        await harness.SendAsync(Item(harness, "old", "shoe", "9", "d1"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("shoes"));
        for (var i = 0; i < 5; i++)
        {
            await harness.AdvanceAsync(TimeSpan.FromMinutes(1));
            await harness.SendAsync(Item(harness, $"l{i}", new string('x', 60_000), "9", "d1"));
        }

        await harness.SettleAsync();
        Assert.Empty(await harness.MembersAsync("shoes"));
        var cut = (await harness.JournalAsync(Kind.CopiesCut))[^1];
        Assert.Equal(("deal/d1", "line_item"), ($"{cut.Ref.ObjectType}/{cut.Ref.RecordId}", cut.Other.ObjectType));
        await harness.SendAsync(Item(harness, "l0", "small", "9"), Item(harness, "l1", "small", "9"));
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("shoes"));
        await harness.VerifyAsync();
    }
}
