using Roster.Core.Calendars;

namespace Roster.Core.Schema;

/// <summary>Settings of a tenant: section 27 of the rules. Immutable; checked by <see cref="Check"/> when they are changed.</summary>
public sealed record TenantSettings
{
    /// <summary>The settings of a tenant that has set nothing.</summary>
    public static readonly TenantSettings Default = new();

    /// <summary>Whether undeclared properties and object types are declared by their first use (REC-03). Default: false, refused.</summary>
    public bool DeclareUndeclared { get; init; }

    /// <summary>Whether an event for an unknown record creates it (REC-09). Default: true.</summary>
    public bool Upsert { get; init; } = true;

    /// <summary>IANA zone. Default: UTC.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Newest event ids remembered per record (REC-08). 100 to 100,000, default 1,000.</summary>
    public int DedupeIds { get; init; } = 1_000;

    /// <summary>Days that event ids are remembered (REC-08). 1 to 90, default 7.</summary>
    public int DedupeDays { get; init; } = 7;

    /// <summary>Rounds after round 0 (ENG-08). 1 to 256, default 32.</summary>
    public int RoundsMax { get; init; } = 32;

    /// <summary>Enrollments of one record into one workflow in 60 minutes (ENG-09). 1 to 10,000, default 20.</summary>
    public int EnrollmentsPerHourMax { get; init; } = 20;

    /// <summary>Steps of one enrollment in one turn (ENG-10). 10 to 10,000, default 500.</summary>
    public int StepsPerTurnMax { get; init; } = 500;

    /// <summary>Runs of one step of one enrollment in 60 minutes (ENG-10). 1 to 10,000, default 60.</summary>
    public int StepRunsPerHourMax { get; init; } = 60;

    /// <summary>Active enrollments of one record (LIM-04). 1 to 10,000, default 1,000.</summary>
    public int ActiveEnrollmentsPerRecordMax { get; init; } = 1_000;

    /// <summary>Days that single occurrences of events are kept (FIL-09). 1 to 3,650, default 400.</summary>
    public int EventHistoryDays { get; init; } = 400;

    /// <summary>Occurrences kept per event type (FIL-09). 10 to 10,000, default 1,000.</summary>
    public int EventHistoryMax { get; init; } = 1_000;

    /// <summary>Former values kept per property (FIL-31). 10 to 10,000, default 1,000.</summary>
    public int PropertyHistoryMax { get; init; } = 1_000;

    /// <summary>Filters per criteria (FIL-01). 1 to 1,000, default 250.</summary>
    public int FiltersMax { get; init; } = 250;

    /// <summary>Operands per filter and cases per value branch (BRA-02). 1 to 1,000, default 250.</summary>
    public int ValuesMax { get; init; } = 250;

    /// <summary>Steps per workflow. 1 to 5,000, default 500.</summary>
    public int StepsMax { get; init; } = 500;

    /// <summary>Branches of an if/then and paths of a split (BRA-01). 1 to 100, default 20.</summary>
    public int IfBranchesMax { get; init; } = 20;

    /// <summary>How deep branches nest (BRA-07). 1 to 50, default 19; a warning comes after 10.</summary>
    public int DepthMax { get; init; } = 19;

    /// <summary>Goals per workflow (GOAL-02). 1 to 50, default 10.</summary>
    public int GoalsMax { get; init; } = 10;

    /// <summary>Workflows of the tenant. 1 to 10,000, default 1,000.</summary>
    public int WorkflowsMax { get; init; } = 1_000;

    /// <summary>Active enrollments of the tenant, from 1; 0 for no cap, the default (LIM-04).</summary>
    public long ActiveEnrollmentsMax { get; init; }

    /// <summary>Business days (DLY-06). Default: Monday to Friday.</summary>
    public Weekdays BusinessDays { get; init; } = Weekdays.MondayToFriday;

    /// <summary>Holidays, at most 1,000 (DLY-06). Default: none.</summary>
    public IReadOnlyList<NodaTime.LocalDate> Holidays { get; init; } = [];

    /// <summary>Copies of associated records kept per label (ASC-05). 1 to 10,000, default 1,000.</summary>
    public int AssociatedCopiesMax { get; init; } = 1_000;

    /// <summary>Associations of one record (ASC-07). 1 to 10,000,000, default 1,000,000.</summary>
    public int AssociationsPerRecordMax { get; init; } = 1_000_000;

    /// <summary>Bytes of the packed outputs of one task (ACT-05). 1,024 to 1,048,576, default 65,536.</summary>
    public int OutputsBytesMax { get; init; } = 65_536;

    /// <summary>Turns per second of events, commands and jobs (LIM-02). 1 to 1,000,000; 0 for no cap, the default. Kept by the host.</summary>
    public int TurnsPerSecond { get; init; }

    /// <summary>Calls per second. 1 to 1,000,000; 0 for no cap, the default. Kept by the front door.</summary>
    public int CallsPerSecond { get; init; }

    /// <summary>Records that were ever created, from 1; 0 for no cap, the default.</summary>
    public long RecordsMax { get; init; }

    /// <summary>How long custom code may run in its worker, in milliseconds (ACT-61). 1,000 to 60,000, default 20,000.</summary>
    public int CodeTimeMaxMs { get; init; } = 20_000;

    /// <summary>Memory of custom code in its worker, in MB (ACT-61). 32 to 1,024, default 128.</summary>
    public int CodeMemoryMaxMb { get; init; } = 128;

    /// <summary>Inputs of custom code (ACT-61). 1 to 200, default 50.</summary>
    public int CodeInputsMax { get; init; } = 50;

    /// <summary>Characters of the outputs of custom code (ACT-61). 1 to 1,000,000, default 65,000.</summary>
    public int CodeOutputMax { get; init; } = 65_000;

    /// <summary>How long a webhook may take to connect, in milliseconds (ERR-05). 1,000 to 10,000, default 3,000.</summary>
    public int WebhookConnectTimeoutMs { get; init; } = 3_000;

    /// <summary>How long a webhook may take to answer, in milliseconds (ERR-05). 1,000 to 60,000, default 30,000.</summary>
    public int WebhookResponseTimeoutMs { get; init; } = 30_000;

    /// <summary>Webhooks per second (ERR-05). 1 to 1,000, default 20.</summary>
    public int WebhooksPerSecond { get; init; } = 20;

    /// <summary>One sentence per setting that is out of its range; empty when all are fine.</summary>
    public IReadOnlyList<string> Check()
    {
        var problems = new List<string>();
        Range("dedupe_ids", DedupeIds, 100, 100_000);
        Range("dedupe_days", DedupeDays, 1, 90);
        Range("rounds_max", RoundsMax, 1, 256);
        Range("enrollments_per_hour_max", EnrollmentsPerHourMax, 1, 10_000);
        Range("steps_per_turn_max", StepsPerTurnMax, 10, 10_000);
        Range("step_runs_per_hour_max", StepRunsPerHourMax, 1, 10_000);
        Range("active_enrollments_per_record_max", ActiveEnrollmentsPerRecordMax, 1, 10_000);
        Range("event_history_days", EventHistoryDays, 1, 3_650);
        Range("event_history_max", EventHistoryMax, 10, 10_000);
        Range("property_history_max", PropertyHistoryMax, 10, 10_000);
        Range("filters_max", FiltersMax, 1, 1_000);
        Range("values_max", ValuesMax, 1, 1_000);
        Range("steps_max", StepsMax, 1, 5_000);
        Range("if_branches_max", IfBranchesMax, 1, 100);
        Range("depth_max", DepthMax, 1, 50);
        Range("goals_max", GoalsMax, 1, 50);
        Range("workflows_max", WorkflowsMax, 1, 10_000);
        Range("holidays", Holidays.Count, 0, 1_000);
        Range("associated_copies_max", AssociatedCopiesMax, 1, 10_000);
        Range("associations_per_record_max", AssociationsPerRecordMax, 1, 10_000_000);
        Range("outputs_bytes_max", OutputsBytesMax, 1_024, 1_048_576);
        Range("turns_per_s", TurnsPerSecond, 0, 1_000_000);
        Range("calls_per_s", CallsPerSecond, 0, 1_000_000);
        if (RecordsMax < 0)
        {
            problems.Add($"records_max is {RecordsMax}; allowed is 0 for no cap, or any cap from 1.");
        }

        Range("code_time_max", CodeTimeMaxMs, 1_000, 60_000);
        Range("code_memory_max", CodeMemoryMaxMb, 32, 1_024);
        Range("code_inputs_max", CodeInputsMax, 1, 200);
        Range("code_output_max", CodeOutputMax, 1, 1_000_000);
        Range("webhook_connect_timeout", WebhookConnectTimeoutMs, 1_000, 10_000);
        Range("webhook_response_timeout", WebhookResponseTimeoutMs, 1_000, 60_000);
        Range("webhooks_per_s", WebhooksPerSecond, 1, 1_000);
        if (ActiveEnrollmentsMax < 0)
        {
            problems.Add($"active_enrollments_max is {ActiveEnrollmentsMax}; allowed is 0 for no cap, or any cap from 1.");
        }

        if (BusinessDays is Weekdays.None or > Weekdays.All)
        {
            problems.Add("business_days is empty; allowed is any set of weekdays.");
        }

        if (TimeZones.Find(TimeZone) is null)
        {
            problems.Add($"time_zone is '{Refusal.Cut(TimeZone)}', which is no IANA zone name.");
        }

        return problems;

        void Range(string setting, int value, int min, int max)
        {
            if (value < min || value > max)
            {
                problems.Add($"{setting} is {value}; allowed are {min} to {max}.");
            }
        }
    }
}
