using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Workflows;

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
    Timestamp RequestedAt)
{
    /// <summary>Properties of the event that enrolled the record, for requests.</summary>
    public IReadOnlyList<NamedValue> Event { get; init; } = [];

    /// <summary>What a request or a message is made of, with the marks of <see cref="TaskMarks"/>.</summary>
    public IReadOnlyList<NamedValue> Request { get; init; } = [];
}

/// <summary>Packs tasks as message <c>roster.storage.v1.OutboxTask</c>.</summary>
public static class TaskCodec
{
    /// <summary>Packs the task of an entry.</summary>
    public static byte[] Pack(RecordState state, in JournalEntry entry, in TurnInfo turn)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Pack(state.Id, entry, turn);
    }

    /// <summary>Packs the task of an entry.</summary>
    /// <param name="recordId">Id of the record.</param>
    /// <param name="entry">The entry that requested it.</param>
    /// <param name="turn">Its turn.</param>
    public static byte[] Pack(string recordId, in JournalEntry entry, in TurnInfo turn)
    {
        var writer = new PackedWriter(256);
        writer.Int(1, turn.Tenant);
        writer.Int(2, turn.RecordNumber);
        writer.Int(3, turn.ObjectType);
        writer.Text(4, recordId);
        writer.Int(5, entry.Workflow);
        writer.Int(6, entry.Version);
        writer.Int(7, entry.Enrollment);
        writer.Int(8, entry.Step);
        writer.Int(9, entry.Execution);
        writer.Text(10, entry.Text!);
        foreach (var field in entry.Fields ?? [])
        {
            if (field.Name.StartsWith(TaskMarks.Property))
            {
                NamedValues.Pack(writer, 12, field with { Name = field.Name[1..] });
            }
            else if (field.Name.Length == 0 || !TaskMarks.Contains(field.Name[0]))
            {
                NamedValues.Pack(writer, 11, field);
            }
        }

        writer.Time(13, turn.At);
        foreach (var field in entry.Fields ?? [])
        {
            if (field.Name.StartsWith(TaskMarks.Event))
            {
                NamedValues.Pack(writer, 14, field with { Name = field.Name[1..] });
            }
        }

        foreach (var field in entry.Fields ?? [])
        {
            if (field.Name.StartsWith(TaskMarks.Request) || field.Name.StartsWith(TaskMarks.Header))
            {
                NamedValues.Pack(writer, 15, field);
            }
        }

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
        var (events, request) = (new List<NamedValue>(), new List<NamedValue>());
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
                case 14: events.Add(NamedValues.Unpack(reader.Bytes())); break;
                case 15: request.Add(NamedValues.Unpack(reader.Bytes())); break;
                case > 0 and < 10: numbers[number] = reader.Long(); break;
                default: reader.Skip(); break;
            }
        }

        return new TaskContent(
            (int)numbers[1], numbers[2], (int)numbers[3], recordId, (int)numbers[5], (int)numbers[6], (int)numbers[7], (int)numbers[8], (int)numbers[9],
            queue, fields, properties, requestedAt)
        {
            Event = events,
            Request = request,
        };
    }
}
