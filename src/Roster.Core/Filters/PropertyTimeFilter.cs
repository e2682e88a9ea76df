using NodaTime.Text;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>A filter on the time that a property holds, or on when it last changed (FIL-24 to FIL-27).</summary>
internal sealed class PropertyTimeFilter : Filter
{
    private readonly PropertyDefinition _property;
    private readonly TimeTest _test;
    private readonly int[] _points;
    private readonly bool _usesUpdatedAt;
    private readonly bool _includeUnknown;

    /// <param name="label">The label.</param>
    /// <param name="property">The property.</param>
    /// <param name="test">The test of the time.</param>
    /// <param name="points">Numbers of the properties that are points of the test.</param>
    /// <param name="usesUpdatedAt">Whether <c>updated_at</c> is judged, not the value.</param>
    /// <param name="includeUnknown">Whether a record without a value is accepted (FIL-06).</param>
    public PropertyTimeFilter(FilterLabel label, PropertyDefinition property, TimeTest test, int[] points, bool usesUpdatedAt, bool includeUnknown)
        : base(label)
    {
        _property = property;
        _test = test;
        _points = points;
        _usesUpdatedAt = usesUpdatedAt;
        _includeUnknown = includeUnknown;
    }

    public override FilterCost Cost => FilterCost.Time;

    public override bool DependsOnTime => _test.DependsOnTime;

    public override bool Accepts(in Judging judging) =>
        TryGetSubject(judging.State, judging.IsBefore, out var subject) ? _test.Accepts(subject, judging.At) : _includeUnknown;

    public override Timestamp NextFlip(RecordState state, Timestamp now) =>
        DependsOnTime && TryGetSubject(state, isBefore: false, out var subject) ? _test.NextFlip(subject, now) : Timestamp.None;

    public override void AddNeeds(CriteriaNeeds needs)
    {
        needs.Properties.Add(_property.Number);
        needs.Properties.UnionWith(_points);
        needs.DependsOnTime |= DependsOnTime;
    }

    public override string Actual(in Judging judging)
    {
        if (!_usesUpdatedAt)
        {
            return PropertyFilter.TextOf(judging, _property.Number);
        }

        return TryGetSubject(judging.State, judging.IsBefore, out var subject)
            ? $"updated {InstantPattern.ExtendedIso.Format(subject.At.ToInstant())}"
            : "unknown";
    }

    public override string Change(in Judging judging, bool isWanted) => _usesUpdatedAt
        ? $"change {_property.Name} at such a time that {(isWanted ? Label.Text : $"it is not true that {Label.Text}")}"
        : $"set {_property.Name} so that {(isWanted ? Label.Text : $"it is not true that {Label.Text}")}";

    /// <summary>A property without a value has no time, also when the clearing of it has one (FIL-06).</summary>
    private bool TryGetSubject(RecordState state, bool isBefore, out TimeSubject subject)
    {
        subject = default;
        if (!state.TryGetProperty(_property.Number, isBefore, out var view) || view.IsUnknown)
        {
            return false;
        }

        if (_usesUpdatedAt)
        {
            subject = new TimeSubject(view.UpdatedAt, IsDay: false, state, isBefore);
            return true;
        }

        var value = view.Value;
        subject = new TimeSubject(TimeSubject.InstantOf(value, _test.Days), value.Type == PropertyType.Date, state, isBefore);
        return true;
    }
}
