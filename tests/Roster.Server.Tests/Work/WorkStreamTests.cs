using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Roster.Client;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Tests.Work;

public sealed class WorkStreamTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tasks_go_out_as_far_as_the_credit_reaches()
    {
        await using var server = await TestServer.StartAsync();
        using var call = await OpenAsync(server, credit: 2);
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        server.Engine.AddTask(new WorkTask { Key = "t2" });
        server.Engine.AddTask(new WorkTask { Key = "t3" });
        Assert.Equal(["t1", "t2"], await TasksAsync(call, 2));
        await call.RequestStream.WriteAsync(Completion("t1"), Cancel);
        var (tasks, completed, _) = await ReadUntilAsync(call, (tasks, completed, _) => tasks.Count == 1 && completed.Count == 1);
        Assert.Equal(["t3"], tasks);
        Assert.Equal(["t1"], completed);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Cancel));
    }

    [Fact]
    public async Task Without_credit_in_hello_tasks_come_when_they_are_asked_for()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        server.Engine.AddTask(new WorkTask { Key = "t2" });
        using var call = await OpenAsync(server, credit: 0);
        await call.RequestStream.WriteAsync(new WorkRequest { Credit = new TaskCredit { Tasks = 1 } }, Cancel);
        Assert.Equal(["t1"], await TasksAsync(call, 1));
        await call.RequestStream.WriteAsync(new WorkRequest { Credit = new TaskCredit { Tasks = 1 } }, Cancel);
        Assert.Equal(["t2"], await TasksAsync(call, 1));
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Cancel));
    }

    [Fact]
    public async Task A_completion_that_concerns_nothing_open_is_answered_as_stale()
    {
        await using var server = await TestServer.StartAsync();
        using var call = await OpenAsync(server, credit: 1);
        await call.RequestStream.WriteAsync(Completion("unknown"), Cancel);
        var (_, _, stale) = await ReadUntilAsync(call, (_, _, stale) => stale.Count == 1);
        Assert.Equal(["unknown"], stale);
    }

    [Fact]
    public async Task A_completion_that_finds_no_room_in_the_engine_is_noted_when_there_is_some()
    {
        await using var server = await TestServer.StartAsync();
        var full = new RosterException(RosterError.Overloaded, "Full.") { RetryAfter = TimeSpan.FromMilliseconds(1) };
        server.Engine.CompletionErrors.Enqueue(full);
        server.Engine.CompletionErrors.Enqueue(full);
        using var call = await OpenAsync(server, credit: 1);
        await call.RequestStream.WriteAsync(Completion("t1"), Cancel);
        var (_, completed, _) = await ReadUntilAsync(call, (_, completed, _) => completed.Count == 1);
        Assert.Equal(["t1"], completed);
    }

    [Fact]
    public async Task A_call_after_one_that_the_server_ended_gets_its_own_messages()
    {
        await using var server = await TestServer.StartAsync();
        for (var i = 0; i < 50; i++)
        {
            // The stream ends while the server waits for a next message, and the connection lends it to the next call.
            server.Engine.CompletionErrors.Enqueue(new RosterException(RosterError.FailedPrecondition, "No."));
            using var call = await OpenAsync(server, credit: 1);
            await call.RequestStream.WriteAsync(Completion("t1"), Cancel);
            var ended = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancel));
            Assert.Equal(StatusCode.FailedPrecondition, ended.StatusCode);
        }
    }

    [Fact]
    public async Task A_worker_that_half_closes_gets_its_answers_and_its_leases_are_released()
    {
        await using var server = await TestServer.StartAsync();
        using var call = await OpenAsync(server, credit: 1);
        await call.RequestStream.WriteAsync(Completion("t1"), Cancel);
        await call.RequestStream.CompleteAsync();
        var (_, completed, _) = await ReadUntilAsync(call, (_, completed, _) => completed.Count == 1);
        Assert.Equal(["t1"], completed);
        Assert.False(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal("mail", Assert.Single(server.Engine.Released));
    }

    [Fact]
    public async Task A_worker_that_goes_away_loses_its_leases_at_once()
    {
        await using var server = await TestServer.StartAsync();
        var call = await OpenAsync(server, credit: 1);
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        await TasksAsync(call, 1);
        call.Dispose();
        await server.Engine.WaitForReleaseAsync(Cancel);
    }

    [Fact]
    public async Task A_heartbeat_keeps_leases()
    {
        await using var server = await TestServer.StartAsync();
        using var call = await OpenAsync(server, credit: 1);
        await call.RequestStream.WriteAsync(new WorkRequest { Heartbeat = new Heartbeat { Keys = { "t1" } } }, Cancel);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(["t1"], Assert.Single(server.Engine.Heartbeats));
    }

    [Fact]
    public async Task A_lease_out_of_range_is_invalid()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.Work.Work(cancellationToken: Cancel);
        var hello = new WorkHello { Queue = "mail", LeaseFor = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) };
        await call.RequestStream.WriteAsync(new WorkRequest { Hello = hello }, Cancel);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancel));
        Assert.Equal("hello.lease_for", RosterErrors.Read(error).Path);
    }

    [Fact]
    public async Task A_stopping_server_ends_an_idle_worker_with_UNAVAILABLE()
    {
        await using var server = await TestServer.StartAsync();
        using var call = await OpenAsync(server, credit: 1);
        await call.RequestStream.WriteAsync(Completion("unknown"), Cancel);
        await ReadUntilAsync(call, (_, _, stale) => stale.Count == 1);
        var stopping = server.Server.StopAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        await stopping;
    }

    private static async Task<AsyncDuplexStreamingCall<WorkRequest, WorkResponse>> OpenAsync(TestServer server, int credit)
    {
        var call = server.Client.Work.Work(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new WorkRequest { Hello = new WorkHello { Queue = "mail", Credit = credit } }, Cancel);
        return call;
    }

    private static WorkRequest Completion(string key) =>
        new() { Completion = new TaskCompletion { Key = key, Outcome = TaskCompletion.Types.Outcome.Completed } };

    private static async Task<List<string>> TasksAsync(AsyncDuplexStreamingCall<WorkRequest, WorkResponse> call, int count) =>
        (await ReadUntilAsync(call, (tasks, _, _) => tasks.Count == count)).Tasks;

    private static async Task<(List<string> Tasks, List<string> Completed, List<string> Stale)> ReadUntilAsync(
        AsyncDuplexStreamingCall<WorkRequest, WorkResponse> call, Func<List<string>, List<string>, List<string>, bool> isDone)
    {
        List<string> tasks = [], completed = [], stale = [];
        while (!isDone(tasks, completed, stale))
        {
            Assert.True(await call.ResponseStream.MoveNext(Cancel));
            tasks.AddRange(call.ResponseStream.Current.Tasks.Select(task => task.Key));
            completed.AddRange(call.ResponseStream.Current.Completed);
            stale.AddRange(call.ResponseStream.Current.Stale);
        }

        return (tasks, completed, stale);
    }
}
