using System.Globalization;
using System.Text.Json.Serialization;

namespace Roster.LoadTests.Reporting;

/// <summary>Everything that a run found out. It is the machine-readable result; tables and plots are made of it.</summary>
internal sealed class RunResult
{
    /// <summary>When the run began.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Where it ran.</summary>
    public required Machine Machine { get; init; }

    /// <summary>What was asked for.</summary>
    public required LoadOptions Options { get; init; }

    /// <summary>The measured stretches, in their order.</summary>
    public List<Phase> Phases { get; } = [];

    /// <summary>What the run is judged by, and what else is one number.</summary>
    public List<Figure> Figures { get; } = [];

    /// <summary>Figures over a size.</summary>
    public List<Curve> Curves { get; } = [];

    /// <summary>What a reader must know of this run.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>What went wrong; empty when the run is good.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>The course of the phases.</summary>
    public List<Sample> Samples { get; } = [];
}

/// <summary>Where a run took place.</summary>
internal sealed record Machine(string Processor, int Cores, long MemoryMb, string System, string Runtime, bool ServerGc, string Build);

/// <summary>One measured stretch.</summary>
/// <param name="Name">What it was.</param>
/// <param name="TargetEventsPerSecond">Rate of an open loop; null for a closed loop.</param>
/// <param name="Seconds">How long.</param>
/// <param name="EventsPerSecond">Events that were applied durably.</param>
/// <param name="TasksPerSecond">Tasks that the worker completed.</param>
/// <param name="P50Ms">Latencies of batches to their durable acknowledgement.</param>
/// <param name="P99Ms">As before.</param>
/// <param name="P999Ms">As before.</param>
/// <param name="MaxMs">As before.</param>
/// <param name="Refused">Events that were refused one by one.</param>
/// <param name="Errors">Calls that failed.</param>
/// <param name="ServerMb">Most resident memory of the server.</param>
/// <param name="DatabaseMb">Most memory of the database that was started for the run.</param>
/// <param name="ServerCores">Processor time of server and database per second.</param>
/// <param name="GeneratorCores">Processor time of the generator per second.</param>
/// <param name="BytesWrittenPerEvent">Bytes that server and database wrote to disk, per event; null where no event was applied.</param>
internal sealed record Phase(
    string Name, double? TargetEventsPerSecond, double Seconds, double EventsPerSecond, double TasksPerSecond, double P50Ms, double P99Ms, double P999Ms, double MaxMs,
    long Refused, long Errors, double ServerMb, double DatabaseMb, double ServerCores, double GeneratorCores, double? BytesWrittenPerEvent);

/// <summary>What happened in one interval.</summary>
/// <param name="Phase">Index of the phase.</param>
/// <param name="At">End of the interval, in seconds since the run began.</param>
/// <param name="EventsPerSecond">In the interval, like all that follows.</param>
/// <param name="TasksPerSecond">Tasks completed.</param>
/// <param name="P50Ms">Null where no batch was acknowledged.</param>
/// <param name="P99Ms">As before.</param>
/// <param name="MaxMs">As before.</param>
/// <param name="ServerMb">Resident memory of the server at its end.</param>
/// <param name="DatabaseMb">Memory of the database at its end.</param>
/// <param name="WrittenMbPerSecond">Written to disk.</param>
/// <param name="ServerCores">Processor time per second.</param>
internal sealed record Sample(
    int Phase, double At, double EventsPerSecond, double TasksPerSecond, double? P50Ms, double? P99Ms, double? MaxMs, double ServerMb, double DatabaseMb,
    double WrittenMbPerSecond, double ServerCores);

/// <summary>One number, and what it should be where a target is set.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">Its unit; empty for a plain number.</param>
/// <param name="Bar">What must be reached; null where nothing is asked.</param>
/// <param name="Goal">What is aimed at.</param>
/// <param name="LessIsBetter">Whether it must stay below.</param>
internal sealed record Figure(string Name, double Value, string Unit, double? Bar = null, double? Goal = null, bool LessIsBetter = false)
{
    /// <summary>How it stands: <c>goal met</c>, <c>bar met</c>, <c>bar not met</c>; empty where nothing is asked.</summary>
    public string Verdict => Meets(Goal) ? "goal met" : Meets(Bar) ? "bar met" : Bar is null && Goal is null ? string.Empty : "bar not met";

    /// <summary>The number with its unit.</summary>
    [JsonIgnore]
    public string Text => $"{Number(Value)}{(Unit.Length > 0 ? " " + Unit : string.Empty)}";

    /// <summary>What is asked, in words; empty where nothing is.</summary>
    [JsonIgnore]
    public string Asked => string.Join(", ", new[] { ("bar", Bar), ("goal", Goal) }.Where(t => t.Item2 is not null).Select(t => $"{t.Item1} {(LessIsBetter ? "≤" : "≥")} {Number(t.Item2!.Value)}"));

    /// <summary>A number with as many digits as tell something.</summary>
    public static string Number(double value) => value.ToString(
        Math.Abs(value) switch { 0 => "0", < 10 => "0.##", < 100 => "0.#", _ => "N0" }, CultureInfo.InvariantCulture);

    private bool Meets(double? target) => target is { } t && (LessIsBetter ? Value <= t : Value >= t);
}

/// <summary>A figure over a size.</summary>
/// <param name="Name">What is shown.</param>
/// <param name="XName">What the sizes are.</param>
/// <param name="YName">What the figures are.</param>
/// <param name="Points">Size and figure.</param>
internal sealed record Curve(string Name, string XName, string YName, IReadOnlyList<CurvePoint> Points)
{
    /// <summary>The smallest figure in parts of the largest: 1 is flat.</summary>
    public double Flatness => Points.Count == 0 ? 0 : Points.Min(p => p.Y) / Points.Max(p => p.Y);
}

/// <summary>A size and its figure.</summary>
internal sealed record CurvePoint(double X, double Y);
