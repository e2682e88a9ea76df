using System.Buffers;
using Grpc.Core;
using Grpc.Core.Wire;

namespace Roster.Grpc.Tests;

/// <summary>Tables for the small text forms of the protocol.</summary>
public sealed class WireTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain text ~!", "plain text ~!")]
    [InlineData("100%", "100%25")]
    [InlineData("a\r\nb\t", "a%0D%0Ab%09")]
    [InlineData("\u007f", "%7F")]
    [InlineData("ü", "%C3%BC")]
    [InlineData("☺", "%E2%98%BA")]
    [InlineData("😈", "%F0%9F%98%88")]
    [InlineData("%20", "%2520")]
    public void Percent_encoding_there_and_back(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz", "%zz")]
    [InlineData("%4g1", "%4g1")]
    [InlineData("a%", "a%")]
    [InlineData("%41%", "A%")]
    [InlineData("%c3%bc", "ü")]
    [InlineData("%ff", "\ufffd")]
    [InlineData("%+1", "%+1")]
    public void Percent_decoding_never_fails(string encoded, string text) => Assert.Equal(text, PercentEncoding.Decode(encoded));

    [Fact]
    public void A_lone_surrogate_is_sent_as_the_replacement_character() => Assert.Equal("x%EF%BF%BD", PercentEncoding.Encode("x\ud83d"));

    [Theory]
    [InlineData("1H", 36_000_000_000L)]
    [InlineData("1M", 600_000_000L)]
    [InlineData("1S", 10_000_000L)]
    [InlineData("1m", 10_000L)]
    [InlineData("1u", 10L)]
    [InlineData("100n", 1L)]
    [InlineData("99n", 0L)]
    [InlineData("0S", 0L)]
    [InlineData("00000010m", 100_000L)]
    [InlineData("99999999H", 3_599_999_964_000_000_000L)]
    public void A_timeout_is_read_in_every_unit(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out TimeSpan timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1h")]
    [InlineData("1s")]
    [InlineData("+1S")]
    [InlineData("-1S")]
    [InlineData(" 1S")]
    [InlineData("1 S")]
    [InlineData("1.0S")]
    [InlineData("123456789S")]
    [InlineData("١S")]
    public void A_timeout_of_another_form_is_refused(string? text) => Assert.False(GrpcTimeout.TryParse(text, out _));

    [Theory]
    [InlineData(-5L, "1n")]
    [InlineData(0L, "1n")]
    [InlineData(1L, "1u")]
    [InlineData(11L, "2u")]
    [InlineData(10_000_000L, "1000000u")]
    [InlineData(999_999_990L, "99999999u")]
    [InlineData(999_999_991L, "100000m")]
    [InlineData(999_999_990_000L, "99999999m")]
    [InlineData(999_999_990_001L, "100000S")]
    [InlineData(999_999_990_000_001L, "1666667M")]
    [InlineData(long.MaxValue, "99999999H")]
    public void A_timeout_is_written_in_the_finest_unit_that_fits_rounded_up(long ticks, string text)
    {
        Assert.Equal(text, GrpcTimeout.Format(new TimeSpan(ticks)));
        Assert.True(GrpcTimeout.TryParse(text, out TimeSpan parsed));
        Assert.True(parsed.Ticks >= ticks || ticks == long.MaxValue);
    }

    [Theory]
    [InlineData("AQID", new byte[] { 1, 2, 3 })]
    [InlineData("AQ==", new byte[] { 1 })]
    [InlineData("AQ", new byte[] { 1 })]
    [InlineData("AQI=", new byte[] { 1, 2 })]
    [InlineData("AQI", new byte[] { 1, 2 })]
    [InlineData("", new byte[0])]
    public void Binary_metadata_is_read_with_and_without_padding(string text, byte[] bytes)
    {
        var metadata = new Metadata();
        MetadataText.AddLine(metadata, "x-bin", text);
        Assert.Equal(bytes, Assert.Single(metadata).ValueBytes);
        Assert.Equal(text.TrimEnd('='), MetadataText.Encode(metadata[0]));
    }

    [Fact]
    public void Binary_metadata_on_one_line_is_split_at_commas()
    {
        var metadata = new Metadata();
        MetadataText.AddLine(metadata, "x-bin", "AQ==,AQI, AQID");
        Assert.Equal([[1], [1, 2], [1, 2, 3]], metadata.Select(entry => entry.ValueBytes));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("AQIDB")]
    [InlineData("A*==")]
    [InlineData("A Q=")]
    [InlineData("AQ===")]
    public void Binary_metadata_that_is_not_base64_is_INTERNAL(string text)
    {
        RpcException e = Assert.Throws<RpcException>(() => MetadataText.AddLine([], "x-bin", text));
        Assert.Equal(StatusCode.Internal, e.StatusCode);
        Assert.Contains("x-bin", e.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1000, true)]
    [InlineData(999, 1000, true)]
    [InlineData(1000, 1000, true)]
    [InlineData(1001, 1000, false)]
    [InlineData(64 * 1024 * 1024, 100_000, false)]
    public void Decompression_never_grows_past_its_limit(int bytes, int bytesMax, bool fits)
    {
        using var target = new PooledBuffer();
        byte[] packed = RawCall.Gzip(new byte[bytes]);
        Assert.Equal(fits, GzipMessages.TryDecompress(new ReadOnlySequence<byte>(packed), bytesMax, target));
        Assert.Equal(Math.Min(bytes, bytesMax + 1), target.Length);
    }

    [Theory]
    [InlineData("grpc-status", true)]
    [InlineData("Grpc-Message", true)]
    [InlineData("grpc-timeout", true)]
    [InlineData("grpc-encoding", true)]
    [InlineData("grpc-accept-encoding", true)]
    [InlineData("content-type", true)]
    [InlineData("te", true)]
    [InlineData(":path", true)]
    [InlineData("grpc-status-details-bin", false)]
    [InlineData("grpc-trace-bin", false)]
    [InlineData("x-anything", false)]
    [InlineData("user-agent", false)]
    public void The_protocol_owns_its_names_and_no_others(string name, bool owned) =>
        Assert.Equal(owned, WireNames.IsOwnedByProtocol(name));

    [Theory]
    [InlineData("application/grpc", true)]
    [InlineData("application/grpc+proto", true)]
    [InlineData("application/grpc; x=y", true)]
    [InlineData("application/grpc;x=y", true)]
    [InlineData("Application/GRPC", true)]
    [InlineData("application/grpc-web", false)]
    [InlineData("application/grpc-web-text", false)]
    [InlineData("application/json", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_content_type_is_grpc_or_not(string? contentType, bool isGrpc) =>
        Assert.Equal(isGrpc, WireNames.IsGrpcContentType(contentType));
}
