using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;

namespace Roster.Server;

/// <summary>Which store keeps the records.</summary>
public enum StoreKind
{
    /// <summary>Files in the data folder.</summary>
    Sqlite,

    /// <summary>Memory only: everything is gone when the process ends.</summary>
    Volatile,

    /// <summary>A PostgreSQL database.</summary>
    Postgres,
}

/// <summary>Which host runs the engine.</summary>
public enum HostKind
{
    /// <summary>This process alone.</summary>
    Embedded,

    /// <summary>This process as one silo of several, on a PostgreSQL database that they share.</summary>
    Cluster,
}

/// <summary>What a process of the host <c>cluster</c> is.</summary>
public enum ClusterRole
{
    /// <summary>A silo with a front door.</summary>
    Both,

    /// <summary>A silo that serves front doors elsewhere: of its own it has health and measures only.</summary>
    Silo,

    /// <summary>A front door without a silo, a client of the others.</summary>
    Door,
}

/// <summary>Which clock the engine runs on.</summary>
public enum ClockKind
{
    /// <summary>The time of the machine.</summary>
    Real,

    /// <summary>A clock that moves only through the admin service.</summary>
    Manual,
}

/// <summary>Who may call.</summary>
public enum AuthKind
{
    /// <summary>Anybody, as any tenant. The server listens on loopback only.</summary>
    None,

    /// <summary>Who has a credential: an API key, or a client certificate.</summary>
    Required,
}

/// <summary>How the connection to the mail server is encrypted.</summary>
public enum SmtpSecurity
{
    /// <summary>After its first lines.</summary>
    StartTls,

    /// <summary>From its first byte on.</summary>
    Tls,

    /// <summary>Never.</summary>
    None,
}

/// <summary>
/// Settings of a server: section <c>Roster</c> of appsettings.json, environment variables such as <c>ROSTER__GRPC_PORT</c>, and the
/// command line, the later ones winning. Errors name settings by the names given here.
/// </summary>
public sealed class ServerOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Roster";

    /// <summary>Where the data files are. Used by the store <c>sqlite</c> only. Default: <c>data</c> in the current folder.</summary>
    [ConfigurationKeyName("data_folder")]
    public string DataFolder { get; set; } = "data";

    /// <summary>
    /// <c>embedded</c>, or <c>cluster</c>: a silo of Microsoft Orleans, for which the program must have been built from a feed that carries it. A cluster needs the store
    /// <c>postgres</c> and the real clock. Default: <c>embedded</c>.
    /// </summary>
    [ConfigurationKeyName("host")]
    public HostKind Host { get; set; } = HostKind.Embedded;

    /// <summary>
    /// IP address under which other silos reach this one. They trust each other: the network between them must be private. Used by the host <c>cluster</c>.
    /// Default: 127.0.0.1.
    /// </summary>
    [ConfigurationKeyName("silo_address")]
    public string SiloAddress { get; set; } = "127.0.0.1";

    /// <summary>Port on which other silos reach this one, 1 to 65535. Used by the host <c>cluster</c>. Default: 7402.</summary>
    [ConfigurationKeyName("silo_port")]
    public int SiloPort { get; set; } = 7402;

    /// <summary>
    /// <c>both</c>: a silo with a front door; <c>silo</c>: only the silo, with health and measures; <c>door</c>: only a front door, which is a client of silos that have a
    /// <c>gateway_port</c>. Other than <c>both</c> with the host <c>cluster</c> only. Default: <c>both</c>.
    /// </summary>
    [ConfigurationKeyName("role")]
    public ClusterRole Role { get; set; } = ClusterRole.Both;

    /// <summary>
    /// Port on which front doors without a silo reach this one, at <c>silo_address</c>, 1 to 65535; 0: none can. As private as <c>silo_port</c>. Used by silos of the host
    /// <c>cluster</c>. Default: 0.
    /// </summary>
    [ConfigurationKeyName("gateway_port")]
    public int GatewayPort { get; set; }

    /// <summary>Name of the cluster: silos of one name on one database belong together, 1 to 100 characters. Default: <c>roster</c>.</summary>
    [ConfigurationKeyName("cluster_id")]
    public string ClusterId { get; set; } = "roster";

    /// <summary><c>sqlite</c>, <c>postgres</c> or <c>volatile</c>. Default: <c>sqlite</c>.</summary>
    [ConfigurationKeyName("store")]
    public StoreKind Store { get; set; } = StoreKind.Sqlite;

    /// <summary>
    /// Where the database is, such as <c>Host=/var/run/postgresql;Database=roster;Username=roster</c>. Needed by the store <c>postgres</c>, used by
    /// no other. The environment variable <c>ROSTER__POSTGRES</c> keeps a password off the command line. Default: none.
    /// </summary>
    [ConfigurationKeyName("postgres")]
    public string Postgres { get; set; } = string.Empty;

    /// <summary>
    /// Days that turns stay in the journal at least, 1 to 36,500; what is older is removed in larger parts (HIS-08). 0 keeps all. Needs a real clock. Not used by
    /// the store <c>volatile</c>. Default: 0.
    /// </summary>
    [ConfigurationKeyName("journal_keep_days")]
    public int JournalKeepDays { get; set; }

    /// <summary>
    /// Bytes of turns that stay in the journal at least, from 64 MiB; older turns are removed. 0 sets no limit. Used by the store <c>sqlite</c> only.
    /// Default: 0.
    /// </summary>
    [ConfigurationKeyName("journal_keep_bytes")]
    public long JournalKeepBytes { get; set; }

    /// <summary><c>real</c> or <c>manual</c>. Default: <c>real</c>.</summary>
    [ConfigurationKeyName("clock")]
    public ClockKind Clock { get; set; } = ClockKind.Real;

    /// <summary>Where a manual clock starts in an empty data folder. Default: 2000-01-01T00:00:00Z.</summary>
    [ConfigurationKeyName("clock_start")]
    public DateTimeOffset ClockStart { get; set; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Address that gRPC (h2c) listens on. Default: 127.0.0.1.</summary>
    [ConfigurationKeyName("grpc_address")]
    public string GrpcAddress { get; set; } = "127.0.0.1";

    /// <summary>Port of gRPC, 0 to 65535; 0 takes a free one. Default: 7400.</summary>
    [ConfigurationKeyName("grpc_port")]
    public int GrpcPort { get; set; } = 7400;

    /// <summary>Address that HTTP/1.1 (health) listens on. Default: 127.0.0.1.</summary>
    [ConfigurationKeyName("http_address")]
    public string HttpAddress { get; set; } = "127.0.0.1";

    /// <summary>Port of HTTP/1.1, 0 to 65535; 0 takes a free one. Default: 7401.</summary>
    [ConfigurationKeyName("http_port")]
    public int HttpPort { get; set; } = 7401;

    /// <summary>
    /// <c>none</c> lets anybody call, as any tenant, and listens on loopback only. <c>required</c> asks every call for a credential: an API key or a client
    /// certificate. Default: <c>none</c>.
    /// </summary>
    [ConfigurationKeyName("auth")]
    public AuthKind Auth { get; set; } = AuthKind.None;

    /// <summary>
    /// SHA-256 of a key that may do everything, as 64 hexadecimal digits (<c>roster key generate</c> makes both): for the first credentials, and when all others are
    /// lost. Its tenant is <c>default</c>. Used with <c>auth</c> set to <c>required</c> only. Default: none.
    /// </summary>
    [ConfigurationKeyName("admin_key_sha256")]
    public string AdminKeySha256 { get; set; } = string.Empty;

    /// <summary>PEM file with the server's certificate, and after it those between it and its authority. Both ports speak TLS then. Default: none, no TLS.</summary>
    [ConfigurationKeyName("tls_certificate")]
    public string TlsCertificate { get; set; } = string.Empty;

    /// <summary>PEM file with the private key of <c>tls_certificate</c>. Default: the key is in the same file.</summary>
    [ConfigurationKeyName("tls_key")]
    public string TlsKey { get; set; } = string.Empty;

    /// <summary>
    /// PEM file with the authorities whose client certificates are known by the names in them. Client certificates that are known by their hash need none. Default: none.
    /// </summary>
    [ConfigurationKeyName("tls_client_ca")]
    public string TlsClientCa { get; set; } = string.Empty;

    /// <summary>
    /// Whether credentials may cross a network without TLS of this server: set it when a proxy or mesh encrypts for it. Without it a server that has no
    /// <c>tls_certificate</c> listens on loopback only. Default: false.
    /// </summary>
    [ConfigurationKeyName("allow_plaintext")]
    public bool AllowPlaintext { get; set; }

    /// <summary>
    /// Where traces and metrics are sent over OTLP (http/protobuf), such as <c>http://127.0.0.1:4318</c>. <c>/metrics</c> is there without it. Default: none.
    /// </summary>
    [ConfigurationKeyName("otlp_endpoint")]
    public string OtlpEndpoint { get; set; } = string.Empty;

    /// <summary>Of a thousand calls whose caller does not say, so many are traced, 0 to 1,000. Used with <c>otlp_endpoint</c> only. Default: 10.</summary>
    [ConfigurationKeyName("trace_permille")]
    public int TracePermille { get; set; } = 10;

    /// <summary>Largest event in bytes, 1 KiB to 16 MiB. A larger one is refused by itself with TOO_LARGE. Default: 256 KiB.</summary>
    [ConfigurationKeyName("event_bytes_max")]
    public int EventBytesMax { get; set; } = 256 * 1024;

    /// <summary>Most events in one batch, 1 to 10,000. A larger batch is INVALID_ARGUMENT. Default: 1,000.</summary>
    [ConfigurationKeyName("events_per_request_max")]
    public int EventsPerRequestMax { get; set; } = 1_000;

    /// <summary>
    /// Unacknowledged events of one ingest stream, 1 to 1,000,000; beyond it the stream is not read. More lets slow commits overlap
    /// and costs memory. Default: 20,000.
    /// </summary>
    [ConfigurationKeyName("credit_events")]
    public int CreditEvents { get; set; } = 20_000;

    /// <summary>Unacknowledged bytes of one ingest stream, 64 KiB to 1 GiB, counted roughly. Default: 32 MiB.</summary>
    [ConfigurationKeyName("credit_bytes")]
    public long CreditBytes { get; set; } = 32L * 1024 * 1024;

    /// <summary>Largest gRPC message in bytes, 64 KiB to 256 MiB and at least <c>event_bytes_max</c>. Default: 16 MiB.</summary>
    [ConfigurationKeyName("message_bytes_max")]
    public int MessageBytesMax { get; set; } = 16 * 1024 * 1024;

    /// <summary>Bytes for record heads in memory, from 1 MiB. What is not in memory is read from the store. Default: 256 MiB.</summary>
    [ConfigurationKeyName("cache_bytes")]
    public long CacheBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>Events taken and not yet durable, 1,000 to 10,000,000, of all streams and calls; beyond it batches are refused. Default: 100,000.</summary>
    [ConfigurationKeyName("events_in_flight_max")]
    public int EventsInFlightMax { get; set; } = 100_000;

    /// <summary>
    /// Events that wait for their turns, 100 to 10,000,000, before streams are read no further and flow control holds their clients. More of them wait in
    /// memory, where they take some five times their bytes; fewer may leave shards without work. Default: 4,000.
    /// </summary>
    [ConfigurationKeyName("events_waiting_max")]
    public int EventsWaitingMax { get; set; } = 4_000;

    /// <summary>
    /// Bytes of messages of <c>Ingest</c> calls that are being received or not yet durable, 64 KiB to 1 GiB, of all callers, each call counting 4 KiB more
    /// than its message; beyond it calls are refused before their message is read. All other calls that are not streams have as much again. A message larger than all of it passes alone. In memory events
    /// take some five times as much. Streams are bounded by their credit instead. Default: 16 MiB.
    /// </summary>
    [ConfigurationKeyName("call_bytes_in_flight_max")]
    public long CallBytesInFlightMax { get; set; } = 16L * 1024 * 1024;

    /// <summary>
    /// How long the message of a call, or the first one of a stream, may take to arrive, 1 to 3,600 seconds; a slower call ends with DEADLINE_EXCEEDED and gives its room
    /// back, a slower stream is reset. Default: 60.
    /// </summary>
    [ConfigurationKeyName("call_receive_seconds_max")]
    public int CallReceiveSecondsMax { get; set; } = 60;

    /// <summary>Connections of each port, 10 to 1,000,000; further ones are closed at once. Default: 10,000.</summary>
    [ConfigurationKeyName("connections_max")]
    public int ConnectionsMax { get; set; } = 10_000;

    /// <summary>Loops that run turns, 1 to 64; more than there are cores only costs. Default: 2.</summary>
    [ConfigurationKeyName("shards")]
    public int Shards { get; set; } = 2;

    /// <summary>
    /// Threads that the pool of the process makes without hesitating, 0 to 1,000. 0 is one per core, one per shard and one more. Fewer make calls wait behind
    /// turns under overload; more cost processor time. Default: 0.
    /// </summary>
    [ConfigurationKeyName("threads_min")]
    public int ThreadsMin { get; set; }

    /// <summary>
    /// Ranges of addresses that webhooks may be sent to besides public ones, parted by commas: <c>10.1.0.0/16,fd00::/8,127.0.0.1</c>. Without it no
    /// loopback, private, link-local or other special address is connected to, however it is spelled. Default: none.
    /// </summary>
    [ConfigurationKeyName("webhook_allow")]
    public string WebhookAllow { get; set; } = string.Empty;

    /// <summary>Mail server for e-mails of workflows that name no queue; none: they stay open until they time out. Default: none.</summary>
    [ConfigurationKeyName("smtp_host")]
    public string SmtpHost { get; set; } = string.Empty;

    /// <summary>Port of the mail server, 1 to 65535. Default: 587.</summary>
    [ConfigurationKeyName("smtp_port")]
    public int SmtpPort { get; set; } = 587;

    /// <summary>
    /// <c>starttls</c>: the connection is encrypted after its first lines, and given up when the server cannot; <c>tls</c>: from its first byte on, mostly on port
    /// 465; <c>none</c>: never, and then no password is sent. Default: <c>starttls</c>.
    /// </summary>
    [ConfigurationKeyName("smtp_security")]
    public SmtpSecurity SmtpSecurity { get; set; } = SmtpSecurity.StartTls;

    /// <summary>User at the mail server. Default: none, and nobody logs in.</summary>
    [ConfigurationKeyName("smtp_user")]
    public string SmtpUser { get; set; } = string.Empty;

    /// <summary>Password of the user; best in the environment variable <c>ROSTER__SMTP_PASSWORD</c>. Not logged. Default: none.</summary>
    [ConfigurationKeyName("smtp_password")]
    public string SmtpPassword { get; set; } = string.Empty;

    /// <summary>Sender of e-mails that name none: <c>Shop &lt;shop@example.com&gt;</c>. Needed with <c>smtp_host</c>. Default: none.</summary>
    [ConfigurationKeyName("smtp_from")]
    public string SmtpFrom { get; set; } = string.Empty;

    /// <summary>Connections to the mail server at once, 1 to 100. Default: 4.</summary>
    [ConfigurationKeyName("smtp_connections_max")]
    public int SmtpConnectionsMax { get; set; } = 4;

    /// <summary>How long an e-mail may take to be handed over, 1 to 600 seconds. Default: 60.</summary>
    [ConfigurationKeyName("smtp_seconds_max")]
    public int SmtpSecondsMax { get; set; } = 60;

    /// <summary>Webhooks and e-mails under way at once, of all tenants, 1 to 10,000; tenants get places in turn. Default: 256.</summary>
    [ConfigurationKeyName("deliveries_in_flight_max")]
    public int DeliveriesInFlightMax { get; set; } = 256;

    /// <summary>
    /// How long streams may take to end when the server stops, and after that the checkpoint that spares the next start a replay, 0 to 600 seconds each.
    /// Default: 20.
    /// </summary>
    [ConfigurationKeyName("drain_seconds_max")]
    public int DrainSecondsMax { get; set; } = 20;

    /// <summary>Makes the meters of the server and its engine; set at start.</summary>
    internal IMeterFactory? Meters { get; set; }

    /// <summary>For tests: a further service, which anybody may call; its name and how it is mapped.</summary>
    internal (string Name, Action<Microsoft.AspNetCore.Routing.IEndpointRouteBuilder> Map)? FurtherService { get; set; }

    /// <summary>Real time, for limits and credentials. Not the engine's clock: that may be moved by hand.</summary>
    internal TimeProvider RealTime { get; set; } = TimeProvider.System;

    /// <summary>
    /// Reads the settings: appsettings.json of the current folder (or <paramref name="file"/>), the environment, then
    /// <paramref name="overrides"/> by setting name.
    /// </summary>
    /// <exception cref="ServerOptionsException">A setting is unknown, cannot be read or breaks a rule.</exception>
    public static ServerOptions Read(IReadOnlyDictionary<string, string?>? overrides = null, string? file = null)
    {
        var configuration = new ConfigurationBuilder()
            .SetBasePath(Directory.GetCurrentDirectory())
            .AddJsonFile(file ?? "appsettings.json", optional: file is null, reloadOnChange: false)
            .AddEnvironmentVariables()
            .AddInMemoryCollection((overrides ?? new Dictionary<string, string?>()).Select(pair => KeyValuePair.Create($"{Section}:{pair.Key}", pair.Value)))
            .Build();
        return ServerOptionsReader.Read(configuration.GetSection(Section));
    }
}
