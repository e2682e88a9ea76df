using Google.Protobuf.WellKnownTypes;
using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Delays and waits (section 16 of the rules).</content>
internal sealed partial class FlowReader
{
    private const int MinutesMax = 3_650 * 24 * 60;

    private bool Delay(Node fields, Step step)
    {
        if (_flow["eventAnchor"].Exists)
        {
            // Ordinary delays are not allowed around a date (SCH-06), and nothing says which action an offset belongs to.
            return false;
        }

        var delay = new Delay();
        step.Delay = delay;
        var date = fields["date"];
        return date.Exists ? UntilDate(fields, date, delay) : Amount(fields, delay);
    }

    /// <summary>A set amount, a time of day, days of the week.</summary>
    private static bool Amount(Node fields, Delay delay)
    {
        Fit(fields, delay);
        var amount = Either(fields, "delta", "delta").Int();
        var unit = Either(fields, "time_unit", "timeUnit");
        if (amount is null)
        {
            return delay.TimeOfDay.Length > 0 || delay.Weekdays.Count > 0;
        }

        (V1.Delay.Types.Unit Unit, int Factor)? known = unit.Word() switch
        {
            "SECONDS" when amount % 60 == 0 => (V1.Delay.Types.Unit.Minutes, 0),
            "MINUTES" => (V1.Delay.Types.Unit.Minutes, 1),
            "HOURS" => (V1.Delay.Types.Unit.Hours, 1),
            "HALF_DAYS" => (V1.Delay.Types.Unit.Hours, 12),
            "DAYS" => (V1.Delay.Types.Unit.Days, 1),
            "WEEKS" => (V1.Delay.Types.Unit.Weeks, 1),
            _ => null,
        };
        if (known is not var (kept, factor) || amount < 0 || (long)amount * Math.Max(factor, 1) > MinutesMax)
        {
            unit.Unsupported(FindingCode.UnknownValue, "A delay is of minutes, hours, days or weeks, and not negative.");
            return false;
        }

        if (factor != 1)
        {
            unit.Adapted(FindingCode.Rewritten, $"Said in {kept.ToString().ToLowerInvariant()}.");
        }

        delay.Unit = kept;
        delay.Amount = factor == 0 ? amount.Value / 60 : amount.Value * factor;
        return true;
    }

    private static void Fit(Node fields, Delay delay)
    {
        delay.TimeOfDay = Time(Either(fields, "time_of_day", "timeOfDay")) ?? "";
        delay.Weekdays.AddRange(Either(fields, "days_of_week", "daysOfWeek").Items().Select(Day));
        var zone = Either(fields, "time_zone_strategy", "timeZoneStrategy");
        if (zone.Exists)
        {
            zone["type"].Text();
            delay.TimeZone = zone["timeZoneId"].Text() ?? "";
        }
    }

    private static Node Either(Node owner, string one, string other) => owner[one].Exists ? owner[one] : owner[other];

    private bool UntilDate(Node fields, Node date, Delay delay)
    {
        Fit(fields, delay);
        var delta = fields["delta"].Int() ?? 0;
        var unit = fields["time_unit"].Word();
        switch (ValueType(date))
        {
            case "STATIC_VALUE" when CriteriaReader.Moment(date["staticValue"]) is { } moment && unit is "DAYS" or "":
                if (moment.TimeOfDay != TimeSpan.Zero)
                {
                    date["staticValue"].Adapted(FindingCode.Rewritten, "The day counts, in UTC; the time of day has a field of its own.");
                }

                delay.Date = CriteriaReader.DateText(CriteriaReader.Moment(date["staticValue"])!.Value.AddDays(Math.Clamp(delta, -3_650, 3_650)));
                if (delta != 0)
                {
                    fields["delta"].Adapted(FindingCode.Rewritten, $"The date is {delay.Date} with it.");
                }

                return true;
            case "OBJECT_PROPERTY":
                delay.Property = new PropertyDate { Property = Ids.KeepName(date["propertyName"], "property") };
                _guess.Property(ObjectType, delay.Property.Property, PropertyType.Types.Kind.Datetime);
                return Offset(delay.Property, delta, unit);
            default:
                return false;
        }
    }

    private static bool Offset(PropertyDate property, int delta, string unit)
    {
        switch (unit)
        {
            case "" or "DAYS" when delta is >= -3_650 and <= 3_650:
                property.OffsetDays = delta;
                return true;
            case "WEEKS" when delta is >= -520 and <= 520:
                property.OffsetDays = delta * 7;
                return true;
            case "HOURS" when delta is >= -87_600 and <= 87_600:
                property.OffsetHours = delta;
                return true;
            case "MINUTES" when delta % 60 == 0:
                property.OffsetHours = delta / 60;
                return true;
            default:
                return delta == 0;
        }
    }

    private bool Wait(Node fields, Step step)
    {
        var wait = new EventWait();
        step.WaitFor = wait;
        foreach (var branch in fields["event_filter_branches"].Items())
        {
            wait.AnyOf.Add(_criteria.Trigger(branch, ObjectType));
        }

        foreach (var branch in fields["list_membership_filter_branches"].Items())
        {
            wait.AnyOf.AddRange(_criteria.Memberships(branch, ObjectType));
        }

        var expiration = fields["expiration_minutes"];
        if (expiration.Text() is { Length: > 0 })
        {
            if (expiration.Whole() is not (>= 1 and <= MinutesMax))
            {
                wait.Timeout = new Duration();
                expiration.Unsupported(FindingCode.UnknownValue, "A wait ends after 1 minute to 3,650 days. Publishing refuses it until it is replaced.");
            }
            else
            {
                wait.Timeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(expiration.Whole()!.Value));
            }
        }

        return wait.AnyOf.Count > 0;
    }
}
