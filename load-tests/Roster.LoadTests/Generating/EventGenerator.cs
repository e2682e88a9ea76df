using System.Globalization;
using Google.Protobuf;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>The events of one stream.</summary>
internal sealed class EventGenerator
{
    /// <summary>Properties of a contact, the triggers not counted.</summary>
    public const int Properties = 20;

    /// <summary>Type of the events that enroll by their type.</summary>
    public const string EnrollType = "load_enroll";

    /// <summary>Workflows that events are about; those beyond look at properties that no event writes.</summary>
    private const int TargetsMax = 40;

    /// <summary>An object type has room for so many triggers.</summary>
    private const int TriggersMax = 400;

    private const string ChangeType = "property_changed";
    private static readonly string[] Notes = [.. Enumerable.Range(0, 64).Select(i => $"value {i:D2} of it")];
    private static readonly string[] Names = [.. Enumerable.Range(0, Properties).Select(i => $"p{i}")];


    /// <summary>What all events have in common, encoded.</summary>
    private static readonly byte[] Rest = new Event
    {
        ObjectType = "contact",
        Source = "load-test",
        Properties =
        {
            Text("page", "https://www.example.org/products/overview?campaign=spring"),
            Text("referrer", "https://search.example.com/results?q=crm+automation&page=2"),
            Text("agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140"),
        },
    }.ToByteArray();

    private readonly Random _random;
    private readonly LoadOptions _options;
    private readonly EventMix _mix;
    private readonly byte[] _enrolled;
    private readonly string _prefix;
    private readonly string _go;
    private readonly string[] _triggers;
    private readonly int _stream;
    private readonly int _all;
    private readonly int _hot;
    private long _events;

    /// <param name="options">The workload.</param>
    /// <param name="mix">What the events are.</param>
    /// <param name="stream">Number of the stream: each has events and enrolling records of its own.</param>
    /// <param name="run">Makes event ids and enrolling values differ from those of former runs on the same folder.</param>
    public EventGenerator(LoadOptions options, EventMix mix, int stream, string run)
    {
        _options = options;
        _mix = mix;
        _stream = stream;
        _random = new Random((options.Seed * 1_000) + stream);
        _all = Math.Max(1, options.Records / options.Streams);
        _hot = Math.Clamp((mix.HotRecords ?? options.Records / 10) / options.Streams, 1, _all);
        _enrolled = new byte[_all];
        _prefix = $"{run}-{stream}-";
        _go = Go(run);
        _triggers = [.. Enumerable.Range(0, Targets(options.Workflows)).Select(Trigger)];
    }

    public static string ContactId(int number) => string.Create(CultureInfo.InvariantCulture, $"contact-{number:D8}@example.org");

    /// <summary>The value that enrolls in a run.</summary>
    public static string Go(string run) => $"go {run}";

    /// <summary>The property that a workflow looks at. Each of the first ones has its own.</summary>
    public static string Trigger(int workflow) =>
        string.Create(CultureInfo.InvariantCulture, $"trigger_{(workflow < TargetsMax ? workflow : TargetsMax + ((workflow - TargetsMax) % (TriggersMax - TargetsMax)))}");

    /// <summary>How many of the workflows events are about.</summary>
    public static int Targets(int workflows) => Math.Min(workflows, TargetsMax);

    /// <summary>A batch of new events, in place of what was in it.</summary>
    public void Fill(EncodedRequest batch)
    {
        batch.Clear();
        for (var i = 0; i < _options.BatchEvents; i++)
        {
            batch.Add(Next(), Rest);
        }
    }

    /// <summary>New events as objects.</summary>
    public IEnumerable<Event> NewEvents()
    {
        for (var i = 0; i < _options.BatchEvents; i++)
        {
            var next = Next();
            var e = Event.Parser.ParseFrom(Rest);
            (e.EventId, e.RecordId, e.Type) = (next.EventId, next.RecordId, next.Type);
            e.Writes.Add(new PropertyValue { Name = next.Name, Value = new Value { Text = next.Text } });
            yield return e;
        }
    }

    private GeneratedEvent Next()
    {
        var kind = _random.Next(100);
        var id = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{++_events}");
        if (_mix.OneRecordShare > 0 && _random.NextDouble() < _mix.OneRecordShare)
        {
            // All streams write to this one, so none of them can tell where it is enrolled already: it does not enroll by a filter.
            return Next(id, ContactId(0), kind, -1);
        }

        var local = _random.NextDouble() < _mix.HotShare ? _random.Next(_hot) : _random.Next(_all);
        return Next(id, ContactId(Math.Min(_options.Records - 1, (local * _options.Streams) + _stream)), kind, local);
    }

    private GeneratedEvent Next(string id, string record, int kind, int local)
    {
        var enrolls = kind >= 100 - _mix.EnrollPercent;
        if (enrolls && _mix.Enrolling == Enrolling.ByFilter && local >= 0 && _enrolled[local] < _triggers.Length)
        {
            return new GeneratedEvent(id, record, ChangeType, _triggers[_enrolled[local]++], _go);
        }

        var type = enrolls && _mix.Enrolling == Enrolling.ByEvent ? EnrollType : ChangeType;
        var isLookedAt = kind >= 100 - _mix.EnrollPercent - _mix.LookedAtPercent && type == ChangeType;
        var name = isLookedAt ? _triggers[_random.Next(_triggers.Length)] : Names[_random.Next(Properties)];
        return new GeneratedEvent(id, record, type, name, Notes[_random.Next(Notes.Length)]);
    }

    private static PropertyValue Text(string name, string text) => new() { Name = name, Value = new Value { Text = text } };
}

/// <summary>What differs from event to event.</summary>
/// <param name="EventId">Its id.</param>
/// <param name="RecordId">The contact.</param>
/// <param name="Type">Its type.</param>
/// <param name="Name">The property that it writes.</param>
/// <param name="Text">The value that it writes.</param>
internal readonly record struct GeneratedEvent(string EventId, string RecordId, string Type, string Name, string Text);
