using System.Collections.Frozen;
using System.Collections.Immutable;
using Roster.Core.Values;

namespace Roster.Core.Schema;

/// <summary>
/// Object types, properties, event types and settings of a tenant. Immutable: a change gives a new schema. Numbers given to
/// names never change and are never reused, because states and journals hold the numbers.
/// </summary>
public sealed class TenantSchema
{
    /// <summary>Most properties of one object type.</summary>
    public const int PropertiesMax = 1_000;

    /// <summary>Most event types of a tenant.</summary>
    public const int EventTypesMax = 1_000;

    /// <summary>Most object types of a tenant.</summary>
    public const int ObjectTypesMax = 1_000;

    private readonly FrozenDictionary<string, ObjectTypeDefinition> _typesByName;
    private readonly ImmutableArray<ObjectTypeDefinition> _types;
    private readonly FrozenDictionary<string, int> _eventTypes;
    private readonly ImmutableArray<string> _eventTypeNames;

    /// <summary>Most labels of associations of a tenant.</summary>
    public const int LabelsMax = 1_000;

    /// <summary>Creates a schema from stored parts. Types, event types and labels are in the order of their numbers, from 1.</summary>
    public TenantSchema(
        TenantSettings settings, ImmutableArray<ObjectTypeDefinition> types, ImmutableArray<string> eventTypeNames, ImmutableArray<string> labels = default)
    {
        Labels = labels.IsDefault ? [] : labels;
        SensitiveNames = types.SelectMany(t => t.Properties).Where(p => p.IsSensitive).Select(p => p.Name).ToFrozenSet(StringComparer.Ordinal);
        Settings = settings;
        _types = types;
        _typesByName = types.ToFrozenDictionary(t => t.Name, StringComparer.Ordinal);
        _eventTypeNames = eventTypeNames;
        _eventTypes = eventTypeNames.Select((name, index) => (name, index)).ToFrozenDictionary(e => e.name, e => e.index + 1, StringComparer.Ordinal);
    }

    /// <summary>Names of properties that are sensitive in some object type (PRV-01).</summary>
    public FrozenSet<string> SensitiveNames { get; }

    /// <summary>The settings.</summary>
    public TenantSettings Settings { get; }

    /// <summary>Object types in the order of their numbers.</summary>
    public ImmutableArray<ObjectTypeDefinition> ObjectTypes => _types;

    /// <summary>Event types in the order of their numbers, from 1.</summary>
    public ImmutableArray<string> EventTypes => _eventTypeNames;

    /// <summary>Labels of associations in the order of their numbers, from 1. Number 0 is no label.</summary>
    public ImmutableArray<string> Labels { get; }

    /// <summary>Number of a label, or -1 when it was never seen; 0 for the empty one.</summary>
    public int FindLabel(string name) => string.IsNullOrEmpty(name) ? 0 : Labels.IndexOf(name) is var index && index >= 0 ? index + 1 : -1;

    /// <summary>Name of a label; empty for 0.</summary>
    public string LabelName(int number) => number == 0 ? string.Empty : Labels[number - 1];

    /// <summary>This schema with one more label; itself when it has it.</summary>
    public TenantSchema WithLabel(string name) => FindLabel(name) >= 0 ? this : new TenantSchema(Settings, _types, _eventTypeNames, Labels.Add(name));

    /// <summary>The schema of a new tenant: the object types of CRMs, without properties.</summary>
    public static TenantSchema New(TenantSettings settings)
    {
        var types = StandardObjectTypes.Names
            .Select((name, index) => new ObjectTypeDefinition(index + 1, name, []))
            .ToImmutableArray();
        return new TenantSchema(settings, types, [StandardEventTypes.PropertyChanged]);
    }

    /// <summary>The object type of that name or HubSpot id (<c>0-1</c>), or null.</summary>
    public ObjectTypeDefinition? FindObjectType(string name) =>
        _typesByName.GetValueOrDefault(name) ?? _typesByName.GetValueOrDefault(StandardObjectTypes.FromHubSpotId(name));

    /// <summary>The object type of that number.</summary>
    public ObjectTypeDefinition ObjectType(int number) => _types[number - 1];

    /// <summary>Number of an event type, or 0 when it was never seen.</summary>
    public int FindEventType(string name) => _eventTypes.GetValueOrDefault(name);

    /// <summary>Name of an event type.</summary>
    public string EventTypeName(int number) => _eventTypeNames[number - 1];

    /// <summary>This schema with other settings.</summary>
    public TenantSchema WithSettings(TenantSettings settings) => new(settings, _types, _eventTypeNames, Labels);

    /// <summary>This schema with one more object type; itself when it has it.</summary>
    public TenantSchema WithObjectType(string name) => FindObjectType(name) is not null
        ? this
        : new TenantSchema(Settings, _types.Add(new ObjectTypeDefinition(_types.Length + 1, name, [])), _eventTypeNames, Labels);

    /// <summary>This schema with one more event type; itself when it has it.</summary>
    public TenantSchema WithEventType(string name) =>
        FindEventType(name) != 0 ? this : new TenantSchema(Settings, _types, _eventTypeNames.Add(name), Labels);

    /// <summary>This schema with a property declared, or with more options of an enumeration, or marked as sensitive or not; null leaves the mark (PRV-01).</summary>
    /// <exception cref="InvalidOperationException">The property has another type (REC-18): ask <see cref="FindObjectType"/> first.</exception>
    public TenantSchema WithProperty(ObjectTypeDefinition type, string name, PropertyType propertyType, IEnumerable<string> options, bool? isSensitive = null)
    {
        ArgumentNullException.ThrowIfNull(type);
        var present = type.Find(name);
        if (present is not null && present.Type != propertyType)
        {
            throw new InvalidOperationException($"Property '{name}' of {type.Name} is of type {present.Type}, not {propertyType}; a type never changes (REC-18).");
        }

        var changed = new PropertyDefinition(
            present?.Number ?? type.PropertyNumbersEnd, name, propertyType, options.Concat(present?.Options ?? []), isSensitive ?? present?.IsSensitive == true);
        var properties = type.Properties.Where(p => p.Name != name).Append(changed).ToArray();
        return new TenantSchema(Settings, _types.SetItem(type.Number - 1, new ObjectTypeDefinition(type.Number, type.Name, properties)), _eventTypeNames, Labels);
    }
}
