using Microsoft.Extensions.Options;
using Roster.Engine.Hosting;
using Roster.Engine.Stores;

namespace Roster.Cluster;

/// <summary>Opens the shared store under a name that no other process ever had.</summary>
public delegate ValueTask<IRecordStore> OpenSharedStore(string name, CancellationToken cancellationToken);

/// <summary>Takes the right to commit from the process of that name, for good.</summary>
public delegate ValueTask FenceProcess(IRecordStore store, string name, CancellationToken cancellationToken);

/// <summary>Options of a silo, or of a front door without one.</summary>
public sealed class ClusterOptions : HostOptions
{
    /// <summary>Name of the grain storage of the cluster's own grains.</summary>
    public const string StorageName = "roster";

    /// <summary>Opens the store that all silos share. Required.</summary>
    public OpenSharedStore? OpenStore { get; set; }

    /// <summary>Takes the right to commit from a silo that was declared dead. Required.</summary>
    public FenceProcess? Fence { get; set; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>
    /// How often a silo looks whether the conductor lives, and reads again what no notice told. 1 second to 10 minutes, default 10 seconds. Shorter finds lost
    /// notices sooner and reads more.
    /// </summary>
    public TimeSpan ResyncEvery { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Events that this front door may have on their way to records before its streams read no further. 100 to 10,000,000, default 20,000.
    /// </summary>
    public int EventsOnTheWayMax { get; set; } = 20_000;

    /// <summary>Most events in one call of a record. 1 to 10,000, default 500. What a record gets while a call is under way waits for the next.</summary>
    public int EventsPerCallMax { get; set; } = 500;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Check()
    {
        var problems = new List<string>(base.Check());
        if (OpenStore is null || Fence is null)
        {
            problems.Add("OpenStore and Fence are required.");
        }

        if (ResyncEvery < TimeSpan.FromSeconds(1) || ResyncEvery > TimeSpan.FromMinutes(10))
        {
            problems.Add($"ResyncEvery is {ResyncEvery}; allowed are 1 second to 10 minutes.");
        }

        if (EventsOnTheWayMax is < 100 or > 10_000_000)
        {
            problems.Add($"EventsOnTheWayMax is {EventsOnTheWayMax}; allowed are 100 to 10,000,000.");
        }

        if (EventsPerCallMax is < 1 or > 10_000)
        {
            problems.Add($"EventsPerCallMax is {EventsPerCallMax}; allowed are 1 to 10,000.");
        }

        return problems;
    }

    /// <summary>Checks them at the start.</summary>
    /// <exception cref="OptionsValidationException">An option is out of its range.</exception>
    internal void ThrowIfWrong()
    {
        var problems = Check();
        if (problems.Count > 0)
        {
            throw new OptionsValidationException(nameof(ClusterOptions), typeof(ClusterOptions), problems);
        }
    }
}
