using System.Globalization;
using Roster.V1;

namespace Roster.Import.Internal;

/// <summary>
/// Which properties and lists the definitions name. What a filter compares says the type of a property. Where none does, the values that steps write and
/// branches name say it, when all are numbers, or all true or false; else it is a text.
/// </summary>
internal sealed class SchemaGuess
{
    private readonly SortedDictionary<string, SortedDictionary<string, Guess>> _types = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _lists = new(StringComparer.Ordinal);

    private sealed class Guess
    {
        public PropertyType.Types.Kind Kind { get; set; }

        public SortedSet<string> Values { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>A property is named, with the type it is compared as; the first that says one counts.</summary>
    public void Property(string objectType, string name, PropertyType.Types.Kind kind = PropertyType.Types.Kind.Unspecified, params IEnumerable<string> values)
    {
        if (objectType.Length == 0 || name.Length == 0)
        {
            return;
        }

        if (!_types.TryGetValue(objectType, out var properties))
        {
            _types[objectType] = properties = new(StringComparer.Ordinal);
        }

        if (!properties.TryGetValue(name, out var guess))
        {
            properties[name] = guess = new Guess();
        }

        guess.Kind = guess.Kind == PropertyType.Types.Kind.Unspecified ? kind : guess.Kind;
        guess.Values.UnionWith(values.SelectMany(value => value.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
    }

    /// <summary>A list is named.</summary>
    public void List(string id, string objectType)
    {
        if (id.Length > 0)
        {
            _lists.TryAdd(id, objectType);
        }
    }

    public Tenant ToTenant()
    {
        var tenant = new Tenant();
        foreach (var (name, properties) in _types)
        {
            tenant.ObjectTypes.Add(new ObjectType { Name = name, Properties = { properties.Select(property => Define(property.Key, property.Value)) } });
        }

        return tenant;
    }

    public IReadOnlyList<List> ToLists() =>
        [.. _lists.Select(list => new List { Id = list.Key, DisplayName = $"HubSpot list {list.Key}", ObjectType = list.Value })];

    private static PropertyDefinition Define(string name, Guess guess)
    {
        var definition = new PropertyDefinition { Name = name, Type = guess.Kind == PropertyType.Types.Kind.Unspecified ? KindOf(guess.Values) : guess.Kind };
        if (definition.Type == PropertyType.Types.Kind.Enumeration)
        {
            definition.Options.AddRange(guess.Values);
        }

        return definition;
    }

    private static PropertyType.Types.Kind KindOf(SortedSet<string> values) => values switch
    {
        { Count: 0 } => PropertyType.Types.Kind.String,
        _ when values.All(value => value is "true" or "false") => PropertyType.Types.Kind.Bool,
        _ when values.All(IsNumber) => PropertyType.Types.Kind.Number,
        _ => PropertyType.Types.Kind.String,
    };

    /// <summary>What begins with a zero, such as a code of an area, is a text.</summary>
    private static bool IsNumber(string value) =>
        decimal.TryParse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _)
        && !(value.Length > 1 && value[0] == '0' && value[1] != '.');
}
