using Grpc.Core;
using Roster.Client;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Tests.Access;

/// <summary>A server that asks for credentials, and clients that have some.</summary>
internal static class AccessTestKit
{
    public static Task<TestServer> StartAsync(Action<ServerOptions>? configure = null) => TestServer.StartAsync(options =>
    {
        options.Auth = AuthKind.Required;
        configure?.Invoke(options);
    });

    public static CreateCredentialResponse Make(this TestServer server, string tenant, IEnumerable<Right> rights, params string[] objectTypes) =>
        server.Engine.Credentials.Create(tenant, new Credential { Name = "test", Rights = { rights }, ObjectTypes = { objectTypes } }, "");

    public static RosterClient ClientOf(this TestServer server, string key) => new(new RosterClientOptions { Address = server.Server.GrpcAddress, ApiKey = key });

    public static async Task<RosterErrorDetails> RefusedAsync<T>(AsyncUnaryCall<T> call) =>
        RosterErrors.Read(await Assert.ThrowsAsync<RpcException>(async () => await call));
}
