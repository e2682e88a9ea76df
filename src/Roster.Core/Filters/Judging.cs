using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <summary>On what, and as of when, criteria are judged (FIL-08).</summary>
/// <param name="State">The record.</param>
/// <param name="At">The instant: the turn time, or for the side before it the record's previous turn time (TRG-07).</param>
/// <param name="IsBefore">Whether the record is judged as it was before the round.</param>
/// <param name="IgnoresRefinements">Whether refine-bys are left out (REN-05).</param>
public readonly record struct Judging(RecordState State, Timestamp At, bool IsBefore = false, bool IgnoresRefinements = false);
