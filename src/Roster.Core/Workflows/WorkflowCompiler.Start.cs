using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Starts: triggers, schedules, anchors.</content>
public sealed partial class WorkflowCompiler
{
    private CompiledStart CompileStart()
    {
        var start = _definition.Start;
        if (start is null || start.Kind == StartKind.None)
        {
            Error("start", "NO_START", string.Empty, "A workflow needs a start: filter, event, schedule, dateAnchor or manual.");
            return new CompiledStart(StartKind.Manual, null, true, [], false, []);
        }

        var criteria = start.Kind switch
        {
            StartKind.Filter => _criteria.Compile(start.Criteria, "start.filter.criteria"),
            StartKind.DateAnchor when start.Anchor?.Criteria is { } anchored => _criteria.Compile(anchored, "start.dateAnchor.criteria"),
            StartKind.Schedule when start.Schedule?.Criteria is { } scheduled => _criteria.Compile(scheduled, "start.schedule.criteria"),
            _ => null,
        };
        var events = start.Kind == StartKind.Event ? CompileEvents(start.Events, "start.event.anyOf") : [];
        var reenrollWhen = start.ReenrollWhen.Select((c, i) => _criteria.Compile(c, $"start.reenrollWhen[{i}]")).ToArray();
        CheckReenrollment(start);
        return new CompiledStart(start.Kind, criteria, start.FireOnCreate, events, start.Reenroll, reenrollWhen)
        {
            Schedule = start.Kind == StartKind.Schedule ? CompileSchedule(start.Schedule ?? new ScheduleDefinition(ScheduleKind.None)) : null,
            Anchor = start.Kind == StartKind.DateAnchor ? CompileAnchor(start.Anchor ?? new AnchorDefinition(string.Empty, string.Empty, false, null)) : null,
        };
    }

    private void CheckReenrollment(StartDefinition start)
    {
        if (start.ReenrollWhen.Count > 0 && start.Kind is not (StartKind.Filter or StartKind.DateAnchor))
        {
            Error("start.reenrollWhen", "REENROLL_NOT_FOR_START", start.Kind.ToString(), "Re-enrollment triggers belong to a filter start; an event start re-enrolls on every occurrence (REN-01).");
        }

        for (var i = 0; i < start.ReenrollWhen.Count; i++)
        {
            _criteria.CheckReenrollment(start.ReenrollWhen[i], $"start.reenrollWhen[{i}]");
        }

        if (start.Reenroll && start.Kind == StartKind.Filter && start.ReenrollWhen.Count == 0)
        {
            Warning("start.reenrollWhen", "REENROLL_BY_HAND_ONLY", string.Empty, "Re-enrollment is on without a re-enrollment trigger: only manual and API starts re-enroll (REN-02).");
        }
    }

    private CompiledEventTrigger[] CompileEvents(IReadOnlyList<EventTriggerDefinition> events, string path)
    {
        if (events.Count is 0 or > EventsMax)
        {
            Error(path, "EVENT_COUNT", $"{events.Count}", $"1 to {EventsMax} events are needed here.");
        }

        return events.Select((e, i) => CompileEvent(e, $"{path}[{i}]")).ToArray();
    }

    private CompiledEventTrigger CompileEvent(EventTriggerDefinition trigger, string path)
    {
        var eventType = trigger.EventType.Length == 0 ? 0 : _scope.Schema.FindEventType(trigger.EventType);
        if (!Names.IsName(trigger.EventType))
        {
            Error($"{path}.eventType", "BAD_NAME", trigger.EventType, "An event type has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }
        else if (eventType == 0)
        {
            Error($"{path}.eventType", "TOO_MANY_EVENT_TYPES", trigger.EventType, $"The tenant has {TenantSchema.EventTypesMax} event types already.");
        }

        CheckSubject(trigger, path);
        var where = _criteria.CompileWhere(trigger.Where, $"{path}.where");
        var onlyIf = trigger.OnlyIf is null ? null : _criteria.Compile(trigger.OnlyIf, $"{path}.onlyIf");
        return new CompiledEventTrigger(eventType, where, onlyIf, trigger.AllowNewRecord ?? StandardEventTypes.AllowsNewRecord(trigger.EventType))
        {
            Text = CriteriaCompiler.TextOf(trigger),
            OnlyProperty = eventType == StandardEventTypes.PropertyChangedNumber ? _type.Find(Subject(trigger, "property") ?? string.Empty)?.Number ?? 0 : 0,
        };
    }

    /// <summary>Triggers on lists, workflows and properties name one that exists (TRG-21, TRG-22, TRG-27).</summary>
    private void CheckSubject(EventTriggerDefinition trigger, string path)
    {
        switch (trigger.EventType)
        {
            case StandardEventTypes.ListJoined or StandardEventTypes.ListLeft when Subject(trigger, "list") is { } list:
                FindList(list, $"{path}.where");
                break;
            case StandardEventTypes.WorkflowEnrolled or StandardEventTypes.WorkflowUnenrolled or StandardEventTypes.WorkflowCompleted or StandardEventTypes.WorkflowGoal
                when Subject(trigger, "workflow") is { } workflow:
                FindWorkflow(workflow, $"{path}.where", mustBeOfType: false);
                break;
            case StandardEventTypes.PropertyChanged when Subject(trigger, "property") is { } property && _type.Find(property) is null:
                Error($"{path}.where", "UNDECLARED_PROPERTY", property, $"Property '{Refusal.Cut(property)}' of {_type.Name} is not declared.");
                break;
            default:
                break;
        }
    }

    private static string? Subject(EventTriggerDefinition trigger, string name) => trigger.Where.OfType<PropertyFilterDefinition>()
        .FirstOrDefault(f => f.Property == name && f.Operator == Operator.IsEqualTo && f.Values.Count == 1)?.Values[0];

    private CompiledSchedule? CompileSchedule(ScheduleDefinition schedule)
    {
        const string Path = "start.schedule";
        if ((schedule.Criteria is not null) == schedule.AllRecords)
        {
            Error($"{Path}.criteria", "CRITERIA_OR_ALL", string.Empty, "A schedule has criteria, or says allRecords, and not both (SCH-02).");
        }

        var time = schedule.Kind == ScheduleKind.Once ? LocalTime.Midnight : TimeOfDay($"{Path}.timeOfDay", schedule.TimeOfDay, isRequired: true) ?? LocalTime.Midnight;
        switch (schedule.Kind)
        {
            case ScheduleKind.Once:
                var once = NodaTime.Text.LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm").Parse(schedule.Once);
                Require(once.Success, $"{Path}.once", "BAD_DATE", schedule.Once, "A local instant looks like 2026-12-01T09:00.");
                return once.Success ? Runs(RunSchedule.Once(once.Value, _zone)) : null;
            case ScheduleKind.Daily:
                return Runs(RunSchedule.Daily(time, _zone));
            case ScheduleKind.Weekly:
                Require(schedule.Weekdays is not Weekdays.None and <= Weekdays.All, $"{Path}.weekly.weekdays", "MISSING_FIELD", string.Empty, "A weekly schedule needs days.");
                return Runs(RunSchedule.Weekly(schedule.Weekdays, time, _zone));
            case ScheduleKind.Monthly:
                return CompileMonthly(schedule, time, $"{Path}.monthly");
            case ScheduleKind.Yearly:
                var isDay = schedule.Month is >= 1 and <= 12 && schedule.Day >= 1 && schedule.Day <= CalendarSystem.Iso.GetDaysInMonth(2024, schedule.Month);
                Require(isDay, $"{Path}.yearly", "OUT_OF_RANGE", $"{schedule.Month}-{schedule.Day}", "A month is 1 to 12, and the day must be in it.");
                return isDay ? Runs(RunSchedule.Yearly(schedule.Month, schedule.Day, time, _zone)) : null;
            case ScheduleKind.Date:
                var property = DateProperty(schedule.Property, $"{Path}.date.property");
                Require(IsWithin(schedule.OffsetDays, DelayDaysMax), $"{Path}.date.offsetDays", "OUT_OF_RANGE", $"{schedule.OffsetDays}", $"An offset is at most {DelayDaysMax} days.");
                return new CompiledSchedule(null, new DateSchedule(schedule.OffsetDays, time, schedule.Yearly), property, schedule.SkipMissed);
            default:
                Error(Path, "NO_SCHEDULE", string.Empty, "A schedule says when: once, daily, weekly, monthly, yearly or date (SCH-01).");
                return null;
        }

        CompiledSchedule Runs(RunSchedule runs) => new(runs, null, 0, schedule.SkipMissed);
    }

    private CompiledSchedule? CompileMonthly(ScheduleDefinition schedule, LocalTime time, string path)
    {
        var areDays = schedule.Days.All(d => d is >= 1 and <= 31);
        var isNth = schedule.Nth is >= 1 and <= 4 or -1;
        Require(areDays, $"{path}.days", "OUT_OF_RANGE", string.Join(", ", schedule.Days), "Days of a month are 1 to 31.");
        Require(schedule.Nth == 0 || isNth, $"{path}.nth", "OUT_OF_RANGE", $"{schedule.Nth}", "The n-th weekday is 1 to 4, or -1 for the last.");
        Require(schedule.Nth == 0 || System.Numerics.BitOperations.PopCount((uint)schedule.Weekdays) == 1, $"{path}.weekday", "MISSING_FIELD", $"{schedule.Weekdays}", "The n-th weekday needs one weekday.");
        Require(schedule.Days.Count > 0 || schedule.LastDay || schedule.Nth != 0, path, "NO_SCHEDULE", string.Empty, "A monthly schedule needs days, lastDay or nth.");
        return areDays && (schedule.Nth == 0 || isNth)
            ? new CompiledSchedule(RunSchedule.Monthly(schedule.Days, schedule.LastDay, schedule.Nth, schedule.Weekdays, time, _zone), null, 0, schedule.SkipMissed)
            : null;
    }

    private CompiledAnchor? CompileAnchor(AnchorDefinition anchor)
    {
        const string Path = "start.dateAnchor";
        if ((anchor.Date.Length > 0) == (anchor.Property.Length > 0))
        {
            Error(Path, "DATE_OR_PROPERTY", string.Empty, "An anchor is a date or a property, and not both (SCH-06, SCH-07).");
            return null;
        }

        var offsets = _definition.Steps.Where(s => s.At is not null).Select(s => s.At!.OffsetDays).DefaultIfEmpty(0).ToArray();
        var (first, last) = (offsets.Min(), offsets.Max());
        if (anchor.Property.Length > 0)
        {
            return new CompiledAnchor(null, DateProperty(anchor.Property, $"{Path}.property"), anchor.RecurAnnually, first, last);
        }

        if (Value.TryParse(anchor.Date, PropertyType.Date, out var date) && !date.IsUnknown)
        {
            return new CompiledAnchor(date.Date, 0, anchor.RecurAnnually, first, last);
        }

        Error($"{Path}.date", "BAD_DATE", anchor.Date, $"'{Refusal.Cut(anchor.Date)}' is no date like 2026-12-24.");
        return null;
    }

    private int DateProperty(string name, string path)
    {
        var property = _type.Find(name);
        if (property is null)
        {
            Error(path, "UNDECLARED_PROPERTY", name, $"Property '{Refusal.Cut(name)}' of {_type.Name} is not declared.");
            return 0;
        }

        Require(property.Type is PropertyType.Date or PropertyType.DateTime, path, "WRONG_TYPE", name, $"Property '{name}' is of type {Upper(property.Type)}; a date or datetime is needed here.");
        return property.Number;
    }

    private LocalTime? TimeOfDay(string path, string text, bool isRequired = false)
    {
        if (text.Length == 0 && !isRequired)
        {
            return null;
        }

        var pattern = text.Length > 5 ? "HH:mm:ss" : "HH:mm";
        var parsed = NodaTime.Text.LocalTimePattern.CreateWithInvariantCulture(pattern).Parse(text);
        Require(parsed.Success, path, "BAD_TIME", text, $"'{Refusal.Cut(text)}' is no time of day like 09:00.");
        return parsed.Success ? parsed.Value : null;
    }

    private ExecutionWindows? CompileWindows()
    {
        if (_definition.Windows is not { } windows)
        {
            return null;
        }

        const string Path = "executionWindows";
        Require(windows.Windows.Count <= 70, $"{Path}.windows", "TOO_MANY", $"{windows.Windows.Count}", "At most 70 windows (setting windows).");
        Require(windows.BlockedDates.Count <= 366, $"{Path}.blockedDates", "TOO_MANY", $"{windows.BlockedDates.Count}", "At most 366 blocked dates (setting blocked_dates).");
        var spread = Duration($"{Path}.spread", windows.Spread, TimeSpan.FromMinutes(15), TimeSpan.Zero, TimeSpan.FromHours(24), "spread");
        var weekly = new List<WeeklyWindow>();
        for (var i = 0; i < windows.Windows.Count; i++)
        {
            var at = $"{Path}.windows[{i}]";
            var window = windows.Windows[i];
            Require(window.Days is not Weekdays.None and <= Weekdays.All, $"{at}.weekdays", "MISSING_FIELD", string.Empty, "A window needs days.");
            if (TimeOfDay($"{at}.start", window.Start, isRequired: true) is { } start && TimeOfDay($"{at}.end", window.End, isRequired: true) is { } end)
            {
                weekly.Add(new WeeklyWindow(window.Days, start, end));
            }
        }

        var blocked = windows.BlockedDates.Select((text, i) => CompileBlocked(text, $"{Path}.blockedDates[{i}]")).OfType<BlockedDate>().ToArray();
        return new ExecutionWindows(weekly, blocked, (long)spread.TotalMilliseconds, _zone);
    }

    private BlockedDate? CompileBlocked(string text, string path)
    {
        if (Value.TryParse(text, PropertyType.Date, out var date) && !date.IsUnknown)
        {
            return BlockedDate.On(date.Date);
        }

        if (Value.TryParse($"2024-{text}", PropertyType.Date, out var yearly) && !yearly.IsUnknown)
        {
            return BlockedDate.EveryYear(yearly.Date.Month, yearly.Date.Day);
        }

        Error(path, "BAD_DATE", text, $"'{Refusal.Cut(text)}' is no date like 2026-12-25 or 12-25.");
        return null;
    }

    /// <summary>Whether a number is at most so far from 0. No absolute value: the least of all has none.</summary>
    private static bool IsWithin(int value, int max) => value >= -max && value <= max;

    private void Require(bool isFine, string path, string code, string value, string message)
    {
        if (!isFine)
        {
            Error(path, code, value, message);
        }
    }
}
