namespace Roster.Storage.Sqlite;

/// <summary>What a check of a data folder found.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="IsDeep">Whether tables were compared with what the journal gives.</param>
/// <param name="JournalBegin">Position at which the log begins: 1, unless older turns were removed.</param>
/// <param name="JournalEnd">Position at which the log ends.</param>
/// <param name="Turns">Turns whose checksums and links were verified.</param>
/// <param name="Records">Records in the tables.</param>
/// <param name="Replayed">Records whose state was compared with what the journal gives; those with removed turns cannot be.</param>
/// <param name="Faults">What is wrong, at most <see cref="FaultsMax"/>; empty: nothing.</param>
/// <param name="FaultCount">Number of faults, also of those that are not listed.</param>
public sealed record FolderReport(
    string Folder, bool IsDeep, long JournalBegin, long JournalEnd, long Turns, long Records, long Replayed, IReadOnlyList<FolderFault> Faults, long FaultCount)
{
    /// <summary>Faults that are listed, at most.</summary>
    public const int FaultsMax = 1_000;
}

/// <summary>Something in a data folder that is not as it was written.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Position">Position in the log that it concerns; 0 for none.</param>
/// <param name="Record">Number of the record that it concerns; 0 for none, or unknown.</param>
/// <param name="What">What is wrong.</param>
public sealed record FolderFault(string File, long Position, long Record, string What);
