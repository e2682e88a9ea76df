using Roster.Engine;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Embedded.Tests;

/// <summary>Merging records on a host (REC-13, REC-14).</summary>
public sealed class MergeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string OnVip(string id, bool enrollOnMerge) => $$"""
        { "id": "{{id}}", "objectType": "contact", "enrollOnMerge": {{(enrollOnMerge ? "true" : "false")}},
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "tier", "operator": "IS_EQUAL_TO", "values": ["vip"] } ] } ] } } },
          "steps": [ { "id": "d", "delay": { "amount": 30, "unit": "DAYS" } } ] }
        """;

    private static async Task<MergeRecordsResponse> MergeAsync(EngineHarness harness, string from, string into) => await harness.Engine.MergeRecordsAsync(
        EngineHarness.Tenant,
        new MergeRecordsRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = from }, Survivor = new RecordRef { ObjectType = "contact", RecordId = into }, RequestId = $"merge-{from}" },
        Token);

    private static Event At(Event e, int day)
    {
        e.OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(EngineHarness.Start.AddDays(day - 100));
        return e;
    }

    private static async Task<Dictionary<string, string>> ValuesAsync(EngineHarness harness, string record) =>
        (await harness.RecordAsync(record)).Properties.ToDictionary(p => p.Name, p => p.Value.Text);

    private static async Task<List<string>> LinksAsync(EngineHarness harness, string type, string id)
    {
        var page = await harness.Engine.ListAssociationsAsync(
            EngineHarness.Tenant, new ListAssociationsRequest { Ref = new RecordRef { ObjectType = type, RecordId = id }, PageSize = 1_000 }, Token);
        return [.. page.Associations.Select(a => a.Ref.RecordId).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task REC_13_The_survivor_takes_the_newest_values_links_lists_histories_and_event_ids_and_both_leave_their_workflows()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("tier", "x")));
        await harness.PublishAsync(OnVip("w", enrollOnMerge: false));
        await harness.ListAsync("""{ "id": "static", "objectType": "contact" }""");
        await harness.SendAsync(At(harness.Event("old", "", EngineHarness.Text("name", "older"), EngineHarness.Text("city", "Rome"), EngineHarness.Text("tie", "loses")), 1));
        await harness.SendAsync(At(harness.Event("ada", "", EngineHarness.Text("name", "newer"), EngineHarness.Text("city", "Oslo"), EngineHarness.Text("tie", "wins")), 1));
        await harness.SendAsync(At(harness.Event("old", "", EngineHarness.Text("city", "Paris")), 5), At(harness.Event("ada", "", EngineHarness.Text("name", "newest")), 7));
        await harness.AddAsync("static", "old");
        var vip = harness.Event("old", "", EngineHarness.Text("tier", "vip"));
        vip.Associations.Add(new AssociationChange { ObjectType = "deal", RecordId = "d1", Label = "buyer" });
        await harness.SendAsync(vip, harness.Event("ada", "", EngineHarness.Text("tier", "vip")));
        await harness.SettleAsync();
        Assert.Equal(EventResult.Types.Code.Applied, (await MergeAsync(harness, "old", "ada")).Result.Code);
        await harness.SettleAsync();

        var values = await ValuesAsync(harness, "ada");
        Assert.Equal(("newest", "Paris", "wins"), (values["name"], values["city"], values["tie"]));
        Assert.Equal(["static"], (await harness.RecordAsync("ada")).Lists);
        Assert.Equal(["ada"], await harness.MembersAsync("static"));
        Assert.Equal(["d1"], await LinksAsync(harness, "contact", "ada"));
        Assert.Equal(["ada"], await LinksAsync(harness, "deal", "d1"));
        Assert.Equal([("ada", "MERGED"), ("old", "MERGED")], (await harness.JournalAsync(Kind.EnrollmentEnded)).Select(e => (e.Ref.RecordId, e.EndReason.ToString().ToUpperInvariant())).Order());
        Assert.Equal(2, Assert.Single((await harness.RecordAsync("ada")).Summaries).TimesEnrolled);
        Assert.Equal("ada", (await harness.RecordAsync("old")).MergedInto);

        // What the other one was sent is known to the survivor; the one that went takes nothing more.
        var again = vip.Clone();
        again.RecordId = "ada";
        Assert.Equal(EventResult.Types.Code.Duplicate, Assert.Single(await harness.SendAsync(again)).Result.Code);
        Assert.Equal(Refusal.Types.Reason.RecordGone, Assert.Single(await harness.SendAsync(harness.Event("old", "x"))).Result.Refusal.Reason);
        Assert.Equal(2, (await harness.StatsAsync("w")).Enrolled);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_14_What_a_merge_changed_enrolls_only_where_it_is_wanted()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("tier", "x")));
        await harness.SendAsync(harness.Event("old", "", EngineHarness.Text("tier", "vip")), harness.Event("ada", "", EngineHarness.Text("name", "Ada")));
        await harness.PublishAsync(OnVip("off", enrollOnMerge: false));
        await harness.PublishAsync(OnVip("on", enrollOnMerge: true));
        await MergeAsync(harness, "old", "ada");
        await harness.SettleAsync();
        Assert.Equal(["on"], (await harness.JournalAsync(Kind.Enrolled)).Select(e => e.WorkflowId));
        var refused = Assert.Single(await harness.JournalAsync(Kind.EnrollmentRefused));
        Assert.Equal(("off", Decision.Types.Code.MergeOff), (refused.WorkflowId, refused.Decision));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_14_A_survivor_that_met_the_criteria_before_is_considered_as_if_just_created()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("old", "", EngineHarness.Text("name", "Old")), harness.Event("ada", "", EngineHarness.Text("tier", "vip")));
        await harness.PublishAsync(OnVip("on", enrollOnMerge: true));
        await MergeAsync(harness, "old", "ada");
        await harness.SettleAsync();
        Assert.Equal(["on"], (await harness.JournalAsync(Kind.Enrolled)).Select(e => e.WorkflowId));
    }

    [Fact]
    public async Task REC_13_A_record_with_many_links_hands_them_over_leaf_by_leaf()
    {
        await using var harness = await EngineHarness.StartAsync();
        for (var chunk = 0; chunk < 6; chunk++)
        {
            var e = harness.Event("old");
            e.Associations.AddRange(Enumerable.Range(chunk * 50, 50).Select(i => new AssociationChange { ObjectType = "deal", RecordId = $"d{i:000}" }));
            await harness.SendAsync(e);
        }

        await harness.SendAsync(harness.Event("ada"));
        await harness.SettleAsync();
        await MergeAsync(harness, "old", "ada");
        await harness.SettleAsync();
        Assert.Equal(300, (await LinksAsync(harness, "contact", "ada")).Count);
        Assert.Empty(await LinksAsync(harness, "contact", "old"));
        Assert.Equal(["ada"], await LinksAsync(harness, "deal", "d123"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_13_A_merge_into_itself_or_into_nobody_is_refused()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("ada"));
        Assert.Equal(RosterError.InvalidArgument, (await Assert.ThrowsAsync<RosterException>(() => MergeAsync(harness, "ada", "ada"))).Error);
        Assert.Equal(RosterError.FailedPrecondition, (await Assert.ThrowsAsync<RosterException>(() => MergeAsync(harness, "ada", "nobody"))).Error);
    }
}
