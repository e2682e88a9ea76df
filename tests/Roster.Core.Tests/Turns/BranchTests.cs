using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Branches, splits and go-to (section 17 of the rules).</summary>
public sealed class BranchTests
{
    private static readonly StepDefinition[] Ways = [Define.Set("one", "other", "one"), Define.Set("two", "other", "two"), Define.Set("none", "other", "none")];

    [Fact]
    public void BRA_01_A_branch_is_evaluated_while_off_and_outside_windows()
    {
        var branch = Define.Branch("b", "", ("yes", Define.All(Define.Eq("stage", "a")), "d"));
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("h", 1, DelayUnit.Hours, "b"), branch, Define.Delay("d", 1, DelayUnit.Hours)) with { Windows = Define.Open("01:00", "02:00") });
        world.Set("stage", "a");
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("enroll:w w.h w.b w.d", world.Story());
    }

    [Theory]
    [InlineData("stage", "GOLD", "one")]
    [InlineData("stage", "golden", "none")]
    [InlineData("stage", "", "none")]
    [InlineData("score", "1.50", "two")]
    [InlineData("flag", "true", "one")]
    [InlineData("tags", "a", "one")]
    [InlineData("tags", "a;b", "none")]
    [InlineData("day", "2026-01-05", "one")]
    public void BRA_02_Values_are_compared_one_by_one_text_ignores_case_and_several_options_match_none(string property, string value, string way)
    {
        (string, string)[] cases = property switch
        {
            "stage" => [("gold", "one"), ("silver", "two")],
            "score" => [("1", "one"), ("1.5", "two")],
            "flag" => [("true", "one"), ("false", "two")],
            "tags" => [("a", "one"), ("b", "two")],
            _ => [("2026-01-05", "one"), ("2026-01-06", "two")],
        };
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), [Define.Values("b", property, "none", cases), .. Ways]));
        world.Set(property, value);
        world.Enroll("w");
        Assert.Equal(way, world.Text("other"));
    }

    [Fact]
    public void BRA_02_An_output_may_be_branched_on()
    {
        foreach (var (output, way) in new[] { (Value.OfText("YES"), "one"), (Value.OfNumber(5), "two"), (Value.Unknown, "none") })
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), [Define.Work("t", "b"), Define.OutputValues("b", "t", "answer", "none", ("yes", "one"), ("5.0", "two")), .. Ways]));
            world.Enroll("w");
            world.Complete("w", "t", outputs: [new NamedValue("answer", output)]);
            Assert.Equal(way, world.Text("other"));
        }
    }

    [Fact]
    public void BRA_02_Up_to_values_max_values()
    {
        var cases = Enumerable.Range(0, 251).Select(i => ($"v{i}", "one")).ToArray();
        Assert.Contains("CASE_COUNT", Codes(Define.Workflow("w", Define.ByHand(), [Define.Values("b", "stage", "none", cases), .. Ways])));
        Assert.DoesNotContain("CASE_COUNT", Codes(Define.Workflow("w", Define.ByHand(), [Define.Values("b", "stage", "none", cases[..250]), .. Ways])));
        Assert.Contains("DUPLICATE_VALUE", Codes(Define.Workflow("w", Define.ByHand(), [Define.Values("b", "stage", "none", ("a", "one"), ("A", "two")), .. Ways])));
    }

    [Theory]
    [InlineData("none", "none", "b Success")]
    [InlineData("", "", "b Success NO_BRANCH_MATCHED")]
    public void BRA_03_A_value_branch_without_a_match_takes_the_default_or_completes(string next, string other, string result)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), [Define.Values("b", "stage", next, ("a", "one")), .. Ways]));
        world.Enroll("w");
        Assert.Equal((other, result), (world.Text("other"), world.Results("w").First()));
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Theory]
    [InlineData(50, 50, true)]
    [InlineData(99, 1, true)]
    [InlineData(100, 0, true)]
    [InlineData(50, 49, false)]
    [InlineData(60, 60, false)]
    [InlineData(-10, 110, false)]
    [InlineData(50, null, false)]
    [InlineData(null, null, true)]
    public void BRA_04_EDT_03_Percentages_sum_to_100_or_none_is_given(int? one, int? two, bool isFine)
    {
        Assert.Equal(!isFine, Codes(Define.Workflow("w", Define.ByHand(), [Define.Split("b", true, ("one", one, "one"), ("two", two, "two")), .. Ways])).Contains("PERCENT_SUM"));
    }

    [Theory]
    [InlineData(null, 50)]
    [InlineData(20, 20)]
    [InlineData(100, 100)]
    [InlineData(0, 0)]
    public void BRA_04_The_paths_get_their_shares(int? percent, int expected)
    {
        // A split that is not sticky draws anew for each enrollment.
        var split = Define.Split("b", sticky: false, ("one", percent, "one"), ("two", percent is null ? null : 100 - percent, "two"));
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), [split, .. Ways]));
        var ones = 0;
        const int Draws = 1_000;
        for (var i = 0; i < Draws; i++)
        {
            world.Enroll("w");
            ones += world.Text("other") == "one" ? 1 : 0;
            world.Pass(TimeSpan.FromMinutes(5));
        }

        Assert.InRange(ones * 100.0 / Draws, expected - 5, expected + 5);
    }

    [Fact]
    public void BRA_05_The_choice_is_sticky_per_record_and_step_and_the_same_on_any_host()
    {
        var split = Define.Split("b", sticky: true, ("one", null, "one"), ("two", null, "two"), ("three", null, "none"));
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), [split, .. Ways]));
        var other = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), [split, .. Ways]));
        for (var i = 0; i < 10; i++)
        {
            world.Enroll("w");
            other.Enroll("w");
        }

        Assert.Single(world.Results("w").Where(r => r.StartsWith("b ", StringComparison.Ordinal)).Distinct());
        Assert.Equal(world.Results("w"), other.Results("w"));
    }

    [Fact]
    public void BRA_05_Changed_percentages_hold_for_later_choices()
    {
        var world = new World();
        world.Publish(Define.Workflow("w", Define.ByHand(reenroll: true), [Define.Split("b", true, ("one", 100, "one"), ("two", 0, "two")), .. Ways]));
        world.Enroll("w");
        Assert.Equal("one", world.Text("other"));
        world.Publish(Define.Workflow("w", Define.ByHand(reenroll: true), [Define.Split("b", true, ("one", 0, "one"), ("two", 100, "two")), .. Ways]));
        world.Enroll("w");
        Assert.Equal("two", world.Text("other"));
    }

    [Fact]
    public void BRA_06_A_go_to_merges_paths_takes_no_time_ignores_windows_and_is_no_action()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.Branch("b", "n", ("yes", Define.All(Define.Eq("stage", "a")), "g")), Define.GoTo("g", "d"), Define.GoTo("n", "d"), Define.Delay("d", 1, DelayUnit.Days)) with
        { Windows = Define.Open("01:00", "02:00") });
        world.Set("stage", "a");
        world.Enroll("w");
        Assert.Equal("enroll:w w.b w.g w.d", world.Story());
        world.Switch("w", WorkflowState.Off);
        world.Unenroll("w");
        Assert.DoesNotContain(world.Results("w"), r => r.Contains("SkippedOff", StringComparison.Ordinal));
    }

    [Fact]
    public void BRA_06_ENG_10_A_loop_by_go_to_is_bounded_and_warned_of()
    {
        var loop = Define.Workflow("w", Define.ByHand(), Define.Put("a", "score", SetMode.Increment, value: "1", next: "g"), Define.GoTo("g", "a"));
        var world = new World().Publish(loop);
        world.Enroll("w");
        Assert.Equal(["LoopGuard"], world.Ends("w"));
        Assert.Equal("60", world.Text("score"));
        Assert.Contains("LOOP_WITHOUT_DELAY", Warnings(loop));
    }

    [Fact]
    public void ENG_10_The_steps_of_a_turn_are_counted_over_its_rounds()
    {
        // Each round releases the wait, so no single run of steps is long.
        var world = new World(TenantSettings.Default with { StepsPerTurnMax = 20, StepRunsPerHourMax = 10_000, RoundsMax = 200 });
        world.Publish(Define.Workflow("ping", Define.ByHand(), Define.WaitEvent("w", "property_changed", "s", where: [Define.Eq("property", "score")]), Define.Put("s", "name", SetMode.Append, value: "x", next: "w")));
        world.Publish(Define.Workflow("pong", Define.ByHand(), Define.WaitEvent("w", "property_changed", "s", where: [Define.Eq("property", "name")]), Define.Put("s", "score", SetMode.Increment, value: "1", next: "w")));
        world.Enroll("ping");
        world.Enroll("pong");
        world.Set("score", "0");
        Assert.Equal(["LoopGuard"], world.Ends("ping"));
        Assert.True(world.Last.Count(e => e.Kind == EntryKind.StepEntered && e.Workflow == world.Number("ping")) <= 20);
    }

    [Theory]
    [InlineData(19, false, true)]
    [InlineData(20, true, false)]
    [InlineData(10, false, false)]
    public void BRA_07_Branches_nest_up_to_19_deep_and_a_warning_comes_after_10(int depth, bool isRefused, bool isWarned)
    {
        var steps = Enumerable.Range(0, depth).Select(i => Define.Branch($"b{i}", "", ("yes", Define.All(Define.Is("stage", Operator.IsKnown)), i == depth - 1 ? "end" : $"b{i + 1}"))).Append(Define.Set("end", "other", "x")).ToArray();
        var workflow = Define.Workflow("w", Define.ByHand(), steps);
        Assert.Equal(isRefused, Codes(workflow).Contains("TOO_DEEP"));
        Assert.Equal(isWarned, Warnings(workflow).Contains("DEEP_BRANCHES"));
    }

    [Fact]
    public void BRA_01_Up_to_20_branches()
    {
        (string, CriteriaDefinition, string)[] Of(int count) => [.. Enumerable.Range(0, count).Select(i => ($"b{i}", Define.All(Define.Eq("stage", $"{i}")), "one"))];
        Assert.Contains("BRANCH_COUNT", Codes(Define.Workflow("w", Define.ByHand(), [Define.Branch("b", "none", Of(21)), .. Ways])));
        Assert.DoesNotContain("BRANCH_COUNT", Codes(Define.Workflow("w", Define.ByHand(), [Define.Branch("b", "none", Of(20)), .. Ways])));
    }

    private static string[] Codes(WorkflowDefinition definition) => [.. Problems(definition).Where(p => p.IsError).Select(p => p.Code)];

    private static string[] Warnings(WorkflowDefinition definition) => [.. Problems(definition).Where(p => !p.IsError).Select(p => p.Code)];

    private static IReadOnlyList<WorkflowProblem> Problems(WorkflowDefinition definition)
    {
        var numbers = new Dictionary<string, int>();
        WorkflowCompiler.Compile(definition, new WorkflowIdentity("w", 1, 1, WorkflowState.On, World.Start), new World().Scope, id => numbers.TryGetValue(id, out var n) ? n : numbers[id] = numbers.Count + 1, _ => 1, out var problems);
        return problems;
    }
}
