namespace Roster.LoadTests;

/// <summary>What to run. The defaults are the canonical workload <c>mixed</c> (docs/ARCHITECTURE.md, load tests).</summary>
internal sealed record LoadOptions
{
    public string Scenario { get; init; } = "mixed";

    /// <summary>Stored contacts before the measurement.</summary>
    public int Records { get; init; } = 1_000_000;

    /// <summary>Seconds that are measured, after the warm-up.</summary>
    public int Seconds { get; init; } = 30;

    /// <summary>Seconds that are dropped.</summary>
    public int WarmupSeconds { get; init; } = 5;

    /// <summary>Ingest streams.</summary>
    public int Streams { get; init; } = 4;

    /// <summary>Events per batch.</summary>
    public int BatchEvents { get; init; } = 500;

    /// <summary>Batches of one stream that may be unacknowledged.</summary>
    public int Window { get; init; } = 12;

    /// <summary>Share of the hot tenth: 0.8 in mixed, 0 (uniform keys) in cold.</summary>
    public double HotShare { get; init; } = 0.8;

    /// <summary>Live workflows.</summary>
    public int Workflows { get; init; } = 40;

    /// <summary>Bytes for heads in the server.</summary>
    public long CacheBytes { get; init; } = 256L << 20;

    /// <summary>Address of a server that runs already; null starts one.</summary>
    public Uri? Address { get; init; }

    /// <summary>Store of the server that is started.</summary>
    public string Store { get; init; } = "sqlite";

    /// <summary>Where the database of the store <c>postgres</c> is; null leaves it to the environment.</summary>
    public string? Postgres { get; init; }

    /// <summary>Data folder; null makes a new one and removes it. A folder that has the records already is used as it is.</summary>
    public string? Data { get; init; }

    /// <summary>Where to write the figures as JSON; null for nowhere.</summary>
    public string? Json { get; init; }

    /// <summary>Seed of the generator.</summary>
    public int Seed { get; init; } = 1;
}
