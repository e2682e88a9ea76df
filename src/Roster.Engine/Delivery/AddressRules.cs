using System.Net;
using System.Net.Sockets;

namespace Roster.Engine.Delivery;

/// <summary>
/// Which addresses a webhook may be sent to: public ones, and those in the ranges that the operator allows. Everything that IANA's registries of
/// special-purpose addresses name is refused: loopback, private, link-local, shared (CGNAT), multicast, documentation, and IPv6 forms that an
/// IPv4 address hides in. Immutable.
/// </summary>
public sealed class AddressRules
{
    /// <summary>No range is allowed beside the public addresses: the default.</summary>
    public static readonly AddressRules Default = new([]);

    private static readonly IPNetwork[] RefusedV4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>Public IPv6 is 2000::/3, without what is set aside in it: 2001::/23 has Teredo, 2002::/16 is 6to4.</summary>
    private static readonly IPNetwork PublicV6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] RefusedV6 = [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse)];

    private readonly IPNetwork[] _allowed;

    private AddressRules(IPNetwork[] allowed) => _allowed = allowed;

    /// <summary>The allowed ranges as text, in order.</summary>
    public IReadOnlyList<string> Allowed => [.. _allowed.Select(n => n.ToString())];

    /// <summary>Reads ranges: <c>10.1.0.0/16</c>, <c>fd00::/8</c>, or one address.</summary>
    /// <param name="ranges">The ranges.</param>
    /// <param name="rules">The rules; the default ones when a range cannot be read.</param>
    /// <returns>What is wrong with the first range that cannot be read; null when all can.</returns>
    public static string? TryParse(IEnumerable<string> ranges, out AddressRules rules)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        rules = Default;
        var allowed = new List<IPNetwork>();
        foreach (var range in ranges)
        {
            var text = range.Trim();
            if (!text.Contains('/', StringComparison.Ordinal) && IPAddress.TryParse(text, out var single))
            {
                text = $"{single}/{(single.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)}";
            }

            // TryParse forgives bits behind the prefix, which are most likely a slip.
            if (!IPNetwork.TryParse(text, out var network) || !IPAddress.TryParse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)), out var given) || !given.Equals(network.BaseAddress))
            {
                return $"'{range}' is no range of addresses like 10.1.0.0/16 or fd00::/8 (bits behind the prefix must be 0).";
            }

            allowed.Add(network);
        }

        rules = new AddressRules([.. allowed]);
        return null;
    }

    /// <summary>Whether an address may be connected to.</summary>
    public bool Allows(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (Array.Exists(_allowed, n => n.Contains(plain)))
        {
            return true;
        }

        return plain.AddressFamily == AddressFamily.InterNetwork
            ? !Array.Exists(RefusedV4, n => n.Contains(plain))
            : PublicV6.Contains(plain) && !Array.Exists(RefusedV6, n => n.Contains(plain));
    }
}
