using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Actions (section 15 of the rules).</summary>
public sealed class ActionTests
{
    private static readonly StepDefinition Done = Define.Set("done", "flag", "true");

    [Fact]
    public void ACT_01_Actions_of_one_enrollment_run_one_after_another()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "b"), Define.Work("b", "c"), Define.Work("c")));
        world.Enroll("w");
        foreach (var step in new[] { "a", "b", "c" })
        {
            Assert.Equal(world.Step("w", step), world.State.OpenEffects.ToArray().Single().Step);
            world.Complete("w", step);
        }

        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Fact]
    public void ACT_02_Built_in_actions_finish_inside_the_turn()
    {
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "name", "x", "b"), Define.AddTo("b", "vip", "c"), Define.Rotate("c", false, "d", "u1"), Define.Format("d", new TextSourceDefinition("x"), "stage", "done", (FormatFunction.Upper, "")), Done));
        world.Enroll("w");
        Assert.Single(world.Journal);
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Fact]
    public void ACT_03_ACT_04_The_key_of_a_task_is_never_used_twice_and_the_index_counts_from_1()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Work("t", "g"), Define.GoTo("g", "t")));
        world.Enroll("w");
        for (var i = 1; i <= 5; i++)
        {
            world.Complete("w", "t", execution: i);
        }

        world.Unenroll("w");
        world.Enroll("w");
        var keys = world.Entries(EntryKind.EffectRequested).Select(e => (e.Enrollment, e.Step, e.Execution)).ToArray();
        Assert.Equal(keys.Distinct(), keys);
        Assert.Equal([1, 2, 3, 4, 5, 6, 1], keys.Select(k => k.Execution));
    }

    [Fact]
    public void ACT_05_Later_steps_read_outputs_and_each_run_has_its_own()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t", "s"), Define.Put("s", "name", SetMode.Set, new StepOutputDefinition("t", "id"), next: "t")));
        world.Enroll("w");
        world.Complete("w", "t", outputs: [Named("id", "one"), Named("more", "x")]);
        Assert.Equal("one", world.Text("name"));
        world.Complete("w", "t", execution: 2, outputs: [Named("id", "two")]);
        Assert.Equal("two", world.Text("name"));
        world.Complete("w", "t", StepResult.Failed, execution: 3, code: "WORKER");
        world.Unenroll("w");
        Assert.Equal(0, world.State.Outputs.Length);
    }

    [Fact]
    public void ACT_05_With_wait_false_they_are_unknown_until_the_completion_comes()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.Work("t", "a", wait: false), Define.Put("a", "name", SetMode.Set, new TextSourceDefinition("[{{t.id|none}}]"), next: "d"), Define.Delay("d", 1, DelayUnit.Hours, "b"), Define.Put("b", "other", SetMode.Set, new TextSourceDefinition("[{{t.id|none}}]"))));
        world.Enroll("w");
        Assert.Equal("[none]", world.Text("name"));
        world.Complete("w", "t", outputs: [Named("id", "7")]);
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("[7]", world.Text("other"));
    }

    [Fact]
    public void ACT_05_Outputs_that_nobody_reads_are_not_kept_and_a_pinned_enrollment_keeps_what_its_version_reads()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t", "d"), Define.Delay("d", 1, DelayUnit.Hours)));
        world.Enroll("w");
        world.Complete("w", "t", outputs: [Named("id", "7")]);
        Assert.Equal(0, world.State.Outputs.Length);
        var reads = Define.Workflow("w", Define.ByHand(), Define.Work("t", "s"), Define.Put("s", "name", SetMode.Set, new StepOutputDefinition("t", "id"))) with { PublishPolicy = PublishPolicy.Pinned };
        var pinned = new World().Publish(reads);
        pinned.Enroll("w");
        pinned.Publish(reads with { Steps = [Define.Work("t")] });
        pinned.Complete("w", "t", outputs: [Named("id", "7")]);
        Assert.Equal("7", pinned.Text("name"));
    }

    [Theory]
    [InlineData("text", "Hi Ada, a!")]
    [InlineData("default", "Hi there!")]
    [InlineData("empty", "Hi !")]
    [InlineData("property", "Ada")]
    [InlineData("event", "blue")]
    [InlineData("event token", "blue/")]
    public void ACT_06_ACT_07_Value_sources_and_tokens_are_read_when_the_action_runs(string source, string expected)
    {
        ValueSourceDefinition from = source switch
        {
            "text" => new TextSourceDefinition("Hi {{name|there}}, {{ stage }}!"),
            "default" => new TextSourceDefinition("Hi {{other|there}}!"),
            "empty" => new TextSourceDefinition("Hi {{other}}!"),
            "property" => new PropertySourceDefinition("name"),
            "event" => new EventSourceDefinition("color"),
            _ => new TextSourceDefinition("{{event.color}}/{{event.size}}"),
        };
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.Delay("d", 1, DelayUnit.Hours, "s"), Define.Put("s", "owner", SetMode.Set, from)));
        world.Event("clicked", Timestamp.None, "e", false, [Named("color", "blue")]);
        world.Event("clicked", Timestamp.None, "f", false, [Named("color", "red")], ("name", "Ada"), ("stage", "a"));
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(expected, world.Text("owner"));
    }

    [Fact]
    public void ACT_07_Manual_enrollment_has_no_event_values_and_a_re_enrollment_has_its_own()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Put("s", "owner", SetMode.Set, new TextSourceDefinition("{{event.color|none}}"))));
        foreach (var (color, expected) in new[] { ("blue", "blue"), ("red", "red"), ("", "none") })
        {
            _ = color.Length == 0 ? world.Enroll("w") : world.Event("clicked", Timestamp.None, color, false, [Named("color", color)]);
            Assert.Equal(expected, world.Text("owner"));
        }
    }

    [Fact]
    public void ACT_07_What_the_first_of_two_triggers_carries_is_what_counts_together_with_the_one_that_passed()
    {
        var world = new World().Publish(Define.Workflow(
            "w",
            Define.OnEvents(
                false,
                new EventTriggerDefinition("property_changed", [Define.Eq("property", "stage")], Define.All(Define.Eq("name", "never")), null),
                new EventTriggerDefinition("clicked", [], null, true)),
            Define.Put("s", "owner", SetMode.Set, new TextSourceDefinition("{{event.color|none}}"))));
        world.Event("clicked", Timestamp.None, "e", false, [Named("color", "blue")], ("stage", "a"));
        Assert.Equal("blue", world.Text("owner"));
    }

    [Fact]
    public void ACT_06_Now_plus_days_is_calendar_arithmetic_in_the_zone()
    {
        var world = new World { Now = Timestamp.FromInstant(NodaTime.Instant.FromUtc(2026, 3, 7, 15, 0)) };
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Put("s", "at", SetMode.Set, new NowSourceDefinition(1), next: "t"), Define.Put("t", "day", SetMode.Set, new NowSourceDefinition(0))) with { TimeZone = "America/New_York" });
        world.Enroll("w");
        Assert.Equal(("2026-03-08T14:00:00Z", "2026-03-07"), (world.Text("at"), world.Text("day")));
    }

    [Theory]
    [InlineData("score", SetMode.Set, "5", "7", "7")]
    [InlineData("score", SetMode.Increment, "", "3", "3")]
    [InlineData("score", SetMode.Increment, "5", "-2.5", "2.5")]
    [InlineData("tags", SetMode.Append, "a", "b", "a;b")]
    [InlineData("tags", SetMode.Append, "a", "a", "a")]
    [InlineData("tags", SetMode.Append, "", "c", "c")]
    [InlineData("tags", SetMode.Set, "a;b", "c", "c")]
    [InlineData("stage", SetMode.Append, "ab", "cd", "abcd")]
    [InlineData("stage", SetMode.Append, "", "cd", "cd")]
    public void ACT_20_Set_increment_and_append(string property, SetMode mode, string before, string value, string after)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Put("s", property, mode, value: value)));
        world.Set(property, before);
        world.Enroll("w");
        Assert.Equal(after, world.Text(property));
        Assert.Equal(["s Success"], world.Results("w"));
    }

    [Fact]
    public void ACT_20_Copy_clear_and_timestamp()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.Put("a", "name", SetMode.Set, new PropertySourceDefinition("score"), next: "b"), Define.Put("b", "at", SetMode.Timestamp, next: "c"), Define.Put("c", "day", SetMode.Timestamp, next: "d"),
            Define.Put("d", "stage", SetMode.Set, new PropertySourceDefinition("other"))) with
        { TimeZone = "Pacific/Auckland" });
        world.Event("", ("score", "4.50"), ("stage", "x"));
        world.Enroll("w");
        Assert.Equal(("4.5", "2026-01-05T12:00:00Z", "2026-01-06", ""), (world.Text("name"), world.Text("at"), world.Text("day"), world.Text("stage")));
    }

    [Theory]
    [InlineData("score", SetMode.Set, "twelve")]
    [InlineData("tags", SetMode.Set, "unheard")]
    [InlineData("tags", SetMode.Append, "unheard")]
    [InlineData("day", SetMode.Set, "2026-02-30")]
    [InlineData("flag", SetMode.Set, "maybe")]
    [InlineData("score", SetMode.Increment, "many")]
    [InlineData("score", SetMode.Increment, "")]
    public void ACT_20_ERR_01_A_value_that_does_not_fit_the_type_fails_with_INVALID_VALUE_and_the_run_goes_on(string property, SetMode mode, string value)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Put("s", property, mode, new PropertySourceDefinition("name"), next: "t"), Define.Set("t", "other", "on")));
        world.Set("name", value);
        world.Enroll("w");
        Assert.Equal(["s Failed INVALID_VALUE", "t Success"], world.Results("w"));
        Assert.Equal(("", "on"), (world.Text(property), world.Text("other")));
    }

    [Fact]
    public void ACT_20_A_sum_that_no_number_holds_fails()
    {
        foreach (var (present, added, isFine) in new[]
            {
                ("5999999999999999999999999999", "4000000000000000000000000000", true), ("9999999999999999999999999999", "1", false),
                ("9999999999999999999999999999", "0.5", false), ("79228162514264337593543950", "0.5", true), ("-9999999999999999999999999999", "9999999999999999999999999999", true),
            })
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Put("s", "score", SetMode.Increment, value: added)));
            world.Set("score", present);
            world.Enroll("w");
            Assert.Equal([isFine ? "s Success" : "s Failed INVALID_VALUE"], world.Results("w"));
            Assert.Equal(!isFine, world.Text("score") == present);
        }
    }

    [Fact]
    public void ACT_21_A_score_is_an_increment_and_a_segment_a_branch_and_a_set()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Put("s", "score", SetMode.Increment, value: "5", next: "b"), Define.Branch("b", "", ("hot", Define.All(Define.Is("score", Operator.IsGreaterThanOrEqualTo, "10")), "h")), Define.Set("h", "tags", "a")));
        world.Event("clicked");
        Assert.Equal("", world.Text("tags"));
        world.Event("clicked");
        Assert.Equal(("10", "a"), (world.Text("score"), world.Text("tags")));
    }

    [Fact]
    public void ACT_26_Rotation_picks_one_by_hash_and_an_owner_already_set_stays_unless_overwritten()
    {
        var picked = new HashSet<string>();
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Rotate("r", true, "g", "u1", "u2", "u3"), Define.Delay("g", 1, DelayUnit.Days, "r")));
        world.Enroll("w");
        for (var i = 0; i < 30; i++)
        {
            picked.Add(world.Text("owner"));
            world.Pass(TimeSpan.FromDays(1));
        }

        Assert.Equal(["u1", "u2", "u3"], picked.Order());
        foreach (var overwrite in new[] { true, false })
        {
            var kept = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Rotate("r", overwrite, "done", "u1"), Done));
            kept.Set("owner", "me");
            kept.Enroll("w");
            Assert.Equal(overwrite ? ("u1", "r Success") : ("me", "r Skipped"), (kept.Text("owner"), kept.Results("w").First()));
        }
    }

    [Fact]
    public void ACT_28_The_record_is_deleted_at_the_end_of_the_turn()
    {
        var world = new World()
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.DeleteRecord("x", "s"), Define.Set("s", "name", "still")))
            .Publish(Define.Workflow("y", Define.OnFilter(Define.All(Define.Eq("name", "still"))), Define.Set("s", "other", "ran", "d"), Define.Delay("d", 1, DelayUnit.Days)));
        world.Event("clicked");
        Assert.Equal("enroll:w w.x w.s end:w:Completed enroll:y y.s y.d end:y:Deleted", world.Story());
        Assert.Equal(EntryKind.RecordDeleted, world.Last.Last(e => e.Kind != EntryKind.FlipArmed).Kind);
        Assert.False(world.State.IsLive);
        Assert.Equal(TurnStatus.Refused, world.Set("name", "n").Status);
    }

    [Fact]
    public void ACT_40_ACT_41_LST_03_Static_lists_by_steps()
    {
        var world = new World().List("vip").List("cold")
            .Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.AddTo("a", "vip", "r"), Define.RemoveFrom("r", "cold")))
            .Publish(Define.Workflow("j", Define.OnEvent("list_joined", reenroll: true, where: Define.Eq("list", "vip")), Done))
            .Publish(Define.Workflow("l", Define.OnEvent("list_left", reenroll: true, where: Define.Eq("list", "cold")), Done));
        world.AddToList("cold");
        world.Enroll("w");
        Assert.Equal((true, false), (world.IsMember("vip"), world.IsMember("cold")));
        world.Enroll("w");
        Assert.Equal((1, 1), (world.Decisions("j").Count(), world.Decisions("l").Count()));
        Assert.Equal(["a Success", "r Success", "a Success", "r Success"], world.Results("w"));
        var joined = world.Entries(EntryKind.ListJoined).Single(e => e.Subject == world.ListNumber("vip"));
        Assert.Equal((world.Number("w"), world.Step("w", "a")), (joined.Workflow, joined.Step));
    }

    [Fact]
    public void ACT_50_The_decision_is_journaled_for_the_target_and_a_circle_is_bounded()
    {
        var world = new World().Together(
            Define.Workflow("a", Define.ByHand(reenroll: true), Define.EnrollIn("e", "b")),
            Define.Workflow("b", Define.ByHand(reenroll: true), Define.EnrollIn("e", "a")));
        world.Enroll("a");
        Assert.Contains("LoopGuard", world.Decisions("b").Concat(world.Decisions("a")));
        Assert.InRange(world.State.LastEnrollment, 30, 41);
    }

    [Theory]
    [InlineData(FormatFunction.Upper, "", "ada Lovelace", "ADA LOVELACE")]
    [InlineData(FormatFunction.Lower, "", "Ada", "ada")]
    [InlineData(FormatFunction.Trim, "", "  ada ", "ada")]
    [InlineData(FormatFunction.TitleCase, "", "aDA loveLACE", "Ada Lovelace")]
    [InlineData(FormatFunction.Concat, "!", "ada", "ada!")]
    [InlineData(FormatFunction.Add, "1.5", "2", "3.5")]
    [InlineData(FormatFunction.Multiply, "3", "1.5", "4.5")]
    [InlineData(FormatFunction.Round, "1", "2.25", "2.3")]
    public void ACT_64_Functions_on_text_and_numbers(FormatFunction function, string argument, string input, string output)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Format("f", new PropertySourceDefinition("name"), "stage", "", (function, argument))));
        world.Set("name", input);
        world.Enroll("w");
        Assert.Equal(output, world.Text("stage"));
    }

    [Fact]
    public void ACT_64_Functions_on_dates_chains_and_outputs()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(),
            Define.Format("f", new PropertySourceDefinition("day"), "", "s", (FormatFunction.AddDays, "30"), (FormatFunction.FormatDate, "dd.MM.yyyy"), (FormatFunction.Concat, " UTC")),
            Define.Put("s", "name", SetMode.Set, new TextSourceDefinition("due {{f.value}}"))));
        world.Set("day", "2026-01-31");
        world.Enroll("w");
        Assert.Equal("due 02.03.2026 UTC", world.Text("name"));
    }

    [Theory]
    [InlineData("name", FormatFunction.Add, "1", "ada")]
    [InlineData("name", FormatFunction.Upper, "", "")]
    [InlineData("score", FormatFunction.Upper, "", "5")]
    [InlineData("score", FormatFunction.Multiply, "9999999999999999999999999999", "9999999999999999999999999999")]
    [InlineData("score", FormatFunction.Round, "99", "5")]
    [InlineData("day", FormatFunction.AddDays, "99999999", "2026-01-01")]
    public void ACT_64_A_failing_function_fails_the_action(string property, FormatFunction function, string argument, string value)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Format("f", new PropertySourceDefinition(property), "stage", "done", (function, argument)), Done));
        world.Set(property, value);
        world.Enroll("w");
        Assert.Equal(["f Failed INVALID_VALUE", "done Success"], world.Results("w"));
    }

    [Fact]
    public void ACT_64_A_result_that_does_not_fit_the_property_fails()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Format("f", new TextSourceDefinition("x"), "score", "", (FormatFunction.Upper, ""))));
        world.Enroll("w");
        Assert.Equal(["f Failed INVALID_VALUE"], world.Results("w"));
    }

    [Fact]
    public void HIS_03_Each_step_execution_has_one_result_of_the_closed_list()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Work("t", "r"), Define.Rotate("r", false, "done", "u"), Done) with { Windows = Define.Open("20:00", "21:00") });
        world.Enroll("w");
        world.Pass(TimeSpan.FromHours(8));
        world.Complete("w", "t", StepResult.SkippedIneligible);
        world.Pass(TimeSpan.FromDays(1));
        var entered = world.Entries(EntryKind.StepEntered).Select(e => (e.Enrollment, e.Step, e.Execution)).ToArray();
        Assert.Equal(entered.Distinct(), entered);
        Assert.Equal(entered, world.Entries(EntryKind.StepFinished).Select(e => (e.Enrollment, e.Step, e.Execution)));
        Assert.Equal(["t SkippedIneligible", "r Success", "done Success"], world.Results("w"));
    }

    [Fact]
    public void ACT_02_The_wanted_properties_of_a_task_are_those_of_the_moment()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "stage", "now", "t"), Define.Work("t", properties: ["stage", "name"])));
        world.Set("stage", "before");
        world.Enroll("w");
        var fields = world.Entries(EntryKind.EffectRequested).Single().Fields!;
        Assert.Equal([("template", "t"), (".stage", "now")], fields.Select(f => (f.Name, f.Value.ToString())));
    }

    private static NamedValue Named(string name, string text) => new(name, Value.OfText(text));

    [Theory]
    [InlineData(900, "b Success", "")]
    [InlineData(1_100, "a Failed", "OUTPUT_TOO_LARGE")]
    public void ACT_05_HIS_03_Outputs_that_are_too_large_fail_the_action(int length, string result, string code)
    {
        var world = new World(TenantSettings.Default with { OutputsBytesMax = 1_024 });
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "b"), Define.OutputValues("b", "a", "out", "", ("x", ""))));
        world.Enroll("w");
        world.Complete("w", "a", outputs: [new NamedValue("out", Value.OfText(new string('x', length)))]);
        Assert.Contains(world.Results("w"), r => r.StartsWith(result, StringComparison.Ordinal));
        Assert.Equal(code, world.Entries(EntryKind.EffectCompleted).Single().Text ?? "");
        Assert.Equal(code.Length == 0 ? 1 : 0, world.Entries(EntryKind.EffectCompleted).Single().Fields?.Length ?? 0);
        Assert.Equal(["Completed"], world.Ends("w"));
    }
}
