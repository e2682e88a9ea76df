namespace Roster.LoadTests.Generating;

/// <summary>How an event enrolls.</summary>
internal enum Enrolling
{
    /// <summary>By a value that the criteria of one of the workflows look for: once per record and workflow. A task and a delay of seven days follow.</summary>
    ByFilter,

    /// <summary>By its type, again and again: a property is set, a task is handed out, and the enrollment is over in the same turn.</summary>
    ByEvent,
}

/// <summary>What the events are and which records they go to.</summary>
/// <param name="EnrollPercent">Events of 100 that enroll.</param>
/// <param name="LookedAtPercent">Events of 100 that a filter looks at and that change nothing for a workflow. The rest is looked at by none.</param>
/// <param name="HotShare">Share of the events that goes to the hot records; the rest is uniform over all.</param>
/// <param name="HotRecords">The hot records; null is a tenth of all.</param>
/// <param name="OneRecordShare">Share of the events that goes to one record.</param>
/// <param name="Enrolling">How an event enrolls.</param>
internal sealed record EventMix(
    int EnrollPercent = 10, int LookedAtPercent = 20, double HotShare = 0.8, int? HotRecords = null, double OneRecordShare = 0, Enrolling Enrolling = Enrolling.ByFilter)
{
    /// <summary>The canonical workload.</summary>
    public static EventMix Mixed { get; } = new();

    /// <summary>The same with uniform keys.</summary>
    public static EventMix Cold { get; } = new(HotShare: 0);

    /// <summary>No workflow looks at anything.</summary>
    public static EventMix IngestOnly { get; } = new(EnrollPercent: 0, LookedAtPercent: 0);

    /// <summary>Each event enrolls.</summary>
    public static EventMix EnrollAll { get; } = new(EnrollPercent: 100, LookedAtPercent: 0, Enrolling: Enrolling.ByEvent);

    /// <summary>Half of the events go to one record.</summary>
    public static EventMix HotRecord { get; } = new(OneRecordShare: 0.5);
}
