using System.Text.Json.Serialization;

namespace Roster.LoadTests;

/// <summary>What to run. The defaults are the canonical workload <c>mixed</c> (load-tests/README.md).</summary>
internal sealed record LoadOptions
{
    public string Scenario { get; init; } = "mixed";

    /// <summary>Stored contacts before the measurement.</summary>
    public int Records { get; init; } = 1_000_000;

    /// <summary>Seconds that are measured in each phase, after the warm-up.</summary>
    public int Seconds { get; init; } = 30;

    /// <summary>Seconds that are dropped.</summary>
    public int WarmupSeconds { get; init; } = 5;

    /// <summary>Ingest streams.</summary>
    public int Streams { get; init; } = 4;

    /// <summary>Events per batch.</summary>
    public int BatchEvents { get; init; } = 500;

    /// <summary>Batches of one stream that may be unacknowledged.</summary>
    public int Window { get; init; } = 12;

    /// <summary>Live workflows.</summary>
    public int Workflows { get; init; } = 40;

    /// <summary>Timers of <c>timer-storm</c> and <c>restart</c>.</summary>
    public int Timers { get; init; } = 1_000_000;

    /// <summary>Events per second of the open loop; null is half of the rate of the closed loop.</summary>
    public double? Rate { get; init; }

    /// <summary>Times that <c>restart</c> kills the server.</summary>
    public int Kills { get; init; } = 3;

    /// <summary>Most live workflows in <c>curves</c>.</summary>
    public int CurveWorkflows { get; init; } = 2_000;

    /// <summary>Whether <c>curves</c> has a size of five times the records as well.</summary>
    public bool FiveTimes { get; init; }

    /// <summary>Bytes for heads in the server.</summary>
    public long CacheBytes { get; init; } = 256L << 20;

    /// <summary>Further settings of the server that is started, as <c>name=value</c>.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>Silos of the cluster host over one PostgreSQL database that are started, each with a front door; 0 starts the embedded host.</summary>
    public int Silos { get; init; }

    /// <summary>Address of a server that runs already; null starts one.</summary>
    public Uri? Address { get; init; }

    /// <summary>Store of the server that is started.</summary>
    public string Store { get; init; } = "sqlite";

    /// <summary>
    /// Where the database of the store <c>postgres</c> is; null leaves it to the environment, and when that says nothing a server is started.
    /// Not in the results: it may have a password.
    /// </summary>
    [JsonIgnore]
    public string? Postgres { get; init; }

    /// <summary>Data folder; null makes a new one and removes it. A folder that has the records already is used as it is. Not in the results, as no path is: it says where somebody works.</summary>
    [JsonIgnore]
    public string? Data { get; init; }

    /// <summary>Where to write the figures as JSON; null for nowhere.</summary>
    [JsonIgnore]
    public string? Json { get; init; }

    /// <summary>Where to write the report; null for nowhere.</summary>
    [JsonIgnore]
    public string? Html { get; init; }

    /// <summary>Seed of the generator.</summary>
    public int Seed { get; init; } = 1;
}
