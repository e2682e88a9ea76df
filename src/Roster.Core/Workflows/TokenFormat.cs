using System.Globalization;
using NodaTime;
using NodaTime.Text;
using Roster.Core.Calendars;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <summary>
/// How the value of a token is written (ACT-07). Parsed once, at publish. Texts: <c>upper</c>, <c>lower</c>, <c>title</c>, <c>trim</c>; numbers:
/// a pattern of <c>0</c>, <c>#</c>, <c>,</c>, <c>.</c> and <c>%</c>, such as <c>#,##0.00</c>; yes or no: two texts, <c>yes;no</c>; dates: a
/// pattern such as <c>dd.MM.yyyy HH:mm</c>, in the zone of the workflow. All of it is invariant: no rule depends on the culture of a machine.
/// </summary>
internal sealed class TokenFormat
{
    /// <summary>Longest format in characters.</summary>
    public const int LengthMax = 100;

    private const string NumberLetters = "0#,.% ";

    private readonly string _pattern;
    private readonly Func<string, string>? _text;
    private readonly IPattern<LocalDate>? _date;
    private readonly IPattern<LocalDateTime>? _dateTime;
    private readonly bool _isNumber;

    private TokenFormat(string pattern, Func<string, string>? text, IPattern<LocalDate>? date, IPattern<LocalDateTime>? dateTime, bool isNumber)
    {
        _pattern = pattern;
        _text = text;
        _date = date;
        _dateTime = dateTime;
        _isNumber = isNumber;
    }

    /// <summary>Reads a format for values of a type.</summary>
    /// <param name="pattern">The format; not empty.</param>
    /// <param name="type">The type; <see cref="PropertyType.None"/> when it is known at the run only, as for outputs and properties of events.</param>
    /// <returns>Null when it is no format for that type.</returns>
    public static TokenFormat? Parse(string pattern, PropertyType type)
    {
        if (pattern.Length > LengthMax)
        {
            return null;
        }

        if (TextFunction(pattern) is { } text)
        {
            return new TokenFormat(pattern, text, null, null, isNumber: false);
        }

        var isNumber = pattern.All(c => NumberLetters.Contains(c, StringComparison.Ordinal)) && pattern.AsSpan().IndexOfAny('0', '#') >= 0;
        var isTruth = pattern.Count(c => c == ';') == 1;
        var date = isNumber || isTruth ? null : PatternOf(() => LocalDatePattern.CreateWithInvariantCulture(pattern));
        var dateTime = isNumber || isTruth ? null : PatternOf(() => LocalDateTimePattern.CreateWithInvariantCulture(pattern));
        var fits = type switch
        {
            PropertyType.Number => isNumber,
            PropertyType.Bool => isTruth,
            PropertyType.Date => date is not null,
            PropertyType.DateTime => dateTime is not null,
            PropertyType.None => isNumber || isTruth || date is not null || dateTime is not null,
            _ => false,
        };
        return fits ? new TokenFormat(pattern, null, date, dateTime, isNumber) : null;
    }

    /// <summary>Writes a value. One of a type that the format is not for is written as it is.</summary>
    public string Write(in Value value, DateTimeZone zone) => value.Type switch
    {
        _ when _text is not null => _text(value.ToString()),
        PropertyType.Number when _isNumber => value.Number.ToString(_pattern, CultureInfo.InvariantCulture),
        PropertyType.Bool when _pattern.Contains(';', StringComparison.Ordinal) => _pattern.Split(';')[value.Bool ? 0 : 1].Trim(),
        PropertyType.Date when _date is not null => _date.Format(value.Date),
        PropertyType.DateTime when _dateTime is not null => _dateTime.Format(LocalTimes.Of(value.DateTime, zone)),
        _ => value.ToString(),
    };

    private static Func<string, string>? TextFunction(string name) => name switch
    {
        "upper" => static text => text.ToUpperInvariant(),
        "lower" => static text => text.ToLowerInvariant(),
        "title" => static text => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(text.ToLowerInvariant()),
        "trim" => static text => text.Trim(),
        _ => null,
    };

    private static IPattern<T>? PatternOf<T>(Func<IPattern<T>> create)
    {
        try
        {
            return create();
        }
        catch (InvalidPatternException)
        {
            return null;
        }
    }
}
