using System.Text;
using NodaTime;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <summary>What a value may be read from.</summary>
internal readonly record struct ValueContext(RecordState State, int Enrollment, NamedValue[]? EventProperties, Timestamp Now, DateTimeZone Zone);

/// <summary>Where a value comes from (ACT-06), ready to be read.</summary>
internal abstract record CompiledValue
{
    /// <summary>Reads it; unknown when there is none.</summary>
    public abstract Value Read(in ValueContext context);
}

internal sealed record PropertyValueSource(PropertyDefinition Property) : CompiledValue
{
    public override Value Read(in ValueContext context) =>
        context.State.TryGetProperty(Property.Number, isBefore: false, out var view) ? view.Value : Value.Unknown;
}

internal sealed record OutputValueSource(int Step, string Name) : CompiledValue
{
    public override Value Read(in ValueContext context) => context.State.FindOutput(context.Enrollment, Step, Name);
}

internal sealed record EventValueSource(string Name) : CompiledValue
{
    public override Value Read(in ValueContext context) => NamedValues.Find(context.EventProperties, Name);
}

/// <summary>The turn time plus days, as an instant.</summary>
internal sealed record NowValueSource(int OffsetDays) : CompiledValue
{
    public override Value Read(in ValueContext context)
    {
        var local = Calendars.LocalTimes.Of(context.Now, context.Zone).PlusDays(OffsetDays);
        return Value.OfDateTime(OffsetDays == 0 ? context.Now : Calendars.LocalTimes.At(local, context.Zone));
    }
}

/// <summary>A text with tokens: an unknown token gives its default, else nothing (ACT-07).</summary>
internal sealed record TextValueSource(IReadOnlyList<TextPart> Parts) : CompiledValue
{
    public override Value Read(in ValueContext context) => Value.OfText(Write(context));

    /// <summary>The text. With <paramref name="escape"/> what stands for tokens is escaped, and literals are not.</summary>
    public string Write(in ValueContext context, Func<string, string>? escape = null)
    {
        var text = new StringBuilder();
        foreach (var part in Parts)
        {
            text.Append(part.Source is not null && escape is not null ? escape(part.Write(context)) : part.Write(context));
        }

        return text.ToString();
    }
}

/// <summary>A literal, or a token with its default and its format.</summary>
internal sealed record TextPart(string Text, CompiledValue? Source, TokenFormat? Format = null)
{
    public string Write(in ValueContext context)
    {
        var value = Source?.Read(context) ?? Value.Unknown;
        return value.IsUnknown ? Text : Format?.Write(value, context.Zone) ?? value.ToString();
    }
}
