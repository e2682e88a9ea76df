using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;

namespace Roster.Engine.Turns;

/// <summary>A task as it lies in the outbox.</summary>
public sealed record TaskContent(
    int Tenant,
    long RecordNumber,
    int ObjectType,
    string RecordId,
    int Workflow,
    int Version,
    int Enrollment,
    int Step,
    int Execution,
    string Queue,
    IReadOnlyList<NamedValue> Fields,
    IReadOnlyList<NamedValue> Properties,
    Timestamp RequestedAt);

/// <summary>Packs tasks as message <c>roster.storage.v1.OutboxTask</c>.</summary>
public static class TaskCodec
{
    /// <summary>Packs the task of an entry.</summary>
    public static byte[] Pack(RecordState state, in JournalEntry entry, in TurnInfo turn)
    {
        ArgumentNullException.ThrowIfNull(state);
        var writer = new PackedWriter(256);
        writer.Int(1, turn.Tenant);
        writer.Int(2, turn.RecordNumber);
        writer.Int(3, turn.ObjectType);
        writer.Text(4, state.Id);
        writer.Int(5, entry.Workflow);
        writer.Int(6, entry.Version);
        writer.Int(7, entry.Enrollment);
        writer.Int(8, entry.Step);
        writer.Int(9, entry.Execution);
        writer.Text(10, entry.Text!);
        foreach (var field in entry.Fields ?? [])
        {
            // A leading dot tells properties of the record from fixed fields (Turn.TaskFields).
            var isProperty = field.Name.StartsWith('.');
            NamedValues.Pack(writer, isProperty ? 12 : 11, isProperty ? field with { Name = field.Name[1..] } : field);
        }

        writer.Time(13, turn.At);
        return writer.Written.ToArray();
    }

    /// <summary>Reads a task.</summary>
    public static TaskContent Unpack(ReadOnlySpan<byte> packed)
    {
        var numbers = new long[14];
        var recordId = string.Empty;
        var queue = string.Empty;
        var fields = new List<NamedValue>();
        var properties = new List<NamedValue>();
        var requestedAt = Timestamp.None;
        var reader = new PackedReader(packed);
        while (reader.Next(out var number))
        {
            switch (number)
            {
                case 4: recordId = reader.Text(); break;
                case 10: queue = reader.Text(); break;
                case 11: fields.Add(NamedValues.Unpack(reader.Bytes())); break;
                case 12: properties.Add(NamedValues.Unpack(reader.Bytes())); break;
                case 13: requestedAt = reader.Time(); break;
                case > 0 and < 10: numbers[number] = reader.Long(); break;
                default: reader.Skip(); break;
            }
        }

        return new TaskContent(
            (int)numbers[1], numbers[2], (int)numbers[3], recordId, (int)numbers[5], (int)numbers[6], (int)numbers[7], (int)numbers[8], (int)numbers[9],
            queue, fields, properties, requestedAt);
    }
}
