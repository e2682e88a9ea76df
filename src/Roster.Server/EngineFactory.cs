using Microsoft.Extensions.Logging;
using Roster.Embedded;
using Roster.Engine;
using Roster.Engine.Delivery;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Server.Mail;
using Roster.Storage.Postgres;
using Roster.Storage.Sqlite;

namespace Roster.Server;

/// <summary>An engine and what ends it. Disposing stops it: what was accepted is made durable first.</summary>
/// <param name="Engine">The engine.</param>
/// <param name="Owner">What to dispose.</param>
public sealed record RunningEngine(IRosterEngine Engine, IAsyncDisposable Owner) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Owner.DisposeAsync();
}

/// <summary>Starts the engine that the settings ask for. The only place of the front door that knows hosts and stores.</summary>
public static class EngineFactory
{
    /// <summary>Whether this program has the host <c>cluster</c>.</summary>
    public static bool HasCluster { get; } =
#if FULL_FEED
        true;
#else
        false;
#endif

    /// <summary>Opens the store, recovers, and starts the engine.</summary>
    public static ValueTask<RunningEngine> StartAsync(ServerOptions options, CancellationToken cancellationToken) => StartAsync(options, logging: null, cancellationToken);

    /// <summary>Opens the store, recovers, and starts the engine; what a silo logs goes where the server's logs go.</summary>
    public static async ValueTask<RunningEngine> StartAsync(ServerOptions options, Action<ILoggingBuilder>? logging, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Host == HostKind.Cluster)
        {
#if FULL_FEED
            return await SiloFactory.StartAsync(options, logging, cancellationToken);
#else
            throw new ServerOptionsException(["`host` is `cluster`, which this program does not have."]);
#endif
        }

        var store = await OpenAsync(options, cancellationToken);
        try
        {
            var (webhooks, mail) = CreateTransports(options);
            var clock = options.Clock == ClockKind.Manual ? await StartClockAsync(options, store, cancellationToken) : TimeProvider.System;
            var embedded = new EmbeddedOptions
            {
                CacheBytes = options.CacheBytes,
                EventsInFlightMax = options.EventsInFlightMax,
                EventsWaitingMax = options.EventsWaitingMax,
                Shards = options.Shards,
                Meters = options.Meters,
                DeliveriesInFlightMax = options.DeliveriesInFlightMax,
                Webhooks = webhooks,
                Mail = mail,
            };
            var engine = await EmbeddedEngine.StartAsync(embedded, store, clock, cancellationToken);
            return new RunningEngine(engine, new EngineAndStore(engine, store, mail is null ? [webhooks] : [webhooks, mail], TimeSpan.FromSeconds(options.DrainSecondsMax)));
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>What takes the engine's own deliveries out of the house; no mail without an SMTP host.</summary>
    internal static (HttpWebhookTransport Webhooks, SmtpMailTransport? Mail) CreateTransports(ServerOptions options)
    {
        ServerOptionsValidator.ReadAllowed(options, out var allowed);
        var webhooks = new HttpWebhookTransport(new HostConnector(allowed, new SystemHostResolver()), TimeProvider.System);
        return (webhooks, options.SmtpHost.Length > 0 ? new SmtpMailTransport(options) : null);
    }

    private static async ValueTask<IRecordStore> OpenAsync(ServerOptions options, CancellationToken cancellationToken)
    {
        TimeSpan? keepAge = options.JournalKeepDays > 0 ? TimeSpan.FromDays(options.JournalKeepDays) : null;
        long? keepBytes = options.JournalKeepBytes > 0 ? options.JournalKeepBytes : null;
        return options.Store switch
        {
            StoreKind.Volatile => new VolatileRecordStore(),
            StoreKind.Postgres => await PostgresRecordStore.OpenAsync(
                new PostgresStoreOptions { ConnectionString = options.Postgres, JournalRetention = keepAge }, cancellationToken),
            _ => await SqliteRecordStore.OpenAsync(
                new SqliteStoreOptions { Folder = options.DataFolder, JournalKeepAge = keepAge, JournalKeepBytes = keepBytes }, cancellationToken),
        };
    }

    /// <summary>A manual clock goes on where it stood: at the newest turn, or at <c>clock_start</c> when that is later.</summary>
    private static async ValueTask<ManualClock> StartClockAsync(ServerOptions options, IRecordStore store, CancellationToken cancellationToken)
    {
        var newest = store.Status.JournalPosition;
        var turns = newest > 0 ? await store.ReadJournalAsync(newest - 1, 1, cancellationToken) : [];
        var at = turns.Count > 0
            ? DateTimeOffset.FromUnixTimeMilliseconds(TurnDecoder.ReadSkeleton(turns[0].Skeleton.Span, []).At.Ms)
            : options.ClockStart;
        return new ManualClock(at > options.ClockStart ? at : options.ClockStart);
    }

    /// <summary>The engine first: it finishes what it has taken; then the store.</summary>
    /// <summary>Before the engine ends, the store writes a checkpoint while heads are at hand, so that the next start has no log to replay.</summary>
    private sealed class EngineAndStore(EmbeddedEngine engine, IRecordStore store, IReadOnlyList<IAsyncDisposable> transports, TimeSpan checkpointMax) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (!engine.Failed.IsCompleted && checkpointMax > TimeSpan.Zero)
            {
                await CheckpointAsync();
            }

            await engine.DisposeAsync();
            foreach (var transport in transports)
            {
                await transport.DisposeAsync();
            }

            await store.DisposeAsync();
        }

        private async Task CheckpointAsync()
        {
            using var over = new CancellationTokenSource(checkpointMax, TimeProvider.System);
            try
            {
                await store.CheckpointAsync(over.Token);
            }
            catch (Exception failure) when (failure is OperationCanceledException or StoreFullException or InvalidOperationException or IOException)
            {
                // The log has all of it: the next start takes longer, that is all.
            }
        }
    }
}
