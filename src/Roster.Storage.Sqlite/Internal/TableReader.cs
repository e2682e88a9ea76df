using Roster.Core;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>A head as its row has it; position 0 when there is no row.</summary>
internal readonly record struct HeadRow(long Position, ulong TurnId, long NextDueMs);

/// <summary>Reads the tables, and holds what folding needs. Used by one thread at a time.</summary>
internal sealed class TableReader : IPooled
{
    private readonly Database _database;
    private readonly Statement _begin;
    private readonly Statement _end;
    private readonly Statement _number;
    private readonly Statement _head;
    private readonly Statement _known;
    private readonly Statement _section;
    private readonly Statement _effectById;

    public TableReader(string path, int cacheBytes)
    {
        _database = Database.OpenReader(path, cacheBytes);
        _begin = _database.Prepare("BEGIN");
        _end = _database.Prepare("COMMIT");
        _number = _database.Prepare("SELECT number FROM keys WHERE tenant = ?1 AND object_type = ?2 AND id = ?3");
        _head = _database.Prepare("SELECT position, turn_id, next_due, head FROM heads WHERE number = ?1");
        _known = _database.Prepare("SELECT position, turn_id, next_due FROM heads WHERE number = ?1");
        _section = _database.Prepare("SELECT content FROM sections WHERE record = ?1 AND idx = ?2");
        _effectById = _database.Prepare(
            "SELECT tenant, queue, sequence FROM effects WHERE record = ?1 AND enrollment = ?2 AND step = ?3 AND execution = ?4");
    }

    /// <summary>For folding.</summary>
    public RecordState State { get; } = new();

    /// <summary>For folding.</summary>
    public PackedWriter Packed { get; } = new(4096);

    /// <summary>For folding.</summary>
    public FrameBuffer Frames { get; } = new();

    /// <summary>For folding.</summary>
    public List<(long Position, int Start, FrameHeader Header)> Chain { get; } = [];

    /// <summary>Statements up to <see cref="End"/> see one moment, and cost less.</summary>
    public void Begin() => _begin.Run();

    public void End() => _end.Run();

    /// <summary>Number of a key, 0 when it has no row.</summary>
    public long FindNumber(RecordKey key)
    {
        _number.Bind(1, key.Tenant).Bind(2, key.ObjectType).Bind(3, key.Id);
        return One(_number) ? OneLong(_number) : 0;
    }

    public HeadRow FindKnown(long number)
    {
        _known.Bind(1, number);
        if (!One(_known))
        {
            return default;
        }

        var row = Known(_known);
        _known.Reset();
        return row;
    }

    /// <summary>Reads a head; a copy when there is one.</summary>
    public HeadRow FindHead(long number, out byte[] head)
    {
        _head.Bind(1, number);
        if (!One(_head))
        {
            head = [];
            return default;
        }

        var row = Known(_head);
        head = _head.Blob(3).ToArray();
        _head.Reset();
        return row;
    }

    public byte[]? FindSection(long number, int index)
    {
        _section.Bind(1, number).Bind(2, index);
        if (!One(_section))
        {
            return null;
        }

        var content = _section.Blob(0).ToArray();
        _section.Reset();
        return content;
    }

    /// <summary>Queue and sequence of an effect; sequence 0 when it has no row.</summary>
    public (int Tenant, string Queue, long Sequence) FindEffect(EffectId id)
    {
        _effectById.Bind(1, id.RecordNumber).Bind(2, id.Enrollment).Bind(3, id.Step).Bind(4, id.Execution);
        if (!One(_effectById))
        {
            return default;
        }

        var found = (_effectById.Int(0), _effectById.Text(1), _effectById.Long(2));
        _effectById.Reset();
        return found;
    }

    /// <summary>The largest record number that has a row, 0 for none.</summary>
    public long LargestNumber()
    {
        using var statement = _database.Prepare("SELECT coalesce(max(number), 0) FROM heads");
        var number = One(statement) ? statement.Long(0) : 0;
        statement.Reset();
        return number;
    }

    /// <summary>A statement that is prepared when it is first used.</summary>
    public Statement Prepared(ref Statement? slot, string sql) => slot ??= _database.Prepare(sql);

    public Statement? TimersOfInstant;
    public Statement? LaterTimers;
    public Statement? Scan;
    public Statement? Effects;
    public Statement? Activity;
    public Statement? Documents;
    public Statement? Counters;
    public Statement? Queues;
    public Statement? Keys;
    public Statement? Sections;

    public void Clean() => _database.Clean();

    public void Dispose() => _database.Dispose();

    private static bool One(Statement statement) => statement.Step();

    private static long OneLong(Statement statement)
    {
        var value = statement.Long(0);
        statement.Reset();
        return value;
    }

    private static HeadRow Known(Statement statement) => new(statement.Long(0), (ulong)statement.Long(1), statement.Long(2));
}
