using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Simulate;
using Roster.V1;

namespace Roster.Cli.Tests.Simulate;

public sealed class TimelineTests
{
    private static readonly RecordRef Ada = new() { ObjectType = "contact", RecordId = "ada" };

    [Theory]
    [InlineData(null)]
    [InlineData("contact/ada")]
    public void An_entry_of_a_kind_that_is_not_known_is_told_by_its_name(string? explained)
    {
        var timeline = New(explained);
        timeline.Add(Turn(Entry((JournalEntry.Types.Kind)9_999, name: "vip", detail: "something new")));
        var line = Assert.Single(timeline.Lines);
        Assert.Equal(("entry of kind 9999", "vip, something new"), (line.What, line.Detail));
    }

    [Fact]
    public void A_step_is_one_line_with_what_came_of_it()
    {
        var timeline = New(explained: null);
        timeline.Add(Turn(
            Entry(JournalEntry.Types.Kind.StepEntered, "size"),
            Entry(JournalEntry.Types.Kind.StepFinished, "size", result: "SUCCESS", name: "large"),
            Entry(JournalEntry.Types.Kind.StepEntered, "size", execution: 2),
            Entry(JournalEntry.Types.Kind.StepFinished, "size", execution: 2, result: "SUCCESS"),
            Entry(JournalEntry.Types.Kind.StepEntered, "mail"),
            Entry(JournalEntry.Types.Kind.EffectRequested, "mail", name: "queue"),
            Entry(JournalEntry.Types.Kind.StepEntered, "mark"),
            Entry(JournalEntry.Types.Kind.StepFinished, "mark", result: "SKIPPED_OFF")));
        Assert.Equal(
            [("step", "took large"), ("step", "took default"), ("sent", "to queue"), ("step", "SKIPPED_OFF")],
            timeline.Lines.Select(line => (line.What, line.Detail)));
    }

    [Fact]
    public void That_a_wait_is_over_goes_without_saying_unless_it_failed()
    {
        var timeline = New(explained: null);
        timeline.Add(Turn(Entry(JournalEntry.Types.Kind.StepFinished, "wait", result: "SUCCESS")));
        timeline.Add(Turn(Entry(JournalEntry.Types.Kind.StepFinished, "wait", result: "FAILED", detail: "TIMEOUT")));
        Assert.Equal([("step finished", "FAILED, TIMEOUT")], timeline.Lines.Select(line => (line.What, line.Detail)));
    }

    [Fact]
    public void Lines_over_the_limit_are_counted_and_other_records_than_the_explained_one_are_not()
    {
        var cut = new Timeline(FindStep, explained: null, linesMax: 1);
        cut.Add(Turn(Entry(JournalEntry.Types.Kind.Enrolled), Entry(JournalEntry.Types.Kind.EnrollmentEnded)));
        Assert.Equal((1, 2), (cut.Lines.Count, cut.Count));
        var other = New(explained: "contact/bob");
        other.Add(Turn(Entry(JournalEntry.Types.Kind.Enrolled)));
        Assert.Equal(0, other.Count);
    }

    private static Timeline New(string? explained) => new(FindStep, explained, linesMax: 100);

    private static Step? FindStep(string workflow, int version, string step) => step == "size" ? new Step { Id = step, Branch = new Branch() } : new Step { Id = step };

    private static JournalTurn Turn(params JournalEntry[] entries) => new("contact/ada", entries);

    private static JournalEntry Entry(JournalEntry.Types.Kind kind, string step = "", int execution = 1, string result = "", string name = "", string detail = "") => new()
    {
        Kind = kind,
        Ref = Ada,
        At = new Timestamp(),
        WorkflowId = "welcome",
        StepId = step,
        ExecutionIndex = execution,
        Result = result,
        Name = name,
        Detail = detail,
    };
}
