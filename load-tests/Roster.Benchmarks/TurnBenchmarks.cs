using BenchmarkDotNet.Attributes;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;

namespace Roster.Benchmarks;

/// <summary>
/// <c>Decide</c> and <c>Apply</c>. Each operation begins with loading the packed contact, as every turn does: <see cref="PackingBenchmarks.LoadHead"/>
/// says what that is of it.
/// </summary>
public class TurnBenchmarks
{
    private readonly World _world = new();
    private readonly Turn _turn = new();
    private readonly RecordState _state = new();
    private readonly EventInput _unread;
    private readonly EventInput _looked;
    private readonly EventInput _enrolling;
    private readonly EventInput _known;
    private readonly CompletionInput _completion;
    private readonly JournalEntry[] _entries;

    public TurnBenchmarks()
    {
        _unread = _world.Event("019a8d2c4b1f-0-1000", "p7", "another value");
        _looked = _world.Event("019a8d2c4b1f-0-1001", World.Trigger(20), "not yet");
        _enrolling = _world.Event("019a8d2c4b1f-0-1002", World.Trigger(20), "go");
        _known = _world.Event("019a8d2c4b1f-0-1", "p1", "value 01 of it");
        _completion = _world.Completion(_world.OpenTask);
        Decide(_enrolling);
        _entries = _turn.Entries.ToArray();
    }

    /// <summary>70 % of the events: a property that no workflow reads.</summary>
    [Benchmark]
    public int DecideUnread() => Decide(_unread);

    /// <summary>20 % of the events: a filter looks at it and does not hold.</summary>
    [Benchmark]
    public int DecideLooked() => Decide(_looked);

    /// <summary>10 % of the events: enrolls, sets a property, requests a task, begins the delay.</summary>
    [Benchmark]
    public int DecideEnrolling() => Decide(_enrolling);

    /// <summary>A worker has completed the task.</summary>
    [Benchmark]
    public int DecideCompletion() => Decide(_completion);

    /// <summary>The event was applied before.</summary>
    [Benchmark]
    public int DecideDuplicate()
    {
        _state.Load(_world.Head);
        return _turn.Decide(_state, _known, _world.Catalog, World.Now, World.TurnId).Status == TurnStatus.Duplicate
            ? 0
            : throw new InvalidOperationException("The event is not known.");
    }

    /// <summary>The entries of an enrolling turn are folded into the state.</summary>
    [Benchmark]
    public int ApplyEnrolling()
    {
        _state.Load(_world.Head);
        _state.BeginTurn(World.Now, World.TurnId);
        foreach (ref readonly var entry in _entries.AsSpan())
        {
            _state.Apply(entry);
        }

        _state.EndTurn();
        return _state.LastEnrollment;
    }

    private int Decide(TurnInput input)
    {
        _state.Load(_world.Head);
        return _turn.Decide(_state, input, _world.Catalog, World.Now, World.TurnId).Status == TurnStatus.Applied
            ? _turn.Entries.Length
            : throw new InvalidOperationException("The turn was not applied.");
    }
}
