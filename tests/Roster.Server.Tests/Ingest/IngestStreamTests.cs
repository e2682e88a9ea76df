using System.Collections.Concurrent;
using Grpc.Core;
using Roster.Client;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Tests.Ingest;

public sealed class IngestStreamTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hello_is_answered_with_the_credit()
    {
        await using var server = await TestServer.StartAsync(options => options.CreditEvents = 1_234);
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        Assert.Equal(1_234, stream.Welcome.CreditEvents);
        Assert.Equal(1_000, stream.Welcome.BatchEventsMax);
        await stream.EndAsync();
    }

    [Fact]
    public async Task A_stream_that_does_not_begin_with_hello_is_invalid()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.Ingest.Stream(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new StreamRequest { Batch = new Batch { Sequence = 1 } }, Cancel);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal("hello", RosterErrors.Read(error).Path);
    }

    [Fact]
    public async Task A_batch_is_acknowledged_with_the_results_that_are_not_APPLIED()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Judge = item => item.EventId == "e2" ? Refused(Refusal.Types.Reason.WrongType) : null;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1", "e2", "e3");
        var ack = await stream.NextAckAsync();
        Assert.Equal(1UL, ack.Sequence);
        Assert.Equal(3, ack.Events);
        var result = Assert.Single(ack.Results);
        Assert.Equal(1, result.Index);
        Assert.Equal(Refusal.Types.Reason.WrongType, result.Result.Refusal.Reason);
        await stream.EndAsync();
    }

    [Fact]
    public async Task Batches_are_handed_in_without_waiting_for_the_former_ones_and_acknowledged_in_any_order()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IsHolding = true;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(10, "e1");
        await stream.SendAsync(20, "e2");
        await server.Engine.WaitForHeldAsync(2, Cancel);
        server.Engine.Release(index: 1);
        Assert.Equal(20UL, (await stream.NextAckAsync()).Sequence);
        Assert.Equal(0UL, stream.DurableThrough);
        server.Engine.Release();
        Assert.Equal(10UL, (await stream.NextAckAsync()).Sequence);
        Assert.Equal(20UL, stream.DurableThrough);
        await stream.EndAsync();
    }

    [Fact]
    public async Task While_the_engine_has_enough_to_decide_the_stream_is_not_read()
    {
        await using var server = await TestServer.StartAsync();
        var handedIn = new ConcurrentQueue<string>();
        server.Engine.Judge = item =>
        {
            handedIn.Enqueue(item.EventId);
            return null;
        };
        var taking = new TaskCompletionSource();
        server.Engine.Taking = taking.Task;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        Assert.Equal(1UL, (await stream.NextAckAsync()).Sequence);
        await stream.SendAsync(2, "e2");
        Assert.Equal(["e1"], handedIn);
        taking.SetResult();
        Assert.Equal(2UL, (await stream.NextAckAsync()).Sequence);
        Assert.Equal(["e1", "e2"], handedIn);
        await stream.EndAsync();
    }

    [Fact]
    public async Task Streams_that_are_not_read_leave_room_on_their_connection_for_others()
    {
        // Each event fits into the window of its stream, and all of them into that of the connection (2.6 MB of 4).
        const int Streams = 12;
        var large = new string('x', 220 * 1024);
        await using var server = await TestServer.StartAsync();
        var taking = new TaskCompletionSource();
        server.Engine.Taking = taking.Task;
        var streams = new List<TestStream>();
        for (var i = 0; i < Streams; i++)
        {
            streams.Add(await TestStream.OpenAsync(server.Client, Cancel));
            await streams[i].SendAsync(1, $"first-{i}");
            await streams[i].NextAckAsync();
            var e = TestEvents.New($"second-{i}");
            e.Writes.Add(new PropertyValue { Name = "text", Value = new Value { Text = large } });
            await streams[i].SendAsync(new Batch { Sequence = 2, Events = { e } });
        }

        await server.Client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New("call") } }, cancellationToken: Cancel);
        taking.SetResult();
        foreach (var stream in streams)
        {
            Assert.Equal(2UL, (await stream.NextAckAsync()).Sequence);
            await stream.DisposeAsync();
        }
    }

    [Fact]
    public async Task Beyond_the_credit_the_stream_is_not_read()
    {
        await using var server = await TestServer.StartAsync(options => options.CreditEvents = 2);
        server.Engine.IsHolding = true;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        await stream.SendAsync(2, "e2");
        await stream.SendAsync(3, "e3");
        await server.Engine.WaitForHeldAsync(2, Cancel);

        // A unary call goes through the same server after the third batch was sent, so that had time to come in.
        await server.Client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel);
        Assert.Equal(2, server.Engine.HeldCount);
        server.Engine.Release();
        await server.Engine.WaitForHeldAsync(2, Cancel);
        server.Engine.Release();
        server.Engine.Release();
        await stream.EndAsync();
        Assert.Equal(3, stream.Acknowledged.Count);
    }

    [Fact]
    public async Task A_batch_larger_than_the_whole_credit_passes_alone()
    {
        await using var server = await TestServer.StartAsync(options => options.CreditEvents = 2);
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1", "e2", "e3", "e4");
        Assert.Equal(4, (await stream.NextAckAsync()).Events);
        await stream.EndAsync();
    }

    [Fact]
    public async Task A_client_that_half_closes_gets_all_its_acks_before_the_stream_ends()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IsHolding = true;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        await stream.SendAsync(2, "e2");
        await server.Engine.WaitForHeldAsync(2, Cancel);
        var ending = stream.EndAsync();
        server.Engine.Release();
        server.Engine.Release();
        await ending;
        Assert.Equal([1UL, 2UL], stream.Acknowledged.Select(ack => ack.Sequence).Order());
    }

    [Theory]
    [InlineData("write")]
    [InlineData("property")]
    [InlineData("link")]
    [InlineData("consent")]
    public async Task An_event_over_event_bytes_max_is_refused_by_itself(string part)
    {
        await using var server = await TestServer.StartAsync(options => options.EventBytesMax = 2_000);
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        var batch = new Batch { Sequence = 1, Events = { TestEvents.New("e1"), TestEvents.New("e2"), TestEvents.New("e3") } };
        var (large, text) = (batch.Events[1], new string('x', 2_000));
        switch (part)
        {
            case "write": large.Writes.Add(new PropertyValue { Name = "notes", Value = Values.Text(text) }); break;
            case "property": large.Properties.Add(new PropertyValue { Name = "notes", Value = Values.Text(text) }); break;
            case "link": large.Associations.Add(new AssociationChange { ObjectType = "deal", RecordId = text }); break;
            default: large.Consents.Add(new ConsentChange { Subscription = text }); break;
        }

        await stream.SendAsync(batch);
        var result = Assert.Single((await stream.NextAckAsync()).Results);
        Assert.Equal(1, result.Index);
        Assert.Equal(Refusal.Types.Reason.TooLarge, result.Result.Refusal.Reason);
        Assert.Equal("event_bytes_max", result.Result.Refusal.Setting);
        Assert.Contains("event_bytes_max", result.Result.Refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["e1", "e3"], server.Engine.Ingested.Select(item => item.Event.EventId));
        await stream.EndAsync();
    }

    [Fact]
    public async Task Results_of_the_neighbours_of_a_too_large_event_keep_their_indexes()
    {
        await using var server = await TestServer.StartAsync(options => options.EventBytesMax = 2_000);
        server.Engine.Judge = item => item.EventId == "e3" ? Refused(Refusal.Types.Reason.WrongType) : null;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        var batch = new Batch { Sequence = 1, Events = { TestEvents.New("e1"), TestEvents.New("e2"), TestEvents.New("e3") } };
        batch.Events[0].Writes.Add(new PropertyValue { Name = "notes", Value = Values.Text(new string('x', 2_000)) });
        await stream.SendAsync(batch);
        var ack = await stream.NextAckAsync();
        Assert.Equal([0, 2], ack.Results.Select(result => result.Index));
        await stream.EndAsync();
    }

    [Fact]
    public async Task An_event_of_many_wide_characters_that_fits_is_not_refused()
    {
        await using var server = await TestServer.StartAsync(options => options.EventBytesMax = 2_000);
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        var batch = new Batch { Sequence = 1, Events = { TestEvents.New("e1") } };
        batch.Events[0].Writes.Add(new PropertyValue { Name = "notes", Value = Values.Text(new string('x', 1_800)) });
        await stream.SendAsync(batch);
        Assert.Empty((await stream.NextAckAsync()).Results);
        await stream.EndAsync();
    }

    [Fact]
    public async Task A_batch_over_events_per_request_max_is_invalid_and_what_came_before_is_acknowledged()
    {
        await using var server = await TestServer.StartAsync(options => options.EventsPerRequestMax = 2);
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        await stream.SendAsync(2, "e2", "e3", "e4");
        var error = await Assert.ThrowsAsync<RpcException>(stream.ReadToEndAsync);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        var details = RosterErrors.Read(error);
        Assert.Equal("events_per_request_max", details.Setting);
        Assert.Equal("3", details.Value);
        Assert.Equal(1UL, Assert.Single(stream.Acknowledged).Sequence);
    }

    [Fact]
    public async Task A_sequence_that_does_not_rise_is_invalid()
    {
        await using var server = await TestServer.StartAsync();
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(5, "e1");
        await stream.SendAsync(5, "e2");
        var error = await Assert.ThrowsAsync<RpcException>(stream.ReadToEndAsync);
        Assert.Equal("batch.sequence", RosterErrors.Read(error).Path);
    }

    [Fact]
    public async Task A_batch_that_finds_no_room_in_the_engine_waits_on_the_stream_and_keeps_its_place()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IngestErrors.Enqueue(Overloaded());
        server.Engine.IngestErrors.Enqueue(Overloaded());
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        await stream.SendAsync(2, "e2");
        await stream.EndAsync();
        Assert.Equal(["e1", "e2"], server.Engine.Ingested.Select(item => item.Event.EventId));
    }

    [Fact]
    public async Task A_fault_of_the_engine_ends_the_stream_with_INTERNAL_and_is_logged()
    {
        await using var server = await TestServer.StartAsync();
        server.ExpectedErrors.Add(1102);
        server.Engine.IngestErrors.Enqueue(new InvalidOperationException("a secret of the engine"));
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        var error = await Assert.ThrowsAsync<RpcException>(stream.ReadToEndAsync);
        Assert.Equal(StatusCode.Internal, error.StatusCode);
        Assert.DoesNotContain("secret", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopping_server_sends_drain_acknowledges_what_it_got_and_ends_the_stream()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IsHolding = true;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        await server.Engine.WaitForHeldAsync(1, Cancel);
        var stopping = server.Server.StopAsync();
        await stream.WaitForDrainAsync();
        var ending = stream.EndAsync();
        server.Engine.Release();
        await ending;
        Assert.Single(stream.Acknowledged);
        await stopping;
        Assert.True(server.Engine.IsDisposed);
    }

    [Fact]
    public async Task A_client_that_ignores_drain_is_ended_with_UNAVAILABLE_when_the_time_is_over()
    {
        await using var server = await TestServer.StartAsync(options => options.DrainSecondsMax = 1);
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        await stream.NextAckAsync();
        var stopping = server.Server.StopAsync();
        var error = await Assert.ThrowsAsync<RpcException>(stream.ReadToEndAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        await stopping;
    }

    [Fact]
    public async Task The_unary_call_has_one_result_per_event()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Judge = item => item.EventId == "e2" ? Refused(Refusal.Types.Reason.WrongType) : null;
        var answer = await server.Client.Ingest.IngestAsync(
            new IngestRequest { Events = { TestEvents.New("e1"), TestEvents.New("e2") } }, cancellationToken: Cancel);
        Assert.Equal([EventResult.Types.Code.Applied, EventResult.Types.Code.Refused], answer.Results.Select(result => result.Code));
    }

    [Fact]
    public async Task The_unary_call_gets_RESOURCE_EXHAUSTED_with_a_time_to_retry_when_the_engine_is_full()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IngestErrors.Enqueue(Overloaded());
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New("e1") } }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal(TimeSpan.FromMilliseconds(20), RosterErrors.Read(error).RetryAfter);
    }

    private static RosterException Overloaded() => new(RosterError.Overloaded, "Full.") { RetryAfter = TimeSpan.FromMilliseconds(20) };

    private static EventResult Refused(Refusal.Types.Reason reason) =>
        new() { Code = EventResult.Types.Code.Refused, Refusal = new Refusal { Reason = reason } };
}
