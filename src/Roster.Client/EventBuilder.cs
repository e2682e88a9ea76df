using Google.Protobuf.WellKnownTypes;
using Roster.V1;
using Value = Roster.V1.Value;

namespace Roster.Client;

/// <summary>Makes an event, field by field.</summary>
/// <example><c>new EventBuilder("e-17", "contact", "ada@example.org").Type("form_submitted").Set("city", Values.Text("London")).Build()</c></example>
public sealed class EventBuilder
{
    private readonly Event _event;

    /// <summary>Starts an event.</summary>
    /// <param name="eventId">Chosen by the sender; the same id for the same record is applied once.</param>
    /// <param name="objectType">Object type of the record.</param>
    /// <param name="recordId">Id of the record.</param>
    public EventBuilder(string eventId, string objectType, string recordId)
    {
        _event = new Event { EventId = eventId, ObjectType = objectType, RecordId = recordId };
    }

    /// <summary>What happened. Default: <c>property_changed</c>.</summary>
    public EventBuilder Type(string type)
    {
        _event.Type = type;
        return this;
    }

    /// <summary>When it happened. Default: when the server handles it.</summary>
    public EventBuilder At(DateTimeOffset occurredAt)
    {
        _event.OccurredAt = Timestamp.FromDateTimeOffset(occurredAt);
        return this;
    }

    /// <summary>Who says so.</summary>
    public EventBuilder Source(string source)
    {
        _event.Source = source;
        return this;
    }

    /// <summary>A property of the event itself.</summary>
    public EventBuilder With(string name, Value value)
    {
        _event.Properties.Add(new PropertyValue { Name = name, Value = value });
        return this;
    }

    /// <summary>A write to a property of the record.</summary>
    public EventBuilder Set(string name, Value value)
    {
        _event.Writes.Add(new PropertyValue { Name = name, Value = value });
        return this;
    }

    /// <summary>Sets values but fires nothing: loads an existing base.</summary>
    public EventBuilder Baseline()
    {
        _event.Baseline = true;
        return this;
    }

    /// <summary>The event.</summary>
    public Event Build() => _event.Clone();
}
