using Roster.Server.Ingest;

namespace Roster.Server.Tests.Ingest;

public sealed class FairTurnsTests
{
    private readonly FakeEngine _engine = new();
    private readonly TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _order = [];
    private readonly FairTurns _turns;

    public FairTurnsTests() => _turns = new FairTurns(_engine);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LIM_02_When_the_engine_is_busy_tenants_take_turns_whatever_the_number_of_their_streams()
    {
        Fill();
        Task[] all = [.. Enumerable.Range(0, 6).Select(_ => BatchAsync("many", 10)), BatchAsync("one", 10), BatchAsync("one", 10)];
        _room.SetResult();
        await Task.WhenAll(all).WaitAsync(Cancel);
        Assert.Equal(2, _order.Take(4).Count(tenant => tenant == "one"));
        Assert.Equal(8, _order.Count);
    }

    [Fact]
    public async Task LIM_02_Turns_are_counted_by_events()
    {
        Fill();
        Task[] all = [.. Enumerable.Range(0, 3).Select(_ => BatchAsync("many", 100)), .. Enumerable.Range(0, 20).Select(_ => BatchAsync("one", 10))];
        _room.SetResult();
        await Task.WhenAll(all).WaitAsync(Cancel);
        var second = _order.Select((tenant, index) => (tenant, index)).Where(item => item.tenant == "many").ElementAt(1).index;
        Assert.InRange(second, 10, 13);
    }

    [Fact]
    public async Task While_the_engine_keeps_up_or_a_tenant_is_alone_nobody_waits()
    {
        _turns.Open("one");
        _engine.Taking = _room.Task;
        Assert.Null(await _turns.EnterAsync("one", 10, Cancel));
        _turns.Open("many");
        _engine.Taking = Task.CompletedTask;
        Assert.Null(await _turns.EnterAsync("many", 10, Cancel));
    }

    [Fact]
    public async Task A_stream_that_goes_away_while_it_waits_does_not_hold_the_others_up()
    {
        Fill();
        using var gone = new CancellationTokenSource();
        var waiting = _turns.EnterAsync("many", 10, gone.Token).AsTask();
        var other = BatchAsync("many", 10);
        var neighbour = BatchAsync("one", 10);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        _room.SetResult();
        await Task.WhenAll(other, neighbour).WaitAsync(Cancel);
    }

    private void Fill()
    {
        _engine.Taking = _room.Task;
        _turns.Open("many");
        _turns.Open("one");
    }

    private async Task BatchAsync(string tenant, int events)
    {
        var turn = await _turns.EnterAsync(tenant, events, Cancel);
        lock (_order)
        {
            _order.Add(tenant);
        }

        FairTurns.Leave(turn);
    }
}
