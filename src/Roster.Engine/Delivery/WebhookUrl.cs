using System.Net;

namespace Roster.Engine.Delivery;

/// <summary>Checks the URL of an endpoint when it is registered: what can be told from its text alone.</summary>
public static class WebhookUrl
{
    /// <summary>Longest URL in characters.</summary>
    public const int LengthMax = 2_000;

    /// <summary>What is wrong with a URL; null when nothing is. Hosts are looked up afterwards (<see cref="HostConnector.FindAsync"/>).</summary>
    /// <param name="text">The URL.</param>
    /// <param name="rules">Which addresses are allowed.</param>
    /// <param name="url">The URL when it is fine.</param>
    public static string? Check(string text, AddressRules rules, out Uri? url)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(rules);
        url = null;
        if (text.Length > LengthMax)
        {
            return $"The URL has {text.Length} characters; {LengthMax} are allowed.";
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var parsed) || (parsed.Scheme != Uri.UriSchemeHttps && parsed.Scheme != Uri.UriSchemeHttp) || parsed.Host.Length == 0)
        {
            return "An endpoint has an absolute URL with https or http.";
        }

        if (parsed.UserInfo.Length > 0 || parsed.Query.Length > 0 || parsed.Fragment.Length > 0)
        {
            return "The URL of an endpoint has no user, no query and no fragment: keys belong in its headers, queries in the step.";
        }

        // Uri reads 0x7f.1, 2130706433 and 0177.0.0.1 as the addresses they are.
        if (IPAddress.TryParse(parsed.DnsSafeHost, out var address) && !rules.Allows(address))
        {
            return new AddressRefusedException(parsed.Host, address).Message;
        }

        url = parsed;
        return null;
    }

    /// <summary>The URL of a request: the endpoint's, followed by path and query of the step.</summary>
    public static Uri Join(Uri endpoint, string pathAndQuery)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(pathAndQuery);
        var query = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? pathAndQuery : pathAndQuery[..query];
        var builder = new UriBuilder(endpoint) { Query = query < 0 ? string.Empty : pathAndQuery[query..] };
        if (path.Length > 0)
        {
            builder.Path = $"{endpoint.AbsolutePath.TrimEnd('/')}/{path.TrimStart('/')}";
        }

        return builder.Uri;
    }
}
