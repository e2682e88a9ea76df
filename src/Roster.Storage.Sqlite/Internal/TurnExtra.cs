using System.Text;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// The extra of a frame: effects that the turn added and removed, so that recovery need not understand tasks. Removed ones are
/// named with their queue and sequence, which recovery would otherwise have to look up in tables that may be ahead of it.
/// </summary>
internal static class TurnExtra
{
    private const int AddedField = 1;
    private const int RemovedField = 2;
    private const int RecordField = 1;
    private const int EnrollmentField = 2;
    private const int StepField = 3;
    private const int ExecutionField = 4;
    private const int TenantField = 5;
    private const int QueueField = 6;
    private const int TaskField = 7;
    private const int SequenceField = 8;

    public static void WriteAdded(PackedWriter writer, EffectAdd effect)
    {
        var start = writer.BeginMessage(AddedField);
        WriteId(writer, effect.Id, effect.Tenant, effect.Queue);
        writer.Bytes(TaskField, effect.Task);
        writer.EndMessage(start);
    }

    public static void WriteRemoved(PackedWriter writer, in EffectAt effect)
    {
        var start = writer.BeginMessage(RemovedField);
        WriteId(writer, effect.Id, effect.Queue.Tenant, effect.Queue.Name);
        writer.Int(SequenceField, effect.Sequence);
        writer.EndMessage(start);
    }

    /// <summary>Reads the next effect; false at the end.</summary>
    public static bool Read(ref PackedReader reader, out ExtraEffect effect)
    {
        effect = default;
        if (!reader.Next(out var kind))
        {
            return false;
        }

        effect.IsRemoved = kind == RemovedField;
        long record = 0;
        int enrollment = 0, step = 0, execution = 0;
        var inner = new PackedReader(reader.Bytes());
        while (inner.Next(out var field))
        {
            switch (field)
            {
                case RecordField: record = inner.Long(); break;
                case EnrollmentField: enrollment = inner.Int(); break;
                case StepField: step = inner.Int(); break;
                case ExecutionField: execution = inner.Int(); break;
                case TenantField: effect.Tenant = inner.Int(); break;
                case QueueField: effect.Queue = inner.Bytes(); break;
                case TaskField: effect.Task = inner.Bytes(); break;
                case SequenceField: effect.Sequence = inner.Long(); break;
                default: inner.Skip(); break;
            }
        }

        effect.Id = new EffectId(record, enrollment, step, execution);
        return true;
    }

    /// <summary>Task of the n-th effect that was added.</summary>
    public static byte[]? FindTask(ReadOnlySpan<byte> extra, long index)
    {
        var reader = new PackedReader(extra);
        while (Read(ref reader, out var effect))
        {
            if (!effect.IsRemoved && index-- == 0)
            {
                return effect.Task.ToArray();
            }
        }

        return null;
    }

    private static void WriteId(PackedWriter writer, EffectId id, int tenant, string queue)
    {
        writer.Int(RecordField, id.RecordNumber);
        writer.Int(EnrollmentField, id.Enrollment);
        writer.Int(StepField, id.Step);
        writer.Int(ExecutionField, id.Execution);
        writer.Int(TenantField, tenant);
        writer.Text(QueueField, queue);
    }
}

/// <summary>An effect in an extra.</summary>
internal ref struct ExtraEffect
{
    public EffectId Id;
    public bool IsRemoved;
    public int Tenant;
    public ReadOnlySpan<byte> Queue;
    public ReadOnlySpan<byte> Task;
    public long Sequence;

    public readonly string QueueName => Encoding.UTF8.GetString(Queue);
}

/// <summary>What the store reads of skeletons and payloads itself (messages <c>TurnSkeleton</c>, <c>TurnPayload</c>).</summary>
internal readonly record struct TurnFacts(int Tenant, int ObjectType, long RecordNumber, ulong TurnId, long NextDueMs)
{
    public static TurnFacts Read(ReadOnlySpan<byte> skeleton)
    {
        int tenant = 0, objectType = 0;
        long record = 0, nextDue = 0;
        ulong turnId = 0;
        var reader = new PackedReader(skeleton);
        while (reader.Next(out var field) && field < 10)
        {
            switch (field)
            {
                case 2: tenant = reader.Int(); break;
                case 3: objectType = reader.Int(); break;
                case 4: record = reader.Long(); break;
                case 5: turnId = reader.Fixed64(); break;
                case 8: nextDue = reader.SInt(); break;
                default: reader.Skip(); break;
            }
        }

        return new TurnFacts(tenant, objectType, record, turnId, nextDue);
    }

    /// <summary>Id of the record that a turn created.</summary>
    public static string ReadCreatedId(ReadOnlySpan<byte> payload)
    {
        var reader = new PackedReader(payload);
        while (reader.Next(out var field))
        {
            if (field == 1)
            {
                return reader.Text();
            }

            reader.Skip();
        }

        return string.Empty;
    }

    /// <summary>Sections that a turn wrote; the content is read only when <paramref name="isWithContent"/>.</summary>
    public static List<SectionWrite> ReadSections(ReadOnlySpan<byte> payload, bool isWithContent)
    {
        var sections = new List<SectionWrite>();
        var reader = new PackedReader(payload);
        while (reader.Next(out var field))
        {
            if (field == 3)
            {
                sections.Add(ReadSection(reader.Bytes(), isWithContent));
            }
            else
            {
                reader.Skip();
            }
        }

        return sections;
    }

    private static SectionWrite ReadSection(ReadOnlySpan<byte> packed, bool isWithContent)
    {
        var index = 0;
        var isRemoved = false;
        ReadOnlySpan<byte> content = [];
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: index = reader.Int(); break;
                case 2: content = reader.Bytes(); break;
                case 3: isRemoved = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return new SectionWrite(index, isRemoved ? null : isWithContent ? content.ToArray() : []);
    }
}
