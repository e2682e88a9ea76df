using System.Text;
using Roster.Cli.Ingest;
using Roster.V1;

namespace Roster.Cli.Tests.Ingest;

public sealed class JsonEventTests
{
    [Fact]
    public void A_line_becomes_an_event()
    {
        var item = JsonEvent.Parse(
            """{"id":"e1","object":"contact","record":"ada@example.org","type":"form_submitted","at":"2026-01-02T03:04:05.678Z","source":"web","properties":{"form":"f1"},"set":{"city":"London"},"baseline":true}""");
        Assert.Equal("e1", item.EventId);
        Assert.Equal("contact", item.ObjectType);
        Assert.Equal("ada@example.org", item.RecordId);
        Assert.Equal("form_submitted", item.Type);
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero), item.OccurredAt.ToDateTimeOffset());
        Assert.Equal("web", item.Source);
        Assert.Equal("f1", Assert.Single(item.Properties).Value.Text);
        Assert.Equal("London", Assert.Single(item.Writes).Value.Text);
        Assert.True(item.Baseline);
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("0.10", "0.10")]
    [InlineData("-12345678901234567890.12345678", "-12345678901234567890.12345678")]
    [InlineData("1.5e3", "1500")]
    [InlineData("1E-7", "0.0000001")]
    public void A_number_keeps_its_digits(string json, string expected) => Assert.Equal(expected, Value(json).Number);

    [Fact]
    public void Values_are_typed_by_their_json()
    {
        Assert.Equal("x", Value("\"x\"").Text);
        Assert.True(Value("true").Boolean);
        Assert.Equal(["a", "b"], Value("""["a","b"]""").Options.Options);
        Assert.Equal(Roster.V1.Value.KindOneofCase.None, Value("null").KindCase);
        Assert.Equal("2026-01-02", Value("""{"date":"2026-01-02"}""").Date);
        Assert.Equal(1_767_323_045, Value("""{"datetime":"2026-01-02T04:04:05+01:00"}""").Datetime.Seconds);
    }

    [Theory]
    [InlineData("""{"object":"contact","record":"a"}""", "id", "missing")]
    [InlineData("""{"id":"e","object":"contact","recrd":"a"}""", "recrd", "Did you mean `record`?")]
    [InlineData("""{"id":7,"object":"contact","record":"a"}""", "id", "not a text")]
    [InlineData("""{"id":"e","object":"contact","record":"a","at":"yesterday"}""", "at", "not an instant")]
    [InlineData("""{"id":"e","object":"contact","record":"a","set":{"d":{"date":"2026-02-30"}}}""", "set.d", "2026-01-02")]
    [InlineData("""{"id":"e","object":"contact","record":"a","set":{"o":["a",1]}}""", "set.o", "not an option")]
    [InlineData("""{"id":"e","object":"contact","record":"a","set":{"n":1e999}}""", "set.n", "digits")]
    [InlineData("""{"id":"e","object":"contact","record":"a","set":[]}""", "set", "not an object")]
    [InlineData("""[1]""", "", "not a JSON object")]
    public void A_field_that_does_not_fit_is_told_by_its_path(string line, string path, string expected)
    {
        var error = Assert.Throws<BadValueException>(() => JsonEvent.Parse(line));
        Assert.Equal(path, error.Column);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_and_consents_are_read()
    {
        var read = JsonEvent.Parse(
            """{"id":"e","object":"contact","record":"a","link":{"deal/d/1":"buyer","company/c":""},"unlink":{"deal/d2":""},"consent":{"news":"UNSUBSCRIBED","calls":null}}""");
        Assert.Equal(
            [("deal", "d/1", "buyer", false), ("company", "c", "", false), ("deal", "d2", "", true)],
            read.Associations.Select(a => (a.ObjectType, a.RecordId, a.Label, a.Remove)));
        Assert.Equal(
            [("news", ConsentStatus.Types.Status.Unsubscribed), ("calls", ConsentStatus.Types.Status.Unspecified)],
            read.Consents.Select(c => (c.Subscription, c.Status)));
    }

    [Theory]
    [InlineData("\"link\":{\"deal\":\"\"}", "link.deal")]
    [InlineData("\"link\":{\"deal/d\":null}", "link.deal/d")]
    [InlineData("\"unlink\":[]", "unlink")]
    [InlineData("\"consent\":{\"news\":\"MAYBE\"}", "consent.news")]
    public void A_link_or_consent_that_does_not_fit_is_told_by_its_path(string field, string path) =>
        Assert.Equal(path, Assert.Throws<BadValueException>(() => JsonEvent.Parse($$"""{"id":"e","object":"contact","record":"a",{{field}}}""")).Column);

    [Fact]
    public void Malformed_lines_are_told_with_file_and_line_and_the_rest_goes_on()
    {
        const string Lines = """
            {"id":"e1","object":"contact","record":"a"}
            not json

            {"id":"e2","object":"contact","record":"a","at":"never"}
            {"id":"e3","object":"contact","record":"a"}
            """;
        var bad = new List<BadLine>();
        var source = new JsonLinesSource("events.jsonl", () => new MemoryStream(Encoding.UTF8.GetBytes(Lines)));
        var events = source.Read(0, bad.Add).ToList();
        Assert.Equal(["e1", "e3"], events.Select(item => item.Event.EventId));
        Assert.Equal([1L, 5L], events.Select(item => item.Line));
        Assert.Equal([2L, 4L], bad.Select(line => line.Line));
        Assert.StartsWith("events.jsonl:4: at: `at` is not an instant", bad[1].ToString(), StringComparison.Ordinal);
        Assert.Contains("Value: `never`", bad[1].ToString(), StringComparison.Ordinal);
    }

    private static Value Value(string json) =>
        JsonEvent.Parse($$$"""{"id":"e","object":"contact","record":"a","set":{"p":{{{json}}} }}""").Writes[0].Value;
}
