using BenchmarkDotNet.Attributes;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Commits;
using Roster.Engine.Turns;

namespace Roster.Benchmarks;

/// <summary>A whole turn as a shard runs it: load the head, decide, encode into the open batch with effects and counters, pack the head.</summary>
public class EngineBenchmarks
{
    private readonly World _world = new();
    private readonly TurnRunner _runner = new(7, needsHeads: false);
    private readonly OpenBatch _open = new();
    private readonly RecordState _state = new();
    private readonly EventInput _unread;
    private readonly EventInput _enrolling;

    public EngineBenchmarks()
    {
        _unread = _world.Event("019a8d2c4b1f-0-1000", "p7", "another value");
        _enrolling = _world.Event("019a8d2c4b1f-0-1002", World.Trigger(20), "go");
    }

    [Benchmark]
    public int TurnUnread() => Run(_unread);

    [Benchmark]
    public int TurnEnrolling() => Run(_enrolling);

    private int Run(TurnInput input)
    {
        _open.Clear();
        _state.Load(_world.Head);
        return _runner.Run(_state, input, _world.Catalog, World.Now, _open).Status == TurnStatus.Applied
            ? _open.Turns.Bytes.Length
            : throw new InvalidOperationException("The turn was not applied.");
    }
}
