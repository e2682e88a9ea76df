using System.Collections.Concurrent;
using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Roster.Grpc.Tests;

/// <summary>
/// A real Kestrel on a free loopback port, HTTP/2 without TLS, with the interop service. Disposing it fails if errors were logged that
/// the test did not expect.
/// </summary>
internal sealed class GrpcTestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ErrorLog _errors;
    private readonly List<GrpcChannel> _channels = [];

    private GrpcTestServer(WebApplication app, ErrorLog errors, TestSignals signals)
    {
        _app = app;
        _errors = errors;
        Signals = signals;
        Address = app.Urls.Single();
    }

    public string Address { get; }

    public TestSignals Signals { get; }

    public IReadOnlyCollection<string> Errors => _errors.Messages;

    /// <summary>True if the test provokes errors on purpose.</summary>
    public bool ErrorsAreExpected { get; set; }

    public static Task<GrpcTestServer> StartAsync(Action<GrpcServiceOptions>? options = null, Action<WebApplication>? map = null) =>
        StartAsync(options, map, _ => { });

    public static async Task<GrpcTestServer> StartAsync(
        Action<GrpcServiceOptions>? options,
        Action<WebApplication>? map,
        Action<IServiceCollection> services,
        HttpProtocols protocols = HttpProtocols.Http2)
    {
        var signals = new TestSignals();
        var errors = new ErrorLog();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        builder.Logging.AddProvider(errors);
        builder.Services.AddSingleton(signals);
        builder.Services.AddGrpc(options ?? (_ => { }));
        services(builder.Services);
        WebApplication app = builder.Build();
        app.MapGrpcService<InteropService>();
        map?.Invoke(app);
        await app.StartAsync();
        return new GrpcTestServer(app, errors, signals);
    }

    public GrpcChannel Channel(Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions();
        configure?.Invoke(options);
        GrpcChannel channel = GrpcChannel.ForAddress(Address, options);
        _channels.Add(channel);
        return channel;
    }

    public Protos.Interop.InteropClient Client(Action<GrpcChannelOptions>? configure = null) => new(Channel(configure));

    public async ValueTask DisposeAsync()
    {
        foreach (GrpcChannel channel in _channels)
        {
            channel.Dispose();
        }

        // Stopping waits for requests that are on their way, also for one whose client has gone; disposing alone takes the services from it.
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (!ErrorsAreExpected)
        {
            Assert.True(_errors.Messages.Count == 0, string.Join(Environment.NewLine, _errors.Messages));
        }
    }

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _messages = new();

        public IReadOnlyCollection<string> Messages => _messages;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                _messages.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}
