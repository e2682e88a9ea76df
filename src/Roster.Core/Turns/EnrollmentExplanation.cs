using Roster.Core.Filters;
using Roster.Core.Journal;

namespace Roster.Core.Turns;

/// <summary>Why a record would be enrolled in a workflow or not (HIS-07). Made by <see cref="Turn.Explain"/>; immutable.</summary>
public sealed record EnrollmentExplanation
{
    /// <summary>The instant it was judged at: never earlier than the record's latest turn (ENG-03).</summary>
    public required Timestamp At { get; init; }

    /// <summary>
    /// What the checks say of a trigger that fires now. Criteria count as fired where they hold, so that this is also what a look at a
    /// record that stands still gives; <see cref="Trigger"/> says what must still fire.
    /// </summary>
    public required Decision Decision { get; init; }

    /// <summary>What an enrollment by hand would be decided (TRG-10).</summary>
    public required Decision DecisionByHand { get; init; }

    /// <summary>Every check in its order (ENR-02). For a workflow of another object type: up to that check, since no other has a meaning.</summary>
    public required IReadOnlyList<CheckExplanation> Checks { get; init; }

    /// <summary>Criteria of the start; for event triggers those of each "only if". Empty when it has none.</summary>
    public IReadOnlyList<PlacedCriteria> Start { get; init; } = [];

    /// <summary>The unenrollment triggers; null when there are none.</summary>
    public PlacedCriteria? UnenrollWhen { get; init; }

    /// <summary>The goals, in the order of the definition.</summary>
    public IReadOnlyList<GoalExplanation> Goals { get; init; } = [];

    /// <summary>The re-enrollment triggers, in the order of the definition.</summary>
    public IReadOnlyList<PlacedCriteria> ReenrollWhen { get; init; } = [];

    /// <summary>The event triggers, as text.</summary>
    public IReadOnlyList<string> EventTriggers { get; init; } = [];

    /// <summary>What must be changed first, so that no check but those on the criteria of the start refuses. One sentence each.</summary>
    public IReadOnlyList<string> Blockers { get; init; } = [];

    /// <summary>What must happen then, so that a trigger fires. One sentence each; all of them, in this order.</summary>
    public IReadOnlyList<string> Trigger { get; init; } = [];

    /// <summary>Whether anything can enroll the record. When not, <see cref="Blockers"/> and <see cref="Trigger"/> do not suffice.</summary>
    public bool IsPossible { get; init; } = true;

    /// <summary>The smallest change that enrolls the record: all of these, in this order. Empty when nothing helps.</summary>
    public IReadOnlyList<string> SmallestChange => IsPossible ? [.. Blockers, .. Trigger] : [];
}

/// <summary>One check of ENR-02.</summary>
/// <param name="Decision">The decision it would give. <see cref="Decision.EvaluationFailed"/> when it could not be judged (ENG-12).</param>
/// <param name="Passes">Whether it passes.</param>
/// <param name="Found">What was found: <c>member of list vip</c>.</param>
/// <param name="Detail">Number of the list or goal that decided, or 0.</param>
public sealed record CheckExplanation(Decision Decision, bool Passes, string Found, int Detail = 0);

/// <summary>Criteria of a definition with actual values.</summary>
/// <param name="Path">Where they are: <c>start.filter.criteria</c>.</param>
/// <param name="Criteria">The criteria. Without groups when they cannot be judged (ENG-12).</param>
public sealed record PlacedCriteria(string Path, CriteriaExplanation Criteria);

/// <summary>A goal with actual values.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">Its number.</param>
/// <param name="IsExit">Whether meeting it ends the enrollment, and refuses one (GOAL-03).</param>
/// <param name="IsCounted">Whether the record counts for it (GOAL-09).</param>
/// <param name="Criteria">Its criteria.</param>
public sealed record GoalExplanation(string Id, int Number, bool IsExit, bool IsCounted, PlacedCriteria Criteria);
