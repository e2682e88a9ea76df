namespace Roster.Core.Filters;

/// <summary>
/// Whether a time lies in a range whose ends may move with the clock: rolling dates (FIL-24), calendar units (FIL-25), time points
/// (FIL-26), updates (FIL-27) and ranges of occurrences (FIL-05). Immutable.
/// </summary>
internal sealed class TimeTest
{
    private readonly TimeBound? _lower;
    private readonly TimeBound? _upper;
    private readonly bool _isNegated;

    /// <param name="days">The zone of dates.</param>
    /// <param name="lower">Lower bound, or null.</param>
    /// <param name="upper">Upper bound, or null.</param>
    /// <param name="isNegated">Whether what lies outside is accepted.</param>
    public TimeTest(ZoneDays days, TimeBound? lower, TimeBound? upper, bool isNegated = false)
    {
        Days = days;
        _lower = lower;
        _upper = upper;
        _isNegated = isNegated;
    }

    public ZoneDays Days { get; }

    /// <summary>Whether the answer may change by the clock alone.</summary>
    public bool DependsOnTime => _lower?.IsMoving == true || _upper?.IsMoving == true;

    /// <summary>Judges a time. A bound that is an unknown property rejects, also when negated (FIL-30).</summary>
    public bool Accepts(in TimeSubject subject, Timestamp now)
    {
        var isInside = true;
        if (_lower is not null)
        {
            if (!_lower.TryGet(subject, now, out var lower))
            {
                return false;
            }

            isInside = subject.At >= lower;
        }

        if (_upper is not null)
        {
            if (!_upper.TryGet(subject, now, out var upper))
            {
                return false;
            }

            isInside = isInside && subject.At < upper;
        }

        return isInside != _isNegated;
    }

    /// <summary>The first instant after now at which the answer is another one; none when there is none.</summary>
    public Timestamp NextFlip(in TimeSubject subject, Timestamp now)
    {
        if (!DependsOnTime)
        {
            return Timestamp.None;
        }

        var accepts = Accepts(subject, now);
        var instants = new List<Timestamp>();
        _lower?.AddChanges(subject, instants);
        _upper?.AddChanges(subject, instants);
        instants.Sort();
        foreach (var at in instants)
        {
            if (at > now && at <= Timestamp.Max && Accepts(subject, at) != accepts)
            {
                return at;
            }
        }

        return Timestamp.None;
    }
}
