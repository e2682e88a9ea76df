using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Workflows;

namespace Roster.Engine.Catalog;

/// <summary>A change of a workflow that is about to be durable. The jobs that follow it are planned on this.</summary>
/// <param name="Id">Id of the workflow.</param>
/// <param name="Number">Its number.</param>
/// <param name="Change">Counts the changes of this workflow, from 1; never used twice, so it may name a job.</param>
/// <param name="Newest">Its newest version in its new state, as turns will see it; null when there is none, or the workflow is deleted.</param>
/// <param name="Touches">Whether active enrollments must be given a turn (EDT-06).</param>
/// <param name="At">When it comes into force.</param>
public sealed record WorkflowChange(string Id, int Number, long Change, CompiledWorkflow? Newest, bool Touches, Timestamp At)
{
    /// <summary>For a schedule that has come to its instant: the instant of the run to start. None for a publish or switch.</summary>
    public Timestamp Run { get; init; } = Timestamp.None;
}

/// <summary>A change of a list that is about to be durable. The jobs that follow it are planned on this.</summary>
/// <param name="Id">Id of the list.</param>
/// <param name="Number">Its number.</param>
/// <param name="Revision">Its new revision.</param>
/// <param name="NeedsRebuild">Whether its criteria are new, so that every record must be computed (LST-05).</param>
/// <param name="At">When it comes into force.</param>
/// <param name="Compiled">The list as turns will see it; null for one that is deleted.</param>
public sealed record ListChange(string Id, int Number, long Revision, bool NeedsRebuild, Timestamp At, CompiledList? Compiled);
