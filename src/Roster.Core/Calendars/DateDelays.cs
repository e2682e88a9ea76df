using NodaTime;
using Roster.Core.Values;

namespace Roster.Core.Calendars;

/// <summary>Until a date (DLY-07).</summary>
internal sealed class DateDelay(LocalDate date, LocalTime timeOfDay) : DelayTiming
{
    public override DelayDue Due(Timestamp start, DateTimeZone zone, BusinessCalendar business, in Value property) =>
        OrMissed(LocalTimes.At(date.At(timeOfDay), zone), start);
}

/// <summary>Calendar days before or after a property (DLY-08).</summary>
internal sealed class PropertyDaysDelay(int days, LocalTime? timeOfDay) : DelayTiming
{
    public override bool NeedsProperty => true;

    public override DelayDue Due(Timestamp start, DateTimeZone zone, BusinessCalendar business, in Value property)
    {
        if (PropertyTimes.LocalOf(property, zone) is not { } local)
        {
            return new DelayDue(start, IsMissed: true);
        }

        // Without an offset the instant of the property is the due one, also where its local time occurs twice.
        return OrMissed(
            days == 0 && timeOfDay is null
                ? PropertyTimes.InstantOf(property, zone)!.Value
                : LocalTimes.At(local.Date, days, timeOfDay ?? local.TimeOfDay, zone),
            start);
    }
}

/// <summary>Elapsed hours before or after a property (DLY-08).</summary>
internal sealed class PropertyHoursDelay(int hours, LocalTime? timeOfDay) : DelayTiming
{
    public override bool NeedsProperty => true;

    public override DelayDue Due(Timestamp start, DateTimeZone zone, BusinessCalendar business, in Value property) =>
        PropertyTimes.InstantOf(property, zone) is { } instant
            ? OrMissed(LocalFit.First(LocalTimes.PlusMs(instant, hours * LocalTimes.HourMs), zone, timeOfDay, Weekdays.All), start)
            : new DelayDue(start, IsMissed: true);
}
