using System.Text;
using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Internal;

/// <summary>Rows of <c>keys</c>, by column.</summary>
internal sealed class KeyRows
{
    public List<RecordKey> Keys { get; } = [];

    public List<int> Tenants { get; } = [];

    public List<int> ObjectTypes { get; } = [];

    public List<byte[]> Ids { get; } = [];

    public List<long> Numbers { get; } = [];

    public void Add(RecordKey key, long number)
    {
        Keys.Add(key);
        Tenants.Add(key.Tenant);
        ObjectTypes.Add(key.ObjectType);
        Ids.Add(Encoding.UTF8.GetBytes(key.Id));
        Numbers.Add(number);
    }

    public void Clear()
    {
        Keys.Clear();
        Tenants.Clear();
        ObjectTypes.Clear();
        Ids.Clear();
        Numbers.Clear();
    }
}

/// <summary>Rows of <c>heads</c>, by column.</summary>
internal sealed class HeadRows
{
    public List<long> Numbers { get; } = [];

    public List<int> Tenants { get; } = [];

    public List<long> ExpectedTurnIds { get; } = [];

    public List<long> TurnIds { get; } = [];

    public List<long> Positions { get; } = [];

    /// <summary>0 for none.</summary>
    public List<long> DueMs { get; } = [];

    public List<int> Checksums { get; } = [];

    public List<ReadOnlyMemory<byte>> Heads { get; } = [];

    public void Add(in TurnHeader turn, ulong expected, ReadOnlyMemory<byte> head)
    {
        Numbers.Add(turn.RecordNumber);
        Tenants.Add(turn.Tenant);
        ExpectedTurnIds.Add((long)expected);
        TurnIds.Add((long)turn.TurnId);
        Positions.Add(turn.Position);
        DueMs.Add(turn.NextDueAt.Ms);
        Checksums.Add(Internal.Checksums.OfHead(turn.RecordNumber, turn.Position, head.Span));
        Heads.Add(head);
    }

    public void Clear()
    {
        Numbers.Clear();
        Tenants.Clear();
        ExpectedTurnIds.Clear();
        TurnIds.Clear();
        Positions.Clear();
        DueMs.Clear();
        Checksums.Clear();
        Heads.Clear();
    }
}

/// <summary>Rows of <c>journal</c>, by column.</summary>
internal sealed class JournalRows
{
    public List<long> Positions { get; } = [];

    public List<long> Records { get; } = [];

    public List<long> Previous { get; } = [];

    public List<int> Checksums { get; } = [];

    public List<ReadOnlyMemory<byte>> Skeletons { get; } = [];

    public List<ReadOnlyMemory<byte>> Payloads { get; } = [];

    public void Add(long position, long record, long previous, ReadOnlyMemory<byte> skeleton, ReadOnlyMemory<byte> payload)
    {
        Positions.Add(position);
        Records.Add(record);
        Previous.Add(previous);
        Checksums.Add(Internal.Checksums.OfTurn(position, previous, record, skeleton.Span, payload.Span));
        Skeletons.Add(skeleton);
        Payloads.Add(payload);
    }

    public void Clear()
    {
        Positions.Clear();
        Records.Clear();
        Previous.Clear();
        Checksums.Clear();
        Skeletons.Clear();
        Payloads.Clear();
    }
}

/// <summary>Rows of <c>activity</c>, by column.</summary>
internal sealed class ActivityRows
{
    public List<int> Tenants { get; } = [];

    public List<int> Workflows { get; } = [];

    public List<long> Positions { get; } = [];

    public void Add(int tenant, int workflow, long position)
    {
        Tenants.Add(tenant);
        Workflows.Add(workflow);
        Positions.Add(position);
    }

    public void Clear()
    {
        Tenants.Clear();
        Workflows.Clear();
        Positions.Clear();
    }
}

/// <summary>Rows of <c>sections</c>, by column.</summary>
internal sealed class SectionRows
{
    public List<long> Records { get; } = [];

    public List<int> Indexes { get; } = [];

    public List<int> Checksums { get; } = [];

    public List<byte[]> Contents { get; } = [];

    public void Add(long record, int index, byte[]? content)
    {
        Records.Add(record);
        Indexes.Add(index);
        if (content is not null)
        {
            Checksums.Add(Internal.Checksums.OfSection(record, index, content));
            Contents.Add(content);
        }
    }

    public void Clear()
    {
        Records.Clear();
        Indexes.Clear();
        Checksums.Clear();
        Contents.Clear();
    }
}

/// <summary>Ids of effects, by column.</summary>
internal sealed class EffectIds
{
    public List<long> Records { get; } = [];

    public List<int> Enrollments { get; } = [];

    public List<int> Steps { get; } = [];

    public List<int> Executions { get; } = [];

    public void Add(EffectId id)
    {
        Records.Add(id.RecordNumber);
        Enrollments.Add(id.Enrollment);
        Steps.Add(id.Step);
        Executions.Add(id.Execution);
    }

    public void Clear()
    {
        Records.Clear();
        Enrollments.Clear();
        Steps.Clear();
        Executions.Clear();
    }
}

/// <summary>Rows of <c>effects</c>, by column.</summary>
internal sealed class EffectRows
{
    public EffectIds Ids { get; } = new();

    public List<int> Tenants { get; } = [];

    public List<byte[]> Queues { get; } = [];

    public List<long> Sequences { get; } = [];

    public List<byte[]> Tasks { get; } = [];

    public void Add(long sequence, EffectAdd effect)
    {
        Ids.Add(effect.Id);
        Tenants.Add(effect.Tenant);
        Queues.Add(Encoding.UTF8.GetBytes(effect.Queue));
        Sequences.Add(sequence);
        Tasks.Add(effect.Task);
    }

    public void Clear()
    {
        Ids.Clear();
        Tenants.Clear();
        Queues.Clear();
        Sequences.Clear();
        Tasks.Clear();
    }
}

/// <summary>Rows of <c>documents</c>, by column.</summary>
internal sealed class DocumentRows
{
    public List<int> Tenants { get; } = [];

    public List<byte[]> Kinds { get; } = [];

    public List<byte[]> Ids { get; } = [];

    public List<byte[]> Contents { get; } = [];

    public void Add(int tenant, string kind, string id, byte[]? content)
    {
        Tenants.Add(tenant);
        Kinds.Add(Encoding.UTF8.GetBytes(kind));
        Ids.Add(Encoding.UTF8.GetBytes(id));
        if (content is not null)
        {
            Contents.Add(content);
        }
    }

    public void Clear()
    {
        Tenants.Clear();
        Kinds.Clear();
        Ids.Clear();
        Contents.Clear();
    }
}

/// <summary>Changes of <c>counters</c>, by column.</summary>
internal sealed class CounterRows
{
    public List<int> Tenants { get; } = [];

    public List<int> Workflows { get; } = [];

    public List<int> Versions { get; } = [];

    public List<int> Kinds { get; } = [];

    public List<int> Steps { get; } = [];

    public List<int> Codes { get; } = [];

    public List<long> Values { get; } = [];

    public void Add(CounterKey key, long change)
    {
        Tenants.Add(key.Tenant);
        Workflows.Add(key.Workflow);
        Versions.Add(key.Version);
        Kinds.Add((int)key.Kind);
        Steps.Add(key.Step);
        Codes.Add(key.Code);
        Values.Add(change);
    }

    public void Clear()
    {
        Tenants.Clear();
        Workflows.Clear();
        Versions.Clear();
        Kinds.Clear();
        Steps.Clear();
        Codes.Clear();
        Values.Clear();
    }
}
