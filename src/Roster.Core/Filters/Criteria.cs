using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <summary>A condition on a record, ready to be judged: OR of groups (FIL-01, FIL-02). Immutable and thread-safe.</summary>
public sealed partial class Criteria
{
    private readonly FilterGroup[] _groups;
    private readonly int[] _properties;
    private readonly Filter[] _timed;

    internal Criteria(FilterGroup[] groups)
    {
        _groups = groups;
        _timed = [.. groups.SelectMany(g => g.Filters).Where(f => f.DependsOnTime)];
        var needs = new CriteriaNeeds();
        foreach (var filter in groups.SelectMany(g => g.Filters))
        {
            filter.AddNeeds(needs);
        }

        _properties = [.. needs.Properties];
        EventTypes = [.. needs.EventTypes];
        Lists = [.. needs.Lists];
        Workflows = [.. needs.Workflows];
        AssociatedTypes = [.. needs.AssociatedTypes];
        AssociatedProperties = [.. needs.AssociatedProperties];
        AssociatedLists = [.. needs.AssociatedLists];
        Through = needs.Through;
        NeedsEvents = [.. needs.Occurrences];
        DependsOnTime = _timed.Length > 0;
        NeedsHistory = needs.NeedsHistory;
        NeedsWhole = needs.NeedsWhole;
    }

    /// <summary>Numbers of the properties of the record it looks at, sorted.</summary>
    public IReadOnlyList<int> Properties => _properties;

    /// <summary>Numbers of the event types it looks at, sorted. A type that never occurred has none.</summary>
    public IReadOnlyList<int> EventTypes { get; }

    /// <summary>Numbers of the lists of the record it looks at, sorted.</summary>
    public IReadOnlyList<int> Lists { get; }

    /// <summary>Numbers of the workflows it looks at, sorted.</summary>
    public IReadOnlyList<int> Workflows { get; }

    /// <summary>Numbers of the object types whose copies it looks at, sorted (ASC-04).</summary>
    public IReadOnlyList<int> AssociatedTypes { get; }

    /// <summary>Which properties of associated records must be in their copies (ASC-04).</summary>
    public IReadOnlyList<(int ObjectType, int Property)> AssociatedProperties { get; }

    /// <summary>Which memberships of associated records must be in their copies (ASC-04).</summary>
    public IReadOnlyList<(int ObjectType, int List)> AssociatedLists { get; }

    /// <summary>What it looks at behind associated records (ASC-03), by the number of the type of these.</summary>
    internal IReadOnlyDictionary<int, CriteriaNeeds> Through { get; }

    /// <summary>Numbers of the event types whose single occurrences it reads, so that their sections must be at hand (FIL-09).</summary>
    public IReadOnlyList<int> NeedsEvents { get; }

    /// <summary>Whether its answer may change by the clock alone (TRG-09).</summary>
    public bool DependsOnTime { get; }

    /// <summary>Whether it looks at former values, so that history sections must be at hand.</summary>
    public bool NeedsHistory { get; }

    /// <summary>Whether it looks at copies of associated records.</summary>
    public bool NeedsCopies => AssociatedTypes.Count > 0;

    /// <summary>Whether it looks at something other than properties, so that the side before the round needs <see cref="RecordState.Before"/>.</summary>
    public bool NeedsWhole { get; }

    /// <summary>Judges a record (FIL-08).</summary>
    public bool Accepts(in Judging judging)
    {
        foreach (var group in _groups)
        {
            if (group.Accepts(judging))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether it looks at a property of the record.</summary>
    public bool LooksAtProperty(int property) => Array.BinarySearch(_properties, property) >= 0;

    /// <summary>Whether one of the properties that changed in the round is looked at.</summary>
    public bool LooksAtChange(RecordState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        for (var i = 0; i < state.ChangedCount; i++)
        {
            var changed = state.ChangedAt(i);
            foreach (var property in _properties)
            {
                if (property == changed)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether it holds and an "is known" in it is about a property that took another value in the round (REN-04).</summary>
    public bool HoldsForAnotherValue(in Judging judging)
    {
        foreach (var group in _groups)
        {
            if (group.HasKnownOfAnotherValue(judging.State) && group.Accepts(judging))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The earliest instant after <paramref name="now"/> at which one of its filters gives another answer if nothing but time passes
    /// (TRG-09); none when that never happens. The whole may still give the same answer then. Sections that
    /// <see cref="NeedsEvents"/> names must have been given.
    /// </summary>
    public Timestamp NextFlip(RecordState state, Timestamp now)
    {
        ArgumentNullException.ThrowIfNull(state);
        var next = Timestamp.None;
        foreach (var filter in _timed)
        {
            next = FlipSweep.Earlier(next, filter.NextFlip(state, now));
        }

        return next;
    }
}
