using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Output;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Cli.Tests.Output;

public sealed class ShowTests
{
    private static readonly Timestamp Noon = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 5, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Every_kind_of_entry_has_words_of_its_own()
    {
        foreach (var kind in System.Enum.GetValues<Kind>().Where(kind => kind != Kind.Unspecified))
        {
            var (what, _) = Show.Entry(new JournalEntry { Kind = kind, Type = "t" });
            Assert.DoesNotContain("kind", what, StringComparison.Ordinal);
            Assert.NotEqual(kind.ToString(), what);
        }
    }

    [Fact]
    public void Entries_are_told_with_list_goal_and_instant()
    {
        Assert.Equal(("joined list", "vip"), Show.Entry(new JournalEntry { Kind = Kind.ListJoined, Name = "vip" }));
        Assert.Equal(("left list", "vip"), Show.Entry(new JournalEntry { Kind = Kind.ListLeft, Name = "vip" }));
        Assert.Equal(("step held", "the workflow is paused, until 2026-01-05 12:00:00"), Show.Entry(new JournalEntry { Kind = Kind.StepHeld, DueAt = Noon }));
        Assert.Equal(("step rescheduled", "until 2026-01-05 12:00:00"), Show.Entry(new JournalEntry { Kind = Kind.StepRescheduled, DueAt = Noon }));
        Assert.Equal(("step entered", "moved by an execution window, until 2026-01-05 12:00:00"), Show.Entry(new JournalEntry { Kind = Kind.StepEntered, Result = "RESCHEDULED", DueAt = Noon }));
        Assert.Equal(("goal met", "won, counted"), Show.Entry(new JournalEntry { Kind = Kind.GoalMet, Name = "won", Counted = true }));
        Assert.Equal(("goal met", "won, not counted"), Show.Entry(new JournalEntry { Kind = Kind.GoalMet, Name = "won" }));
        Assert.Equal(("not enrolled", "SUPPRESSED, vip"), Show.Entry(new JournalEntry { Kind = Kind.EnrollmentRefused, Decision = Decision.Types.Code.Suppressed, Detail = "vip" }));
        Assert.Equal(("enrollment ended", "GOAL_MET, won"), Show.Entry(new JournalEntry { Kind = Kind.EnrollmentEnded, EndReason = Enrollment.Types.EndReason.GoalMet, Detail = "won" }));
        Assert.Equal(
            ("enrolled", "#2, version 3, by event form_submitted"),
            Show.Entry(new JournalEntry { Kind = Kind.Enrolled, EnrollmentNumber = 2, Version = 3, Type = "event", Detail = "form_submitted" }));
    }

    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(250, "250 ms")]
    [InlineData(90_000, "1 min 30 s")]
    [InlineData(3_600_000, "1 h")]
    [InlineData(273_600_000, "3 d 4 h")]
    public void A_time_span_has_its_two_largest_units(long ms, string expected) => Assert.Equal(expected, Show.Span(ms));
}
