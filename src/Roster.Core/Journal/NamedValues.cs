using Roster.Core.Packing;
using Roster.Core.Values;

namespace Roster.Core.Journal;

/// <summary>The packed form of named values: message <c>roster.storage.v1.NamedValue</c>.</summary>
public static class NamedValues
{
    /// <summary>Writes a named value as field <paramref name="field"/>.</summary>
    public static void Pack(PackedWriter writer, int field, in NamedValue named)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var start = writer.BeginMessage(field);
        writer.Text(1, named.Name);
        if (!named.Value.IsUnknown)
        {
            var value = writer.BeginMessage(2);
            named.Value.Pack(writer);
            writer.EndMessage(value);
        }

        writer.EndMessage(start);
    }

    /// <summary>Reads a named value.</summary>
    public static NamedValue Unpack(ReadOnlySpan<byte> packed)
    {
        var name = string.Empty;
        var value = Value.Unknown;
        var reader = new PackedReader(packed);
        while (reader.Next(out var number))
        {
            switch (number)
            {
                case 1: name = reader.Text(); break;
                case 2: value = Value.Unpack(reader.Bytes()); break;
                default: reader.Skip(); break;
            }
        }

        return new NamedValue(name, value);
    }

    /// <summary>The value of a name; unknown when it is not there.</summary>
    public static Value Find(ReadOnlySpan<NamedValue> values, string name)
    {
        foreach (ref readonly var value in values)
        {
            if (string.Equals(value.Name, name, StringComparison.Ordinal))
            {
                return value.Value;
            }
        }

        return Value.Unknown;
    }
}
