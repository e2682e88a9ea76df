using System.Text;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Engine.Catalog;
using Roster.Protocol.Mapping;
using ConsentChange = Roster.V1.ConsentChange;
using ConsentStatus = Roster.V1.ConsentStatus;
using Event = Roster.V1.Event;
using PropertyDefinition = Roster.Core.Schema.PropertyDefinition;
using PropertyType = Roster.Core.Values.PropertyType;
using PropertyValue = Roster.V1.PropertyValue;
using Value = Roster.Core.Values.Value;

namespace Roster.Engine.Turns;

/// <summary>An event that is ready for its record's actor.</summary>
/// <param name="Key">The record.</param>
/// <param name="Input">The event.</param>
public readonly record struct AdmittedEvent(RecordKey Key, EventInput Input);

/// <summary>
/// Checks events as sent against the tenant's schema (REC-03) and reads them for Core. With <c>undeclared = declare</c> it has the
/// owner declare what is new, which is durable before the event goes on. An event is refused whole or taken whole.
/// </summary>
public static class EventReader
{
    private const int PropertiesMax = 250;
    private const int AssociationsMax = 100;

    /// <summary>Reads one event.</summary>
    /// <returns>Null when it is fine.</returns>
    public static Refusal? TryRead(Event sent, TenantOwner owner, out AdmittedEvent admitted)
    {
        ArgumentNullException.ThrowIfNull(sent);
        ArgumentNullException.ThrowIfNull(owner);
        admitted = default;
        var refusal = CheckIds(sent);
        if (refusal is not null)
        {
            return refusal;
        }

        var schema = owner.Catalog.Schema;
        var type = schema.FindObjectType(sent.ObjectType);
        if (type is null)
        {
            refusal = DeclareType(sent.ObjectType, owner, ref schema, out type);
        }

        var eventType = 0;
        refusal ??= ReadEventType(sent.Type, owner, ref schema, out eventType);
        if (refusal is not null)
        {
            return refusal;
        }

        if (!ValueMapping.TryRead(sent.OccurredAt, out var occurredAt))
        {
            return Invalid("occurred_at", $"{sent.OccurredAt.Seconds}", "occurred_at lies in the years 1 to 9999.");
        }

        PropertyWrite[] writes = [];
        refusal = ReadProperties(sent.Properties, out var properties)
            ?? ReadWrites(sent.Writes, type!, owner, out writes)
            ?? ReadConsents(sent.Consents, type!, owner, ref writes);
        AssociationWrite[] associations = [];
        refusal ??= ReadAssociations(sent, type!, owner, out associations);
        if (refusal is null)
        {
            admitted = new AdmittedEvent(
                new RecordKey(owner.Number, type!.Number, sent.RecordId),
                new EventInput(sent.EventId, eventType, occurredAt, sent.Source, properties, writes, sent.Baseline) { Associations = associations });
        }

        return refusal;
    }

    private static Refusal? ReadAssociations(Event sent, ObjectTypeDefinition type, TenantOwner owner, out AssociationWrite[] associations)
    {
        associations = sent.Associations.Count == 0 ? [] : new AssociationWrite[Math.Min(sent.Associations.Count, AssociationsMax)];
        if (sent.Associations.Count > AssociationsMax)
        {
            return Invalid("associations", $"{sent.Associations.Count}", $"An event changes at most {AssociationsMax} links.");
        }

        for (var i = 0; i < sent.Associations.Count; i++)
        {
            if (ReadAssociation(sent.Associations[i], $"associations[{i}]", owner, out associations[i]) is { } refusal)
            {
                return refusal;
            }

            var link = associations[i];
            if (link.ObjectType == type.Number && link.Id == sent.RecordId)
            {
                return Invalid($"associations[{i}].record_id", sent.RecordId, "A record is not linked to itself.");
            }

            for (var j = 0; j < i; j++)
            {
                if (associations[j].ObjectType == link.ObjectType && associations[j].Id == link.Id && associations[j].Label == link.Label)
                {
                    return Invalid($"associations[{i}]", link.Id, "The same link and label is changed twice.");
                }
            }
        }

        return null;
    }

    private static Refusal? ReadAssociation(V1.AssociationChange sent, string path, TenantOwner owner, out AssociationWrite association)
    {
        association = default;
        var schema = owner.Catalog.Schema;
        var type = schema.FindObjectType(sent.ObjectType);
        if (type is null && DeclareType(sent.ObjectType, owner, ref schema, out type) is { } undeclared)
        {
            return undeclared with { Path = $"{path}.object_type" };
        }

        if (CheckRecordId(sent.RecordId) is { } bad)
        {
            return bad with { Path = $"{path}.record_id" };
        }

        var label = schema.FindLabel(sent.Label);
        if (label < 0 && !sent.Remove)
        {
            if (!Names.IsName(sent.Label))
            {
                return Invalid($"{path}.label", sent.Label, "A label has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
            }

            label = owner.ChangeSchema(s => s.Labels.Length < TenantSchema.LabelsMax ? s.WithLabel(sent.Label) : s).FindLabel(sent.Label);
            if (label < 0)
            {
                return new Refusal(RefusalReason.LimitReached, $"{path}.label", sent.Label, $"The tenant has {TenantSchema.LabelsMax} labels already.");
            }
        }

        // A label that nobody ever used: taking it away changes nothing.
        association = new AssociationWrite(type!.Number, sent.RecordId, label < 0 ? int.MaxValue : label, sent.Remove);
        return null;
    }

    /// <summary>Consent is a property of the record with a name of its own; it is declared by its first use (FIL-34).</summary>
    private static Refusal? ReadConsents(IReadOnlyList<ConsentChange> sent, ObjectTypeDefinition type, TenantOwner owner, ref PropertyWrite[] writes)
    {
        if (sent.Count == 0)
        {
            return null;
        }

        if (sent.Count > 100)
        {
            return Invalid("consents", $"{sent.Count}", "An event has at most 100 changes of consent.");
        }

        var all = new List<PropertyWrite>(writes);
        for (var i = 0; i < sent.Count; i++)
        {
            var name = Consents.PropertyOf(sent[i].Subscription);
            if (sent[i].Subscription.Length == 0 || !Names.IsName(name) || !Enum.IsDefined(sent[i].Status))
            {
                return Invalid($"consents[{i}].subscription", sent[i].Subscription, "A consent has a subscription of 1 to 92 characters of a-z, 0-9, _, - and '.', and a state.");
            }

            var property = type.Find(name) ?? DeclareConsent(name, type, owner);
            if (property is not { Type: PropertyType.String } || all.Exists(w => w.Property.Number == property.Number))
            {
                return Invalid($"consents[{i}].subscription", sent[i].Subscription, $"'{name}' is written twice, is of another type, or the object type has {TenantSchema.PropertiesMax} properties already.");
            }

            all.Add(new PropertyWrite(property, sent[i].Status == ConsentStatus.Types.Status.Unspecified ? Value.Unknown : Value.OfText(JournalMapping.ApiName(sent[i].Status.ToString()))));
        }

        writes = [.. all];
        return null;
    }

    private static PropertyDefinition? DeclareConsent(string name, ObjectTypeDefinition type, TenantOwner owner) => owner.ChangeSchema(schema =>
    {
        var present = schema.ObjectType(type.Number);
        return present.Find(name) is null && present.PropertyCount < TenantSchema.PropertiesMax ? schema.WithProperty(present, name, PropertyType.String, []) : schema;
    }).ObjectType(type.Number).Find(name);

    /// <summary>Checks a reference to a record and makes its key.</summary>
    public static Refusal? TryRead(V1.RecordRef? reference, TenantOwner owner, out RecordKey key)
    {
        ArgumentNullException.ThrowIfNull(owner);
        key = default;
        if (reference is null)
        {
            return Missing("ref");
        }

        var schema = owner.Catalog.Schema;
        var type = schema.FindObjectType(reference.ObjectType);
        var refusal = CheckRecordId(reference.RecordId) ?? (type is null ? DeclareType(reference.ObjectType, owner, ref schema, out type) : null);
        if (refusal is null)
        {
            key = new RecordKey(owner.Number, type!.Number, reference.RecordId);
        }

        return refusal;
    }

    private static Refusal? CheckIds(Event sent)
    {
        if (sent.EventId.Length == 0)
        {
            return Missing("event_id");
        }

        if (sent.EventId.Length > 128 || Encoding.UTF8.GetByteCount(sent.EventId) > 128)
        {
            return Invalid("event_id", sent.EventId, "event_id has at most 128 bytes.");
        }

        if (sent.ObjectType.Length == 0)
        {
            return Missing("object_type");
        }

        if (sent.Source.Length > 100 || Encoding.UTF8.GetByteCount(sent.Source) > 100)
        {
            return Invalid("source", sent.Source, "source has at most 100 bytes.");
        }

        return CheckRecordId(sent.RecordId);
    }

    private static Refusal? CheckRecordId(string id)
    {
        if (id.Length == 0)
        {
            return Missing("record_id");
        }

        return id.Length > RecordKey.IdBytesMax || Encoding.UTF8.GetByteCount(id) > RecordKey.IdBytesMax
            ? Invalid("record_id", id, $"record_id has at most {RecordKey.IdBytesMax} bytes.")
            : null;
    }

    private static Refusal? DeclareType(string name, TenantOwner owner, ref TenantSchema schema, out ObjectTypeDefinition? type)
    {
        type = null;
        if (!schema.Settings.DeclareUndeclared || !Names.IsId(name) || name.Length > 50)
        {
            return new Refusal(RefusalReason.UndeclaredObjectType, "object_type", Refusal.Cut(name), $"Object type '{Refusal.Cut(name)}' is not declared.", "undeclared");
        }

        owner.DeclareObjectType(name);
        schema = owner.Catalog.Schema;
        type = schema.FindObjectType(name);
        return null;
    }

    /// <summary>An event type is known from its first use on; only its name is checked.</summary>
    private static Refusal? ReadEventType(string name, TenantOwner owner, ref TenantSchema schema, out int number)
    {
        number = name.Length == 0 ? 1 : schema.FindEventType(name);
        if (number != 0)
        {
            return null;
        }

        if (!Names.IsName(name))
        {
            return Invalid("type", name, "An event type has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        if (schema.EventTypes.Length >= TenantSchema.EventTypesMax)
        {
            return new Refusal(RefusalReason.LimitReached, "type", name, $"The tenant has {TenantSchema.EventTypesMax} event types already.");
        }

        schema = owner.ChangeSchema(s => s.WithEventType(name));
        number = schema.FindEventType(name);
        return null;
    }

    private static Refusal? ReadProperties(IReadOnlyList<PropertyValue> sent, out NamedValue[] properties)
    {
        properties = sent.Count == 0 ? [] : new NamedValue[Math.Min(sent.Count, PropertiesMax)];
        if (sent.Count > PropertiesMax)
        {
            return Invalid("properties", $"{sent.Count}", $"An event has at most {PropertiesMax} properties.");
        }

        for (var i = 0; i < sent.Count; i++)
        {
            if (sent[i].Name.Length is 0 or > Names.LengthMax)
            {
                return Invalid($"properties[{i}].name", sent[i].Name, "A property name has 1 to 100 characters.");
            }

            if (ValueMapping.TryRead(sent[i].Value, out var value) is { } problem)
            {
                return Invalid($"properties[{i}].value", Text(sent[i].Value), problem);
            }

            properties[i] = new NamedValue(sent[i].Name, value);
        }

        return null;
    }

    private static Refusal? ReadWrites(IReadOnlyList<PropertyValue> sent, ObjectTypeDefinition type, TenantOwner owner, out PropertyWrite[] writes)
    {
        writes = sent.Count == 0 ? [] : new PropertyWrite[Math.Min(sent.Count, PropertiesMax)];
        if (sent.Count > PropertiesMax)
        {
            return Invalid("writes", $"{sent.Count}", $"An event has at most {PropertiesMax} writes.");
        }

        var undeclared = 0;
        for (var i = 0; i < sent.Count; i++)
        {
            var refusal = ReadWrite(sent[i], i, type, owner, ref undeclared, out writes[i]);
            if (refusal is not null)
            {
                return refusal;
            }

            for (var j = 0; j < i; j++)
            {
                if (sent[j].Name == sent[i].Name)
                {
                    return Invalid($"writes[{i}].name", sent[i].Name, $"Property '{sent[i].Name}' is written twice.");
                }
            }
        }

        return undeclared == 0 ? null : Declare(sent, type, owner, writes);
    }

    /// <summary>Nothing else is wrong with the event: what is new in it is declared, all at once.</summary>
    private static Refusal? Declare(IReadOnlyList<PropertyValue> sent, ObjectTypeDefinition type, TenantOwner owner, PropertyWrite[] writes)
    {
        var declared = owner.ChangeSchema(schema =>
        {
            for (var i = 0; i < writes.Length; i++)
            {
                var present = schema.ObjectType(type.Number);
                var value = writes[i].Value;
                schema = present.Find(sent[i].Name) is not null
                    ? schema
                    : schema.WithProperty(present, sent[i].Name, value.Type, value.Type == PropertyType.Enumeration ? value.Options.ToArray() : []);
            }

            return schema;
        }).ObjectType(type.Number);
        for (var i = 0; i < writes.Length; i++)
        {
            // Another event may have declared it meanwhile, with another type.
            if (Fit(declared.Find(sent[i].Name)!, writes[i].Value, i, declared, out writes[i]) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private static Refusal? ReadWrite(PropertyValue sent, int index, ObjectTypeDefinition type, TenantOwner owner, ref int undeclared, out PropertyWrite write)
    {
        write = default;
        if (ValueMapping.TryRead(sent.Value, out var value) is { } problem)
        {
            return new Refusal(RefusalReason.WrongType, $"writes[{index}].value", Refusal.Cut(Text(sent.Value)), problem);
        }

        if (type.Find(sent.Name) is { } property)
        {
            return Fit(property, value, index, type, out write);
        }

        var refusal = CheckDeclarable(sent.Name, index, value, type, owner, undeclared);
        if (refusal is null)
        {
            undeclared++;
            write = new PropertyWrite(null!, value);
        }

        return refusal;
    }

    private static Refusal? Fit(PropertyDefinition property, in Value value, int index, ObjectTypeDefinition type, out PropertyWrite write)
    {
        write = default;
        switch (property.Fit(value, out var fitted))
        {
            case RefusalReason.None:
                write = new PropertyWrite(property, fitted);
                return null;
            case RefusalReason.UndeclaredOption:
                return new Refusal(RefusalReason.UndeclaredOption, $"writes[{index}].value", Refusal.Cut(value.ToString()), $"'{Refusal.Cut(value.ToString())}' is no declared option of '{property.Name}'.");
            default:
                return new Refusal(
                    RefusalReason.WrongType, $"writes[{index}].value", Refusal.Cut(value.ToString()), $"Property '{property.Name}' of {type.Name} is of type {property.Type}; the value is of type {value.Type}.");
        }
    }

    private static Refusal? CheckDeclarable(string name, int index, Value first, ObjectTypeDefinition type, TenantOwner owner, int undeclared)
    {
        if (!owner.Catalog.Schema.Settings.DeclareUndeclared)
        {
            return new Refusal(
                RefusalReason.UndeclaredProperty, $"writes[{index}].name", Refusal.Cut(name), $"Property '{Refusal.Cut(name)}' of {type.Name} is not declared.", "undeclared");
        }

        if (!Names.IsName(name))
        {
            return Invalid($"writes[{index}].name", name, "A property has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        if (first.IsUnknown)
        {
            return new Refusal(RefusalReason.UndeclaredProperty, $"writes[{index}].name", Refusal.Cut(name), $"Property '{Refusal.Cut(name)}' is not declared, and a clear does not tell its type.");
        }

        if (owner.Catalog.Schema.ObjectType(type.Number).PropertyCount + undeclared >= TenantSchema.PropertiesMax)
        {
            return new Refusal(RefusalReason.LimitReached, $"writes[{index}].name", Refusal.Cut(name), $"Object type {type.Name} has {TenantSchema.PropertiesMax} properties already.");
        }

        return null;
    }

    private static string Text(V1.Value? value) => value?.KindCase switch
    {
        V1.Value.KindOneofCase.Text => value.Text,
        V1.Value.KindOneofCase.Number => value.Number,
        V1.Value.KindOneofCase.Date => value.Date,
        V1.Value.KindOneofCase.Datetime => $"{value.Datetime.Seconds}",
        null => string.Empty,
        _ => value.ToString(),
    };

    private static Refusal Missing(string path) => new(RefusalReason.MissingField, path, string.Empty, $"{path} is required.");

    private static Refusal Invalid(string path, string value, string message) => new(RefusalReason.InvalidField, path, Refusal.Cut(value), message);
}
