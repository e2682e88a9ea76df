using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Workflows;

/// <summary>Runs of a schedule that are due, late or missed (SCH-05).</summary>
public sealed class DueRunTests
{
    private static readonly Timestamp Noon = At(5, 12, 0);

    [Theory]
    [InlineData(CatchUp.Run, false)]
    [InlineData(CatchUp.Spread, false)]
    [InlineData(CatchUp.Skip, true)]
    public void SCH_05_Of_missed_runs_only_the_latest_is_made_up_or_none_with_skip(CatchUp policy, bool isSkipped)
    {
        var daily = Daily(policy, skipMissed: false);
        var run = daily.DueRun(Noon, At(8, 12, 0), out var handled);
        Assert.Equal((isSkipped ? Timestamp.None : At(8, 9, 0), At(8, 9, 0)), (run, handled));
    }

    [Fact]
    public void SCH_05_A_schedule_that_skips_missed_runs_does_so_whatever_the_workflow_does() =>
        Assert.Equal(Timestamp.None, Daily(CatchUp.Run, skipMissed: true).DueRun(Noon, At(8, 12, 0), out _));

    [Fact]
    public void SCH_05_A_run_that_is_only_late_was_not_missed()
    {
        var daily = Daily(CatchUp.Skip, skipMissed: false);
        var due = At(6, 9, 0);
        Assert.Equal(due, daily.DueRun(Noon, due, out _));
        Assert.Equal(due, daily.DueRun(Noon, new Timestamp(due.Ms + RunSchedule.LateMs), out _));
        Assert.Equal(Timestamp.None, daily.DueRun(Noon, new Timestamp(due.Ms + RunSchedule.LateMs + 1), out var handled));
        Assert.Equal(due, handled);
    }

    [Fact]
    public void SCH_05_Nothing_is_due_before_the_first_run_and_without_a_schedule()
    {
        Assert.Equal(Timestamp.None, Daily(CatchUp.Run, skipMissed: false).DueRun(Noon, At(6, 8, 59), out var handled));
        Assert.Equal(Timestamp.None, handled);
        var byHand = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("s", "other", "x"))).Compiled("w");
        Assert.Equal(Timestamp.None, byHand.DueRun(Noon, At(8, 12, 0), out handled));
        Assert.Equal(Timestamp.None, handled);
    }

    private static Timestamp At(int day, int hour, int minute) => Timestamp.FromInstant(Instant.FromUtc(2026, 1, day, hour, minute));

    private static CompiledWorkflow Daily(CatchUp policy, bool skipMissed)
    {
        var schedule = new ScheduleDefinition(ScheduleKind.Daily) { TimeOfDay = "09:00", AllRecords = true, SkipMissed = skipMissed };
        var start = new StartDefinition(StartKind.Schedule, null, true, [], false, []) { Schedule = schedule };
        return new World().Publish(Define.Workflow("w", start, Define.Set("s", "other", "x")) with { CatchUp = policy }).Compiled("w");
    }
}
