using System.Text;
using Roster.Cli.Ingest;
using Roster.V1;

namespace Roster.Cli.Tests.Ingest;

public sealed class CsvSourceTests
{
    private const string DealsMap = """
        {
          "time_zone": "America/Sao_Paulo",
          "events": [
            {"object": "deal", "record": "seller", "at": {"column": "won", "format": "uuuu-MM-dd HH:mm:ss"}, "source": "crm",
             "set": {"segment": "segment", "revenue": {"column": "revenue", "type": "number"}, "tags": {"column": "tags", "type": "enumeration"},
                     "company": {"column": "company", "type": "bool"}, "stage": {"value": "won"}}},
            {"object": "contact", "record": "lead", "type": {"value": "deal_won"}, "at": {"column": "won", "format": "uuuu-MM-dd HH:mm:ss"},
             "properties": {"seller": "seller"}, "set": {"won_on": {"column": "won", "type": "date", "format": "uuuu-MM-dd HH:mm:ss"}}}
          ]
        }
        """;

    private const string Header = "lead,seller,won,segment,revenue,tags,company\n";

    [Fact]
    public void One_row_makes_several_events()
    {
        var (events, bad) = Read(DealsMap, Header + "m1,s1,2018-02-26 19:58:54,pet,12.50,a;b,True\n");
        Assert.Empty(bad);
        var deal = events[0].Event;
        Assert.Equal(("deal", "s1", "crm"), (deal.ObjectType, deal.RecordId, deal.Source));
        Assert.Equal(["segment", "revenue", "tags", "company", "stage"], deal.Writes.Select(write => write.Name));
        Assert.Equal("12.50", deal.Writes[1].Value.Number);
        Assert.Equal(["a", "b"], deal.Writes[2].Value.Options.Options);
        Assert.True(deal.Writes[3].Value.Boolean);
        Assert.Equal("won", deal.Writes[4].Value.Text);
        var contact = events[1].Event;
        Assert.Equal(("contact", "m1", "deal_won"), (contact.ObjectType, contact.RecordId, contact.Type));
        Assert.Equal("s1", Assert.Single(contact.Properties).Value.Text);
        Assert.Equal("2018-02-26", Assert.Single(contact.Writes).Value.Date);
    }

    [Theory]
    [InlineData("2018-02-26 19:58:54", "2018-02-26T22:58:54Z")] // winter time, UTC-3
    [InlineData("2018-01-26 19:58:54", "2018-01-26T21:58:54Z")] // summer time, UTC-2
    [InlineData("2017-10-15 00:00:00", "2017-10-15T03:00:00Z")] // a time that the clocks jumped over
    [InlineData("2018-02-17 23:30:00", "2018-02-18T01:30:00Z")] // a time that was there twice: the earlier
    public void Local_times_become_instants(string local, string expected)
    {
        var (events, _) = Read(DealsMap, Header + $"m1,s1,{local},pet,,,\n");
        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), events[0].Event.OccurredAt.ToDateTimeOffset());
    }

    [Fact]
    public void Empty_cells_write_nothing()
    {
        var (events, _) = Read(DealsMap, Header + "m1,s1,2018-02-26 19:58:54,,,,\n");
        Assert.Equal(["stage"], events[0].Event.Writes.Select(write => write.Name));
    }

    [Fact]
    public void Ids_are_made_from_the_row_and_stay_the_same_wherever_it_stands()
    {
        const string Row = "m1,s1,2018-02-26 19:58:54,pet,,,\n";
        var (alone, _) = Read(DealsMap, Header + Row);
        var (second, _) = Read(DealsMap, Header + "m2,s2,2018-02-26 19:58:54,pet,,,\n" + Row);
        Assert.Equal(alone[0].Event.EventId, second[2].Event.EventId);
        Assert.Equal(alone[1].Event.EventId, second[3].Event.EventId);
        Assert.Equal(4, second.Select(item => item.Event.EventId).Distinct().Count());
        Assert.Equal(32, alone[0].Event.EventId.Length);
    }

    [Fact]
    public void A_row_that_cannot_be_read_is_told_with_its_line_and_column_and_makes_no_event_at_all()
    {
        const string Rows = """
            m1,s1,2018-02-26 19:58:54,pet,many,,
            m2,s2,26.02.2018,pet,,,
            m3,s3,2018-02-26 19:58:54
            m4,,2018-02-26 19:58:54,pet,,,
            m5,s5,2018-02-26 19:58:54,"a ""quoted"" pet",1,,
            m6,s6,2018-02-26 19:58:54,pet,,,perhaps
            """;
        var (events, bad) = Read(DealsMap, Header + Rows);
        Assert.Equal(["s5", "m5"], events.Select(item => item.Event.RecordId));
        Assert.Equal("a \"quoted\" pet", events[0].Event.Writes[0].Value.Text);
        Assert.Equal([(2L, "revenue"), (3L, "won"), (4L, ""), (5L, "seller"), (7L, "company")], bad.Select(line => (line.Line, line.Column)));
        Assert.Equal("deals.csv:2: revenue: `many` is not a number.", bad[0].ToString());
        Assert.Equal("deals.csv:4: The row has 3 fields; the header has 7.", bad[2].ToString());
    }

    [Fact]
    public void Quoted_fields_may_hold_separators_and_line_breaks()
    {
        var (events, bad) = Read(DealsMap, Header + "m1,s1,2018-02-26 19:58:54,\"a, b\nc\",,,\nm2,s2,2018-02-26 19:58:54,pet,,,\n");
        Assert.Empty(bad);
        Assert.Equal("a, b\nc", events[0].Event.Writes[0].Value.Text);
        Assert.Equal(4, events[2].Line);
    }

    [Theory]
    [InlineData("""{"events":[{"object":"deal","record":"sellr"}]}""", "events[0].record: there is no column `sellr`. Did you mean `seller`?")]
    [InlineData("""{"time_zone":"Mars/Olympus","events":[{"object":"deal","record":"seller"}]}""", "`Mars/Olympus` is not an IANA time zone")]
    [InlineData("""{"events":[{"object":"deal","record":"seller","at":{"column":"won","format":"YYYY-QQ"}}]}""", "is not a NodaTime pattern")]
    [InlineData("""{"events":[{"object":"deal","record":"seller","sets":{}}]}""", "sets")]
    [InlineData("""{"events":[{"object":"deal","record":{"column":"a","value":"b"}}]}""", "one of the two")]
    [InlineData("""{"events":[{"object":"deal","record":{"column":"seller","type":"numbr"}}]}""", "type")]
    public void A_map_that_does_not_fit_is_told_in_a_sentence(string map, string expected)
    {
        var error = Assert.Throws<CliException>(() => Read(map, Header));
        Assert.Contains(expected, Assert.Single(error.Sentences), StringComparison.Ordinal);
    }

    private static (List<SourceEvent> Events, List<BadLine> Bad) Read(string map, string csv)
    {
        var bad = new List<BadLine>();
        var source = new CsvSource("deals.csv", () => new MemoryStream(Encoding.UTF8.GetBytes(csv)), CsvMap.Parse(map, "map.json"));
        return (source.Read(0, bad.Add).ToList(), bad);
    }
}
