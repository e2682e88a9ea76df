using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Roster.Grpc.Tests.Protos;

namespace Roster.Grpc.Tests;

/// <summary>What the server does with requests that no decent client sends.</summary>
public sealed class MalformedRequestTests
{
    private const int TimeoutMs = 30_000;
    private const string Ok = "0";
    private const string DeadlineExceeded = "4";
    private const string ResourceExhausted = "8";
    private const string Unimplemented = "12";
    private const string Internal = "13";

    [Theory(Timeout = TimeoutMs)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(14)]
    public async Task A_stream_that_ends_within_a_message_is_INTERNAL(int bytes)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        byte[] whole = RawCall.Frame(0, new byte[10]);
        Assert.Equal(15, whole.Length);
        foreach (string path in new[] { RawCall.Unary, RawCall.StreamingInput })
        {
            RawReply reply = await RawCall.SendAsync(server, path, whole[..bytes]);
            Assert.Equal(Internal, reply.Status);
            Assert.Contains("ended within a message", reply.Message, StringComparison.Ordinal);
        }
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(2)]
    [InlineData(128)]
    [InlineData(255)]
    public async Task Unknown_frame_flags_are_INTERNAL(byte flags)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(flags, []));
        Assert.Equal(Internal, reply.Status);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(null)]
    [InlineData("identity")]
    public async Task A_compressed_flag_without_encoding_is_INTERNAL(string? encoding)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        (string, string)[] headers = encoding is null ? [] : [("grpc-encoding", encoding)];
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(1, RawCall.Gzip([])), headers);
        Assert.Equal(Internal, reply.Status);
        Assert.Contains("no grpc-encoding", reply.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_unknown_encoding_is_UNIMPLEMENTED_and_names_the_known_ones()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(1, [1]), ("grpc-encoding", "snappy"));
        Assert.Equal(Unimplemented, reply.Status);
        Assert.Equal("identity,gzip", reply.Headers["grpc-accept-encoding"]);
        Assert.True(reply.IsTrailersOnly);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_message_of_exactly_the_limit_is_taken()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = 1000);
        Assert.Equal(Ok, (await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(0, RawCall.RequestOf(1000)))).Status);
        byte[] packed = RawCall.Frame(1, RawCall.Gzip(RawCall.RequestOf(1000)));
        Assert.Equal(Ok, (await RawCall.SendAsync(server, RawCall.Unary, packed, ("grpc-encoding", "gzip"))).Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_message_of_one_byte_more_than_the_limit_is_RESOURCE_EXHAUSTED_naming_value_limit_and_setting()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = 1000);
        RawReply plain = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(0, RawCall.RequestOf(1001)));
        Assert.Equal(ResourceExhausted, plain.Status);
        Assert.Contains("1001", plain.Message, StringComparison.Ordinal);
        Assert.Contains("1000", plain.Message, StringComparison.Ordinal);
        Assert.Contains("MaxReceiveMessageSize", plain.Message, StringComparison.Ordinal);

        byte[] packed = RawCall.Frame(1, RawCall.Gzip(RawCall.RequestOf(1001)));
        Assert.Equal(ResourceExhausted, (await RawCall.SendAsync(server, RawCall.Unary, packed, ("grpc-encoding", "gzip"))).Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_declared_length_of_4_GiB_is_refused_by_its_header()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(0, uint.MaxValue, [1, 2, 3]));
        Assert.Equal(ResourceExhausted, reply.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Without_a_limit_a_declared_length_past_2_GiB_is_still_refused()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = null);
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(0, 0x8000_0000, [1, 2, 3]));
        Assert.Equal(ResourceExhausted, reply.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_gzip_bomb_is_RESOURCE_EXHAUSTED()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        byte[] bomb = RawCall.Gzip(new byte[64 * 1024 * 1024]);
        Assert.True(bomb.Length < 128 * 1024);
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(1, bomb), ("grpc-encoding", "gzip"));
        Assert.Equal(ResourceExhausted, reply.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Bytes_that_are_not_gzip_or_end_early_are_INTERNAL()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        byte[] packed = RawCall.Gzip(RawCall.RequestOf(1000));
        foreach (byte[] payload in new[] { [1, 2, 3, 4], packed[..^12], packed[..12] })
        {
            RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(1, payload), ("grpc-encoding", "gzip"));
            Assert.Equal(Internal, reply.Status);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Bytes_that_are_not_the_request_message_are_INTERNAL()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        foreach (string path in new[] { RawCall.Unary, RawCall.StreamingInput })
        {
            Assert.Equal(Internal, (await RawCall.SendAsync(server, path, RawCall.Frame(0, [0xff, 0xff]))).Status);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_unary_call_with_no_message_or_two_is_INTERNAL()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        byte[] one = RawCall.Frame(new SimpleRequest());
        Assert.Equal(Internal, (await RawCall.SendAsync(server, RawCall.Unary, [])).Status);
        Assert.Equal(Internal, (await RawCall.SendAsync(server, RawCall.Unary, [.. one, .. one])).Status);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpcx")]
    [InlineData("text/plain")]
    public async Task Another_content_type_gets_HTTP_415(string contentType)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(new SimpleRequest()), ("content-type", contentType));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, reply.HttpStatus);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc;charset=utf-8")]
    [InlineData("APPLICATION/GRPC")]
    public async Task A_grpc_content_type_is_taken_in_all_its_forms(string contentType)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(new SimpleRequest()), ("content-type", contentType));
        Assert.Equal(HttpStatusCode.OK, reply.HttpStatus);
        Assert.Equal(Ok, reply.Status);
        Assert.Equal("application/grpc", reply.Headers["content-type"]);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task HTTP_1_gets_426()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(null, null, _ => { }, HttpProtocols.Http1);
        using var http = new HttpClient();
        using HttpRequestMessage request = RawCall.Request(server, RawCall.Unary, RawCall.Frame(new SimpleRequest()));
        request.Version = HttpVersion.Version11;
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_GET_is_no_call()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address + RawCall.Unary)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("1")]
    [InlineData("s")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    [InlineData("1 S")]
    [InlineData("1s")]
    [InlineData("1.5S")]
    public async Task A_grpc_timeout_of_another_form_is_INTERNAL(string timeout)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(new SimpleRequest()), ("grpc-timeout", timeout));
        Assert.Equal(Internal, reply.Status);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("99999999H")]
    [InlineData("99999999M")]
    [InlineData("99999999S")]
    [InlineData("10S")]
    public async Task A_long_grpc_timeout_changes_nothing(string timeout)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(new SimpleRequest()), ("grpc-timeout", timeout));
        Assert.Equal(Ok, reply.Status);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("0S")]
    [InlineData("1n")]
    public async Task A_grpc_timeout_that_has_passed_is_DEADLINE_EXCEEDED(string timeout)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(new SimpleRequest()), ("grpc-timeout", timeout));
        Assert.Equal(DeadlineExceeded, reply.Status);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("q6urAA==", "q6urAA")]
    [InlineData("q6urAA", "q6urAA")]
    [InlineData("q6s=", "q6s")]
    [InlineData("q6ur", "q6ur")]
    [InlineData("", "")]
    public async Task Binary_metadata_is_taken_with_and_without_padding_and_sent_without(string sent, string echoed)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(
            server, RawCall.Unary, RawCall.Frame(new SimpleRequest()), (InteropService.TrailingMetadataKey, sent));
        Assert.Equal(Ok, reply.Status);
        Assert.Equal(echoed, reply.Trailers[InteropService.TrailingMetadataKey]);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("q")]
    [InlineData("q6urA")]
    [InlineData("q6*r")]
    [InlineData("q6ur====")]
    public async Task Binary_metadata_that_is_not_base64_is_INTERNAL(string sent)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(
            server, RawCall.Unary, RawCall.Frame(new SimpleRequest()), (InteropService.TrailingMetadataKey, sent));
        Assert.Equal(Internal, reply.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_immediate_error_is_a_reply_of_headers_only()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var request = new SimpleRequest { ResponseStatus = new EchoStatus { Code = 5, Message = "100% of ü" } };
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(request));
        Assert.True(reply.IsTrailersOnly);
        Assert.Equal(HttpStatusCode.OK, reply.HttpStatus);
        Assert.Equal("5", reply.Status);
        Assert.Equal("100%25 of %C3%BC", reply.Headers["grpc-message"]);
        Assert.Empty(reply.Trailers);
        Assert.Empty(reply.Body);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_error_after_a_message_is_in_the_trailers()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var request = new StreamingOutputRequest { ResponseSizes = { 3 }, ResponseStatus = new EchoStatus { Code = 9, Message = "late" } };
        RawReply reply = await RawCall.SendAsync(server, RawCall.StreamingOutput, RawCall.Frame(request));
        Assert.False(reply.IsTrailersOnly);
        Assert.Equal("9", reply.Trailers["grpc-status"]);
        Assert.Equal(10, reply.Body.Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task OK_is_always_in_the_trailers()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RawReply reply = await RawCall.SendAsync(server, RawCall.StreamingOutput, RawCall.Frame(new StreamingOutputRequest()));
        Assert.False(reply.IsTrailersOnly);
        Assert.Equal(Ok, reply.Trailers["grpc-status"]);
        Assert.False(reply.Trailers.ContainsKey("grpc-message"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_status_text_too_long_for_headers_is_cut()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var request = new SimpleRequest { ResponseStatus = new EchoStatus { Code = 3, Message = new string('ü', 100_000) } };
        RawReply reply = await RawCall.SendAsync(server, RawCall.Unary, RawCall.Frame(request));
        Assert.Equal("3", reply.Status);
        string encoded = reply.Headers["grpc-message"];
        Assert.InRange(encoded.Length, 4000, 4096);
        Assert.Equal(0, encoded.Length % 3);
    }
}
