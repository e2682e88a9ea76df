using Roster.Cli.Simulate;
using Roster.V1;

namespace Roster.Cli.Tests.Simulate;

public sealed class ExpectationTests
{
    private static readonly SimulatedWorkflow[] Workflows =
    [
        new(new Workflow { Id = "welcome", Goals = { new Goal { Id = "won" } }, Steps = { new Step { Id = "mail" }, new Step { Id = "wait" } } }, IsOnInFile: true),
    ];

    [Theory]
    [InlineData("""[]""", ": `[]` is not an object.")]
    [InlineData("""{"workflow":{}}""", ": workflow: An expectation has no field `workflow`. Did you mean `workflows`?")]
    [InlineData("""{"workflows":{"welcom":{}}}""", ": workflows.welcom: There is no workflow `welcom` in the files. Did you mean `welcome`?")]
    [InlineData("""{"workflows":{"welcome":{"enroled":1}}}""", ": workflows.welcome.enroled: A workflow has no field `enroled`. Did you mean `enrolled`?")]
    [InlineData("""{"workflows":{"welcome":{"enrolled":"3"}}}""", ": workflows.welcome.enrolled: `3` is not a whole number from 0.")]
    [InlineData("""{"workflows":{"welcome":{"active":-1}}}""", ": workflows.welcome.active: `-1` is not a whole number from 0.")]
    [InlineData("""{"workflows":{"welcome":{"refused":{"GOAL_MET":1}}}}""", ": workflows.welcome.refused.GOAL_MET: `GOAL_MET` is no decision.")]
    [InlineData("""{"workflows":{"welcome":{"ended":{"COMPLETE":1}}}}""", ": workflows.welcome.ended.COMPLETE: `COMPLETE` is no end reason. Did you mean `COMPLETED`")]
    [InlineData("""{"workflows":{"welcome":{"ended":["COMPLETED"]}}}""", ": workflows.welcome.ended: `[\"COMPLETED\"]` is not an object.")]
    [InlineData("""{"workflows":{"welcome":{"sent":{"mial":1}}}}""", ": workflows.welcome.sent.mial: `mial` is no step of welcome. Did you mean `mail`?")]
    [InlineData("""{"workflows":{"welcome":{"goals":{"win":1}}}}""", ": workflows.welcome.goals.win: `win` is no goal of welcome. Did you mean `won`?")]
    [InlineData("""{"workflows":{"welcome":{"active":1,"active":1}}}""", ": workflows.welcome.active: `active` is given twice.")]
    [InlineData("""{"records":{"ada":{}}}""", ": records.ada: `ada` does not name a record")]
    [InlineData("""{"records":{"contact/ada":{"welcome":{"ended":{"COMPLETED":1}}}}}""", ": records.contact/ada.welcome.ended: `{\"COMPLETED\":1}` is not an array of names.")]
    [InlineData("""{"records":{"contact/ada":{"welcome":{"steps":["mail","wiat"]}}}}""", ": records.contact/ada.welcome.steps[1]: `wiat` is no step of welcome. Did you mean `wait`")]
    [InlineData("""{"records":{"contact/ada":{"welcome":{"considered":1}}}}""", ": records.contact/ada.welcome.considered: What a record did in a workflow has no field `considered`.")]
    [InlineData("""{"workflows":{""", ":1:15: this is not JSON: ")]
    public void What_cannot_be_meant_is_told_by_path_with_a_hint(string json, string expected)
    {
        var error = Assert.Throws<CliException>(() => Expectation.Parse(json, "expect.json", Workflows));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.StartsWith($"expect.json{expected}", Assert.Single(error.Sentences), StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var error = Assert.Throws<CliException>(() => Expectation.Parse("""{"a":1,"workflows":{"b":{}},"records":{"c":{}}}""", "expect.json", Workflows));
        Assert.Equal(3, error.Sentences.Count);
    }

    [Fact]
    public void Only_what_is_named_is_compared_and_what_did_not_occur_counts_nothing()
    {
        var expectation = Expectation.Parse(
            """
            {
              // Comments and a comma at the end are fine.
              "workflows": {"welcome": {"enrolled": 0, "refused": {"SUPPRESSED": 0}, "sent": {}}},
            }
            """,
            "expect.json",
            Workflows);
        Assert.Empty(expectation.Compare(NothingHappened(), Workflows));
        Assert.Equal(2, expectation.Values);
    }

    [Fact]
    public void An_empty_expectation_is_always_met() =>
        Assert.Empty(Expectation.Parse("{}", "expect.json", Workflows).Compare(NothingHappened(), Workflows));

    private static SimulationFold NothingHappened() => new(new Timeline((_, _, _) => null, explained: null, linesMax: 0), _ => { });
}
