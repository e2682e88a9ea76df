using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Engine.Reading;

/// <summary>Decisions and ends of enrollments among the entries of a turn (HIS-01).</summary>
internal static class EnrollmentEntries
{
    /// <summary>Those of one workflow, or of all when the id is empty; newest first.</summary>
    /// <param name="turn">All shown entries of one turn, in order.</param>
    /// <param name="workflowId">Id of the workflow, or empty.</param>
    public static IEnumerable<EnrollmentHistoryEntry> Of(IReadOnlyList<JournalEntry> turn, string workflowId)
    {
        for (var i = turn.Count - 1; i >= 0; i--)
        {
            if (turn[i].Kind is Kind.Enrolled or Kind.EnrollmentRefused or Kind.EnrollmentEnded && (workflowId.Length == 0 || turn[i].WorkflowId == workflowId))
            {
                yield return Of(turn[i], turn);
            }
        }
    }

    private static EnrollmentHistoryEntry Of(JournalEntry entry, IReadOnlyList<JournalEntry> turn) => new()
    {
        Ref = entry.Ref,
        WorkflowId = entry.WorkflowId,
        Version = entry.Version,
        At = entry.At,
        Decision = entry.Decision,
        Trigger = entry.Type,
        EnrollmentNumber = entry.EnrollmentNumber,
        EndReason = entry.EndReason,
        Detail = entry.Detail.Length > 0 ? entry.Detail : CallerOf(entry, turn),
        Position = entry.Position,
    };

    /// <summary>Who asked for it: the request that began the turn, when it names the workflow.</summary>
    private static string CallerOf(JournalEntry entry, IReadOnlyList<JournalEntry> turn) =>
        turn.FirstOrDefault(e => e.Kind == Kind.CommandReceived && e.WorkflowId == entry.WorkflowId)?.Source ?? string.Empty;
}
