using System.Net;
using MimeKit;
using Npgsql;
using Roster.Engine.Delivery;

namespace Roster.Server;

/// <summary>The rules between settings; checked once, at start.</summary>
internal static class ServerOptionsValidator
{
    /// <summary>One sentence per broken rule; none when all is well.</summary>
    public static IReadOnlyList<string> Validate(ServerOptions options)
    {
        var problems = new List<string>();
        if (options.Store == StoreKind.Sqlite && string.IsNullOrWhiteSpace(options.DataFolder))
        {
            problems.Add("`data_folder` is empty; the store `sqlite` needs a folder.");
        }

        CheckPostgres(problems, options);
        CheckCluster(problems, options);
        CheckRetention(problems, options);

        CheckAccess(problems, options);
        CheckAddress(problems, "grpc_address", options.GrpcAddress, options);
        CheckAddress(problems, "http_address", options.HttpAddress, options);
        CheckRange(problems, "grpc_port", options.GrpcPort, 0, 65_535);
        CheckRange(problems, "http_port", options.HttpPort, 0, 65_535);
        if (options.GrpcPort != 0 && options.GrpcPort == options.HttpPort)
        {
            problems.Add($"`grpc_port` and `http_port` are both {options.GrpcPort}; HTTP/2 without TLS needs a port of its own.");
        }

        CheckRange(problems, "event_bytes_max", options.EventBytesMax, 1_024, 16 * 1024 * 1024);
        CheckRange(problems, "events_per_request_max", options.EventsPerRequestMax, 1, 10_000);
        CheckRange(problems, "credit_events", options.CreditEvents, 1, 1_000_000);
        CheckRange(problems, "credit_bytes", options.CreditBytes, 64 * 1024, 1024L * 1024 * 1024);
        CheckRange(problems, "message_bytes_max", options.MessageBytesMax, 64 * 1024, 256 * 1024 * 1024);
        CheckRange(problems, "cache_bytes", options.CacheBytes, 1024 * 1024, 1024L * 1024 * 1024 * 1024);
        CheckRange(problems, "events_in_flight_max", options.EventsInFlightMax, 1_000, 10_000_000);
        CheckRange(problems, "events_waiting_max", options.EventsWaitingMax, 100, 10_000_000);
        CheckRange(problems, "call_bytes_in_flight_max", options.CallBytesInFlightMax, 64 * 1024, 1024L * 1024 * 1024);
        CheckRange(problems, "call_receive_seconds_max", options.CallReceiveSecondsMax, 1, 3_600);
        CheckRange(problems, "trace_permille", options.TracePermille, 0, 1_000);
        if (options.OtlpEndpoint.Length > 0 && !(Uri.TryCreate(options.OtlpEndpoint, UriKind.Absolute, out var otlp) && otlp.Scheme is "http" or "https"))
        {
            problems.Add($"`otlp_endpoint` is `{options.OtlpEndpoint}`, which is not an address such as http://127.0.0.1:4318.");
        }

        CheckRange(problems, "connections_max", options.ConnectionsMax, 10, 1_000_000);
        CheckRange(problems, "shards", options.Shards, 1, 64);
        CheckRange(problems, "threads_min", options.ThreadsMin, 0, 1_000);
        CheckRange(problems, "drain_seconds_max", options.DrainSecondsMax, 0, 600);
        CheckRange(problems, "deliveries_in_flight_max", options.DeliveriesInFlightMax, 1, 10_000);
        CheckMail(problems, options);
        if (ReadAllowed(options, out _) is { } wrong)
        {
            problems.Add($"`webhook_allow`: {wrong}");
        }

        if (options.MessageBytesMax < options.EventBytesMax)
        {
            problems.Add($"`message_bytes_max` is {options.MessageBytesMax}, less than `event_bytes_max` {options.EventBytesMax}; an event must fit into a message.");
        }

        return problems;
    }

    private static void CheckMail(List<string> problems, ServerOptions options)
    {
        CheckRange(problems, "smtp_port", options.SmtpPort, 1, 65_535);
        CheckRange(problems, "smtp_connections_max", options.SmtpConnectionsMax, 1, 100);
        CheckRange(problems, "smtp_seconds_max", options.SmtpSecondsMax, 1, 600);
        if (options.SmtpHost.Length > 0 && !MailboxAddress.TryParse(options.SmtpFrom, out _))
        {
            problems.Add($"`smtp_from` is `{options.SmtpFrom}`, which is no address; `smtp_host` needs a sender such as `Shop <shop@example.com>`.");
        }

        if (options.SmtpSecurity == SmtpSecurity.None && options.SmtpPassword.Length > 0)
        {
            problems.Add("`smtp_password` is set and `smtp_security` is `none`; a password is sent over an encrypted connection only.");
        }
    }

    /// <summary>Reads the ranges that webhooks may be sent to; returns what is wrong with them.</summary>
    public static string? ReadAllowed(ServerOptions options, out AddressRules rules) =>
        AddressRules.TryParse(options.WebhookAllow.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), out rules);

    private static void CheckRetention(List<string> problems, ServerOptions options)
    {
        const long BytesMin = 64L * 1024 * 1024;
        CheckRange(problems, "journal_keep_days", options.JournalKeepDays, 0, 36_500);
        if (options.JournalKeepBytes != 0 && options.JournalKeepBytes < BytesMin)
        {
            problems.Add($"`journal_keep_bytes` is {options.JournalKeepBytes}; it must be 0 or at least {BytesMin}.");
        }

        if (options.JournalKeepBytes != 0 && options.Store == StoreKind.Postgres)
        {
            problems.Add("`journal_keep_bytes` is of the store `sqlite`; with `postgres` use `journal_keep_days`.");
        }

        if (options.JournalKeepDays != 0 && options.Clock == ClockKind.Manual)
        {
            problems.Add("`journal_keep_days` counts real days; it does not go with `clock` set to `manual`.");
        }
    }

    private static void CheckCluster(List<string> problems, ServerOptions options)
    {
        if (!TryParseAddress(options.SiloAddress, out _))
        {
            problems.Add($"`silo_address` is `{options.SiloAddress}`, which is not an IP address.");
        }

        CheckRange(problems, "silo_port", options.SiloPort, 1, 65_535);
        if (options.ClusterId.Length is 0 or > 100)
        {
            problems.Add("`cluster_id` must have 1 to 100 characters.");
        }

        CheckRange(problems, "gateway_port", options.GatewayPort, 0, 65_535);
        if (options.GatewayPort != 0 && options.GatewayPort == options.SiloPort)
        {
            problems.Add($"`gateway_port` and `silo_port` are both {options.SiloPort}; front doors without a silo need a port of their own.");
        }

        if (options.Host != HostKind.Cluster)
        {
            if (options.Role != ClusterRole.Both)
            {
                problems.Add($"`role` is `{options.Role.ToString().ToLowerInvariant()}`; only a process of the host `cluster` can be a part of one.");
            }

            return;
        }

        if (options.Store != StoreKind.Postgres)
        {
            problems.Add($"`host` is `cluster`; silos share a database, so `store` must be `postgres`, not `{options.Store.ToString().ToLowerInvariant()}`.");
        }

        if (options.Clock != ClockKind.Real)
        {
            problems.Add("`host` is `cluster`; its silos go by the time of their machines, so `clock` must be `real`.");
        }

        if (!EngineFactory.HasCluster)
        {
            problems.Add("`host` is `cluster`; this program was built from a package feed without Microsoft Orleans. Run `eng/probe-feed` and build it again.");
        }
    }

    private static void CheckPostgres(List<string> problems, ServerOptions options)
    {
        if (options.Store == StoreKind.Postgres && string.IsNullOrWhiteSpace(options.Postgres))
        {
            problems.Add("`postgres` is empty; the store `postgres` needs `Host=...;Database=...;Username=...`, best in the environment variable ROSTER__POSTGRES.");
        }

        try
        {
            _ = new NpgsqlConnectionStringBuilder(options.Postgres);
        }
        catch (ArgumentException error)
        {
            // Without the value: it may have a password.
            problems.Add($"`postgres` cannot be read: {error.Message}");
        }
    }

    private static void CheckAccess(List<string> problems, ServerOptions options)
    {
        if (options.AdminKeySha256.Length > 0 && (options.AdminKeySha256.Length != 64 || !options.AdminKeySha256.All(char.IsAsciiHexDigit)))
        {
            // Without the value: somebody may have put the key itself here.
            problems.Add("`admin_key_sha256` is not 64 hexadecimal digits; `roster key generate` makes a key and its SHA-256.");
        }

        if (options.TlsCertificate.Length == 0 && (options.TlsKey.Length > 0 || options.TlsClientCa.Length > 0))
        {
            problems.Add("`tls_key` and `tls_client_ca` need `tls_certificate`.");
        }
    }

    private static void CheckAddress(List<string> problems, string setting, string value, ServerOptions options)
    {
        if (!TryParseAddress(value, out var address))
        {
            problems.Add($"`{setting}` is `{value}`, which is not an IP address.");
        }
        else if (IPAddress.IsLoopback(address))
        {
            // Nobody else can reach it.
        }
        else if (options.Auth == AuthKind.None)
        {
            problems.Add($"`{setting}` is `{value}`; without credentials the server listens on loopback only. Set it to 127.0.0.1 or ::1, or `auth` to `required`.");
        }
        else if (options.TlsCertificate.Length == 0 && !options.AllowPlaintext)
        {
            problems.Add($"`{setting}` is `{value}`, and there is no `tls_certificate`: keys would cross the network readable. Set it, or `allow_plaintext` when something else encrypts.");
        }
    }

    /// <summary>Reads an address; <c>localhost</c> is 127.0.0.1.</summary>
    public static bool TryParseAddress(string value, out IPAddress address)
    {
        if (string.Equals(value, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            address = IPAddress.Loopback;
            return true;
        }

        var parsed = IPAddress.TryParse(value, out var found);
        address = found ?? IPAddress.None;
        return parsed;
    }

    private static void CheckRange(List<string> problems, string setting, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            problems.Add($"`{setting}` is {value}; it must be from {min} to {max}.");
        }
    }
}
