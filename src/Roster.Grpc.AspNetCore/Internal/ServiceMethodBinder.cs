using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>Turns the methods of a service class into handlers: an open delegate to the method, with the interceptors around it.</summary>
internal sealed class ServiceMethodBinder<
    [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods
        | DynamicallyAccessedMemberTypes.NonPublicMethods)]
TService>(GrpcServer server) : ServiceBinderBase
    where TService : class
{
    private readonly CallScoped<TService> _service = new(typeof(TService));

    // The innermost first, as the chain is built from there.
    private readonly CallScoped<Interceptor>[] _interceptors =
        [.. server.Interceptors.Reverse().Select(registration =>
            new CallScoped<Interceptor>(registration.Type, [.. registration.Arguments]))];

    private readonly List<(IMethod Method, RequestDelegate Handler, IReadOnlyList<object> Metadata)> _methods = [];

    private delegate Task<TResponse> Unary<TRequest, TResponse>(TService service, TRequest request, ServerCallContext context);

    private delegate Task<TResponse> ClientStreaming<TRequest, TResponse>(
        TService service, IAsyncStreamReader<TRequest> requests, ServerCallContext context);

    private delegate Task ServerStreaming<TRequest, TResponse>(
        TService service, TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context);

    private delegate Task DuplexStreaming<TRequest, TResponse>(
        TService service, IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, ServerCallContext context);

    public IReadOnlyList<(IMethod Method, RequestDelegate Handler, IReadOnlyList<object> Metadata)> Methods => _methods;

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        MethodInfo code = Find(method, typeof(TRequest), typeof(ServerCallContext));
        var open = code.CreateDelegate<Unary<TRequest, TResponse>>();
        UnaryServerMethod<TRequest, TResponse> chain = (request, context) =>
            _service.UseAsync(context, service => open(service, request, context));
        foreach (CallScoped<Interceptor> scoped in _interceptors)
        {
            UnaryServerMethod<TRequest, TResponse> next = chain;
            chain = (request, context) => scoped.UseAsync(context, interceptor => interceptor.UnaryServerHandler(request, context, next));
        }

        Add(method, code, new UnaryCallHandler<TRequest, TResponse>(server, method, chain).HandleAsync);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        MethodInfo code = Find(method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
        var open = code.CreateDelegate<ClientStreaming<TRequest, TResponse>>();
        ClientStreamingServerMethod<TRequest, TResponse> chain = (requests, context) =>
            _service.UseAsync(context, service => open(service, requests, context));
        foreach (CallScoped<Interceptor> scoped in _interceptors)
        {
            ClientStreamingServerMethod<TRequest, TResponse> next = chain;
            chain = (requests, context) =>
                scoped.UseAsync(context, interceptor => interceptor.ClientStreamingServerHandler(requests, context, next));
        }

        Add(method, code, new ClientStreamingCallHandler<TRequest, TResponse>(server, method, chain).HandleAsync);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        MethodInfo code = Find(method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        var open = code.CreateDelegate<ServerStreaming<TRequest, TResponse>>();
        ServerStreamingServerMethod<TRequest, TResponse> chain = (request, responses, context) =>
            _service.UseAsync(context, service => open(service, request, responses, context));
        foreach (CallScoped<Interceptor> scoped in _interceptors)
        {
            ServerStreamingServerMethod<TRequest, TResponse> next = chain;
            chain = (request, responses, context) =>
                scoped.UseAsync(context, interceptor => interceptor.ServerStreamingServerHandler(request, responses, context, next));
        }

        Add(method, code, new ServerStreamingCallHandler<TRequest, TResponse>(server, method, chain).HandleAsync);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        MethodInfo code = Find(method, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>),
            typeof(ServerCallContext));
        var open = code.CreateDelegate<DuplexStreaming<TRequest, TResponse>>();
        DuplexStreamingServerMethod<TRequest, TResponse> chain = (requests, responses, context) =>
            _service.UseAsync(context, service => open(service, requests, responses, context));
        foreach (CallScoped<Interceptor> scoped in _interceptors)
        {
            DuplexStreamingServerMethod<TRequest, TResponse> next = chain;
            chain = (requests, responses, context) =>
                scoped.UseAsync(context, interceptor => interceptor.DuplexStreamingServerHandler(requests, responses, context, next));
        }

        Add(method, code, new DuplexStreamingCallHandler<TRequest, TResponse>(server, method, chain).HandleAsync);
    }

    private static MethodInfo Find(IMethod method, params Type[] parameters)
    {
        const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        return typeof(TService).GetMethod(method.Name, Instance, parameters)
            ?? throw new InvalidOperationException($"The class '{typeof(TService)}' has no method '{method.Name}' for '{method.FullName}'.");
    }

    private void Add(IMethod method, MethodInfo code, RequestDelegate handler)
    {
        // Attributes such as [Authorize] say something about the endpoint; those of the method come last and win.
        object[] metadata = [.. typeof(TService).GetCustomAttributes(inherit: true), .. code.GetCustomAttributes(inherit: true)];
        _methods.Add((method, handler, metadata));
    }
}
