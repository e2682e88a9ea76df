using Roster.V1;

namespace Roster.Import.Internal;

/// <content>How records enroll.</content>
internal sealed partial class FlowReader
{
    private void Start()
    {
        var isPart = !_flow["enrollmentCriteria"].Exists && _flow["reEnrollmentTriggersFilterBranches"].Exists;
        var criteria = isPart ? _flow : _flow["enrollmentCriteria"];
        var schedule = _flow["enrollmentSchedule"];
        var anchor = _flow["eventAnchor"];
        var type = criteria["type"].Word();
        var start = new Start { Reenroll = criteria["shouldReEnroll"].Flag() };
        _workflow.Start = start;
        var when = type is "LIST_BASED" or "" && criteria["listFilterBranch"].Exists ? _criteria.Read(criteria["listFilterBranch"], ObjectType) : null;
        if (schedule.Exists && type is not "EVENT_BASED")
        {
            start.Schedule = Schedule(schedule, when);
        }
        else if (anchor.Exists && type is not "EVENT_BASED")
        {
            start.DateAnchor = Anchor(anchor, when);
        }
        else
        {
            StartBy(type, criteria, when, start);
            foreach (var other in new[] { schedule, anchor }.Where(node => node.Exists))
            {
                other.Unsupported(FindingCode.NoCounterpart, "A workflow starts by events, or by a calendar, and not both (TRG-05).");
            }
        }

        var unenrolls = criteria["unEnrollObjectsNotMeetingCriteria"];
        _workflow.UnenrollIfNotMeeting = unenrolls.Flag();
        if (_workflow.UnenrollIfNotMeeting && start.KindCase != Roster.V1.Start.KindOneofCase.Filter)
        {
            _workflow.UnenrollIfNotMeeting = false;
            unenrolls.Unsupported(FindingCode.NoCounterpart, "Only a workflow that starts by criteria can ask whether they still hold (UNE-01).");
        }

        Reenrollment(criteria["reEnrollmentTriggersFilterBranches"], start);
    }

    private void StartBy(string type, Node criteria, Criteria? when, Start start)
    {
        switch (type)
        {
            case "EVENT_BASED":
                start.Event = Events(criteria);
                break;
            case "LIST_BASED" or "" when when is not null:
                start.Filter = new FilterStart { Criteria = when };
                break;
            case "LIST_BASED":
                start.Manual = new ManualStart();
                criteria["listFilterBranch"].Adapted(FindingCode.Missing, "There are no criteria, so nobody enrolls by itself: a manual start.");
                break;
            case "MANUAL":
                start.Manual = new ManualStart();
                break;
            case "":
                start.Manual = new ManualStart();
                criteria.Adapted(FindingCode.Missing, "The flow does not say who enrolls: a manual start.");
                break;
            case "DATASET":
                start.Manual = new ManualStart();
                criteria.Unsupported(FindingCode.NoCounterpart, "Enrollment by a data set has no counterpart (IMP-05): a manual start.");
                break;
            default:
                start.Manual = new ManualStart();
                criteria.Unsupported(FindingCode.UnknownValue, $"Enrollment of type {type} is not known: a manual start.");
                break;
        }
    }

    private EventStart Events(Node criteria)
    {
        var triggers = new List<EventTrigger>();
        foreach (var branch in criteria["eventFilterBranches"].Items())
        {
            triggers.Add(_criteria.Trigger(branch, ObjectType));
        }

        foreach (var branch in criteria["listMembershipFilterBranches"].Items())
        {
            triggers.AddRange(_criteria.Memberships(branch, ObjectType));
        }

        var refinement = criteria["refinementCriteria"];
        if (refinement.Exists)
        {
            var onlyIf = _criteria.Read(refinement, ObjectType);
            foreach (var trigger in triggers)
            {
                trigger.OnlyIf = trigger.OnlyIf is null ? onlyIf.Clone() : Both(trigger.OnlyIf, onlyIf, refinement);
            }
        }

        if (triggers.Count == 0)
        {
            criteria["eventFilterBranches"].Unsupported(FindingCode.Missing, "The flow starts by events and names none. Publishing refuses it until it has one.");
        }

        return new EventStart { AnyOf = { triggers } };
    }

    private static Criteria Both(Criteria one, Criteria other, Node place)
    {
        if (CriteriaReader.Multiply([.. one.AnyOf], [.. other.AnyOf]) is { } both)
        {
            return new Criteria { AnyOf = { both } };
        }

        place.Unsupported(FindingCode.NoCounterpart, "A negated branch beside membership in several lists cannot be said. An incomplete filter stands for it.");
        return new Criteria { AnyOf = { new FilterGroup { AllOf = { new Filter() } } } };
    }

    private void Reenrollment(Node branches, Start start)
    {
        var items = branches.Items();
        if (items.Count > 0 && start.KindCase != Roster.V1.Start.KindOneofCase.Filter)
        {
            branches.Unsupported(FindingCode.NoCounterpart, "Only a workflow that starts by criteria has re-enrollment triggers (REN-01).");
            return;
        }

        start.ReenrollWhen.AddRange(items.Select(branch => _criteria.Reenrollment(branch, ObjectType)).OfType<Criteria>());
        if (items.Count > 0 && !start.Reenroll)
        {
            start.ReenrollWhen.Clear();
            branches.Adapted(FindingCode.Rewritten, "Re-enrollment is off, so its triggers have no effect and are left out.");
        }
    }

    private ScheduleStart Schedule(Node schedule, Criteria? criteria)
    {
        var result = new ScheduleStart { TimeOfDay = Time(schedule["timeOfDay"]) ?? "", Criteria = criteria };
        switch (schedule["type"].Word())
        {
            case "DAILY":
                result.Daily = new DailySchedule();
                break;
            case "WEEKLY":
                result.Weekly = new WeeklySchedule { Weekdays = { schedule["daysOfWeek"].Items().Select(Day) } };
                break;
            case "MONTHLY_SPECIFIC_DAYS":
                result.Monthly = new MonthlySchedule { Days = { schedule["daysOfMonth"].Items().Select(day => day.Int()).OfType<int>() } };
                break;
            case "MONTHLY_RELATIVE_DAYS" when schedule["monthlyRelativeDays"].Word() == "FIRST_MONDAY_OF_MONTH":
                result.Monthly = new MonthlySchedule { Nth = 1, Weekday = Weekday.Monday };
                break;
            case "MONTHLY_RELATIVE_DAYS" when schedule["monthlyRelativeDays"].Word() == "LAST_DAY_OF_MONTH":
                result.Monthly = new MonthlySchedule { LastDay = true };
                break;
            case "YEARLY":
                result.Yearly = new YearlySchedule { Month = CriteriaReader.Month(schedule["month"]) ?? 0, Day = schedule["dayOfMonth"].Int() ?? 0 };
                break;
            case "PROPERTY_BASED":
                result.Date = new DateSchedule
                {
                    Property = Ids.KeepName(schedule["dateProperty"], "property"),
                    OffsetDays = schedule["daysDelta"].Int() ?? 0,
                    Yearly = schedule["yearly"].Flag(),
                };
                _guess.Property(ObjectType, result.Date.Property, PropertyType.Types.Kind.Datetime);
                break;
            default:
                schedule.Unsupported(FindingCode.UnknownValue, "The schedule is of a kind that is not known. Publishing refuses the start until it is replaced.");
                break;
        }

        if (criteria is null)
        {
            schedule.Adapted(FindingCode.Missing, "The schedule has no criteria. Publishing refuses it until it has some, or says all_records = true (SCH-02).");
        }

        return result;
    }

    private DateAnchorStart Anchor(Node anchor, Criteria? criteria)
    {
        var result = new DateAnchorStart { Criteria = criteria };
        switch (anchor["type"].Word())
        {
            case "CONTACT_PROPERTY_ANCHOR":
                result.Property = Ids.KeepName(anchor["contactProperty"], "property");
                _guess.Property(ObjectType, result.Property, PropertyType.Types.Kind.Datetime);
                break;
            case "STATIC_DATE_ANCHOR":
                var year = anchor["year"].Int();
                result.RecurAnnually = year is null;
                result.Date = CriteriaReader.DateText(year ?? 2000, CriteriaReader.Month(anchor["month"]), anchor["dayOfMonth"].Int()) ?? "";
                if (result.Date.Length == 0)
                {
                    anchor.Unsupported(FindingCode.WrongType, "Month and day are no date. Publishing refuses the start until it is replaced.");
                }
                else if (year is null)
                {
                    anchor.Adapted(FindingCode.Rewritten, "A date without a year comes every year (SCH-06).");
                }

                break;
            default:
                anchor.Unsupported(FindingCode.UnknownValue, "The anchor is of a kind that is not known. Publishing refuses the start until it is replaced.");
                break;
        }

        return result;
    }
}
