using BenchmarkDotNet.Attributes;
using Roster.Core.Filters;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Benchmarks;

/// <summary>Evaluation of criteria on a loaded contact.</summary>
public class FilterBenchmarks
{
    private readonly RecordState _state;
    private readonly Criteria _one;
    private readonly Criteria _eight;

    public FilterBenchmarks()
    {
        var world = new World();
        _state = world.Load();
        _one = world.Criteria(new CriteriaDefinition([new FilterGroupDefinition([World.Filter("p3", Operator.IsEqualTo, "go")])]));

        // The first group fails at its last filter, the second holds.
        _eight = world.Criteria(new CriteriaDefinition(
        [
            new FilterGroupDefinition(
            [
                World.Filter("p0", Operator.IsKnown), World.Filter("p1", Operator.Contains, "VALUE"),
                World.Filter("p2", Operator.DoesNotContain, "lead", "customer", "partner"), World.Filter("p4", Operator.IsEqualTo, "nobody"),
            ]),
            new FilterGroupDefinition(
            [
                World.Filter("p5", Operator.StartsWith, "value"), World.Filter("p6", Operator.IsNotEqualTo, "lead"),
                World.Filter("p7", Operator.EndsWith, "p7", "it"), World.Filter("status_39", Operator.IsUnknown),
            ]),
        ]));
    }

    /// <summary>One filter, as the workflows of <c>mixed</c> have.</summary>
    [Benchmark]
    public bool One() => _one.Accepts(new Judging(_state, World.Now));

    /// <summary>Eight filters in two groups, all of which are looked at.</summary>
    [Benchmark]
    public bool Eight() => _eight.Accepts(new Judging(_state, World.Now));
}
