using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Tests.Workflows;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Tokens in the texts of actions (ACT-06, ACT-07).</summary>
public sealed class TokenTests
{
    [Theory]
    [InlineData("{{name:upper}}", "ADA LOVE")]
    [InlineData("{{name:title}}", "Ada Love")]
    [InlineData("{{ name : lower }}", "ada love")]
    [InlineData("<{{other:trim|no body}}>", "<no body>")]
    [InlineData("{{score:#,##0.00}}", "1,234.50")]
    [InlineData("{{score:0}}", "1235")]
    [InlineData("{{score}}", "1234.5")]
    [InlineData("{{flag:yes;no}}", "yes")]
    [InlineData("{{day:dd.MM.yyyy}}", "24.12.2026")]
    [InlineData("{{day:d MMMM}}", "24 December")]
    [InlineData("{{at:yyyy-MM-dd HH:mm}}", "2026-07-01 14:00")]
    [InlineData("{{at}}", "2026-07-01T12:00:00Z")]
    [InlineData("{{tags:upper}}", "A;B")]
    [InlineData("{{now:yyyy}}", "2026")]
    [InlineData("{{stage:upper|at 10:00, or | later}}", "at 10:00, or | later")]
    [InlineData("{{{{name}}", "{{name}}")]
    [InlineData("}} {{{{{{name}} {", "}} {{ada love {")]
    [InlineData("no token {{name", "no token {{name")]
    public void ACT_07_A_token_has_a_format_and_a_default(string text, string expected)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Put("s", "owner", SetMode.Set, new TextSourceDefinition(text))) with { TimeZone = "Europe/Berlin" });
        world.Event(
            string.Empty, ("name", "ada love"), ("score", "1234.5"), ("flag", "true"), ("day", "2026-12-24"), ("at", "2026-07-01T12:00:00Z"), ("tags", "b;a"));
        world.Enroll("w");
        Assert.Equal(expected, world.Text("owner"));
    }

    [Fact]
    public void ACT_07_A_format_for_another_type_than_the_run_brings_writes_the_value_as_it_is()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.Work("t", "s"), Define.Put("s", "owner", SetMode.Set, new TextSourceDefinition("{{t.price:0.00}} {{t.when:dd.MM.}} {{t.word:0.00}} {{t.none:0.00|-}}"))));
        world.Enroll("w");
        world.Complete("w", "t", outputs: [new NamedValue("price", Value.OfNumber(3)), new NamedValue("when", Value.OfDate(new NodaTime.LocalDate(2026, 3, 9))), new NamedValue("word", Value.OfText("x"))]);
        Assert.Equal("3.00 09.03. x -", world.Text("owner"));
    }

    [Theory]
    [InlineData("Hi {{nobody}}", "UNKNOWN_TOKEN")]
    [InlineData("Hi {{}}", "UNKNOWN_TOKEN")]
    [InlineData("Hi {{elsewhere.id}}", "UNKNOWN_TOKEN")]
    [InlineData("{{name:0.00}}", "BAD_FORMAT")]
    [InlineData("{{score:upperr}}", "BAD_FORMAT")]
    [InlineData("{{score:dd.MM.}}", "BAD_FORMAT")]
    [InlineData("{{day:HH}}", "BAD_FORMAT")]
    [InlineData("{{flag:yes}}", "BAD_FORMAT")]
    [InlineData("{{event.x:'}}", "BAD_FORMAT")]
    public void ACT_07_ACT_09_A_token_that_cannot_be_written_is_refused_with_the_path_of_its_text(string text, string code)
    {
        var definition = Define.Workflow("w", Define.ByHand(), new WorkerStepDefinition("t", "", "mail", [KeyValuePair.Create("a", "fine"), KeyValuePair.Create("b", text)], [], true, null));
        var problem = Assert.Single(CompilerTests.Problems(definition), p => p.IsError);
        Assert.Equal(("steps[0].worker.fields[1].text", code), (problem.Path, problem.Code));
    }

    [Fact]
    public void ACT_07_Fields_of_a_task_have_tokens_of_the_record_and_the_event_when_the_step_runs()
    {
        var worker = new WorkerStepDefinition(
            "t", "", "mail", [KeyValuePair.Create("template", "hello"), KeyValuePair.Create("greeting", "Hi {{name|you}}, {{event.color}}"), KeyValuePair.Create("none", "{{other}}")], ["stage"], true, null);
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.Delay("d", 1, DelayUnit.Hours, "t"), worker));
        world.Event("clicked", Timestamp.None, "e", false, [new NamedValue("color", Value.OfText("blue"))]);
        world.Event(string.Empty, ("name", "Ada"), ("stage", "lead"));
        world.Pass(TimeSpan.FromHours(1));
        var fields = world.Entries(EntryKind.EffectRequested).Single().Fields!;
        Assert.Equal(["template=hello", "greeting=Hi Ada, blue", "none=", ".stage=lead"], fields.Select(f => $"{f.Name}={f.Value}"));
    }

    [Fact]
    public void ACT_07_Texts_that_grow_too_long_fail_the_action_and_nothing_is_cut()
    {
        var repeated = string.Concat(Enumerable.Repeat("{{name}}", 1_000));
        var worker = new WorkerStepDefinition("t", "s", "mail", [KeyValuePair.Create("a", repeated)], [], true, null);
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), worker, Define.Set("s", "stage", "after")));
        world.Set("name", new string('x', 300));
        world.Enroll("w");
        Assert.Empty(world.Entries(EntryKind.EffectRequested));
        Assert.Equal((StepResult.Failed, "INVALID_VALUE"), world.Entries(EntryKind.StepFinished).Where(e => e.Step == world.Step("w", "t")).Select(e => (e.Result, e.Source)).Single());
        Assert.Equal("after", world.Text("stage"));
    }
}
