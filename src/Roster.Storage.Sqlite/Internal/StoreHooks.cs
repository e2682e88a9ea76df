namespace Roster.Storage.Sqlite.Internal;

/// <summary>Points at which tests step in: settings broken on purpose, folders copied in the middle of a checkpoint.</summary>
internal sealed class StoreHooks
{
    /// <summary>Called on a new writing connection of the log before its settings are checked.</summary>
    public Action<Database>? LogOpened { get; set; }

    /// <summary>Called on a new writing connection of the tables before its settings are checked.</summary>
    public Action<Database>? TablesOpened { get; set; }

    /// <summary>Called before (false) and after (true) a commit of the log; what it throws is what a failed write or flush would.</summary>
    public Action<bool>? LogCommit { get; set; }

    /// <summary>Called at every stage of a checkpoint with its name.</summary>
    public Action<string>? CheckpointStage { get; set; }

    /// <summary>Called when old turns were looked for and removed, with where the journal begins.</summary>
    public Action<long>? OldTurnsRemoved { get; set; }

    /// <summary>Called between two steps of a backup with its name.</summary>
    public Action<string>? BackupStage { get; set; }
}
