using System.Text.RegularExpressions;

namespace Roster.Core.Filters;

/// <content>Whole words and regular expressions.</content>
internal sealed partial class Test
{
    /// <summary>Longest regular expression, in characters.</summary>
    public const int RegexLengthMax = 1_000;

    /// <summary>
    /// Without backtracking the time is linear in the text, whatever the expression; back references and look-around do not exist in it.
    /// Case is ignored like by every operator on texts (FIL-07).
    /// </summary>
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase;

    /// <summary>The expression must match the whole text (FIL-07).</summary>
    private static bool TryReadRegex(string pattern, out Regex? regex)
    {
        regex = null;
        if (pattern.Length > RegexLengthMax)
        {
            return false;
        }

        try
        {
            // By itself first: "a)|(b" is no expression, but would become one inside the parentheses.
            _ = new Regex(pattern, Options);
            regex = new Regex($@"\A(?:{pattern})\z", Options);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Whether the operand occurs with no letter, digit or underscore right before or after it (FIL-22).</summary>
    private static bool HasWords(string text, string operand)
    {
        var at = text.IndexOf(operand, StringComparison.OrdinalIgnoreCase);
        while (at >= 0)
        {
            var end = at + operand.Length;
            if ((at == 0 || !IsWordCharacter(text[at - 1])) && (end == text.Length || !IsWordCharacter(text[end])))
            {
                return true;
            }

            at = text.IndexOf(operand, at + 1, StringComparison.OrdinalIgnoreCase);
        }

        return false;
    }

    /// <summary>Halves of characters beyond the basic plane count as parts of words: most of those are letters.</summary>
    private static bool IsWordCharacter(char character) => char.IsLetterOrDigit(character) || character == '_' || char.IsSurrogate(character);
}
