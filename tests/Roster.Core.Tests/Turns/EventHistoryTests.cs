using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>How events are kept (FIL-09).</summary>
public sealed class EventHistoryTests
{
    private static readonly StepDefinition Step = Define.Set("s", "other", "x");

    [Fact]
    public void FIL_09_Count_first_and_last_are_kept_for_good_whatever_the_order_of_arrival()
    {
        var world = new World();
        world.Set("stage", "a");
        world.Event("clicked", World.Start.PlusMs(-10), "b", false, []);
        world.Event("clicked", World.Start.PlusMs(-30), "a", false, []);
        world.Event("clicked", World.Start.PlusMs(-20), "c", false, []);
        Assert.True(world.State.TryGetEvents(world.Schema.FindEventType("clicked"), out var summary));
        Assert.Equal((3, World.Start.PlusMs(-30), World.Start.PlusMs(-10)), (summary.Count, summary.FirstAt, summary.LastAt));
        Assert.False(world.State.TryGetEvents(world.Schema.FindEventType("bought"), out _));
        Assert.False(world.State.TryGetEvents(StandardEventTypes.PropertyChangedNumber, out _));
    }

    [Fact]
    public void FIL_09_Single_occurrences_expire_after_event_history_days_and_the_count_stays()
    {
        var world = new World(TenantSettings.Default with { EventHistoryDays = 10 });
        Click(world, "a", 3);
        Click(world, "b", 40);
        world.Pass(TimeSpan.FromDays(12));
        Assert.Equal(43, Count(world, "clicked"));
        Click(world, "c", 1);
        Assert.Equal(1, Count(world, "clicked"));
        Assert.True(world.State.TryGetEvents(world.Schema.FindEventType("clicked"), out var summary));
        Assert.Equal(44, summary.Count);

        // Sections go with what they hold, one with each turn.
        for (var i = 0; i < 10; i++)
        {
            world.Set("name", $"{i}");
        }

        Assert.DoesNotContain(world.State.Sections, s => s.Kind == SectionKind.EventHistory);
        Assert.Equal(world.Head, world.Replay());
    }

    [Theory]
    [InlineData("event")]
    [InlineData("timer")]
    [InlineData("completion")]
    [InlineData("command")]
    public void FIL_09_Expiry_is_an_entry_of_the_next_turn_whatever_its_input_and_fires_nothing(string how)
    {
        var none = Define.All(new EventHistoryFilterDefinition("clicked", [Define.Eq("link", "a")], true, null));
        var world = new World(TenantSettings.Default with { EventHistoryDays = 10 })
            .Publish(Define.Workflow("w", Define.OnFilter(none), Step))
            .Publish(Define.Workflow("d", Define.ByHand(), Define.Work("t", "d", wait: false, timeout: TimeSpan.FromDays(20)), Define.Delay("d", 12, DelayUnit.Days, "s"), Step));
        Click(world, "a", 1);
        world.Enroll("d");
        world.Now = world.Now.PlusMs((how == "timer" ? 12 : 11) * 86_400_000L + 1);
        _ = how switch { "event" => world.Set("name", "n"), "timer" => world.RunOne(TimerInput.Instance), "completion" => world.Complete("d", "t"), _ => world.Unenroll("d") };
        Assert.Contains(world.Last, e => e.Kind == EntryKind.EventsExpired);
        Assert.Empty(world.Decisions("w"));
        Assert.Equal(0, Count(world, "clicked"));
    }

    [Fact]
    public void FIL_09_At_most_event_history_max_occurrences_per_type_are_seen()
    {
        var world = new World(TenantSettings.Default with { EventHistoryMax = 50 });
        Click(world, "old", 30);
        Click(world, "new", 40);
        Assert.Equal(50, Count(world, "clicked"));
        Click(world, "new", 100);
        Assert.Equal(50, Count(world, "clicked"));
        Assert.True(world.State.Sections.Count(s => s.Kind == SectionKind.EventHistory) <= (50 / 12) + 2);
    }

    [Fact]
    public void FIL_09_The_head_stays_small_and_each_type_has_its_own_window()
    {
        var world = new World();
        Click(world, "a", 200);
        world.Event("bought", Timestamp.None, "bought", false, [Named("sum", "1")]);
        Assert.True(world.Head.Length < 8_000, $"{world.Head.Length} bytes");
        Assert.Equal((200, 1), (Count(world, "clicked"), Count(world, "bought")));
    }

    [Theory]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(60)]
    public void FIL_09_FIL_36_Filters_find_occurrences_in_head_and_sections_on_both_sides_of_a_turn(int before)
    {
        var thrice = new EventHistoryFilterDefinition("clicked", [Define.Eq("link", "a")], false, new RefinementDefinition(null, new OccurrencesDefinition(3, null)));
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(thrice)), Step));
        Click(world, "a", 2);
        Click(world, "b", before);
        Assert.Empty(world.Decisions("w"));
        Click(world, "a", 1);
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Click(world, "a", 1);
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void FIL_09_The_before_side_can_be_asked_again_and_again_in_turns_that_loaded_sections()
    {
        var recent = new EventHistoryFilterDefinition("clicked", [Define.Eq("link", "a")], false, null);
        var world = new World().List("l", Define.All(recent, Define.Eq("name", "x")))
            .Publish(Define.Workflow("w", Define.OnFilter(Define.All(recent, Define.Eq("stage", "lead"))), Step))
            .Publish(Define.Workflow("v", Define.OnFilter(Define.Any(recent, Define.Eq("stage", "lead"))), Step))
            .Publish(Define.Workflow("e", Define.ByHand(), Define.WaitFor("f", Define.All(recent, Define.Eq("stage", "lead")), "s"), Step));
        Click(world, "b", 30);
        world.Enroll("e");
        world.Event("clicked", Timestamp.None, "hit", false, [Named("link", "a")]);
        Click(world, "b", 30);
        world.Set("name", "x");
        world.Set("stage", "lead");
        world.Set("stage", "x");
        world.Set("stage", "lead");
        Assert.Equal(["Enrolled", "ReenrollmentOff"], world.Decisions("w"));
        Assert.Equal(["Enrolled"], world.Decisions("v"));
        Assert.Equal(["Completed"], world.Ends("e"));
        Assert.True(world.IsMember("l"));
    }

    [Fact]
    public void FIL_09_A_section_that_expires_in_a_turn_is_missing_on_neither_side()
    {
        var recent = new EventHistoryFilterDefinition("clicked", [Define.Eq("link", "a")], false, null);
        var world = new World(TenantSettings.Default with { EventHistoryDays = 10 }).Publish(Define.Workflow("w", Define.OnFilter(Define.All(recent, Define.Eq("stage", "lead"))), Step));
        Click(world, "a", 60);
        world.Pass(TimeSpan.FromDays(12));
        for (var i = 0; i < 12; i++)
        {
            world.Set("stage", i % 2 == 0 ? "lead" : "x");
        }

        Assert.Empty(world.Decisions("w"));
        Assert.Equal(world.Head, world.Replay());
    }

    private static void Click(World world, string link, int times)
    {
        for (var i = 0; i < times; i++)
        {
            world.Event("clicked", Timestamp.None, $"{world.Journal.Count}", false, [Named("link", link)]);
        }
    }

    private static int Count(World world, string type)
    {
        var occurrences = world.State.Occurrences(world.Schema.FindEventType(type), world.Schema.Settings.EventHistoryMax);
        var count = 0;
        while (occurrences.MoveNext())
        {
            count++;
        }

        return count;
    }

    private static NamedValue Named(string name, string text) => new(name, Value.OfText(text));
}
