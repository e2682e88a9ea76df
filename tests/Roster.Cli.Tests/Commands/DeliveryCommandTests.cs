using Roster.Server.Tests;

namespace Roster.Cli.Tests.Commands;

/// <summary><c>roster webhook</c> and <c>roster dead-letters</c>.</summary>
public sealed class DeliveryCommandTests
{
    [Fact]
    public async Task ERR_11_Dead_letters_are_listed_sent_again_and_discarded()
    {
        await using var server = await TestServer.StartAsync();
        var (_, all, _) = await CommandRunner.RunAsync(server, "dead-letters");
        Assert.Contains("acme/1/1/hook/1", all, StringComparison.Ordinal);
        Assert.Contains("EXHAUSTED", all, StringComparison.Ordinal);
        Assert.Contains("\"key\": \"k\"", (await CommandRunner.RunAsync(server, "dead-letters", "k")).Output, StringComparison.Ordinal);
        Assert.Contains("1 being sent again.", (await CommandRunner.RunAsync(server, "dead-letters", "--resend", "--all")).Output, StringComparison.Ordinal);
        Assert.Contains("2 being sent again.", (await CommandRunner.RunAsync(server, "dead-letters", "a", "b", "--resend")).Output, StringComparison.Ordinal);
        Assert.Contains("1 discarded.", (await CommandRunner.RunAsync(server, "dead-letters", "a", "--discard")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_are_changed_by_key_or_all_and_one_way_only()
    {
        await using var server = await TestServer.StartAsync();
        foreach (var args in new[] { new[] { "dead-letters", "--resend" }, ["dead-letters", "a", "--resend", "--discard"] })
        {
            Assert.Equal(ExitCode.BadInput, (await CommandRunner.RunAsync(server, args)).ExitCode);
        }
    }

    [Fact]
    public async Task ERR_10_A_queue_is_shown_and_limited()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains("mail: 0 waiting, 0 leased; at once no limit, per second no limit", (await CommandRunner.RunAsync(server, "queue", "mail")).Output, StringComparison.Ordinal);
        Assert.Contains("at once 3, per second no limit", (await CommandRunner.RunAsync(server, "queue", "mail", "--leased", "3")).Output, StringComparison.Ordinal);
        Assert.Contains("\"per_s\": 5", (await CommandRunner.RunAsync(server, "queue", "mail", "--per-second", "5", "--json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACT_60_Webhook_endpoints_are_shown_registered_rotated_and_deleted()
    {
        await using var server = await TestServer.StartAsync();
        var (_, all, _) = await CommandRunner.RunAsync(server, "webhook");
        Assert.Contains("https://crm.example.org/", all, StringComparison.Ordinal);
        Assert.Contains("does not answer", all, StringComparison.Ordinal);
        Assert.Contains("Endpoint x is at https://x.example/.", (await CommandRunner.RunAsync(server, "webhook", "x", "--url", "https://x.example/", "--header", "X-Key: a:b")).Output, StringComparison.Ordinal);
        Assert.Contains("c2VjcmV0", (await CommandRunner.RunAsync(server, "webhook", "crm", "--rotate")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Secret", (await CommandRunner.RunAsync(server, "webhook", "crm", "--drop-former")).Output, StringComparison.Ordinal);
        Assert.Contains("deleted", (await CommandRunner.RunAsync(server, "webhook", "crm", "--delete")).Output, StringComparison.Ordinal);
        foreach (var args in new[] { new[] { "webhook", "--url", "https://x.example/" }, ["webhook", "x", "--rotate", "--delete"], ["webhook", "x", "--url", "https://x.example/", "--header", "none"] })
        {
            Assert.Equal(ExitCode.BadInput, (await CommandRunner.RunAsync(server, args)).ExitCode);
        }
    }
}
