using Roster.V1;

namespace Roster.Server.Ingest;

/// <summary>
/// How large events are. The exact encoded size walks every character, and this is the hot path; so an upper bound from the
/// lengths of the texts decides in nearly all cases, and only an event that may be too large is measured.
/// </summary>
internal static class EventSize
{
    // Tags, lengths and numbers: generous for every field outside of texts.
    private const int EventOverhead = 64;
    private const int PropertyOverhead = 24;

    // A UTF-16 unit takes at most three bytes in UTF-8 (a pair takes four for two).
    private const int BytesPerChar = 3;

    /// <summary>An upper bound of the encoded size.</summary>
    public static long Bound(Event item)
    {
        long chars = item.EventId.Length + item.ObjectType.Length + item.RecordId.Length + item.Type.Length + item.Source.Length;
        for (var i = 0; i < item.Associations.Count; i++)
        {
            var link = item.Associations[i];
            chars += PropertyOverhead + link.ObjectType.Length + link.RecordId.Length + link.Label.Length;
        }

        for (var i = 0; i < item.Consents.Count; i++)
        {
            chars += PropertyOverhead + item.Consents[i].Subscription.Length;
        }

        return EventOverhead + chars * BytesPerChar + Bound(item.Properties) + Bound(item.Writes);
    }

    /// <summary>A rough size, for credit: as if every character were one byte.</summary>
    public static long Rough(long bound) => bound / 2;

    private static long Bound(Google.Protobuf.Collections.RepeatedField<PropertyValue> values)
    {
        long bytes = 0;
        for (var i = 0; i < values.Count; i++)
        {
            var property = values[i];
            bytes += PropertyOverhead + (long)property.Name.Length * BytesPerChar;
            if (property.Value is { } value)
            {
                bytes += Bound(value);
            }
        }

        return bytes;
    }

    private static long Bound(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.Text => (long)value.Text.Length * BytesPerChar,
        Value.KindOneofCase.Number => (long)value.Number.Length * BytesPerChar,
        Value.KindOneofCase.Date => (long)value.Date.Length * BytesPerChar,
        Value.KindOneofCase.Options => value.Options.CalculateSize(),
        _ => 0,
    };
}
