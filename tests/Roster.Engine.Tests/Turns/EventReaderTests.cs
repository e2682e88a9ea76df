using Roster.Core;
using Roster.Engine.Catalog;
using Roster.Engine.Tests.Reading;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.V1;
using RefusalReason = Roster.Core.RefusalReason;

namespace Roster.Engine.Tests.Turns;

/// <summary>REC-03: an event is taken whole or refused whole, with the field and the value in question.</summary>
public sealed class EventReaderTests
{
    private readonly TenantOwner _owner;

    public EventReaderTests()
    {
        _owner = new Actors(new VolatileRecordStore(), new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))).Owner;
        _owner.DeclareProperties(new DeclarePropertiesRequest
        {
            ObjectType = "contact",
            Properties =
            {
                new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String },
                new PropertyDefinition { Name = "score", Type = PropertyType.Types.Kind.Number },
                new PropertyDefinition { Name = "tags", Type = PropertyType.Types.Kind.Enumeration, Options = { "a", "b" } },
            },
        });
        Undeclared(TenantSettings.Types.Undeclared.Refuse);
    }

    public static TheoryData<string, Action<Event>, RefusalReason, string, string> Refused() => new()
    {
        { "no id", e => e.EventId = "", RefusalReason.MissingField, "event_id", "" },
        { "long id", e => e.EventId = new string('é', 65), RefusalReason.InvalidField, "event_id", new string('é', 65) },
        { "no type of object", e => e.ObjectType = "", RefusalReason.MissingField, "object_type", "" },
        { "unknown type of object", e => e.ObjectType = "spaceship", RefusalReason.UndeclaredObjectType, "object_type", "spaceship" },
        { "no record", e => e.RecordId = "", RefusalReason.MissingField, "record_id", "" },
        { "long record", e => e.RecordId = new string('é', 129), RefusalReason.InvalidField, "record_id", Core.Refusal.Cut(new string('é', 129)) },
        { "long source", e => e.Source = new string('s', 101), RefusalReason.InvalidField, "source", Core.Refusal.Cut(new string('s', 101)) },
        { "bad type", e => e.Type = "No Type", RefusalReason.InvalidField, "type", "No Type" },
        { "time of another era", e => e.OccurredAt = new Google.Protobuf.WellKnownTypes.Timestamp { Seconds = 253402300800 }, RefusalReason.InvalidField, "occurred_at", "253402300800" },
        { "undeclared property", e => Write(e, "nope", new Value { Text = "x" }), RefusalReason.UndeclaredProperty, "writes[0].name", "nope" },
        { "wrong type", e => Write(e, "score", new Value { Text = "x" }), RefusalReason.WrongType, "writes[0].value", "x" },
        { "no number", e => Write(e, "score", new Value { Number = "1,5" }), RefusalReason.WrongType, "writes[0].value", "1,5" },
        { "no date", e => Write(e, "stage", new Value { Date = "tomorrow" }), RefusalReason.WrongType, "writes[0].value", "tomorrow" },
        { "undeclared option", e => Write(e, "tags", new Value { Text = "z" }), RefusalReason.UndeclaredOption, "writes[0].value", "z" },
        { "second write of one property", e => { Write(e, "stage", new Value { Text = "x" }); Write(e, "stage", new Value { Text = "y" }); }, RefusalReason.InvalidField, "writes[1].name", "stage" },
        { "event property without a name", e => e.Properties.Add(new PropertyValue { Value = new Value { Text = "x" } }), RefusalReason.InvalidField, "properties[0].name", "" },
        { "event property without a number", e => e.Properties.Add(new PropertyValue { Name = "p", Value = new Value { Number = "x" } }), RefusalReason.InvalidField, "properties[0].value", "x" },
        { "too many writes", e => { for (var i = 0; i < 251; i++) { Write(e, $"p{i}", new Value { Text = "x" }); } }, RefusalReason.InvalidField, "writes", "251" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void REC_03_A_refusal_names_reason_path_and_value(string what, Action<Event> spoil, RefusalReason reason, string path, string value)
    {
        var sent = New();
        spoil(sent);
        var refusal = EventReader.TryRead(sent, _owner, out _);
        Assert.True(refusal is not null, what);
        Assert.Equal((reason, path, value), (refusal.Reason, refusal.Path, refusal.Value));
        Assert.NotEmpty(refusal.Message);
    }

    [Fact]
    public void A_good_event_is_read()
    {
        var sent = New();
        sent.ObjectType = "0-1";
        Write(sent, "score", new Value { Number = "1.50" });
        Write(sent, "tags", new Value { Text = "b" });
        Write(sent, "stage", null);
        Assert.Null(EventReader.TryRead(sent, _owner, out var admitted));
        Assert.Equal(new RecordKey(1, 1, "ada"), admitted.Key);
        Assert.Equal(["1.50", "b", ""], admitted.Input.Writes.Select(w => w.Value.ToString()));
    }

    [Fact]
    public void REC_03_With_declare_a_new_property_gets_the_type_of_its_first_value()
    {
        Undeclared(TenantSettings.Types.Undeclared.Declare);
        var sent = New();
        sent.ObjectType = "spaceship";
        Write(sent, "engine", new Value { Number = "1" });
        Write(sent, "crew", new Value { Options = new OptionSet { Options = { "x", "y" } } });
        Assert.Null(EventReader.TryRead(sent, _owner, out _));
        var type = _owner.Catalog.Schema.FindObjectType("spaceship")!;
        Assert.Equal([Core.Values.PropertyType.Enumeration, Core.Values.PropertyType.Number], type.Properties.Select(p => p.Type));
        var wrong = New();
        wrong.ObjectType = "spaceship";
        Write(wrong, "engine", new Value { Text = "x" });
        Assert.Equal(RefusalReason.WrongType, EventReader.TryRead(wrong, _owner, out _)!.Reason);
    }

    [Fact]
    public void REC_03_Of_a_refused_event_nothing_is_declared()
    {
        Undeclared(TenantSettings.Types.Undeclared.Declare);
        var sent = New();
        Write(sent, "brand_new", new Value { Text = "x" });
        Write(sent, "score", new Value { Text = "no number" });
        Assert.Equal(RefusalReason.WrongType, EventReader.TryRead(sent, _owner, out _)!.Reason);
        Assert.Null(_owner.Catalog.Schema.FindObjectType("contact")!.Find("brand_new"));
    }

    [Fact]
    public void REC_03_A_clear_does_not_tell_the_type_of_an_undeclared_property()
    {
        Undeclared(TenantSettings.Types.Undeclared.Declare);
        var sent = New();
        Write(sent, "brand_new", null);
        var refusal = EventReader.TryRead(sent, _owner, out _)!;
        Assert.Equal((RefusalReason.UndeclaredProperty, "writes[0].name"), (refusal.Reason, refusal.Path));
    }

    private static Event New() => new() { EventId = "e", ObjectType = "contact", RecordId = "ada" };

    private static void Write(Event sent, string name, Value? value) => sent.Writes.Add(new PropertyValue { Name = name, Value = value });

    private void Undeclared(TenantSettings.Types.Undeclared undeclared) => _owner.UpdateSettings(new TenantSettings { Undeclared = undeclared });
}
