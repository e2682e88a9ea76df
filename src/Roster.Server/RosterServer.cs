using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Roster.Engine;
using Roster.Server.Access;
using Roster.Server.Errors;
using Roster.Server.Health;
using Roster.Server.Ingest;
using Roster.Server.Measures;
using Roster.Server.Services;

namespace Roster.Server;

/// <summary>Starts the engine that a server runs on.</summary>
public delegate ValueTask<RunningEngine> EngineStarter(ServerOptions options, CancellationToken cancellationToken);

/// <summary>
/// A running server: engine, gRPC and health in one. <c>serve</c>, <c>demo</c>, tests and load tests all start it here.
/// </summary>
/// <remarks>
/// Stopping, by <see cref="StopAsync"/> or SIGTERM: not ready any more, streams are told and end, the listeners close, the engine makes
/// durable what it has and stops.
/// </remarks>
public sealed partial class RosterServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RunningEngine _engine;
    private readonly ServerState _state;
    private readonly ILogger _logger;
    private readonly CancellationTokenRegistration _stopping;
    private readonly Telemetry? _telemetry;
    private int _disposed;

    private RosterServer(WebApplication app, RunningEngine engine, ServerState state, ServerOptions options, ILogger logger)
    {
        _app = app;
        _engine = engine;
        _state = state;
        _logger = logger;
        Options = options;
        _telemetry = Telemetry.Start(options);
        _stopping = app.Lifetime.ApplicationStopping.Register(
            () => state.BeginDrain(TimeSpan.FromSeconds(options.DrainSecondsMax), TimeProvider.System));
    }

    /// <summary>The settings it was started with.</summary>
    public ServerOptions Options { get; }

    /// <summary>The engine.</summary>
    public IRosterEngine Engine => _engine.Engine;

    /// <summary>Where gRPC listens.</summary>
    public Uri GrpcAddress { get; private set; } = null!;

    /// <summary>Where HTTP/1.1 listens.</summary>
    public Uri HttpAddress { get; private set; } = null!;

    /// <summary>Starts a server and returns when it is ready for calls.</summary>
    /// <param name="options">The settings; checked here.</param>
    /// <param name="starter">Starts the engine; null for <see cref="EngineFactory.StartAsync(ServerOptions, CancellationToken)"/>.</param>
    /// <param name="logging">Where the logs go; null for nowhere.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="ServerOptionsException">The settings break a rule.</exception>
    /// <exception cref="IOException">An address is in use.</exception>
    public static async Task<RosterServer> StartAsync(
        ServerOptions options, EngineStarter? starter = null, Action<ILoggingBuilder>? logging = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = ServerOptionsValidator.Validate(options);
        if (problems.Count > 0)
        {
            throw new ServerOptionsException(problems);
        }

        ReserveThreads(options);
        var tls = options.TlsCertificate.Length > 0 ? new TlsIdentity(options, options.RealTime) : null;
        var certificates = new ClientCertificates(TlsIdentity.ReadAuthorities(options), options.RealTime);
        options.Meters = new ServerMeters();
        var engine = await (starter ?? ((settings, token) => EngineFactory.StartAsync(settings, logging, token)))(options, cancellationToken);
        try
        {
            var state = new ServerState();
            var app = Build(options, engine.Engine, state, tls, certificates, logging);
            var server = new RosterServer(app, engine, state, options, app.Services.GetRequiredService<ILogger<RosterServer>>());
            server.Follow(tls);
            await server.ListenAsync(cancellationToken);
            return server;
        }
        catch
        {
            await engine.DisposeAsync();
            options.Meters.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the server is told to stop (true), or its engine has failed (false).</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken = default)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = _app.Lifetime.ApplicationStopping.Register(() => stopping.TrySetResult());
        using var cancelled = cancellationToken.Register(() => stopping.TrySetResult());
        return await Task.WhenAny(stopping.Task, Engine.Failed) == stopping.Task;
    }

    /// <summary>Drains and stops.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        LogStopping(Options.DrainSecondsMax);
        _app.Lifetime.StopApplication();
        await _app.StopAsync();
        _telemetry?.SendMetrics();
        await _engine.DisposeAsync();
        LogStopped();
        await _stopping.DisposeAsync();
        await _app.DisposeAsync();
        _telemetry?.Dispose();
        Options.Meters?.Dispose();
        _state.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        LogSettings(ServerOptionsReader.Describe(Options));
        await _app.StartAsync(cancellationToken);
        var addresses = _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.ToArray();
        GrpcAddress = new Uri(addresses[0]);
        HttpAddress = new Uri(addresses[1]);
        _ = WatchEngineAsync();
        _state.SetReady();
        LogListening(GrpcAddress, HttpAddress);
        LogAccess();
        LogWebhooks();
    }

    private void LogWebhooks()
    {
        if (ServerOptionsValidator.ReadAllowed(Options, out var allowed) is null && allowed.Allowed.Count > 0)
        {
            LogAllowedWebhooks(string.Join(", ", allowed.Allowed));
        }
        else
        {
            LogPublicWebhooks();
        }
    }

    private void LogAccess()
    {
        var isTls = Options.TlsCertificate.Length > 0;
        if (Options.Auth == AuthKind.None)
        {
            LogNoCredentials();
        }
        else if (!isTls && Options.AllowPlaintext)
        {
            LogPlaintext();
        }
        else
        {
            LogCredentials(isTls ? "TLS" : "no TLS, on loopback only");
        }
    }

    private void Follow(TlsIdentity? tls)
    {
        if (tls is not null)
        {
            tls.Renewed = LogCertificateRenewed;
            tls.Unreadable = LogCertificateUnreadable;
        }
    }

    private async Task WatchEngineAsync()
    {
        await Engine.Failed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Volatile.Read(ref _disposed) == 0)
        {
            _state.SetFailed();
            LogEngineFailed(Engine.Failed.Exception);
        }
    }

    /// <summary>
    /// The loop of a shard keeps a thread of the pool as long as it has turns to run, and a flush of the disk may keep one more. Calls are received and
    /// refused on the same pool: with no threads beside those they would wait until the pool has found out that it needs more.
    /// </summary>
    private static void ReserveThreads(ServerOptions options)
    {
        ThreadPool.GetMinThreads(out var threads, out var ports);
        ThreadPool.SetMinThreads(options.ThreadsMin > 0 ? options.ThreadsMin : Math.Max(threads, Environment.ProcessorCount + options.Shards + 1), ports);
    }

    private static WebApplication Build(
        ServerOptions options, IRosterEngine engine, ServerState state, TlsIdentity? tls, ClientCertificates certificates, Action<ILoggingBuilder>? logging)
    {
        // Empty: no settings and no listeners but ours. In particular ASPNETCORE_URLS must not open a port that credentials do not guard.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        logging?.Invoke(builder.Logging);
        // Whoever starts the server gets the reason as an exception; the host would log it a second time, with its stack.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        // Faults of services are logged by the interceptor. What is left are bytes of a client that are no message: no fault of the server's.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => ConfigureKestrel(kestrel, options, tls));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSecondsMax + 5));
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(engine);
        builder.Services.AddSingleton(state);
        builder.Services.AddSingleton(options.RealTime);
        builder.Services.AddSingleton(engine.Credentials);
        builder.Services.AddSingleton(engine.Rates);
        builder.Services.AddSingleton(certificates);
        builder.Services.AddSingleton<Authenticator>();
        builder.Services.AddSingleton<AccessGuard>();
        builder.Services.AddSingleton<QuotaGuard>();
        builder.Services.AddSingleton<Confinement>();
        builder.Services.AddSingleton<CallerTenant>();
        builder.Services.AddSingleton<SensitiveValues>();
        builder.Services.AddSingleton<StatusInterceptor>();
        CallGate[] gates = [new CallGate(engine, options, options.RealTime), new CallGate(engine, options, options.RealTime, isForIngest: false)];
        builder.Services.AddSingleton(options.Meters!);
        builder.Services.AddSingleton(services => new ServerInstruments(services.GetRequiredService<IMeterFactory>(), state, options, gates));
        builder.Services.AddSingleton<PrometheusText>();
        builder.Services.AddSingleton<FirstMessage>();
        builder.Services.AddSingleton<FairTurns>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MessageBytesMax;
            grpc.Interceptors.Add<StatusInterceptor>();
            grpc.Interceptors.Add<FirstMessage>();
            grpc.Interceptors.Add<Confinement>();
        });
        AddServices(builder.Services);
        var app = builder.Build();
        app.UseRouting();
        app.Services.GetRequiredService<ServerInstruments>().Guard(app);
        app.Services.GetRequiredService<AccessGuard>().Guard(app);
        app.Services.GetRequiredService<QuotaGuard>().Guard(app);
        foreach (var gate in gates)
        {
            gate.Refused = app.Services.GetRequiredService<ServerInstruments>().CountRefusal;
            gate.Guard(app);
        }

        app.Services.GetRequiredService<FirstMessage>().Guard(app);
        MapServices(app, options);
        options.FurtherService?.Map(app);
        app.MapHealth(state);
        app.MapMetrics(app.Services.GetRequiredService<PrometheusText>(), app.Services.GetRequiredService<Authenticator>());
        return app;
    }

    private static void AddServices(IServiceCollection services)
    {
        services.AddSingleton<IngestApi>();
        services.AddSingleton<RecordApi>();
        services.AddSingleton<WorkflowApi>();
        services.AddSingleton<EnrollmentApi>();
        services.AddSingleton<ListApi>();
        services.AddSingleton<SequenceApi>();
        services.AddSingleton<JournalApi>();
        services.AddSingleton<TenantApi>();
        services.AddSingleton<WorkApi>();
        services.AddSingleton<OperationApi>();
        services.AddSingleton<AdminApi>();
        services.AddSingleton<AccessApi>();
        services.AddSingleton<HealthApi>();
        services.AddSingleton<ReflectionApi>();
        services.AddSingleton<ReflectionAlphaApi>();
    }

    private static void MapServices(WebApplication app, ServerOptions options)
    {
        app.MapGrpcService<HealthApi>();
        if (options.Role == ClusterRole.Silo)
        {
            return;
        }

        app.MapGrpcService<IngestApi>();
        app.MapGrpcService<RecordApi>();
        app.MapGrpcService<WorkflowApi>();
        app.MapGrpcService<EnrollmentApi>();
        app.MapGrpcService<ListApi>();
        app.MapGrpcService<SequenceApi>();
        app.MapGrpcService<JournalApi>();
        app.MapGrpcService<TenantApi>();
        app.MapGrpcService<WorkApi>();
        app.MapGrpcService<OperationApi>();
        app.MapGrpcService<AdminApi>();
        app.MapGrpcService<AccessApi>();
        app.MapGrpcService<ReflectionApi>();
        app.MapGrpcService<ReflectionAlphaApi>();
    }

    private static void ConfigureKestrel(KestrelServerOptions kestrel, ServerOptions options, TlsIdentity? tls)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        // Streams stay open for days and may be idle; the size of a message is bounded by gRPC.
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxRequestBodySize = null;
        limits.MaxConcurrentConnections = options.ConnectionsMax;
        limits.Http2.MaxStreamsPerConnection = 1_000;
        // What a client may send before the server has read it. A stream that is not read keeps its window, so the connection has room for many such streams:
        // without it the completions of a worker wait behind ingest streams of the same connection. A small window of a stream is also the most that a call
        // sends in vain before it hears that it is refused.
        limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        limits.Http2.InitialStreamWindowSize = 256 * 1024;
        limits.Http2.MaxFrameSize = 1024 * 1024;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        kestrel.Listen(Address(options.GrpcAddress), options.GrpcPort, listener =>
        {
            listener.Protocols = HttpProtocols.Http2;
            tls?.Use(listener, SslApplicationProtocol.Http2);
        });
        kestrel.Listen(Address(options.HttpAddress), options.HttpPort, listener =>
        {
            listener.Protocols = HttpProtocols.Http1;
            tls?.Use(listener, SslApplicationProtocol.Http11);
        });
    }

    private static IPAddress Address(string value) =>
        ServerOptionsValidator.TryParseAddress(value, out var address) ? address : throw new InvalidOperationException($"{value} was not checked.");
}
