namespace Roster.Simulator.Reference;

internal sealed class ModelProperty
{
    public string? Value { get; set; }

    public long OccurredAt { get; set; }

    public long UpdatedAt { get; set; }

    /// <summary>All values it ever had, the present one included.</summary>
    public List<string> Ever { get; init; } = [];

    public ModelProperty Copy() => new() { Value = Value, OccurredAt = OccurredAt, UpdatedAt = UpdatedAt, Ever = [.. Ever] };
}

internal sealed class ModelEnrollment
{
    public required string Workflow { get; init; }

    public required int Number { get; init; }

    public string Step { get; set; } = string.Empty;

    /// <summary>End of the delay it is in; 0 when it waits for a task.</summary>
    public long DueAt { get; set; }

    public int Execution { get; set; }

    /// <summary>Runs of worker steps.</summary>
    public Dictionary<string, int> Runs { get; } = [];
}

internal sealed record ModelTask(int Enrollment, string Workflow, string Step, int Execution, long TimesOutAt, bool Waits);

internal sealed class ModelSummary
{
    public int Times { get; set; }

    public int Completed { get; set; }

    public string LastEnd { get; set; } = string.Empty;

    public long LastEndedAt { get; set; }

    public List<long> EnrolledAt { get; } = [];
}

internal sealed class ModelRecord
{
    public bool Exists { get; set; }

    public long CreatedAt { get; set; }

    public long LastTurnAt { get; set; }

    public SortedDictionary<string, ModelProperty> Properties { get; set; } = new(StringComparer.Ordinal);

    public List<ModelEnrollment> Active { get; } = [];

    public SortedDictionary<string, ModelSummary> Summaries { get; } = new(StringComparer.Ordinal);

    public List<ModelTask> Tasks { get; } = [];

    public int LastNumber { get; set; }

    /// <summary>Ids in the order of arrival, with content and turn time.</summary>
    public List<(string Id, string Content, long At)> Marks { get; } = [];

    public string? Value(string property) => Properties.TryGetValue(property, out var p) ? p.Value : null;

    public IEnumerable<string> Ever(string property) => Properties.TryGetValue(property, out var p) ? p.Ever : [];
}
