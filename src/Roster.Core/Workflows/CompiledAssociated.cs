using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <summary>Names one associated record for tokens and actions (ASC-06).</summary>
/// <param name="Name">Its name in the workflow.</param>
/// <param name="ObjectType">Type of the associated record.</param>
/// <param name="Label">Number of the label, <see cref="RecordState.AnyLabel"/>, or null for one that never was.</param>
/// <param name="SortBy">The property to sort by; null for the latest associated.</param>
/// <param name="Descending">Whether the greatest value is taken.</param>
internal sealed record CompiledDataSource(string Name, ObjectTypeDefinition ObjectType, int? Label, PropertyDefinition? SortBy, bool Descending)
{
    /// <summary>
    /// The record: the least or greatest value of the property, one with a value before those without, or the newest association. At
    /// equal places the newest association, then the lowest id. Null when there is none.
    /// </summary>
    public RecordCopy? Find(RecordState state)
    {
        RecordCopy? found = null;
        var best = Value.Unknown;
        if (Label is not { } label)
        {
            return null;
        }

        // Copies are in the order of the ties, so a later one must be better to be taken.
        foreach (var copy in state.Copies)
        {
            if (copy.ObjectType != ObjectType.Number || !copy.HasLabel(label))
            {
                continue;
            }

            var value = SortBy is null ? Value.Unknown : Read(state, copy, SortBy);
            if (found is null || IsBetter(value, best))
            {
                (found, best) = (copy, value);
            }
        }

        return found;
    }

    /// <summary>A property of a copy.</summary>
    public static Value Read(RecordState state, RecordCopy copy, PropertyDefinition property)
    {
        state.CopyState.LoadCopy(copy);
        return state.CopyState.TryGetProperty(property.Number, isBefore: false, out var view) ? view.Value : Value.Unknown;
    }

    private bool IsBetter(in Value value, in Value best)
    {
        if (value.IsUnknown || best.IsUnknown)
        {
            return !value.IsUnknown;
        }

        var order = value.Type switch
        {
            PropertyType.Number => value.Number.CompareTo(best.Number),
            PropertyType.Date => value.Date.CompareTo(best.Date),
            PropertyType.DateTime => value.DateTime.CompareTo(best.DateTime),
            _ => string.CompareOrdinal(value.ToString(), best.ToString()),
        };
        return Descending ? order > 0 : order < 0;
    }
}

/// <summary>A property of the record that a data source names.</summary>
internal sealed record AssociatedValueSource(CompiledDataSource Source, PropertyDefinition Property) : CompiledValue
{
    public override Value Read(in ValueContext context) =>
        Source.Find(context.State) is { } copy ? CompiledDataSource.Read(context.State, copy, Property) : Value.Unknown;
}

/// <summary>Writes a property of the record that a data source names (ACT-20).</summary>
internal sealed record CompiledSetAssociated(
    int Number, string Id, int Order, int Next, CompiledDataSource Target, PropertyDefinition Property, SetMode Mode, Value Value, CompiledValue? From, string Source)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "set_property";
}

/// <summary>Creates a record that is linked to the enrolled one (ACT-22, ACT-24).</summary>
internal sealed record CompiledCreate(
    int Number, string Id, int Order, int Next, string KindName, ObjectTypeDefinition ObjectType, int Label, (PropertyDefinition Property, CompiledValue Value)[] Values,
    (PropertyDefinition Property, CompiledDelay Delay)? Due, string Source)
    : CompiledStep(Number, Id, Order, Next)
{
    /// <summary>Name of the output that has the id of the new record.</summary>
    public const string IdOutput = "record_id";

    public override string Kind => KindName;
}

/// <summary>Makes or takes away links (ACT-27). Without an id: all of the type and label.</summary>
internal sealed record CompiledLink(int Number, string Id, int Order, int Next, ObjectTypeDefinition ObjectType, CompiledValue? RecordId, int? Label, bool Adds)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => Adds ? "associate" : "dissociate";
}
