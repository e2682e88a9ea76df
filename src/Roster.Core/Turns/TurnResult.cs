using Roster.Core.Journal;
using Roster.Core.Records;

namespace Roster.Core.Turns;

/// <summary>What became of an input.</summary>
public enum TurnStatus
{
    /// <summary>Applied: there are entries to commit.</summary>
    Applied = 1,

    /// <summary>The id is known (REC-08): nothing to commit but a count.</summary>
    Duplicate = 2,

    /// <summary>The id is known with another content (REC-08).</summary>
    Mismatch = 3,

    /// <summary>Refused: nothing of it is applied.</summary>
    Refused = 4,

    /// <summary>There is nothing to do: no timer is due, the task is not open, the record is not active. A success without effect.</summary>
    Nothing = 5,

    /// <summary>Sections of the state are missing: load them and decide again on the loaded state.</summary>
    NeedsSections = 6,
}

/// <summary>The outcome of a decision.</summary>
/// <param name="Status">What became of the input.</param>
/// <param name="Refusal">Why it was refused.</param>
/// <param name="Missing">Kind of the sections that are missing.</param>
/// <param name="Decision">For enroll commands: the decision.</param>
/// <param name="Enrollment">For enroll commands: the enrollment number.</param>
/// <param name="MissingSections">Numbers of the sections that are missing, when it is not all of a kind.</param>
public readonly record struct TurnResult(
    TurnStatus Status, Refusal? Refusal = null, SectionKind Missing = SectionKind.None, Decision Decision = Decision.None, int Enrollment = 0,
    int[]? MissingSections = null);
