using Roster.Core.Records;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>A time that a filter judges.</summary>
/// <param name="At">The instant; of a date the start of its day.</param>
/// <param name="IsDay">Whether it is a date, for which "now" is the start of today (FIL-24).</param>
/// <param name="State">The record, for points that are properties of it; null for a time of an event.</param>
/// <param name="IsBefore">Whether the record is seen as before the round.</param>
internal readonly record struct TimeSubject(Timestamp At, bool IsDay, RecordState? State = null, bool IsBefore = false)
{
    /// <summary>The instant of a value of type date or datetime.</summary>
    public static Timestamp InstantOf(in Value value, ZoneDays days) =>
        value.Type == PropertyType.Date ? days.StartOf(LocalDates.ToDays(value.Date)) : value.DateTime;
}
