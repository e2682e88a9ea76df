using Roster.Core.Packing;
using Roster.Core.Values;

namespace Roster.Core.Records;

/// <summary>A property of a state, decoded only as far as it is asked for. Valid until the state changes.</summary>
public readonly ref struct PropertyView
{
    internal const int NumberField = 1;
    internal const int ValueField = 2;
    internal const int OccurredField = 3;
    internal const int UpdatedField = 4;
    internal const int SourceField = 5;

    private readonly ReadOnlySpan<byte> _packed;

    internal PropertyView(int number, ReadOnlySpan<byte> packed)
    {
        Number = number;
        _packed = packed;
    }

    /// <summary>Number of the property.</summary>
    public int Number { get; }

    /// <summary>Packed form of the value; empty when unknown.</summary>
    public ReadOnlySpan<byte> PackedValue => Find(ValueField, out var reader) ? reader.Bytes() : default;

    /// <summary>The value.</summary>
    public Value Value => Value.Unpack(PackedValue);

    /// <summary>Whether there is no value.</summary>
    public bool IsUnknown => PackedValue.IsEmpty;

    /// <summary><c>occurred_at</c> of the newest write (REC-04).</summary>
    public Timestamp OccurredAt => TimeOf(OccurredField);

    /// <summary><c>occurred_at</c> of the last write that changed the value.</summary>
    public Timestamp UpdatedAt => TimeOf(UpdatedField);

    /// <summary>Source of the newest write.</summary>
    public string Source => Find(SourceField, out var reader) ? reader.Text() : string.Empty;

    private Timestamp TimeOf(int wanted) => Find(wanted, out var reader) ? reader.Time() : Timestamp.None;

    private bool Find(int wanted, out PackedReader reader)
    {
        reader = new PackedReader(_packed);
        while (reader.Next(out var number))
        {
            if (number == wanted)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }
}
