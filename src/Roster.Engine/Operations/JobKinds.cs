namespace Roster.Engine.Operations;

/// <summary>Kinds of jobs, as they are named in <c>roster.v1.Operation.kind</c>.</summary>
public static class JobKinds
{
    /// <summary>Enrolls named records or members of a list (TRG-12).</summary>
    public const string BulkEnroll = "bulk_enroll";

    /// <summary>Unenrolls named records, members of a list, or all (UNE-03).</summary>
    public const string BulkUnenroll = "bulk_unenroll";

    /// <summary>Considers records that meet the criteria already (TRG-08).</summary>
    public const string EnrollExisting = "enroll_existing";

    /// <summary>A run of a schedule (SCH-02).</summary>
    public const string ScheduledRun = "scheduled_run";

    /// <summary>Gives active and watched records a turn after a publish or switch, and arms clock flips (EDT-06, TRG-09).</summary>
    public const string Refresh = "refresh";

    /// <summary>Computes a list for every record (LST-05).</summary>
    public const string ListRebuild = "list_rebuild";

    /// <summary>Takes all members off a deleted list (LST-06).</summary>
    public const string DeleteList = "delete_list";

    /// <summary>Computes pending due instants again after the rules of zones changed (DLY-18).</summary>
    public const string ZonesChanged = "zones_changed";

    /// <summary>Has records send first copies to those linked to them (ASC-04).</summary>
    public const string SendCopies = "send_copies";

    /// <summary>Empties what is stored of an erased record (REC-17).</summary>
    public const string Erase = "erase";

    /// <summary>Ends all enrollments of a deleted workflow (UNE-04).</summary>
    public const string DeleteWorkflow = "delete_workflow";
}
