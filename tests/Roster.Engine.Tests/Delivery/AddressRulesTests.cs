using System.Net;
using System.Net.Sockets;
using Roster.Engine.Delivery;

namespace Roster.Engine.Tests.Delivery;

/// <summary>No connection to addresses that are not public, unless the operator allows them.</summary>
public sealed class AddressRulesTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.8")]
    [InlineData("192.0.2.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fc00::1")]
    [InlineData("fd12::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void ACT_60_Special_addresses_are_refused(string address) => Assert.False(AddressRules.Default.Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("172.32.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700::1111")]
    [InlineData("::ffff:1.1.1.1")]
    public void ACT_60_Public_addresses_are_allowed(string address) => Assert.True(AddressRules.Default.Allows(IPAddress.Parse(address)));

    [Fact]
    public void ACT_60_The_operator_allows_ranges_and_nothing_beside_them()
    {
        Assert.Null(AddressRules.TryParse(["10.1.0.0/16", " 127.0.0.1", "fd00::/8"], out var rules));
        Assert.Equal(["10.1.0.0/16", "127.0.0.1/32", "fd00::/8"], rules.Allowed);
        Assert.True(rules.Allows(IPAddress.Parse("10.1.2.3")));
        Assert.True(rules.Allows(IPAddress.Parse("::ffff:10.1.2.3")));
        Assert.True(rules.Allows(IPAddress.Parse("fd12::1")));
        Assert.True(rules.Allows(IPAddress.Parse("1.1.1.1")));
        Assert.False(rules.Allows(IPAddress.Parse("10.2.0.0")));
        Assert.False(rules.Allows(IPAddress.Parse("127.0.0.2")));
    }

    [Theory]
    [InlineData("10.1.0.0/33")]
    [InlineData("10.1.0.1/16")]
    [InlineData("localhost")]
    [InlineData("/8")]
    public void ACT_60_A_range_that_cannot_be_read_is_said(string range)
    {
        Assert.Contains(range, AddressRules.TryParse([range], out var rules), StringComparison.Ordinal);
        Assert.Empty(rules.Allowed);
    }

    [Theory]
    [InlineData("https://127.0.0.1/")]
    [InlineData("http://127.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0x7f.0.0.1/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::ffff:7f00:1]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://１２７.０.０.１/")]
    public async Task ACT_60_However_an_address_is_spelled_it_is_refused(string url)
    {
        // Some spellings are addresses already as text, the others when they are looked up.
        await using var transport = new HttpWebhookTransport(new HostConnector(AddressRules.Default, new SystemHostResolver()), TimeProvider.System);
        Assert.NotNull(await transport.CheckAsync(url, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("ftp://example.com/")]
    [InlineData("/relative")]
    [InlineData("https://user:secret@example.com/")]
    [InlineData("https://example.com/?key=1")]
    [InlineData("https://example.com/#x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("")]
    public void ACT_60_A_url_that_is_no_endpoint_is_refused(string url) => Assert.NotNull(WebhookUrl.Check(url, AddressRules.Default, out _));

    [Theory]
    [InlineData("https://example.com", "", "https://example.com/")]
    [InlineData("https://example.com/base", "", "https://example.com/base")]
    [InlineData("https://example.com/base/", "a/b", "https://example.com/base/a/b")]
    [InlineData("https://example.com/base", "/a?x=1&y=%2F", "https://example.com/base/a?x=1&y=%2F")]
    [InlineData("https://example.com:8443", "?x=1", "https://example.com:8443/?x=1")]
    [InlineData("https://example.com", "//evil.example/x", "https://example.com/evil.example/x")]
    [InlineData("https://example.com", "@evil.example", "https://example.com/@evil.example")]
    [InlineData("https://example.com/base", "a%2Fb", "https://example.com/base/a%2Fb")]
    public void ACT_60_Path_and_query_never_change_the_host(string endpoint, string target, string expected) =>
        Assert.Equal(expected, WebhookUrl.Join(new Uri(endpoint), target).AbsoluteUri);

    [Fact]
    public async Task ACT_60_A_host_with_one_refused_address_is_not_connected_to()
    {
        var connector = new HostConnector(AddressRules.Default, new Answers([IPAddress.Parse("1.1.1.1"), IPAddress.Parse("10.0.0.1")]));
        await Assert.ThrowsAsync<AddressRefusedException>(async () => await connector.ConnectAsync("mixed.example", 80, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task ACT_60_A_name_service_that_changes_its_answer_leads_nowhere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Assert.Null(AddressRules.TryParse(["127.0.0.2"], out var rules));
        var resolver = new Answers([IPAddress.Parse("127.0.0.2")], [IPAddress.Loopback]);
        var connector = new HostConnector(rules, resolver);
        Assert.Equal(["127.0.0.2"], (await connector.FindAsync("rebind.example", TestContext.Current.CancellationToken)).Select(a => a.ToString()));

        // What was checked at registration is checked again, and what is checked then is what is connected to.
        await Assert.ThrowsAsync<AddressRefusedException>(async () => await connector.ConnectAsync("rebind.example", ((IPEndPoint)listener.LocalEndpoint).Port, TestContext.Current.CancellationToken));
        Assert.Equal(2, resolver.Asked);
        Assert.False(listener.Pending());
    }

    private sealed class Answers(params IReadOnlyList<IPAddress>[] answers) : IHostResolver
    {
        public int Asked { get; private set; }

        public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) => Task.FromResult(answers[Math.Min(Asked++, answers.Length - 1)]);
    }
}
