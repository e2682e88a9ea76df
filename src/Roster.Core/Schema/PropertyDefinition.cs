using System.Collections.Frozen;
using Roster.Core.Values;

namespace Roster.Core.Schema;

/// <summary>A declared property of an object type.</summary>
public sealed class PropertyDefinition
{
    private readonly FrozenSet<string> _options;

    /// <summary>Creates a definition.</summary>
    /// <param name="number">Stands for the property in states and journals; never reused.</param>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its type; never changes (REC-18).</param>
    /// <param name="options">For enumerations: the declared options.</param>
    /// <param name="isSensitive">Whether its values are for some only (PRV-01).</param>
    public PropertyDefinition(int number, string name, PropertyType type, IEnumerable<string> options, bool isSensitive = false)
    {
        IsSensitive = isSensitive;
        Number = number;
        Name = name;
        Type = type;
        _options = options.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Stands for the property in states and journals.</summary>
    public int Number { get; }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its type.</summary>
    public PropertyType Type { get; }

    /// <summary>Whether its values are for those only who have the right to see them (PRV-01). It changes nothing of what is decided.</summary>
    public bool IsSensitive { get; }

    /// <summary>Declared options, sorted.</summary>
    public IEnumerable<string> Options => _options.Order(StringComparer.Ordinal);

    /// <summary>Whether an option is declared.</summary>
    public bool HasOption(string option) => _options.Contains(option);

    /// <summary>
    /// Makes a value as sent into one of this property's type (REC-03). A text is taken as one option of an enumeration;
    /// nothing else is converted.
    /// </summary>
    /// <returns><see cref="RefusalReason.None"/>, <see cref="RefusalReason.WrongType"/> or <see cref="RefusalReason.UndeclaredOption"/>.</returns>
    public RefusalReason Fit(in Value sent, out Value fitted)
    {
        fitted = sent;
        if (sent.IsUnknown)
        {
            return RefusalReason.None;
        }

        if (Type == PropertyType.Enumeration && sent.Type == PropertyType.String)
        {
            fitted = Value.OfOptions(sent.Text);
        }

        if (fitted.Type != Type)
        {
            return RefusalReason.WrongType;
        }

        if (Type == PropertyType.Enumeration)
        {
            foreach (var option in fitted.Options)
            {
                if (!_options.Contains(option))
                {
                    return RefusalReason.UndeclaredOption;
                }
            }
        }

        return RefusalReason.None;
    }
}
