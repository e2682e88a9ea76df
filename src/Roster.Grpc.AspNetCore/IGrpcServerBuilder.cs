using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>Where extensions add more to a gRPC server.</summary>
public interface IGrpcServerBuilder
{
    /// <summary>The services of the server.</summary>
    IServiceCollection Services { get; }
}
