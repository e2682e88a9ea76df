using System.Security.Cryptography;
using System.Text;
using Roster.Core;
using Roster.Engine.Delivery;

namespace Roster.Engine.Tests.Delivery;

/// <summary>Signatures, circuit breaker, rate and places of deliveries.</summary>
public sealed class DeliveryPartsTests
{
    private static readonly Timestamp Start = new(1_000_000);

    [Fact]
    public void ERR_09_A_signature_is_over_the_timestamp_followed_by_the_body_with_each_secret_in_force()
    {
        byte[][] secrets = ["old secret"u8.ToArray(), "new secret"u8.ToArray()];
        var expected = secrets.Select(s => "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(s, Encoding.UTF8.GetBytes("1767225600{\"a\":1}"))));
        Assert.Equal(string.Join(' ', expected), WebhookSigner.Sign(secrets, "1767225600", "{\"a\":1}"u8));

        // RFC 4231, test case 2, split into timestamp and body.
        Assert.Equal("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", WebhookSigner.Sign(["Jefe"u8.ToArray()], "what do ya want ", "for nothing?"u8));
    }

    [Fact]
    public void ERR_04_The_breaker_opens_after_failures_in_a_row_and_one_tries_whether_it_may_close()
    {
        var breaker = new CircuitBreaker();
        for (var i = 1; i < CircuitBreaker.FailuresMax; i++)
        {
            breaker.Failed(Start, isTrial: false);
        }

        Assert.True(breaker.MayTry(Start, out _, out var isTrial));
        Assert.False(isTrial);
        breaker.Succeeded();
        for (var i = 0; i < CircuitBreaker.FailuresMax; i++)
        {
            Assert.False(breaker.IsOpen);
            breaker.Failed(Start, isTrial: false);
        }

        Assert.True(breaker.IsOpen);
        Assert.False(breaker.MayTry(Start, out var again, out _));
        Assert.Equal(Start.PlusMs(CircuitBreaker.OpenFirstMs), again);
        Assert.True(breaker.MayTry(again, out _, out isTrial));
        Assert.True(isTrial);
        Assert.False(breaker.MayTry(again, out var other, out _));
        Assert.True(other.IsNone);

        // Those that were under way before do not count, and end no trial. It fails again: twice as long.
        breaker.Failed(again, isTrial: false);
        breaker.NotTried(isTrial: false);
        Assert.False(breaker.MayTry(again, out other, out _));
        Assert.True(other.IsNone);
        breaker.Failed(again, isTrial: true);
        breaker.Failed(again, isTrial: false);
        Assert.False(breaker.MayTry(again, out var later, out _));
        Assert.Equal(again.PlusMs(2 * CircuitBreaker.OpenFirstMs), later);
        Assert.True(breaker.MayTry(later, out _, out _));
        breaker.NotTried(isTrial: true);
        Assert.True(breaker.MayTry(later, out _, out _));
        breaker.Succeeded();
        Assert.False(breaker.IsOpen);
    }

    [Fact]
    public void ERR_04_The_breaker_is_open_for_ten_minutes_at_most()
    {
        var breaker = new CircuitBreaker();
        var now = Start;
        for (var i = 0; i < CircuitBreaker.FailuresMax; i++)
        {
            breaker.Failed(now, isTrial: false);
        }

        for (var i = 0; i < 20; i++)
        {
            Assert.False(breaker.MayTry(now, out var again, out _));
            Assert.InRange(again.Ms - now.Ms, CircuitBreaker.OpenFirstMs, CircuitBreaker.OpenMaxMs);
            now = again;
            Assert.True(breaker.MayTry(now, out _, out _));
            breaker.Failed(now, isTrial: true);
        }
    }

    [Fact]
    public void ERR_05_ERR_10_Over_the_rate_everyone_gets_a_later_place()
    {
        var gate = new RateGate();
        var waits = Enumerable.Range(0, 60).Select(_ => gate.Take(20, Start).TotalMilliseconds).ToArray();
        Assert.All(waits[..20], wait => Assert.Equal(0, wait));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => i * 50.0), waits[20..]);
        Assert.Equal(TimeSpan.Zero, new RateGate().Take(1, Start));
        Assert.Equal(2_050, gate.Wait(20, Start).TotalMilliseconds);
        Assert.Equal(TimeSpan.Zero, gate.Wait(20, Start.PlusMs(60_000)));
    }

    [Fact]
    public async Task ACT_60_When_places_are_short_tenants_get_them_in_turn()
    {
        var token = TestContext.Current.CancellationToken;
        var slots = new FairSlots(1);
        await slots.TakeAsync(1, token);
        var order = new List<int>();
        var waiting = new List<Task>();
        foreach (var tenant in new[] { 1, 1, 1, 1, 2, 3, 2 })
        {
            waiting.Add(TakeAsync(tenant));
        }

        for (var i = 0; i < waiting.Count; i++)
        {
            var before = order.Count;
            var pending = waiting.Where(w => !w.IsCompleted).ToArray();
            slots.Release();
            await Task.WhenAny(pending).WaitAsync(token);
            Assert.Equal(before + 1, order.Count);
        }

        Assert.Equal([1, 2, 3, 1, 2, 1, 1], order);

        async Task TakeAsync(int tenant)
        {
            await slots.TakeAsync(tenant, token);
            order.Add(tenant);
        }
    }

    [Fact]
    public async Task ACT_60_Who_gives_up_waiting_takes_no_place()
    {
        var slots = new FairSlots(1);
        await slots.TakeAsync(1, TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var given = slots.TakeAsync(2, stop.Token);
        var other = slots.TakeAsync(3, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        slots.Release();
        await other.WaitAsync(TestContext.Current.CancellationToken);
    }
}
