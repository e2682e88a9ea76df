using System.Collections.Frozen;

namespace Roster.Core.Schema;

/// <summary>A kind of records with its properties. Immutable.</summary>
public sealed class ObjectTypeDefinition
{
    private readonly FrozenDictionary<string, PropertyDefinition> _byName;
    private readonly PropertyDefinition?[] _byNumber;

    /// <summary>Creates a definition.</summary>
    public ObjectTypeDefinition(int number, string name, IReadOnlyCollection<PropertyDefinition> properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        Number = number;
        Name = name;
        _byName = properties.ToFrozenDictionary(p => p.Name, StringComparer.Ordinal);
        _byNumber = new PropertyDefinition?[properties.Count == 0 ? 0 : properties.Max(p => p.Number) + 1];
        foreach (var property in properties)
        {
            _byNumber[property.Number] = property;
        }
    }

    /// <summary>Stands for the type in keys, states and journals; per tenant, never reused.</summary>
    public int Number { get; }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its properties, by name.</summary>
    public IEnumerable<PropertyDefinition> Properties => _byName.Values.OrderBy(p => p.Name, StringComparer.Ordinal);

    /// <summary>Number of its properties.</summary>
    public int PropertyCount => _byName.Count;

    /// <summary>One more than the highest property number.</summary>
    public int PropertyNumbersEnd => Math.Max(1, _byNumber.Length);

    /// <summary>The property of that name, or null.</summary>
    public PropertyDefinition? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The property of that number, or null.</summary>
    public PropertyDefinition? Find(int number) => (uint)number < (uint)_byNumber.Length ? _byNumber[number] : null;
}
