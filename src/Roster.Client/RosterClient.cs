using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Roster.Client.Internal;
using Roster.V1;

namespace Roster.Client;

/// <summary>
/// A connection to a Roster server: the generated stubs, with tenant and deadlines filled in, and sessions for what needs more than
/// one call. Thread-safe; make one and keep it.
/// </summary>
/// <remarks>Calls throw <see cref="RpcException"/>; <see cref="RosterErrors"/> reads its details.</remarks>
public sealed class RosterClient : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Makes a client. Nothing is sent before the first call.</summary>
    /// <param name="options">How to reach the server; null for the defaults.</param>
    public RosterClient(RosterClientOptions? options = null)
    {
        options ??= new RosterClientOptions();
        ArgumentException.ThrowIfNullOrEmpty(options.Tenant);
        Tenant = options.Tenant;
        Clock = options.Clock;
        _channel = GrpcChannel.ForAddress(options.Address, new GrpcChannelOptions
        {
            MaxReceiveMessageSize = options.MessageBytesMax,
            DisposeHttpClient = true,
            HttpHandler = new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                KeepAlivePingDelay = TimeSpan.FromSeconds(30),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
                InitialHttp2StreamWindowSize = 2 * 1024 * 1024,
                SslOptions = Tls(options),
            },
        });
        var invoker = _channel.Intercept(new CallDefaults(options));
        Ingest = new IngestService.IngestServiceClient(invoker);
        Records = new RecordService.RecordServiceClient(invoker);
        Workflows = new WorkflowService.WorkflowServiceClient(invoker);
        Enrollments = new EnrollmentService.EnrollmentServiceClient(invoker);
        Lists = new ListService.ListServiceClient(invoker);
        Sequences = new SequenceService.SequenceServiceClient(invoker);
        Journal = new JournalService.JournalServiceClient(invoker);
        Tenants = new TenantService.TenantServiceClient(invoker);
        Work = new WorkService.WorkServiceClient(invoker);
        Operations = new OperationService.OperationServiceClient(invoker);
        Admin = new AdminService.AdminServiceClient(invoker);
        Access = new AccessService.AccessServiceClient(invoker);
        Health = new Health.HealthClient(invoker);
    }

    /// <summary>The tenant that calls are for.</summary>
    public string Tenant { get; }

    /// <summary>Events, call by call. For many, use <see cref="OpenIngest"/>.</summary>
    public IngestService.IngestServiceClient Ingest { get; }

    /// <summary>Records and their timelines.</summary>
    public RecordService.RecordServiceClient Records { get; }

    /// <summary>Definitions and counters of workflows.</summary>
    public WorkflowService.WorkflowServiceClient Workflows { get; }

    /// <summary>Enrolling and unenrolling by hand, and why a record is enrolled or not.</summary>
    public EnrollmentService.EnrollmentServiceClient Enrollments { get; }

    /// <summary>Lists and their members.</summary>
    public ListService.ListServiceClient Lists { get; }

    /// <summary>Sequences, who is enrolled in them, and the inboxes that they are sent from.</summary>
    public SequenceService.SequenceServiceClient Sequences { get; }

    /// <summary>The history of everything.</summary>
    public JournalService.JournalServiceClient Journal { get; }

    /// <summary>Schema and settings.</summary>
    public TenantService.TenantServiceClient Tenants { get; }

    /// <summary>Tasks, call by call. For a worker, use <see cref="RosterWorker"/>.</summary>
    public WorkService.WorkServiceClient Work { get; }

    /// <summary>Long-running jobs.</summary>
    public OperationService.OperationServiceClient Operations { get; }

    /// <summary>Status, clock, checkpoints.</summary>
    public AdminService.AdminServiceClient Admin { get; }

    /// <summary>Credentials, and who the caller is.</summary>
    public AccessService.AccessServiceClient Access { get; }

    /// <summary>Health of the server and its services.</summary>
    public Health.HealthClient Health { get; }

    internal TimeProvider Clock { get; }

    /// <summary>Opens a session for many events.</summary>
    /// <param name="options">How; null for the defaults.</param>
    public IngestSession OpenIngest(IngestSessionOptions? options = null) => new(this, options ?? new IngestSessionOptions());

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private static SslClientAuthenticationOptions Tls(RosterClientOptions options)
    {
        var tls = new SslClientAuthenticationOptions();
        if (options.ClientCertificate is { } certificate)
        {
            tls.ClientCertificates = [certificate];
        }

        if (options.TrustedAuthorities is { Count: > 0 } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return tls;
    }
}
