using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>
/// One end of a range of time, as the first instant at or above it: a time is above a lower bound from there on, and below an upper bound
/// until there. Whether the end itself is included is already in it. Bounds move as time goes on. Immutable.
/// </summary>
internal abstract class TimeBound
{
    /// <summary>Whether it moves.</summary>
    public virtual bool IsMoving => false;

    /// <summary>Where it is at an instant; false when it is an unknown property.</summary>
    public abstract bool TryGet(in TimeSubject subject, Timestamp now, out Timestamp bound);

    /// <summary>Adds every instant at which the subject may come to be on the other side.</summary>
    public virtual void AddChanges(in TimeSubject subject, List<Timestamp> instants)
    {
    }
}

/// <summary>A bound that stays.</summary>
internal sealed class FixedBound(Timestamp at) : TimeBound
{
    public override bool TryGet(in TimeSubject subject, Timestamp now, out Timestamp bound)
    {
        bound = at;
        return true;
    }
}

/// <summary>Start of a calendar unit, seen from today: <paramref name="pieces"/> later or earlier, plus days.</summary>
/// <param name="zoneDays">The zone.</param>
/// <param name="unit">The unit; days for D of FIL-24.</param>
/// <param name="pieces">0 for the current one.</param>
/// <param name="days">Days added.</param>
/// <param name="plusMs">1 when an upper bound includes the instant or a lower one leaves it out.</param>
internal sealed class UnitBound(ZoneDays zoneDays, CalendarUnit unit, int pieces, int days, int plusMs) : TimeBound
{
    public override bool IsMoving => true;

    public override bool TryGet(in TimeSubject subject, Timestamp now, out Timestamp bound)
    {
        bound = At(unit.IndexOf(zoneDays.DayOf(now)));
        return true;
    }

    /// <summary>It only goes forward, at starts of units: the subject changes sides once, in the first unit whose bound is above it.</summary>
    public override void AddChanges(in TimeSubject subject, List<Timestamp> instants)
    {
        var index = unit.IndexOf(zoneDays.DayOf(subject.At) - days) - pieces;
        while (At(index - 1) > subject.At)
        {
            index--;
        }

        while (At(index) <= subject.At)
        {
            index++;
        }

        instants.Add(zoneDays.StartOf(unit.StartOf(index)));
    }

    private Timestamp At(long index) => zoneDays.StartOf(unit.StartOf(index + pieces) + days).PlusMs(plusMs);
}

/// <summary>Now, plus days. For dates it is the start of today, plus days (FIL-24).</summary>
/// <param name="zoneDays">The zone.</param>
/// <param name="days">Days added, by calendar.</param>
/// <param name="plusMs">1 when an upper bound includes the instant or a lower one leaves it out.</param>
internal sealed class NowBound(ZoneDays zoneDays, int days, int plusMs) : TimeBound
{
    private readonly UnitBound _today = new(zoneDays, CalendarUnit.Day, 0, days, plusMs);

    public override bool IsMoving => true;

    public override bool TryGet(in TimeSubject subject, Timestamp now, out Timestamp bound)
    {
        if (subject.IsDay)
        {
            return _today.TryGet(subject, now, out bound);
        }

        bound = zoneDays.PlusDays(now, days).PlusMs(plusMs);
        return true;
    }

    public override void AddChanges(in TimeSubject subject, List<Timestamp> instants)
    {
        if (subject.IsDay)
        {
            _today.AddChanges(subject, instants);
            return;
        }

        zoneDays.AddCrossings(subject.At.PlusMs(-plusMs), days, instants);
    }
}

/// <summary>The value of another property of the record, plus days. A date is the start of its day (FIL-24).</summary>
/// <param name="property">Number of the property, which is of type date or datetime.</param>
/// <param name="zoneDays">The zone.</param>
/// <param name="days">Days added, by calendar.</param>
/// <param name="plusMs">1 when an upper bound includes the instant or a lower one leaves it out.</param>
internal sealed class PropertyBound(int property, ZoneDays zoneDays, int days, int plusMs) : TimeBound
{
    public override bool TryGet(in TimeSubject subject, Timestamp now, out Timestamp bound)
    {
        bound = Timestamp.None;
        if (!subject.State!.TryGetProperty(property, subject.IsBefore, out var view) || view.IsUnknown)
        {
            return false;
        }

        var value = view.Value;
        bound = value.Type == PropertyType.Date
            ? zoneDays.StartOf(LocalDates.ToDays(value.Date) + (long)days)
            : zoneDays.PlusDays(value.DateTime, days);
        bound = bound.PlusMs(plusMs);
        return true;
    }
}
