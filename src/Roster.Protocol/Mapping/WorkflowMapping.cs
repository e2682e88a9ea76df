using Google.Protobuf.WellKnownTypes;
using Roster.Core.Calendars;
using Roster.Core.Workflows;
using Roster.V1;

namespace Roster.Protocol.Mapping;

/// <summary>Definitions from the public contract to Core. It changes shape only; what a definition means is decided by the compiler.</summary>
public static partial class WorkflowMapping
{
    /// <summary>Maps a definition.</summary>
    public static WorkflowDefinition ToCore(Workflow workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return new WorkflowDefinition(
            workflow.Id,
            workflow.ObjectType,
            ToCore(workflow.Start),
            [.. workflow.Goals.Select(ToCore)],
            [.. workflow.Steps.Select(ToCore)],
            workflow.FirstStep,
            workflow.TimeZone)
        {
            SuppressionLists = [.. workflow.SuppressionLists],
            UnenrollWhen = ToCore(workflow.UnenrollWhen),
            UnenrollIfNotMeeting = workflow.UnenrollIfNotMeeting,
            UnenrollFromAll = workflow.UnenrollFrom?.All ?? false,
            UnenrollFrom = [.. workflow.UnenrollFrom?.WorkflowIds ?? []],
            Windows = ToCore(workflow.ExecutionWindows),
            CatchUp = (Core.Workflows.CatchUp)(int)workflow.CatchUp,
            CatchUpGrace = ToTimeSpan(workflow.CatchUpGrace),
            CatchUpSpread = ToTimeSpan(workflow.CatchUpSpread),
            PublishPolicy = (Core.Workflows.PublishPolicy)(int)workflow.PublishPolicy,
            EnrollOnMerge = workflow.EnrollOnMerge,
            AllowExternalCrm = workflow.AllowExternalCrm,
            DataSources = [.. workflow.DataSources.Select(d => new DataSourceDefinition(d.Name, d.ObjectType, d.Label, d.SortBy, d.Descending))],
        };
    }

    /// <summary>Maps a problem.</summary>
    public static DefinitionProblem ToWire(WorkflowProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return new DefinitionProblem
        {
            Severity = problem.IsError ? DefinitionProblem.Types.Severity.Error : DefinitionProblem.Types.Severity.Warning,
            Path = problem.Path,
            Code = problem.Code,
            Value = problem.Value,
            Message = problem.Message,
        };
    }

    private static GoalDefinition ToCore(Goal goal) => new(goal.Id, ToCore(goal.Criteria))
    {
        Exit = goal.HasExit ? goal.Exit : null,
        Count = (GoalCount)(int)goal.Count,
    };

    private static StartDefinition? ToCore(Start? start) => start is null
        ? null
        : new StartDefinition(
            start.KindCase switch
            {
                Start.KindOneofCase.Filter => StartKind.Filter,
                Start.KindOneofCase.Event => StartKind.Event,
                Start.KindOneofCase.Manual => StartKind.Manual,
                Start.KindOneofCase.Schedule => StartKind.Schedule,
                Start.KindOneofCase.DateAnchor => StartKind.DateAnchor,
                _ => StartKind.None,
            },
            ToCore(start.Filter?.Criteria),
            start.Filter is not { HasFireOnCreate: true } || start.Filter.FireOnCreate,
            [.. (start.Event?.AnyOf ?? []).Select(ToCore)],
            start.Reenroll,
            [.. start.ReenrollWhen.Select(c => ToCore(c)!)])
        {
            Schedule = start.Schedule is null ? null : ToCore(start.Schedule),
            Anchor = start.DateAnchor is not { } anchor ? null : new AnchorDefinition(anchor.Date, anchor.Property, anchor.RecurAnnually, ToCore(anchor.Criteria)),
        };

    private static EventTriggerDefinition ToCore(EventTrigger trigger) => new(
        trigger.EventType,
        [.. trigger.Where.Select(ToCore)],
        ToCore(trigger.OnlyIf),
        trigger.HasAllowNewRecord ? trigger.AllowNewRecord : null);

    private static ScheduleDefinition ToCore(ScheduleStart schedule)
    {
        var mapped = new ScheduleDefinition((ScheduleKind)(int)schedule.WhenCase)
        {
            TimeOfDay = schedule.TimeOfDay,
            Criteria = ToCore(schedule.Criteria),
            AllRecords = schedule.AllRecords,
            SkipMissed = schedule.SkipMissed,
        };
        return schedule.WhenCase switch
        {
            ScheduleStart.WhenOneofCase.Once => mapped with { Once = schedule.Once },
            ScheduleStart.WhenOneofCase.Weekly => mapped with { Weekdays = ToCore(schedule.Weekly.Weekdays) },
            ScheduleStart.WhenOneofCase.Monthly => mapped with
            {
                Days = [.. schedule.Monthly.Days],
                LastDay = schedule.Monthly.LastDay,
                Nth = schedule.Monthly.Nth,
                Weekdays = schedule.Monthly.Weekday == Weekday.Unspecified ? Weekdays.None : ToCore([schedule.Monthly.Weekday]),
            },
            ScheduleStart.WhenOneofCase.Yearly => mapped with { Month = schedule.Yearly.Month, Day = schedule.Yearly.Day },
            ScheduleStart.WhenOneofCase.Date => mapped with { Property = schedule.Date.Property, OffsetDays = schedule.Date.OffsetDays, Yearly = schedule.Date.Yearly },
            _ => mapped,
        };
    }

    private static WindowsDefinition? ToCore(V1.ExecutionWindows? windows) => windows is null
        ? null
        : new WindowsDefinition(
            [.. windows.Windows.Select(w => new WindowDefinition(ToCore(w.Weekdays), w.Start, w.End))], [.. windows.BlockedDates], ToTimeSpan(windows.Spread));

    /// <summary>Days as a set; one that is not a day makes the set more than <see cref="Weekdays.All"/>, which whoever takes the set reports.</summary>
    public static Weekdays ToCore(IEnumerable<Weekday> days)
    {
        ArgumentNullException.ThrowIfNull(days);
        var set = Weekdays.None;
        foreach (var day in days)
        {
            set |= day is >= Weekday.Monday and <= Weekday.Sunday ? (Weekdays)(1 << ((int)day - 1)) : (Weekdays)128;
        }

        return set;
    }

    private static TimeSpan? ToTimeSpan(Duration? duration) => duration is null
        ? null
        : duration.Seconds is < -1_000_000_000 or > 1_000_000_000 ? TimeSpan.MaxValue : duration.ToTimeSpan();
}
