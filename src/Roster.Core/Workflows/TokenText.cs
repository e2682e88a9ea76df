namespace Roster.Core.Workflows;

/// <summary>A piece of a text with tokens: a literal, or a token with its source, format and default.</summary>
/// <param name="Literal">The text, for a literal; the default, for a token.</param>
/// <param name="Source">What the token reads; null for a literal.</param>
/// <param name="Format">How its value is written; empty for the value's own text.</param>
internal sealed record TokenPart(string Literal, string? Source, string Format);

/// <summary>
/// Takes a text with tokens apart (ACT-07): <c>{{source}}</c>, <c>{{source|default}}</c>, <c>{{source:format}}</c>,
/// <c>{{source:format|default}}</c>. The default begins right after the first bar and is taken as it stands; white space around source and
/// format does not count. <c>{{{{</c> is a literal <c>{{</c>, and what is not closed is a literal too.
/// </summary>
internal static class TokenText
{
    private const string Open = "{{";
    private const string Close = "}}";

    /// <summary>Takes a text apart: its pieces in order.</summary>
    public static IReadOnlyList<TokenPart> Parse(string text)
    {
        var found = new List<TokenPart>();
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf(Open, at, StringComparison.Ordinal);
            if (open != at)
            {
                found.Add(new TokenPart(open < 0 ? text[at..] : text[at..open], null, string.Empty));
            }

            if (open < 0)
            {
                break;
            }

            if (text.AsSpan(open + Open.Length).StartsWith(Open, StringComparison.Ordinal))
            {
                found.Add(new TokenPart(Open, null, string.Empty));
                at = open + (2 * Open.Length);
                continue;
            }

            var close = text.IndexOf(Close, open, StringComparison.Ordinal);
            if (close < 0)
            {
                found.Add(new TokenPart(text[open..], null, string.Empty));
                break;
            }

            found.Add(ParseToken(text[(open + Open.Length)..close]));
            at = close + Close.Length;
        }

        return found;
    }

    /// <summary>Whether a text has a token, or a brace that is written like one.</summary>
    public static bool HasTokens(string text) => text.Contains(Open, StringComparison.Ordinal);

    private static TokenPart ParseToken(string token)
    {
        var bar = token.IndexOf('|', StringComparison.Ordinal);
        var named = bar < 0 ? token : token[..bar];
        var colon = named.IndexOf(':', StringComparison.Ordinal);
        return new TokenPart(
            bar < 0 ? string.Empty : token[(bar + 1)..],
            (colon < 0 ? named : named[..colon]).Trim(),
            colon < 0 ? string.Empty : named[(colon + 1)..].Trim());
    }
}
