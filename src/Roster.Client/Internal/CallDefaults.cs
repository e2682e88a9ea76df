using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Roster.Client.Internal;

/// <summary>Adds the credential to every call, or the tenant where none is needed, and a deadline to unary calls that have none.</summary>
internal sealed class CallDefaults(RosterClientOptions options) : Interceptor
{
    private const string TenantHeader = "roster-tenant";
    private const string KeyHeader = "authorization";

    private readonly TimeSpan _timeout = options.CallTimeout;
    private readonly TimeProvider _clock = options.Clock;
    private readonly Metadata.Entry? _identity = options.ApiKey is { Length: > 0 } key ? new Metadata.Entry(KeyHeader, $"Bearer {key}")
        : options.ClientCertificate is not null ? null
        : new Metadata.Entry(TenantHeader, options.Tenant);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, With(context, isUnary: true));

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, With(context, isUnary: true));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, With(context, isUnary: false));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(With(context, isUnary: false));

    private ClientInterceptorContext<TRequest, TResponse> With<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context, bool isUnary)
        where TRequest : class
        where TResponse : class
    {
        var headers = new Metadata();
        foreach (var entry in context.Options.Headers ?? Metadata.Empty)
        {
            headers.Add(entry);
        }

        if (_identity is not null)
        {
            headers.Add(_identity);
        }

        var options = context.Options.WithHeaders(headers);
        if (isUnary && options.Deadline is null && _timeout != Timeout.InfiniteTimeSpan)
        {
            options = options.WithDeadline(_clock.GetUtcNow().UtcDateTime + _timeout);
        }

        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options);
    }
}
