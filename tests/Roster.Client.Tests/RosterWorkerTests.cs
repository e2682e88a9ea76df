using Roster.Engine;
using Roster.Server.Tests;
using Roster.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;

namespace Roster.Client.Tests;

public sealed class RosterWorkerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tasks_are_carried_out_and_reported_with_their_outputs()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        await RunAsync(server, 1, _ => TaskResult.Completed(new PropertyValue { Name = "message_id", Value = Values.Text("m1") }));
        var completion = Assert.Single(server.Engine.Completions);
        Assert.Equal("t1", completion.Key);
        Assert.Equal("m1", Assert.Single(completion.Outputs).Value.Text);
    }

    [Fact]
    public async Task A_handler_that_throws_is_a_failure_that_may_be_retried()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        await RunAsync(server, 1, _ => throw new InvalidOperationException("the mailer is down"));
        var completion = Assert.Single(server.Engine.Completions);
        Assert.Equal(TaskCompletion.Types.Outcome.Failed, completion.Outcome);
        Assert.True(completion.Retryable);
        Assert.Equal("the mailer is down", completion.Error);
    }

    [Fact]
    public async Task ACT_62_A_task_may_be_reported_as_begun()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        await RunAsync(server, 1, _ => TaskResult.Blocked());
        Assert.Equal(("t1", TaskCompletion.Types.Outcome.Blocked), (server.Engine.Completions.Single().Key, server.Engine.Completions.Single().Outcome));
    }

    [Fact]
    public async Task More_tasks_than_fit_at_once_are_all_done()
    {
        await using var server = await TestServer.StartAsync();
        for (var i = 0; i < 50; i++)
        {
            server.Engine.AddTask(new WorkTask { Key = $"t{i}" });
        }

        await RunAsync(server, 50, _ => TaskResult.Completed());
        Assert.Equal(50, server.Engine.Completions.Select(completion => completion.Key).Distinct().Count());
    }

    [Fact]
    public async Task ERR_08_Leases_are_kept_alive_in_time_for_the_task_with_the_shortest()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "t1", LeaseFor = Duration.FromTimeSpan(TimeSpan.FromSeconds(6)) });
        var clock = new ManualClock(DateTimeOffset.UnixEpoch);
        using var client = new RosterClient(new RosterClientOptions { Address = server.Server.GrpcAddress, Clock = clock });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var worker = new RosterWorker(client, new RosterWorkerOptions { Queue = "mail", LeaseFor = TimeSpan.FromHours(1) }, async (_, ended) =>
        {
            clock.MoveTo(clock.GetUtcNow() + TimeSpan.FromSeconds(2));
            while (server.Engine.Heartbeats.IsEmpty)
            {
                ended.ThrowIfCancellationRequested();
                Cancel.ThrowIfCancellationRequested();
                await Task.Yield();
            }

            await stop.CancelAsync();
            return TaskResult.Completed();
        });
        await worker.RunAsync(stop.Token);
        Assert.Equal(1, worker.Completed);
    }

    private static async Task RunAsync(TestServer server, int tasks, Func<WorkTask, TaskResult> handle)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var done = 0;
        var worker = new RosterWorker(server.Client, new RosterWorkerOptions { Queue = "mail", Concurrency = 4 }, (task, _) =>
        {
            if (Interlocked.Increment(ref done) == tasks)
            {
                stop.Cancel();
            }

            return ValueTask.FromResult(handle(task));
        });
        await worker.RunAsync(stop.Token);
        Assert.Equal(tasks, worker.Completed);
    }
}
