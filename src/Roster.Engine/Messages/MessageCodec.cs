using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Engine.Messages;

/// <summary>Packs messages between records as message <c>roster.storage.v1.RecordMessage</c>.</summary>
public static class MessageCodec
{
    /// <summary>The queue of the outbox that has them. No queue of workers can have this name.</summary>
    public const string Queue = "!messages";

    /// <summary>Packs a message.</summary>
    public static byte[] Pack(RecordMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var writer = new PackedWriter(256);
        writer.Int(1, (int)message.Kind);
        writer.Int(2, message.ToType);
        writer.Text(3, message.ToId);
        writer.Int(4, message.FromType);
        writer.Text(5, message.FromId);
        writer.Int(6, message.Hops);
        writer.Time(7, message.At);
        foreach (var label in message.Labels)
        {
            writer.Int(8, label);
        }

        writer.Bool(9, message.Copy is not null);
        foreach (var field in message.Copy ?? [])
        {
            NamedValues.Pack(writer, 10, field);
        }

        writer.Bool(11, message.IsInitial);
        writer.Int(12, message.Workflow);
        writer.Int(13, message.Step);
        writer.Int(14, message.Subject);
        writer.Int(15, (int)message.Mode);
        if (!message.Value.IsUnknown)
        {
            var start = writer.BeginMessage(16);
            message.Value.Pack(writer);
            writer.EndMessage(start);
        }

        writer.Text(17, message.Source);
        foreach (var field in message.Fields)
        {
            NamedValues.Pack(writer, 18, field);
        }

        foreach (var workflow in message.Chain)
        {
            writer.Int(19, workflow);
        }

        writer.Fixed64(20, message.Cursor);
        writer.Time(21, message.OccurredAt);
        writer.Bytes(22, message.Past);
        writer.Int(23, message.Seen);
        return writer.Written.ToArray();
    }

    /// <summary>Reads a message.</summary>
    public static RecordMessage Unpack(ReadOnlySpan<byte> packed)
    {
        var message = new RecordMessage(MessageKind.None, 0, string.Empty);
        var hasCopy = false;
        List<int> labels = [], chain = [];
        List<NamedValue> copy = [], fields = [];
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 8: labels.Add(reader.Int()); break;
                case 9: hasCopy = reader.Bool(); break;
                case 10: copy.Add(NamedValues.Unpack(reader.Bytes())); break;
                case 18: fields.Add(NamedValues.Unpack(reader.Bytes())); break;
                case 19: chain.Add(reader.Int()); break;
                default: message = ReadField(message, field, ref reader); break;
            }
        }

        return message with { Labels = [.. labels], Copy = hasCopy ? [.. copy] : null, Fields = [.. fields], Chain = [.. chain] };
    }

    private static RecordMessage ReadField(RecordMessage message, int field, ref PackedReader reader)
    {
        switch (field)
        {
            case 1: return message with { Kind = (MessageKind)reader.Int() };
            case 2: return message with { ToType = reader.Int() };
            case 3: return message with { ToId = reader.Text() };
            case 4: return message with { FromType = reader.Int() };
            case 5: return message with { FromId = reader.Text() };
            case 6: return message with { Hops = reader.Int() };
            case 7: return message with { At = reader.Time() };
            case 11: return message with { IsInitial = reader.Bool() };
            case 12: return message with { Workflow = reader.Int() };
            case 13: return message with { Step = reader.Int() };
            case 14: return message with { Subject = reader.Int() };
            case 15: return message with { Mode = (SetMode)reader.Int() };
            case 16: return message with { Value = Value.Unpack(reader.Bytes()) };
            case 17: return message with { Source = reader.Text() };
            case 20: return message with { Cursor = reader.Fixed64() };
            case 21: return message with { OccurredAt = reader.Time() };
            case 22: return message with { Past = reader.Bytes().ToArray() };
            case 23: return message with { Seen = reader.Int() };
            default:
                reader.Skip();
                return message;
        }
    }
}
