using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Roster.Client;

namespace Roster.Server.Tests;

/// <summary>
/// A server on real Kestrel, on free ports, over a <see cref="FakeEngine"/>. Disposing it fails the test when an error was logged that
/// the test did not announce.
/// </summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly LogSink _sink;

    private TestServer(RosterServer server, FakeEngine engine, LogSink sink)
    {
        Server = server;
        Engine = engine;
        _sink = sink;
        Client = NewClient();
    }

    public RosterServer Server { get; }

    public FakeEngine Engine { get; }

    public RosterClient Client { get; }

    /// <summary>Events that the test expects as errors.</summary>
    public ConcurrentBag<int> ExpectedErrors { get; } = [];

    public IEnumerable<string> LoggedMessages => _sink.Entries.Select(entry => entry.Message);

    public static async Task<TestServer> StartAsync(Action<ServerOptions>? configure = null, FakeEngine? engine = null)
    {
        var options = new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0, DrainSecondsMax = 10 };
        configure?.Invoke(options);
        engine ??= new FakeEngine();
        var sink = new LogSink();
        var server = await RosterServer.StartAsync(
            options,
            (_, _) => ValueTask.FromResult(new RunningEngine(engine, engine)),
            logging => logging.AddProvider(sink).SetMinimumLevel(LogLevel.Information),
            TestContext.Current.CancellationToken);
        return new TestServer(server, engine, sink);
    }

    public RosterClient NewClient(string tenant = "default") => new(new RosterClientOptions { Address = Server.GrpcAddress, Tenant = tenant });

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        var unexpected = _sink.Entries.Where(entry => entry.Level >= LogLevel.Error && !ExpectedErrors.Contains(entry.EventId)).ToList();
        Assert.True(unexpected.Count == 0, $"Unexpected errors in the log:\n{string.Join('\n', unexpected)}");
    }

    private sealed class LogSink : ILoggerProvider
    {
        public ConcurrentQueue<Entry> Entries { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Entries);

        public void Dispose()
        {
        }
    }

    private sealed record Entry(string Category, LogLevel Level, int EventId, string Message, Exception? Exception);

    private sealed class Logger(string category, ConcurrentQueue<Entry> entries) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            entries.Enqueue(new Entry(category, logLevel, eventId.Id, formatter(state, exception), exception));
    }
}
