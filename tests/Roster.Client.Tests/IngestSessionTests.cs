using System.Collections.Concurrent;
using Grpc.Core;
using Roster.Engine;
using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Client.Tests;

public sealed class IngestSessionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_event_gets_its_result_by_callback()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Judge = item => item.EventId == "e7" ? new EventResult { Code = EventResult.Types.Code.Refused, Refusal = new Refusal { Message = "no" } } : null;
        var outcomes = new ConcurrentDictionary<string, IngestOutcome>();
        await using var session = server.Client.OpenIngest(new IngestSessionOptions { BatchEventsMax = 3, OnResult = outcome => outcomes[outcome.Event.EventId] = outcome });
        for (var i = 0; i < 20; i++)
        {
            await session.SendAsync(TestEvents.New($"e{i}"), Cancel);
        }

        await session.CompleteAsync(Cancel);
        Assert.Equal(20, outcomes.Count);
        Assert.Equal("no", outcomes["e7"].Refusal?.Message);
        Assert.Equal(new IngestProgress(Accepted: 20, Applied: 19, Duplicates: 0, Mismatches: 0, Refused: 1, Resent: 0), session.Progress);
    }

    [Fact]
    public async Task Events_keep_their_order()
    {
        await using var server = await TestServer.StartAsync();
        await using var session = server.Client.OpenIngest(new IngestSessionOptions { BatchEventsMax = 7 });
        var ids = Enumerable.Range(0, 1_000).Select(i => $"e{i}").ToList();
        foreach (var id in ids)
        {
            await session.SendAsync(TestEvents.New(id), Cancel);
        }

        await session.CompleteAsync(Cancel);
        Assert.Equal(ids, server.Engine.Ingested.Select(item => item.Event.EventId));
    }

    [Fact]
    public async Task A_flush_waits_for_everything_so_far()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IsHolding = true;
        await using var session = server.Client.OpenIngest();
        await session.SendAsync(TestEvents.New("e1"), Cancel);
        var flushing = session.FlushAsync(Cancel);
        await server.Engine.WaitForHeldAsync(1, Cancel);
        Assert.False(flushing.IsCompleted);
        server.Engine.Release();
        await flushing;
        Assert.Equal(1, session.Progress.Applied);
    }

    [Fact]
    public async Task Sending_waits_while_too_many_events_have_no_result()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IsHolding = true;
        await using var session = server.Client.OpenIngest(new IngestSessionOptions { OutstandingMax = 2, BatchEventsMax = 1 });
        await session.SendAsync(TestEvents.New("e1"), Cancel);
        await session.SendAsync(TestEvents.New("e2"), Cancel);
        var third = session.SendAsync(TestEvents.New("e3"), Cancel).AsTask();
        await server.Engine.WaitForHeldAsync(2, Cancel);
        Assert.False(third.IsCompleted);
        server.Engine.Release();
        await third;
        server.Engine.IsHolding = false;
        server.Engine.Release();
        await server.Engine.WaitForHeldAsync(0, Cancel);
        await session.CompleteAsync(Cancel);
        Assert.Equal(3, session.Progress.Applied);
    }

    [Fact]
    public async Task What_has_no_result_is_sent_again_after_the_connection_was_lost_and_applied_once()
    {
        var first = await TestServer.StartAsync(options => options.DrainSecondsMax = 0);
        first.Engine.IsHolding = true;
        var port = first.Server.GrpcAddress.Port;
        using var client = new RosterClient(new RosterClientOptions { Address = first.Server.GrpcAddress });
        var reconnects = 0;
        await using var session = client.OpenIngest(new IngestSessionOptions { BatchEventsMax = 10, OnReconnect = _ => Interlocked.Increment(ref reconnects) });
        var ids = Enumerable.Range(0, 100).Select(i => $"e{i}").ToList();
        foreach (var id in ids)
        {
            await session.SendAsync(TestEvents.New(id), Cancel);
        }

        await first.Engine.WaitForHeldAsync(2, Cancel);
        first.Engine.Release();
        await AcknowledgedAsync(session);
        await StopAsync(first);
        var known = session.Progress.Applied;
        await using var second = await TestServer.StartAsync(options => options.GrpcPort = port);
        await session.CompleteAsync(Cancel);
        Assert.True(reconnects > 0);
        Assert.Equal(100, session.Progress.Acknowledged);
        Assert.True(session.Progress.Resent > 0);
        Assert.Equal(ids.Skip((int)known), second.Engine.Ingested.Select(item => item.Event.EventId));
    }

    [Fact]
    public async Task A_refusal_for_good_ends_the_session()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient("Not A Tenant");
        await using var session = client.OpenIngest();
        Assert.Equal(StatusCode.InvalidArgument, await EndAsync(session));
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_ends_the_session_when_the_time_is_over()
    {
        using var client = new RosterClient(new RosterClientOptions { Address = new Uri("http://127.0.0.1:1") });
        await using var session = client.OpenIngest(new IngestSessionOptions { GiveUpAfter = TimeSpan.Zero });
        Assert.Equal(StatusCode.Unavailable, await EndAsync(session));
    }

    [Fact]
    public async Task A_connection_on_which_nothing_is_acknowledged_is_made_again_and_what_was_sent_is_sent_again()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IsHolding = true;
        var clock = new ManualClock(DateTimeOffset.UnixEpoch);
        using var client = new RosterClient(new RosterClientOptions { Address = server.Server.GrpcAddress, Clock = clock });
        var lost = new TaskCompletionSource<RpcException>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var session = client.OpenIngest(new IngestSessionOptions
        {
            AckTimeout = TimeSpan.FromHours(1),
            GiveUpAfter = TimeSpan.MaxValue,
            OnReconnect = error =>
            {
                server.Engine.IsHolding = false;
                lost.TrySetResult(error);
            },
        });
        await session.SendAsync(TestEvents.New("e1"), Cancel);
        await server.Engine.WaitForHeldAsync(1, Cancel);
        await PassAsync(clock, TimeSpan.FromHours(1), () => lost.Task.IsCompleted);
        Assert.Equal(StatusCode.DeadlineExceeded, (await lost.Task).StatusCode);

        // The first batch is still held by the server; the second connection brings the event again.
        await PassAsync(clock, TimeSpan.FromMilliseconds(10), () => session.Progress.Acknowledged > 0);
        Assert.True(session.Progress.Resent > 0);
        Assert.Equal(1, session.Progress.Acknowledged);
        server.Engine.Release();
    }

    [Fact]
    public async Task An_ack_timeout_below_a_second_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Throws<ArgumentOutOfRangeException>(() => server.Client.OpenIngest(new IngestSessionOptions { AckTimeout = TimeSpan.FromMilliseconds(999) }));
        await using var session = server.Client.OpenIngest(new IngestSessionOptions { AckTimeout = Timeout.InfiniteTimeSpan });
        await session.SendAsync(TestEvents.New("e1"), Cancel);
        await session.CompleteAsync(Cancel);
    }

    // Moves the clock until something has come of it.
    private static async Task PassAsync(ManualClock clock, TimeSpan step, Func<bool> isDone)
    {
        while (!isDone())
        {
            clock.MoveTo(clock.GetUtcNow() + step);
            await Task.Yield();
            Cancel.ThrowIfCancellationRequested();
        }
    }

    // The session may have ended before the event is handed in, or while its result is awaited.
    private static async Task<StatusCode?> EndAsync(IngestSession session)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await session.SendAsync(TestEvents.New("e1"), Cancel);
            await session.FlushAsync(Cancel);
        });
        return (error as RpcException ?? error.InnerException as RpcException)?.StatusCode;
    }

    // Without a wait on the clock: every call gives the reader of the acknowledgements its turn.
    private static async Task AcknowledgedAsync(IngestSession session)
    {
        while (session.Progress.Acknowledged == 0)
        {
            await Task.Yield();
            Cancel.ThrowIfCancellationRequested();
        }
    }

    private static async Task StopAsync(TestServer server)
    {
        var stopping = server.Server.StopAsync();
        while (!stopping.IsCompleted)
        {
            if (server.Engine.HeldCount > 0)
            {
                server.Engine.Fault();
            }

            await Task.Yield();
        }

        await stopping;
        await server.DisposeAsync();
    }
}
