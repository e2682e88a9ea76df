using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <summary>Where a filter stands and what it says, for people (HIS-07).</summary>
/// <param name="Path">Path in the criteria: <c>anyOf[0].allOf[1]</c>.</param>
/// <param name="Text">The test: <c>stage IS_EQUAL_TO won</c>.</param>
internal sealed record FilterLabel(string Path, string Text);

/// <summary>How dear it is to judge a filter: the cheap ones of a group go first.</summary>
internal enum FilterCost
{
    /// <summary>A look at the record's head.</summary>
    Head,

    /// <summary>A look at the calendar.</summary>
    Time,

    /// <summary>A look at all former values or occurrences.</summary>
    History,

    /// <summary>A look at other records' copies.</summary>
    Copies,
}

/// <summary>One filter of a group, ready to be judged. Immutable and thread-safe.</summary>
internal abstract class Filter(FilterLabel label)
{
    public FilterLabel Label { get; } = label;

    public virtual FilterCost Cost => FilterCost.Head;

    /// <summary>Whether the answer may change by the clock alone.</summary>
    public virtual bool DependsOnTime => false;

    /// <summary>Whether no change of the record changes the answer.</summary>
    public virtual bool IsConstant => false;

    public abstract bool Accepts(in Judging judging);

    /// <summary>The first instant after now at which the answer is another one if nothing else happens; none when there is none.</summary>
    public virtual Timestamp NextFlip(RecordState state, Timestamp now) => Timestamp.None;

    /// <summary>Whether this is "is known" and the property took another value in the round (REN-04).</summary>
    public virtual bool IsKnownOfAnotherValue(RecordState state) => false;

    /// <summary>Whether this is about an event, and an occurrence of the round passes it (REN-03).</summary>
    public virtual bool IsOfNewOccurrence(in Judging judging) => false;

    /// <summary>Whether this is about being in a list, and it is one of those that were joined (REN-03).</summary>
    public virtual bool IsOfJoin(IReadOnlyList<int> joined) => false;

    /// <summary>Tells what the answer depends on.</summary>
    public abstract void AddNeeds(CriteriaNeeds needs);

    /// <summary>What the record has, as text.</summary>
    public abstract string Actual(in Judging judging);

    /// <summary>What somebody must do so that it accepts, or so that it rejects.</summary>
    public virtual string Change(in Judging judging, bool isWanted) =>
        isWanted ? $"make this hold: {Label.Text}" : $"make this not hold: {Label.Text}";
}
