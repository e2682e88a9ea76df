using Roster.Core.Schema;
using Roster.Engine.Rates;

namespace Roster.Engine.Tests.Rates;

public sealed class TenantRatesTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ManualClock _clock = new(Start);
    private readonly Dictionary<string, TenantSettings> _settings = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void LIM_02_A_tenant_has_a_seconds_worth_at_once_and_then_its_rate()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 10 });
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(TimeSpan.Zero, rates.TakeTurns("acme", 1));
        }

        Assert.Equal(TimeSpan.FromMilliseconds(100), rates.TakeTurns("acme", 1));
        Assert.Equal(TimeSpan.FromMilliseconds(100), rates.TakeTurns("acme", 0));
        Move(100);
        Assert.Equal(TimeSpan.Zero, rates.TakeTurns("acme", 1));
        Assert.NotEqual(TimeSpan.Zero, rates.TakeTurns("acme", 1));
        Move(3_600_000);
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => rates.TakeTurns("acme", 1) == TimeSpan.Zero));
    }

    [Fact]
    public void LIM_02_A_batch_larger_than_a_seconds_worth_passes_and_is_paid_for_later()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 10 });
        Assert.Equal(TimeSpan.Zero, rates.TakeTurns("acme", 100));
        Assert.Equal(TimeSpan.FromMilliseconds(9_100), rates.TakeTurns("acme", 1));
        rates.NoteTurns("acme", 10);
        Assert.Equal(TimeSpan.FromMilliseconds(10_100), rates.TakeTurns("acme", 1));
    }

    [Fact]
    public void LIM_02_Neighbours_and_tenants_without_a_cap_are_not_delayed()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 1, CallsPerSecond = 1 });
        _settings["capped"] = new TenantSettings { TurnsPerSecond = 1, CallsPerSecond = 1 };
        _settings["free"] = TenantSettings.Default;
        Assert.Equal(TimeSpan.Zero, rates.TakeTurns("acme", 1_000));
        Assert.Equal(TimeSpan.Zero, rates.TakeCall("acme"));
        Assert.NotEqual(TimeSpan.Zero, rates.TakeCall("acme"));
        foreach (var tenant in new[] { "capped", "free", "unknown" })
        {
            Assert.Equal(TimeSpan.Zero, rates.TakeTurns(tenant, 1_000));
            Assert.Equal(TimeSpan.Zero, rates.TakeCall(tenant));
        }
    }

    [Fact]
    public async Task LIM_02_Who_waits_goes_on_when_there_are_turns_again()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 10 });
        await rates.WaitForTurnsAsync("acme", 15, Token);
        Assert.Equal(600, await MillisecondsAsync(rates.WaitForTurnsAsync("acme", 1, Token).AsTask(), () => { }));
    }

    [Fact]
    public async Task LIM_02_Bulk_jobs_leave_half_to_live_events()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 10 });
        for (var i = 0; i < 5; i++)
        {
            Assert.True(rates.WaitForBulkTurnAsync("acme", Token).AsTask().IsCompleted);
        }

        var waiting = rates.WaitForBulkTurnAsync("acme", Token).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(5, Enumerable.Range(0, 100).Count(_ => rates.TakeTurns("acme", 1) == TimeSpan.Zero));
        Assert.Equal(600, await MillisecondsAsync(waiting, () => { }));
    }

    [Fact]
    public async Task LIM_02_Bulk_jobs_get_one_turn_a_second_however_much_else_there_is()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 10 });
        rates.NoteTurns("acme", 10);
        var waited = await MillisecondsAsync(rates.WaitForBulkTurnAsync("acme", Token).AsTask(), () => rates.NoteTurns("acme", 10));
        Assert.Equal(1_000, waited);
    }

    [Fact]
    public async Task LIM_02_A_rate_of_one_lets_bulk_jobs_on_too()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 1 });
        Assert.True(rates.WaitForBulkTurnAsync("acme", Token).AsTask().IsCompleted);
        Assert.Equal(1_000, await MillisecondsAsync(rates.WaitForBulkTurnAsync("acme", Token).AsTask(), () => { }));
    }

    [Fact]
    public async Task LIM_02_Processes_share_a_tenants_rates_equally()
    {
        var rates = With("acme", new TenantSettings { TurnsPerSecond = 10, CallsPerSecond = 2 });
        rates.Processes = 2;
        Assert.Equal(5, Enumerable.Range(0, 100).Count(_ => rates.TakeTurns("acme", 1) == TimeSpan.Zero));
        Assert.Equal(1, Enumerable.Range(0, 100).Count(_ => rates.TakeCall("acme") == TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromMilliseconds(200), rates.TakeTurns("acme", 1));
        Move(200);
        Assert.Equal(TimeSpan.Zero, rates.TakeTurns("acme", 1));

        // A part may be less than one a second; and who is left has all of it again.
        rates.Processes = 20;
        Move(1_000);
        Assert.Equal(TimeSpan.Zero, rates.TakeTurns("acme", 1));
        Assert.Equal(TimeSpan.FromSeconds(2), rates.TakeTurns("acme", 1));
        Assert.Equal(2_000, await MillisecondsAsync(rates.WaitForTurnsAsync("acme", 1, Token).AsTask(), () => { }));
        rates.Processes = 0;
        Assert.Equal(1, rates.Processes);
        Move(3_600_000);
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => rates.TakeTurns("acme", 1) == TimeSpan.Zero));
    }

    /// <summary>Moves the clock, a timer at a time, until somebody has waited long enough.</summary>
    private async Task<double> MillisecondsAsync(Task waiting, Action beforeEachStep)
    {
        var since = _clock.GetUtcNow();
        while (!waiting.IsCompleted)
        {
            if (_clock.NextTimer is { } next)
            {
                beforeEachStep();
                _clock.MoveTo(next);
            }

            await Task.Yield();
        }

        await waiting;
        return (_clock.GetUtcNow() - since).TotalMilliseconds;
    }

    private TenantRates With(string tenant, TenantSettings settings)
    {
        _settings[tenant] = settings;
        return new TenantRates(name => _settings.GetValueOrDefault(name), _clock);
    }

    private void Move(int milliseconds) => _clock.MoveTo(_clock.GetUtcNow().AddMilliseconds(milliseconds));
}
