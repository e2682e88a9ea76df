using BenchmarkDotNet.Attributes;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Benchmarks;

/// <summary>Heads and turns to bytes and back. The turn is one that enrolls.</summary>
public class PackingBenchmarks
{
    private readonly World _world = new();
    private readonly PackedWriter _writer = new(4096);
    private readonly RecordState _state = new();
    private readonly RecordState _after = new();
    private readonly List<JournalEntry> _read = [];
    private readonly int _property;
    private readonly JournalEntry[] _entries;
    private readonly TurnInfo _info;
    private readonly StoredTurn _stored;

    public PackingBenchmarks()
    {
        _property = _world.Property("p11").Number;
        var turn = new Turn();
        _after.Load(_world.Head);
        var expected = _after.TurnId;
        turn.Decide(_after, _world.Event("019a8d2c4b1f-0-1002", World.Trigger(20), "go"), _world.Catalog, World.Now, World.TurnId);
        _entries = turn.Entries.ToArray();
        _info = new TurnInfo(_after.Tenant, _after.ObjectType, _after.Number, World.TurnId, expected, World.Now, _after.NextDueAt, TurnCause.Event, 20_000);
        EncodeSkeleton();
        var skeleton = _writer.Written.ToArray();
        EncodePayload();
        _stored = new StoredTurn(1, 0, skeleton, _writer.Written.ToArray());
    }

    /// <summary>The head of the contact after the turn.</summary>
    [Benchmark]
    public int PackHead()
    {
        _writer.Clear();
        _after.Pack(_writer);
        return _writer.Length;
    }

    /// <summary>Loads the head: what a turn looks at is decoded later.</summary>
    [Benchmark]
    public int LoadHead()
    {
        _state.Load(_world.Head);
        return _state.PropertyCount;
    }

    /// <summary>Loads the head and decodes one property.</summary>
    [Benchmark]
    public bool LoadHeadAndRead()
    {
        _state.Load(_world.Head);
        return _state.TryGetProperty(_property, isBefore: false, out var view) && !view.Value.IsUnknown;
    }

    [Benchmark]
    public int EncodeSkeleton()
    {
        _writer.Clear();
        TurnEncoder.WriteSkeleton(_writer, _info, _entries);
        return _writer.Length;
    }

    [Benchmark]
    public int EncodePayload()
    {
        _writer.Clear();
        TurnEncoder.WritePayload(_writer, string.Empty, _entries, _after.SectionWrites);
        return _writer.Length;
    }

    [Benchmark]
    public int DecodeSkeleton()
    {
        _read.Clear();
        TurnDecoder.ReadSkeleton(_stored.Skeleton.Span, _read);
        return _read.Count;
    }

    /// <summary>Skeleton and payload.</summary>
    [Benchmark]
    public int DecodeTurn() => TurnDecoder.Decode(_stored).Entries.Length;

    /// <summary>Recovery and loads from a log: the head is loaded, the turn is decoded and folded into it.</summary>
    [Benchmark]
    public int FoldTurn()
    {
        _state.Load(_world.Head);
        TurnFolder.Fold(_state, _stored);
        return _state.LastEnrollment;
    }
}
