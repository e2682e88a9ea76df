using Grpc.Core;
using Grpc.Health.V1;

namespace Roster.Server.Tests.Health;

public sealed class HealthTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("roster.v1.IngestService")]
    [InlineData("roster.v1.WorkService")]
    [InlineData("roster.v1.ListService")]
    public async Task Check_says_SERVING_for_the_server_and_for_each_service(string service)
    {
        await using var server = await TestServer.StartAsync();
        var answer = await server.Client.Health.CheckAsync(new HealthCheckRequest { Service = service }, cancellationToken: Cancel);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    [Fact]
    public async Task Check_of_an_unknown_service_is_NOT_FOUND()
    {
        await using var server = await TestServer.StartAsync();
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.Health.CheckAsync(new HealthCheckRequest { Service = "x.Y" }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
    }

    [Fact]
    public async Task Watch_of_an_unknown_service_says_SERVICE_UNKNOWN_and_stays_open()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.Health.Watch(new HealthCheckRequest { Service = "x.Y" }, cancellationToken: Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.ServiceUnknown, call.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task Watch_tells_when_the_server_begins_to_stop()
    {
        await using var server = await TestServer.StartAsync();
        using var call = server.Client.Health.Watch(new HealthCheckRequest(), cancellationToken: Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, call.ResponseStream.Current.Status);
        var stopping = server.Server.StopAsync();
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, call.ResponseStream.Current.Status);
        await stopping;
    }

    [Fact]
    public async Task Health_is_served_over_plain_http()
    {
        await using var server = await TestServer.StartAsync();
        using var http = new HttpClient { BaseAddress = server.Server.HttpAddress };
        Assert.Equal("live", await http.GetStringAsync("/health/live", Cancel));
        Assert.Equal("ready", await http.GetStringAsync("/health/ready", Cancel));
    }

    [Fact]
    public async Task A_failed_engine_is_neither_live_nor_ready()
    {
        await using var server = await TestServer.StartAsync();
        server.ExpectedErrors.Add(1005);
        using var call = server.Client.Health.Watch(new HealthCheckRequest(), cancellationToken: Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        server.Engine.Fail(new IOException("the disk is gone"));
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, call.ResponseStream.Current.Status);
        Assert.False(await server.Server.WaitAsync(Cancel));
        using var http = new HttpClient { BaseAddress = server.Server.HttpAddress };
        using var live = await http.GetAsync("/health/live", Cancel);
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, live.StatusCode);
    }
}
