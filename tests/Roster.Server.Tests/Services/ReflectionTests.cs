using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Reflection.V1;
using Alpha = Grpc.Reflection.V1Alpha;

namespace Roster.Server.Tests.Services;

public sealed class ReflectionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_services_are_listed()
    {
        await using var server = await TestServer.StartAsync();
        var names = (await AskAsync(server, new ServerReflectionRequest { ListServices = "*" })).ListServicesResponse.Service.Select(service => service.Name).ToList();
        Assert.Contains("roster.v1.IngestService", names);
        Assert.Contains("roster.v1.AccessService", names);
        Assert.Contains("grpc.health.v1.Health", names);
        Assert.Contains("grpc.reflection.v1.ServerReflection", names);
        Assert.Contains("grpc.reflection.v1alpha.ServerReflection", names);
    }

    [Theory]
    [InlineData("roster.v1.WorkflowService")]
    [InlineData("roster.v1.WorkflowService.SaveWorkflow")]
    [InlineData("roster.v1.Workflow")]
    [InlineData("roster.v1.Workflow.State")]
    [InlineData("roster.v1.RecordRef.record_id")]
    [InlineData("google.protobuf.Timestamp")]
    public async Task A_symbol_gives_its_file_and_all_that_it_needs(string symbol)
    {
        await using var server = await TestServer.StartAsync();
        var files = (await AskAsync(server, new ServerReflectionRequest { FileContainingSymbol = symbol })).FileDescriptorResponse.FileDescriptorProto
            .Select(FileDescriptorProto.Parser.ParseFrom).ToList();
        Assert.StartsWith(files[0].Package, symbol, StringComparison.Ordinal);
        var names = files.Select(file => file.Name).ToHashSet();
        Assert.All(files.SelectMany(file => file.Dependency), needed => Assert.Contains(needed, names));
    }

    [Fact]
    public async Task What_is_not_there_is_an_error_of_its_own_and_the_stream_goes_on()
    {
        await using var server = await TestServer.StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Server.GrpcAddress);
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Cancel);
        foreach (var request in new[]
        {
            new ServerReflectionRequest { FileContainingSymbol = "roster.v1.Nothing" },
            new ServerReflectionRequest { FileByFilename = "nothing.proto" },
            new ServerReflectionRequest { AllExtensionNumbersOfType = "roster.v1.WorkflowService" },
            new ServerReflectionRequest { FileContainingExtension = new ExtensionRequest() },
        })
        {
            await call.RequestStream.WriteAsync(request, Cancel);
            Assert.True(await call.ResponseStream.MoveNext(Cancel));
            Assert.Equal((int)StatusCode.NotFound, call.ResponseStream.Current.ErrorResponse.ErrorCode);
            Assert.Equal(request, call.ResponseStream.Current.OriginalRequest);
        }

        await call.RequestStream.WriteAsync(new ServerReflectionRequest(), Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal((int)StatusCode.InvalidArgument, call.ResponseStream.Current.ErrorResponse.ErrorCode);
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { FileByFilename = "roster/v1/ingest.proto" }, Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.NotEmpty(call.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Cancel));
    }

    [Fact]
    public async Task Older_clients_get_the_same_answers_without_a_credential()
    {
        await using var server = await TestServer.StartAsync(options => options.Auth = AuthKind.Required);
        using var channel = GrpcChannel.ForAddress(server.Server.GrpcAddress);
        using var call = new Alpha.ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new Alpha.ServerReflectionRequest { AllExtensionNumbersOfType = "roster.v1.Event" }, Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal("roster.v1.Event", call.ResponseStream.Current.AllExtensionNumbersResponse.BaseTypeName);
    }

    private static async Task<ServerReflectionResponse> AskAsync(TestServer server, ServerReflectionRequest request)
    {
        using var channel = GrpcChannel.ForAddress(server.Server.GrpcAddress, new GrpcChannelOptions { MaxReceiveMessageSize = 16 * 1024 * 1024 });
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(request, Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        return call.ResponseStream.Current;
    }
}
