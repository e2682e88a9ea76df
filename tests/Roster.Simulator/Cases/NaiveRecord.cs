using Roster.Core.Journal;

namespace Roster.Simulator.Cases;

/// <summary>Where an enrollment stands.</summary>
internal enum Standing
{
    Ready,
    Delay,
    Wait,
    Task,
    Held,
}

/// <summary>A record as the naive interpreter keeps it.</summary>
internal sealed class NaiveRecord
{
    public bool Exists { get; set; }

    public long CreatedAt { get; set; }

    public long LastTurnAt { get; set; } = long.MinValue;

    public int LastNumber { get; set; }

    public SortedDictionary<string, NaiveProperty> Properties { get; set; } = new(StringComparer.Ordinal);

    public SortedSet<string> Lists { get; set; } = new(StringComparer.Ordinal);

    public List<NaiveEnrollment> Active { get; } = [];

    public Dictionary<string, NaiveSummary> Summaries { get; } = [];

    public List<NaiveTask> Tasks { get; } = [];

    public List<(string Id, string Content, long At)> Marks { get; } = [];

    public List<NaiveOccurrence> History { get; } = [];

    public string? Value(string property) => Properties.GetValueOrDefault(property)?.Value;
}

/// <summary>A property with all values that it ever had.</summary>
internal sealed class NaiveProperty
{
    public string? Value { get; set; }

    public long OccurredAt { get; set; } = long.MinValue;

    public List<string> Ever { get; set; } = [];

    public NaiveProperty Copy() => new() { Value = Value, OccurredAt = OccurredAt, Ever = [.. Ever] };
}

/// <summary>Something that happened, with its own properties.</summary>
internal sealed record NaiveOccurrence(int Number, string Type, IReadOnlyDictionary<string, string> Properties, long OccurredAt, bool IsClient);

/// <summary>An active enrollment.</summary>
internal sealed class NaiveEnrollment
{
    public required string Workflow { get; init; }

    public required int Number { get; init; }

    /// <summary>Number of the last thing that had happened when it began.</summary>
    public required int BeganAfter { get; init; }

    public int Version { get; set; }

    public Standing Standing { get; set; }

    /// <summary>The present step; for one that is held or ready, the step to enter; null for the end.</summary>
    public string? Step { get; set; }

    public long EnteredAt { get; set; }

    /// <summary>Number of the last change when the present wait was entered.</summary>
    public int EnteredAfter { get; set; }

    /// <summary>Which run of ready enrollments entered the present step.</summary>
    public int EnteredRun { get; set; }

    /// <summary>For a filter wait: whether its criteria held at entry.</summary>
    public bool HeldAtEntry { get; set; }

    public long? DueAt { get; set; }

    public int Execution { get; set; }

    public bool HasMatched { get; set; }

    public HashSet<string> GoalsHeld { get; set; } = [];

    public Dictionary<string, List<long>> Runs { get; } = [];
}

/// <summary>What is remembered about a workflow for good.</summary>
internal sealed class NaiveSummary
{
    public List<long> EnrolledAt { get; } = [];

    public EndReason LastEnd { get; set; }

    public int LastNumber { get; set; }

    public HashSet<string> GoalsHeld { get; set; } = [];

    public SortedSet<string> Counted { get; } = new(StringComparer.Ordinal);
}

/// <summary>A task that a worker has not completed, and the turn that asked for it.</summary>
internal sealed record NaiveTask(int Enrollment, string Workflow, string Step, int Execution, long TimesOutAt, int Turn);
