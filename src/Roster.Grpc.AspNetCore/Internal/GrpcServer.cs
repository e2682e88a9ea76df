using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Reflection;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>What all services of a server share: the resolved options, and the way from a service class to endpoints.</summary>
internal sealed class GrpcServer
{
    private static readonly HttpMethodMetadata Post = new([HttpMethods.Post]);

    private readonly ConditionalWeakTable<IEndpointRouteBuilder, object> _withFallback = [];
    private readonly bool _ignoreUnknownServices;

    public GrpcServer(IOptions<GrpcServiceOptions> options, ILoggerFactory loggers, IServiceProvider services)
    {
        GrpcServiceOptions values = options.Value;
        if (values.ResponseCompressionAlgorithm is not (null or WireNames.Identity or WireNames.Gzip))
        {
            throw new InvalidOperationException(
                $"The {nameof(GrpcServiceOptions.ResponseCompressionAlgorithm)} '{values.ResponseCompressionAlgorithm}' is not supported; "
                + $"'{WireNames.SupportedEncodings}' are.");
        }

        ReceiveBytesMax = values.MaxReceiveMessageSize;
        SendBytesMax = values.MaxSendMessageSize;
        HasDetailedErrors = values.EnableDetailedErrors ?? false;
        CompressesResponses = values.ResponseCompressionAlgorithm == WireNames.Gzip;
        CompressionLevel = values.ResponseCompressionLevel ?? CompressionLevel.Fastest;
        Interceptors = [.. values.Interceptors];
        _ignoreUnknownServices = values.IgnoreUnknownServices ?? false;
        Logger = loggers.CreateLogger("Grpc.AspNetCore.Server");
        TimeProvider = services.GetService<TimeProvider>() ?? TimeProvider.System;
    }

    public int? ReceiveBytesMax { get; }

    public int? SendBytesMax { get; }

    public bool HasDetailedErrors { get; }

    public bool CompressesResponses { get; }

    public CompressionLevel CompressionLevel { get; }

    public IReadOnlyList<InterceptorRegistration> Interceptors { get; }

    public ILogger Logger { get; }

    public TimeProvider TimeProvider { get; }

    public IReadOnlyList<IEndpointConventionBuilder> Map<
        [DynamicallyAccessedMembers(
            DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods
            | DynamicallyAccessedMemberTypes.NonPublicMethods)]
    TService>(IEndpointRouteBuilder builder)
        where TService : class
    {
        var binder = new ServiceMethodBinder<TService>(this);
        Bind<TService>(binder);
        var endpoints = new List<IEndpointConventionBuilder>();
        foreach ((IMethod method, RequestDelegate handler, IReadOnlyList<object> metadata) in binder.Methods)
        {
            endpoints.Add(builder
                .Map(RoutePatternFactory.Parse(method.FullName), handler)
                .WithDisplayName($"gRPC - {method.FullName}")
                .WithMetadata([Post, new GrpcMethodMetadata(typeof(TService), method), .. metadata]));
        }

        foreach (string service in binder.Methods.Select(bound => bound.Method.ServiceName).Distinct(StringComparer.Ordinal))
        {
            MapUnimplemented(builder, $"/{service}/{{unimplementedMethod}}", "The method is not implemented by this service.");
        }

        if (!_ignoreUnknownServices && _withFallback.TryAdd(builder, this))
        {
            MapUnimplemented(builder, "/{unimplementedService}/{unimplementedMethod}", "The service is not implemented by this server.");
        }

        return endpoints;
    }

    /// <summary>
    /// Generated code binds its methods; with null for the service object it leaves the code of each method to the binder.
    /// </summary>
    private static void Bind<TService>(ServiceMethodBinder<TService> binder)
        where TService : class
    {
        // The nearest one, from the class towards its generated base class.
        BindServiceMethodAttribute attribute = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException($"The class '{typeof(TService)}' is no gRPC service: it does not inherit from a generated base class.");
        MethodInfo bind = attribute.BindType
            .GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .SingleOrDefault(method => method.Name == attribute.BindMethodName
                && method.GetParameters() is [var first, var second]
                && first.ParameterType == typeof(ServiceBinderBase)
                && second.ParameterType.IsAssignableFrom(typeof(TService)))
            ?? throw new InvalidOperationException(
                $"'{attribute.BindType}.{attribute.BindMethodName}' does not take a {nameof(ServiceBinderBase)} and a '{typeof(TService)}'.");
        bind.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [binder, null], null);
    }

    private void MapUnimplemented(IEndpointRouteBuilder builder, string pattern, string detail)
    {
        var status = new Status(StatusCode.Unimplemented, detail);
        RoutePattern parsed = RoutePatternFactory.Parse(pattern, defaults: null,
            parameterPolicies: new { unimplementedMethod = new GrpcRequestOnly() });
        builder
            .Map(parsed, (RequestDelegate)(http => HttpReplies.RefuseAsync(http, StatusCodes.Status200OK, status)))
            .WithDisplayName($"gRPC - unimplemented {pattern}")
            .Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = int.MaxValue);
    }

    /// <summary>Leaves everything that is not gRPC to the other endpoints of the server.</summary>
    private sealed class GrpcRequestOnly : IRouteConstraint
    {
        public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values,
            RouteDirection routeDirection) =>
            httpContext is not null
            && HttpMethods.IsPost(httpContext.Request.Method)
            && WireNames.IsGrpcContentType(httpContext.Request.ContentType);
    }
}
