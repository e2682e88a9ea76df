using Grpc.Core;

namespace Grpc.AspNetCore.Server;

/// <summary>Marks the endpoint of a gRPC method.</summary>
public sealed class GrpcMethodMetadata
{
    /// <summary>Creates the mark.</summary>
    /// <param name="serviceType">The class of the service.</param>
    /// <param name="method">The method.</param>
    public GrpcMethodMetadata(Type serviceType, IMethod method)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        ArgumentNullException.ThrowIfNull(method);
        ServiceType = serviceType;
        Method = method;
    }

    /// <summary>The class of the service.</summary>
    public Type ServiceType { get; }

    /// <summary>The method.</summary>
    public IMethod Method { get; }
}
