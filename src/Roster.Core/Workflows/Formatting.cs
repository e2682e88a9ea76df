using System.Globalization;
using NodaTime;
using NodaTime.Text;
using Roster.Core.Calendars;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <summary>Pure functions on text, numbers and dates (ACT-64).</summary>
internal static class Formatting
{
    /// <summary>Runs functions one after another; false when one fails: the value is unknown or of the wrong type, or the result too large.</summary>
    public static bool TryRun(Value value, IEnumerable<FormatCallDefinition> calls, DateTimeZone zone, out Value result)
    {
        result = value;
        foreach (var call in calls)
        {
            try
            {
                if (Run(result, call, zone) is not { } next || (next.Type == PropertyType.Number && !Value.TryParseNumber(next.ToString(), out _)))
                {
                    return false;
                }

                result = next;
            }
            catch (Exception failure) when (failure is OverflowException or ArgumentException or FormatException)
            {
                return false;
            }
        }

        return true;
    }

    private static Value? Run(in Value value, FormatCallDefinition call, DateTimeZone zone) => call.Function switch
    {
        FormatFunction.Upper when value.Type == PropertyType.String => Value.OfText(value.Text.ToUpperInvariant()),
        FormatFunction.Lower when value.Type == PropertyType.String => Value.OfText(value.Text.ToLowerInvariant()),
        FormatFunction.Trim when value.Type == PropertyType.String => Value.OfText(value.Text.Trim()),
        FormatFunction.TitleCase when value.Type == PropertyType.String => Value.OfText(CultureInfo.InvariantCulture.TextInfo.ToTitleCase(value.Text.ToLowerInvariant())),
        FormatFunction.Concat when !value.IsUnknown => Value.OfText(value + call.Argument),
        FormatFunction.Add when Number(value) is { } number => Value.OfNumber(number + Argument(call)),
        FormatFunction.Multiply when Number(value) is { } number => Value.OfNumber(number * Argument(call)),
        FormatFunction.Round when Number(value) is { } number => Value.OfNumber(Math.Round(number, (int)Argument(call), MidpointRounding.AwayFromZero)),
        FormatFunction.AddDays => AddDays(value, (int)Argument(call), zone),
        FormatFunction.FormatDate => FormatDate(value, call.Argument, zone),
        _ => null,
    };

    private static decimal Argument(FormatCallDefinition call) => decimal.Parse(call.Argument, NumberStyles.Number, CultureInfo.InvariantCulture);

    private static decimal? Number(in Value value) =>
        value.Type == PropertyType.Number ? value.Number
        : value.Type == PropertyType.String && Value.TryParse(value.Text, PropertyType.Number, out var parsed) && !parsed.IsUnknown ? parsed.Number
        : null;

    private static Value? AddDays(in Value value, int days, DateTimeZone zone) => value.Type switch
    {
        PropertyType.Date => Value.OfDate(value.Date.PlusDays(days)),
        PropertyType.DateTime => Value.OfDateTime(LocalTimes.At(LocalTimes.Of(value.DateTime, zone).PlusDays(days), zone)),
        _ => null,
    };

    private static Value? FormatDate(in Value value, string pattern, DateTimeZone zone) => value.Type switch
    {
        PropertyType.Date => Value.OfText(LocalDatePattern.CreateWithInvariantCulture(pattern).Format(value.Date)),
        PropertyType.DateTime => Value.OfText(LocalDateTimePattern.CreateWithInvariantCulture(pattern).Format(LocalTimes.Of(value.DateTime, zone))),
        _ => null,
    };
}
