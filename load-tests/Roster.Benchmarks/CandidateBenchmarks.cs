using BenchmarkDotNet.Attributes;
using Roster.Core.Catalog;

namespace Roster.Benchmarks;

/// <summary>Which workflows look at what changed: 100 lookups, one for each property of the contact; 40 of them find a workflow.</summary>
public class CandidateBenchmarks
{
    private readonly World _world = new();

    [Benchmark(OperationsPerInvoke = World.Properties + (2 * World.Workflows))]
    public int Lookup()
    {
        var starts = _world.Catalog.For(_world.Contact.Number).Starts;
        var found = 0;
        for (var property = 1; property <= World.Properties + (2 * World.Workflows); property++)
        {
            found += starts.ByProperty(property).Length;
        }

        return found;
    }
}
