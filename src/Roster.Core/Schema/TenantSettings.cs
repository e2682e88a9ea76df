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
