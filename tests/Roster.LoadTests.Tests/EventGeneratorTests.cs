using Roster.LoadTests.Generating;
using Roster.V1;

namespace Roster.LoadTests.Tests;

public sealed class EventGeneratorTests
{
    private static readonly LoadOptions Options = new() { Records = 10_000, Streams = 1, BatchEvents = 10_000 };

    [Fact]
    public void Mixed_sends_most_events_to_a_tenth_and_enrolls_with_a_tenth()
    {
        var events = Generate(EventMix.Mixed);
        Assert.InRange(events.Count(e => string.CompareOrdinal(e.RecordId, EventGenerator.ContactId(1_000)) < 0), 8_000, 8_400);
        Assert.InRange(events.Count(e => e.Writes[0].Value.Text == EventGenerator.Go("run")), 900, 1_100);
        Assert.InRange(events.Count(e => e.Writes[0].Name.StartsWith('p')), 6_800, 7_200);
    }

    [Fact]
    public void A_record_enrolls_once_by_each_filter()
    {
        var enrolling = Generate(EventMix.Mixed).Where(e => e.Writes[0].Value.Text == EventGenerator.Go("run")).Select(e => (e.RecordId, e.Writes[0].Name)).ToList();
        Assert.Equal(enrolling.Count, enrolling.Distinct().Count());
    }

    [Fact]
    public void Ingest_only_writes_what_no_workflow_reads() => Assert.All(Generate(EventMix.IngestOnly), e => Assert.StartsWith("p", e.Writes[0].Name));

    [Fact]
    public void Enroll_all_enrolls_with_every_event() => Assert.All(Generate(EventMix.EnrollAll), e => Assert.Equal(EventGenerator.EnrollType, e.Type));

    [Fact]
    public void Hot_record_sends_half_to_one() => Assert.InRange(Generate(EventMix.HotRecord).Count(e => e.RecordId == EventGenerator.ContactId(0)), 4_800, 5_200);

    [Fact]
    public void Event_ids_differ_between_batches_and_streams()
    {
        var generators = new[] { 0, 1 }.Select(stream => new EventGenerator(Options with { Streams = 2, BatchEvents = 100 }, EventMix.Mixed, stream, "run"));
        var ids = generators.SelectMany(g => new[] { Filled(g), Filled(g) }).SelectMany(batch => batch).Select(e => e.EventId).ToList();
        Assert.Equal(400, ids.Distinct().Count());
    }

    [Fact]
    public void Encoded_batches_are_those_that_objects_give()
    {
        var options = Options with { BatchEvents = 1_000 };
        var (encoding, objects) = (new EventGenerator(options, EventMix.Mixed, 0, "run"), new EventGenerator(options, EventMix.Mixed, 0, "run"));
        var encoded = new EncodedRequest();
        foreach (var sequence in new[] { 1UL, 300UL })
        {
            encoding.Fill(encoded);
            encoded.SetSequence(sequence);
            var expected = new StreamRequest { Batch = new Batch { Sequence = sequence, Events = { objects.NewEvents() } } };
            Assert.Equal(expected, StreamRequest.Parser.ParseFrom(encoded.ToByteArray()));
            Assert.Equal(1_000, encoded.Events);
        }

        var listed = EncodedRequest.Of(objects.NewEvents());
        listed.SetSequence(7);
        Assert.Equal(1_000, StreamRequest.Parser.ParseFrom(listed.ToByteArray()).Batch.Events.Count);
        Assert.Equal("me", StreamRequest.Parser.ParseFrom(EncodedRequest.Hello("me").ToByteArray()).Hello.Client);
    }

    [Fact]
    public void An_encoded_call_is_the_one_that_objects_give()
    {
        var options = Options with { BatchEvents = 100 };
        var (encoding, objects) = (new EventGenerator(options, EventMix.Mixed, 0, "run"), new EventGenerator(options, EventMix.Mixed, 0, "run"));
        var encoded = EncodedRequest.ForCall();
        for (var i = 0; i < 2; i++)
        {
            encoding.Fill(encoded);
            Assert.Equal(new IngestRequest { Events = { objects.NewEvents() } }, IngestRequest.Parser.ParseFrom(encoded.ToByteArray()));
        }
    }

    [Fact]
    public void However_many_workflows_there_are_an_event_is_about_one_of_forty()
    {
        Assert.Equal(40, EventGenerator.Targets(2_000));
        var seen = Enumerable.Range(0, 40).Select(EventGenerator.Trigger).ToHashSet();
        Assert.DoesNotContain(Enumerable.Range(40, 1_960).Select(EventGenerator.Trigger), seen.Contains);
    }

    private static List<Event> Generate(EventMix mix) => Filled(new EventGenerator(Options, mix, 0, "run"));

    private static List<Event> Filled(EventGenerator generator) => [.. generator.NewEvents()];
}
