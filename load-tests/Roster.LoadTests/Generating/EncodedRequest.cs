using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using Roster.Core.Packing;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>
/// A batch, of an ingest stream or of a call, as the bytes that go over the wire. Filling objects and serializing them took half as much of the machine as the
/// server takes for the events, and the two share it.
/// </summary>
internal sealed class EncodedRequest
{
    /// <summary>The stream of the service, with requests of this kind.</summary>
    public static readonly Method<EncodedRequest, StreamResponse> Stream = new(
        MethodType.DuplexStreaming,
        IngestService.Descriptor.FullName,
        "Stream",
        Marshallers.Create<EncodedRequest>(static (request, context) => request.WriteTo(context), static _ => throw new NotSupportedException()),
        Marshallers.Create<StreamResponse>(
            static (_, _) => throw new NotSupportedException(), static context => StreamResponse.Parser.ParseFrom(context.PayloadAsReadOnlySequence())));

    /// <summary>The call of the service, with requests of this kind.</summary>
    public static readonly Method<EncodedRequest, IngestResponse> Call = new(
        MethodType.Unary,
        IngestService.Descriptor.FullName,
        "Ingest",
        Marshallers.Create<EncodedRequest>(static (request, context) => request.WriteTo(context), static _ => throw new NotSupportedException()),
        Marshallers.Create<IngestResponse>(
            static (_, _) => throw new NotSupportedException(), static context => IngestResponse.Parser.ParseFrom(context.PayloadAsReadOnlySequence())));

    private readonly int _field;
    private readonly PackedWriter _prefix = new(32);
    private readonly PackedWriter _events = new(64 * 1024);

    private EncodedRequest(int field) => _field = field;

    /// <summary>An empty batch of a stream.</summary>
    public EncodedRequest()
        : this(Batch.EventsFieldNumber)
    {
    }

    /// <summary>Events of the batch.</summary>
    public int Events { get; private set; }

    /// <summary>What opens a stream.</summary>
    public static EncodedRequest Hello(string client)
    {
        var request = new EncodedRequest();
        request._prefix.Raw(new StreamRequest { Hello = new Hello { Client = client } }.ToByteArray());
        return request;
    }

    /// <summary>An empty batch of a call. It has no sequence.</summary>
    public static EncodedRequest ForCall() => new(IngestRequest.EventsFieldNumber);

    /// <summary>A batch of events that are objects.</summary>
    public static EncodedRequest Of(IEnumerable<Event> events)
    {
        var request = new EncodedRequest();
        foreach (var e in events)
        {
            request._events.BytesAlways(Batch.EventsFieldNumber, e.ToByteArray());
            request.Events++;
        }

        return request;
    }

    /// <summary>Takes all events out.</summary>
    public void Clear()
    {
        _events.Clear();
        Events = 0;
    }

    /// <summary>Adds an event.</summary>
    /// <param name="e">What differs from event to event.</param>
    /// <param name="properties">The encoded rest.</param>
    public void Add(in GeneratedEvent e, ReadOnlySpan<byte> properties)
    {
        var start = _events.BeginMessage(_field);
        _events.Text(Event.EventIdFieldNumber, e.EventId);
        _events.Text(Event.RecordIdFieldNumber, e.RecordId);
        _events.Text(Event.TypeFieldNumber, e.Type);
        _events.Raw(properties);
        var write = _events.BeginMessage(Event.WritesFieldNumber);
        _events.Text(PropertyValue.NameFieldNumber, e.Name);
        var value = _events.BeginMessage(PropertyValue.ValueFieldNumber);
        _events.TextAlways(Value.TextFieldNumber, e.Text);
        _events.EndMessage(value);
        _events.EndMessage(write);
        _events.EndMessage(start);
        Events++;
    }

    /// <summary>Gives the batch of a stream its number. It may be sent again with another one.</summary>
    public void SetSequence(ulong sequence)
    {
        _prefix.Clear();
        _prefix.UInt(Batch.SequenceFieldNumber, sequence);
        var length = _prefix.Length + _events.Length;
        _prefix.Clear();
        _prefix.Varint((StreamRequest.BatchFieldNumber << 3) | 2);
        _prefix.Varint((ulong)length);
        _prefix.UInt(Batch.SequenceFieldNumber, sequence);
    }

    /// <summary>The bytes.</summary>
    public byte[] ToByteArray() => [.. _prefix.Written, .. _events.Written];

    private void WriteTo(SerializationContext context)
    {
        context.SetPayloadLength(_prefix.Length + _events.Length);
        var writer = context.GetBufferWriter();
        writer.Write(_prefix.Written);
        writer.Write(_events.Written);
        context.Complete();
    }
}
