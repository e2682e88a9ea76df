using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Makes calls over a channel.</summary>
internal sealed class HttpCallInvoker(GrpcChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using AsyncUnaryCall<TResponse> call = AsyncUnaryCall(method, host, options, request);
        return call.ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        call.StartWith(request);
        return new AsyncUnaryCall<TResponse>(
            call.Response, HeadersOf<TRequest, TResponse>, StatusOf<TRequest, TResponse>, TrailersOf<TRequest, TResponse>,
                End<TRequest, TResponse>, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        call.StartWith(request);
        return new AsyncServerStreamingCall<TResponse>(
            call.Reader!, HeadersOf<TRequest, TResponse>, StatusOf<TRequest, TResponse>, TrailersOf<TRequest, TResponse>,
                End<TRequest, TResponse>, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        ClientStreamWriter<TRequest, TResponse> writer = call.StartStreaming();
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            writer, call.Response, HeadersOf<TRequest, TResponse>, StatusOf<TRequest, TResponse>, TrailersOf<TRequest, TResponse>,
                End<TRequest, TResponse>, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        ClientStreamWriter<TRequest, TResponse> writer = call.StartStreaming();
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            writer, call.Reader!, HeadersOf<TRequest, TResponse>, StatusOf<TRequest, TResponse>, TrailersOf<TRequest, TResponse>,
                End<TRequest, TResponse>, call);
    }

    private static Task<Metadata> HeadersOf<TRequest, TResponse>(object call)
        where TRequest : class
        where TResponse : class => ((HttpCall<TRequest, TResponse>)call).ResponseHeaders;

    private static Status StatusOf<TRequest, TResponse>(object call)
        where TRequest : class
        where TResponse : class => ((HttpCall<TRequest, TResponse>)call).EndedWith().Status;

    private static Metadata TrailersOf<TRequest, TResponse>(object call)
        where TRequest : class
        where TResponse : class => ((HttpCall<TRequest, TResponse>)call).EndedWith().Trailers;

    private static void End<TRequest, TResponse>(object call)
        where TRequest : class
        where TResponse : class => ((HttpCall<TRequest, TResponse>)call).Dispose();
}
