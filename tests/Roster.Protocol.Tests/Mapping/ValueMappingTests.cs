using Google.Protobuf;
using Roster.Core.Packing;
using Roster.Core.Values;
using Roster.Protocol.Mapping;
using CoreValue = Roster.Core.Values.Value;
using Wire = Roster.V1.Value;
using WireTimestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Protocol.Tests.Mapping;

public sealed class ValueMappingTests
{
    public static TheoryData<string, PropertyType> Values() => new()
    {
        { "text", PropertyType.String }, { " ", PropertyType.String }, { "ünïcode ☃ 𝄞", PropertyType.String },
        { "0", PropertyType.Number }, { "-1.5", PropertyType.Number }, { "1.50", PropertyType.Number }, { "0.0000000000000000000000000001", PropertyType.Number },
        { "7922816251426433759354395033", PropertyType.Number }, { "-0", PropertyType.Number },
        { "true", PropertyType.Bool }, { "false", PropertyType.Bool },
        { "a", PropertyType.Enumeration }, { "b;a;b", PropertyType.Enumeration },
        { "0001-01-01", PropertyType.Date }, { "1970-01-01", PropertyType.Date }, { "9999-12-31", PropertyType.Date },
        { "0001-01-01T00:00:00Z", PropertyType.DateTime }, { "1970-01-01T00:00:00Z", PropertyType.DateTime }, { "1969-12-31T23:59:59.999Z", PropertyType.DateTime },
        { "9999-12-31T23:59:59.999Z", PropertyType.DateTime },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Values_round_trip_between_contract_Core_and_store(string text, PropertyType type)
    {
        Assert.True(CoreValue.TryParse(text, type, out var value));
        Assert.Null(ValueMapping.TryRead(ValueMapping.ToWire(value), out var back));
        Assert.Equal(value, back);
        var writer = new PackedWriter();
        value.Pack(writer);
        var stored = Roster.Storage.V1.Value.Parser.ParseFrom(writer.Written.ToArray());
        Assert.Equal(writer.Written.ToArray(), stored.ToByteArray());
        Assert.Equal(value, CoreValue.Unpack(writer.Written));
        Assert.Equal(value, CoreValue.TryParse(value.ToString(), type, out var again) ? again : CoreValue.Unknown);
    }

    [Fact]
    public void REC_06_Equal_numbers_have_equal_bytes_whatever_their_spelling()
    {
        var random = new Random(3);
        for (var i = 0; i < 20_000; i++)
        {
            var number = new decimal(random.Next(), random.Next(), random.Next(3) == 0 ? random.Next(100_000) : 0, random.Next(2) == 0, (byte)random.Next(12));
            var spelled = number * 1.000m;
            Assert.Equal(number, spelled);
            Assert.Equal(Pack(CoreValue.OfNumber(number)), Pack(CoreValue.OfNumber(spelled)));
            Assert.Equal(number, CoreValue.Unpack(Pack(CoreValue.OfNumber(number))).Number);
        }
    }

    [Fact]
    public void REC_03_Null_empty_text_and_an_empty_set_are_unknown()
    {
        foreach (var sent in new[] { null, new Wire(), new Wire { Text = "" }, new Wire { Options = new V1.OptionSet() } })
        {
            Assert.Null(ValueMapping.TryRead(sent, out var value));
            Assert.True(value.IsUnknown);
            Assert.Null(ValueMapping.ToWire(value));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("+1")]
    [InlineData("1e5")]
    [InlineData("1,5")]
    [InlineData(" 1")]
    [InlineData("--1")]
    [InlineData("NaN")]
    [InlineData("0x10")]
    [InlineData("99999999999999999999999999999999")]
    [InlineData("0.12345678901234567890123456789")]
    [InlineData("12345678901234567890123456789.0")]
    public void LIM_01_A_number_that_is_none_or_would_be_cut_is_refused(string number) =>
        Assert.NotNull(ValueMapping.TryRead(new Wire { Number = number }, out _));

    [Theory]
    [InlineData("")]
    [InlineData("2026-02-30")]
    [InlineData("2026-1-1")]
    [InlineData("-0044-03-15")]
    [InlineData("0000-01-01")]
    [InlineData("10000-01-01")]
    [InlineData("2026-01-01T00:00:00Z")]
    public void A_date_is_a_day_of_the_years_1_to_9999(string date) => Assert.NotNull(ValueMapping.TryRead(new Wire { Date = date }, out _));

    [Theory]
    [InlineData(-62135596801, 0)]
    [InlineData(253402300800, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 1_000_000_000)]
    public void An_instant_lies_in_the_years_1_to_9999(long seconds, int nanos) =>
        Assert.NotNull(ValueMapping.TryRead(new Wire { Datetime = new WireTimestamp { Seconds = seconds, Nanos = nanos } }, out _));

    [Fact]
    public void A_text_has_at_most_65536_bytes_not_characters()
    {
        Assert.Null(ValueMapping.TryRead(new Wire { Text = new string('x', 65_536) }, out _));
        Assert.NotNull(ValueMapping.TryRead(new Wire { Text = new string('x', 65_537) }, out _));
        Assert.NotNull(ValueMapping.TryRead(new Wire { Text = new string('é', 40_000) }, out _));
    }

    private static byte[] Pack(CoreValue value)
    {
        var writer = new PackedWriter();
        value.Pack(writer);
        return writer.Written.ToArray();
    }
}
