using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Roster.Client.Hosting;
using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Client.Tests.Hosting;

public sealed class RosterWorkerHostTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_of_a_host_gives_each_task_to_a_handler_in_a_scope_of_its_own()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        server.Engine.AddTask(new WorkTask { Key = "t2" });
        var ledger = new Ledger(expected: 2);
        var builder = NewHost(server);
        builder.Services.AddSingleton(ledger).AddScoped<Scope>().AddRosterWorker<Handler>("mail", options => options.Concurrency = 2);
        using (var host = builder.Build())
        {
            await host.StartAsync(Cancel);
            await ledger.Done.WaitAsync(Cancel);
            await host.StopAsync(Cancel);
        }

        Assert.Equal(["t1", "t2"], server.Engine.Completions.Select(completion => completion.Key).Order(StringComparer.Ordinal));
        Assert.Equal(2, ledger.Scopes.Distinct().Count());
        Assert.All(ledger.Scopes, scope => Assert.True(scope.IsDisposed));
    }

    [Fact]
    public async Task What_is_begun_when_the_host_stops_is_finished_and_reported()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "t1" });
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = NewHost(server);
        builder.Services.AddRosterWorker("mail", async (_, _) =>
        {
            begun.SetResult();
            await mayEnd.Task;
            return TaskResult.Completed();
        });
        using var host = builder.Build();
        await host.StartAsync(Cancel);
        await begun.Task.WaitAsync(Cancel);
        var stopping = host.StopAsync(Cancel);
        Assert.Empty(server.Engine.Completions);
        mayEnd.SetResult();
        await stopping;
        Assert.Equal("t1", Assert.Single(server.Engine.Completions).Key);
    }

    [Fact]
    public async Task A_worker_that_is_refused_for_good_stops_the_host()
    {
        await using var server = await TestServer.StartAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddRosterClient(options => (options.Address, options.Tenant) = (server.Server.GrpcAddress, "Not A Tenant"));
        builder.Services.AddRosterWorker("mail", (_, _) => ValueTask.FromResult(TaskResult.Completed()));
        using var host = builder.Build();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        await host.StartAsync(Cancel);
        await stopping.Task.WaitAsync(Cancel);
    }

    [Fact]
    public void Each_queue_has_a_worker_of_its_own_and_all_share_one_client()
    {
        var services = new ServiceCollection();
        services.AddRosterClient(options => options.Tenant = "first");
        services.AddRosterClient(options => options.Tenant = "second");
        services.AddRosterWorker("mail", (_, _) => ValueTask.FromResult(TaskResult.Completed()));
        services.AddRosterWorker<Handler>("sales");
        Assert.Equal(2, services.Count(service => service.ServiceType == typeof(IHostedService)));
        Assert.Single(services, service => service.ServiceType == typeof(RosterClient));
        using var provider = services.BuildServiceProvider();
        Assert.Equal("first", provider.GetRequiredService<RosterClient>().Tenant);
        Assert.Throws<ArgumentException>(() => services.AddRosterWorker<Handler>(""));
    }

    private static HostApplicationBuilder NewHost(TestServer server)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddRosterClient(options => options.Address = server.Server.GrpcAddress);
        return builder;
    }

    private sealed class Ledger(int expected)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count;

        public Task Done => _done.Task;

        public ConcurrentBag<Scope> Scopes { get; } = [];

        public void Add(Scope scope)
        {
            Scopes.Add(scope);
            if (Interlocked.Increment(ref _count) == expected)
            {
                _done.SetResult();
            }
        }
    }

    private sealed class Scope : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class Handler(Scope scope, Ledger ledger) : IRosterTaskHandler
    {
        public ValueTask<TaskResult> HandleAsync(WorkTask task, CancellationToken cancellationToken)
        {
            Assert.False(scope.IsDisposed);
            ledger.Add(scope);
            return ValueTask.FromResult(TaskResult.Completed());
        }
    }
}
