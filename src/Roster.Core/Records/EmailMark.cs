using Roster.Core.Journal;

namespace Roster.Core.Records;

/// <summary>
/// What became of the e-mails that one step of a workflow or sequence sent the record: kept for good, so that each recipient is counted
/// once (MET-01, MET-10).
/// </summary>
public struct EmailMark
{
    /// <summary>Number of the workflow or sequence.</summary>
    public int Workflow;

    /// <summary>Number of the step.</summary>
    public int Step;

    /// <summary>Version of the latest send.</summary>
    public int Version;

    /// <summary>Enrollment of the latest send.</summary>
    public int Enrollment;

    /// <summary>When it was sent.</summary>
    public Timestamp SentAt;

    /// <summary>What occurred: signal n is bit n.</summary>
    public int Signals;

    /// <summary>What occurred with the latest send.</summary>
    public int Latest;

    /// <summary>Whether the first reaction was counted (MET-13).</summary>
    public bool HasReacted;

    /// <summary>Whether something occurred, with any of the sends.</summary>
    public readonly bool Has(EmailSignal signal) => (Signals & (1 << (int)signal)) != 0;

    /// <summary>Whether something occurred with the latest send.</summary>
    public readonly bool HasLatest(EmailSignal signal) => (Latest & (1 << (int)signal)) != 0;
}
