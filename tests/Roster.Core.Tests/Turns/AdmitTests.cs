using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;

namespace Roster.Core.Tests.Turns;

/// <summary>Phases 2 and 3: who comes in, and what an event writes.</summary>
public sealed class AdmitTests
{
    private static readonly Timestamp T0 = World.Start;

    [Fact]
    public void REC_03_A_clear_makes_a_property_unknown_and_stores_its_time()
    {
        var world = new World();
        world.Set("stage", "lead");
        world.Now = T0.PlusMs(10);
        world.Set("stage", "");
        Assert.True(world.State.TryGetProperty(world.Property("stage"), false, out var view));
        Assert.True(view.IsUnknown);
        Assert.Equal(T0.PlusMs(10), view.OccurredAt);
        Assert.Equal(TurnStatus.Applied, world.Event("", T0.PlusMs(5), "old", false, [], ("stage", "x")).Status);
        Assert.Equal("", world.Text("stage"));
    }

    [Fact]
    public void REC_04_The_newest_occurred_at_wins_and_at_equal_times_the_later_arrival()
    {
        var world = new World();
        world.Event("", T0.PlusMs(-100), "a", false, [], ("stage", "a"));
        world.Event("", T0.PlusMs(-50), "b", false, [], ("stage", "b"));
        world.Event("", T0.PlusMs(-75), "c", false, [], ("stage", "c"));
        Assert.Equal("b", world.Text("stage"));
        world.Event("", T0.PlusMs(-50), "d", false, [], ("stage", "d"));
        Assert.Equal("d", world.Text("stage"));
        Assert.True(world.State.TryGetProperty(world.Property("stage"), false, out var view));
        Assert.Equal((T0.PlusMs(-50), T0.PlusMs(-50), "test"), (view.OccurredAt, view.UpdatedAt, view.Source));
    }

    [Fact]
    public void REC_05_A_late_write_is_journaled_changes_nothing_and_fires_nothing_but_the_rest_of_the_event_proceeds()
    {
        var world = new World().Publish(Define.Workflow("late", Define.OnFilter(Define.All(Define.Eq("stage", "old"))), Define.Set("s", "other", "x")));
        world.Publish(Define.Workflow("event", Define.OnEvent("clicked"), Define.Set("s", "other", "y")));
        world.Set("stage", "new");
        world.Event("clicked", T0.PlusMs(-1), "e", false, [], ("stage", "old"), ("name", "n"));
        Assert.Equal("new", world.Text("stage"));
        Assert.Equal("n", world.Text("name"));
        Assert.Single(world.Entries(EntryKind.PropertyLate));
        Assert.Empty(world.Decisions("late"));
        Assert.Single(world.Decisions("event"));
    }

    [Theory]
    [InlineData("score", "1.50", "1.5")]
    [InlineData("score", "-0.0", "0")]
    [InlineData("score", "100", "100.000")]
    [InlineData("tags", "b;a", "a;b;a")]
    [InlineData("stage", "x", "x")]
    [InlineData("flag", "true", "TRUE")]
    public void REC_06_The_same_value_is_no_change_and_moves_occurred_at_but_not_updated_at(string property, string first, string second)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is(property, Operator.IsKnown)), reenroll: true, reenrollWhen: Define.All(Define.Is(property, Operator.IsKnown))), Define.Set("s", "other", "x")));
        world.Set(property, first);
        world.Now = T0.PlusMs(1000);
        world.Set(property, second);
        Assert.Single(world.Decisions("w"));
        Assert.True(world.State.TryGetProperty(world.Property(property), false, out var view));
        Assert.Equal((T0.PlusMs(1000), T0), (view.OccurredAt, view.UpdatedAt));
        Assert.Equal(EntryKind.PropertyTouched, world.Last[^1].Kind);
    }

    [Fact]
    public void REC_06_Texts_compare_exactly()
    {
        var world = new World();
        world.Set("stage", "Lead");
        world.Set("stage", "lead");
        Assert.Equal(EntryKind.PropertyChanged, world.Last[^1].Kind);
    }

    [Fact]
    public void REC_07_A_missing_occurred_at_is_the_turn_time_and_a_future_one_is_clamped()
    {
        var world = new World();
        world.Event("", Timestamp.None, "a", false, [], ("stage", "a"));
        Assert.Equal((T0, false), Of(world));
        world.Event("", T0.PlusMs(1), "b", false, [], ("stage", "b"));
        Assert.Equal((T0, true), Of(world));
        world.Event("", T0, "c", false, [], ("stage", "c"));
        Assert.Equal((T0, false), Of(world));

        static (Timestamp, bool) Of(World world)
        {
            var entry = world.Last.Single(e => e.Kind == EntryKind.EventReceived);
            return (entry.OccurredAt, entry.Flag);
        }
    }

    [Fact]
    public void REC_08_A_known_id_is_a_duplicate_and_with_other_content_a_mismatch()
    {
        var world = new World();
        world.Event("", T0, "a", false, [], ("stage", "a"));
        var head = world.Head;
        Assert.Equal(TurnStatus.Duplicate, world.Event("", T0, "a", false, [], ("stage", "a")).Status);
        Assert.Equal(TurnStatus.Mismatch, world.Event("", T0, "a", false, [], ("stage", "b")).Status);
        Assert.Equal(TurnStatus.Mismatch, world.Event("", T0.PlusMs(-1), "a", false, [], ("stage", "a")).Status);
        Assert.Equal(TurnStatus.Mismatch, world.Event("clicked", T0, "a", false, [], ("stage", "a")).Status);
        Assert.Equal(head, world.Head);
    }

    [Fact]
    public void REC_08_Content_is_the_event_as_sent_before_clamping()
    {
        var world = new World();
        world.Event("", T0.PlusMs(500), "a", false, [], ("stage", "a"));
        world.Now = T0.PlusMs(1000);
        Assert.Equal(TurnStatus.Duplicate, world.Event("", T0.PlusMs(500), "a", false, [], ("stage", "a")).Status);
        Assert.Equal(TurnStatus.Mismatch, world.Event("", T0, "a", false, [], ("stage", "a")).Status);
    }

    [Theory]
    [InlineData(100, 30)]
    [InlineData(100, 99)]
    [InlineData(250, 249)]
    [InlineData(1000, 999)]
    public void REC_08_Only_the_newest_ids_are_remembered(int window, int newer)
    {
        var world = new World(TenantSettings.Default with { DedupeIds = window });
        world.Event("", T0, "first", false, [], ("stage", "a"));
        for (var i = 0; i < newer; i++)
        {
            world.Event("", T0, $"n{i}", false, [], ("name", $"{i}"));
        }

        Assert.Equal(TurnStatus.Duplicate, world.Event("", T0, "first", false, [], ("stage", "a")).Status);
        for (var i = newer; i < window; i++)
        {
            world.Event("", T0, $"n{i}", false, [], ("name", $"{i}"));
        }

        Assert.Equal(TurnStatus.Applied, world.Event("", T0, "first", false, [], ("stage", "a")).Status);
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void REC_08_Every_id_of_the_window_is_found_and_none_outside_of_it()
    {
        var world = new World(TenantSettings.Default with { DedupeIds = 300 });
        for (var i = 0; i < 1000; i++)
        {
            world.Event("", T0, $"n{i}", false, []);
        }

        for (var i = 999; i >= 700; i--)
        {
            Assert.Equal(TurnStatus.Duplicate, world.Event("", T0, $"n{i}", false, []).Status);
        }

        Assert.Equal(TurnStatus.Applied, world.Event("", T0, "n699", false, []).Status);
        Assert.True(world.State.Sections.Count <= (300 / 32) + 2, $"{world.State.Sections.Count} sections");
    }

    [Fact]
    public void REC_08_Ids_are_forgotten_after_dedupe_days()
    {
        var world = new World(TenantSettings.Default with { DedupeDays = 1 });
        world.Event("", T0, "a", false, []);
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal(TurnStatus.Duplicate, world.Event("", T0, "a", false, []).Status);
        world.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(TurnStatus.Applied, world.Event("", T0, "a", false, []).Status);
    }

    [Fact]
    public void REC_09_An_event_creates_the_record_at_its_occurred_at()
    {
        var world = new World();
        world.Event("", T0.PlusMs(-5000), "a", false, [], ("stage", "a"));
        Assert.Equal(T0.PlusMs(-5000), world.State.CreatedAt);
        Assert.Equal(EntryKind.RecordCreated, world.Last[0].Kind);
        world.Set("name", "n");
        Assert.Single(world.Entries(EntryKind.RecordCreated));
    }

    [Fact]
    public void REC_09_Without_upsert_an_event_for_an_unknown_record_is_refused()
    {
        var world = new World(TenantSettings.Default with { Upsert = false });
        var result = world.Set("stage", "x");
        Assert.Equal((TurnStatus.Refused, RefusalReason.RecordGone, "upsert"), (result.Status, result.Refusal!.Reason, result.Refusal.Setting));
        Assert.Empty(world.Head);
    }

    [Theory]
    [InlineData(null, "NewRecord")]
    [InlineData(false, "NewRecord")]
    [InlineData(true, "Enrolled")]
    public void REC_10_A_custom_event_that_creates_the_record_does_not_fire_unless_allowed(bool? allow, string expected)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: allow), Define.Set("s", "other", "x")));
        world.Event("clicked");
        Assert.Equal([expected], world.Decisions("w"));
    }

    [Fact]
    public void REC_10_A_form_may_create_the_record_that_it_enrolls()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("form_submitted"), Define.Set("s", "other", "x")));
        world.Event("form_submitted");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REC_10_An_event_from_before_the_creation_does_not_fire()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked"), Define.Set("s", "other", "x")));
        world.Set("stage", "x");
        world.Event("clicked", T0.PlusMs(-1), "a", false, []);
        world.Event("clicked", T0, "b", false, []);
        Assert.Equal(["NewRecord", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REC_11_Values_set_at_creation_fire_filters_unless_fire_on_create_is_false_and_then_count_as_already_true()
    {
        var criteria = Define.All(Define.Eq("stage", "lead"));
        var world = new World()
            .Publish(Define.Workflow("fires", Define.OnFilter(criteria), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("waits", Define.OnFilter(criteria, fireOnCreate: false), Define.Set("s", "other", "y")));
        world.Set("stage", "lead");
        world.Set("name", "n");
        world.Set("stage", "lead");
        Assert.Equal(["Enrolled"], world.Decisions("fires"));
        Assert.Equal(["NewRecord"], world.Decisions("waits"));
        world.Set("stage", "x");
        world.Set("stage", "lead");
        Assert.Equal(["NewRecord", "Enrolled"], world.Decisions("waits"));
    }

    [Fact]
    public void REC_11_What_a_step_changes_on_a_new_record_was_not_set_at_creation()
    {
        var criteria = Define.All(Define.Eq("stage", "lead"));
        var world = new World()
            .Publish(Define.Workflow("byhand", Define.ByHand(), Define.Set("s", "stage", "lead")))
            .Publish(Define.Workflow("waits", Define.OnFilter(criteria, fireOnCreate: false), Define.Set("s", "other", "y")));
        world.Enroll("byhand");
        Assert.Equal(["Enrolled"], world.Decisions("waits"));
    }

    [Fact]
    public void REC_12_One_event_may_drive_a_whole_chain_in_one_turn()
    {
        var world = new World()
            .Publish(Define.Workflow("one", Define.OnFilter(Define.All(Define.Eq("stage", "a"))), Define.Set("s", "stage", "b")))
            .Publish(Define.Workflow("two", Define.OnFilter(Define.All(Define.Eq("stage", "b"))), Define.Set("s", "stage", "c")))
            .Publish(Define.Workflow("three", Define.OnFilter(Define.All(Define.Eq("stage", "c"))), Define.Set("s", "name", "done")));
        world.Set("stage", "a");
        Assert.Single(world.Journal);
        Assert.Equal("enroll:one one.s end:one:Completed enroll:two two.s end:two:Completed enroll:three three.s end:three:Completed", world.Story());
    }

    [Fact]
    public void REC_19_A_baseline_write_sets_values_and_fires_nothing_then_or_later()
    {
        var world = new World()
            .Publish(Define.Workflow("f", Define.OnFilter(Define.All(Define.Eq("stage", "lead"))), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("e", Define.OnEvent("form_submitted"), Define.Set("s", "other", "x")));
        world.Event("form_submitted", T0, "base", true, [], ("stage", "lead"));
        world.Set("name", "n");
        Assert.Empty(world.Decisions("f"));
        Assert.Empty(world.Decisions("e"));
        Assert.Equal("lead", world.Text("stage"));
        Assert.Equal(TurnStatus.Duplicate, world.Event("form_submitted", T0, "base", true, [], ("stage", "lead")).Status);
    }

    [Fact]
    public void ENG_03_Turn_time_is_never_earlier_than_the_turn_before()
    {
        var world = new World();
        world.Set("stage", "a");
        world.Now = T0.PlusMs(-60_000);
        world.Set("stage", "b");
        Assert.Equal(T0, world.Journal[^1].At);
        Assert.Equal("b", world.Text("stage"));
    }

    [Fact]
    public void An_event_with_many_writes_keeps_the_head_small()
    {
        var world = new World();
        var schema = world.Schema;
        for (var i = 0; i < 100; i++)
        {
            schema = schema.WithProperty(schema.FindObjectType("contact")!, $"p{i}", PropertyType.String, []);
        }

        world.Schema = schema;
        for (var i = 0; i < 50; i++)
        {
            world.Event("", Timestamp.None, $"e{i}", false, [], [.. Enumerable.Range(0, 100).Select(p => ($"p{p}", $"value {i}"))]);
        }

        Assert.True(world.Head.Length < 16_000, $"{world.Head.Length} bytes");
        Assert.Equal(world.Head, world.Replay());
    }
}
