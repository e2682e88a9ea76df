using System.Globalization;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>
/// The events of one stream. They are objects that are filled again and again, so that the generator costs little beside the server.
/// </summary>
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

    /// <summary>Events that <see cref="Fill"/> writes over.</summary>
    public IEnumerable<Event> NewEvents()
    {
        for (var i = 0; i < _options.BatchEvents; i++)
        {
            var e = new Event { ObjectType = "contact", Type = ChangeType, Source = "load-test" };
            e.Writes.Add(new PropertyValue { Value = new Value { Text = string.Empty } });
            e.Properties.Add(new PropertyValue { Name = "page", Value = new Value { Text = "https://www.example.org/products/overview?campaign=spring" } });
            e.Properties.Add(new PropertyValue { Name = "referrer", Value = new Value { Text = "https://search.example.com/results?q=crm+automation&page=2" } });
            e.Properties.Add(new PropertyValue { Name = "agent", Value = new Value { Text = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140" } });
            yield return e;
        }
    }

    /// <summary>Makes new events of old ones.</summary>
    public void Fill(IEnumerable<Event> events)
    {
        foreach (var e in events)
        {
            var kind = _random.Next(100);
            e.EventId = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{++_events}");
            if (_mix.OneRecordShare > 0 && _random.NextDouble() < _mix.OneRecordShare)
            {
                // All streams write to this one, so none of them can tell where it is enrolled already: it does not enroll by a filter.
                e.RecordId = ContactId(0);
                FillEvent(e, kind, -1);
                continue;
            }

            var local = _random.NextDouble() < _mix.HotShare ? _random.Next(_hot) : _random.Next(_all);
            e.RecordId = ContactId(Math.Min(_options.Records - 1, (local * _options.Streams) + _stream));
            FillEvent(e, kind, local);
        }
    }

    private void FillEvent(Event e, int kind, int local)
    {
        var write = e.Writes[0];
        var enrolls = kind >= 100 - _mix.EnrollPercent;
        e.Type = enrolls && _mix.Enrolling == Enrolling.ByEvent ? EnrollType : ChangeType;
        if (enrolls && _mix.Enrolling == Enrolling.ByFilter && local >= 0 && _enrolled[local] < _triggers.Length)
        {
            write.Name = _triggers[_enrolled[local]++];
            write.Value.Text = _go;
            return;
        }

        var isLookedAt = kind >= 100 - _mix.EnrollPercent - _mix.LookedAtPercent && e.Type == ChangeType;
        write.Name = isLookedAt ? _triggers[_random.Next(_triggers.Length)] : Names[_random.Next(Properties)];
        write.Value.Text = Notes[_random.Next(Notes.Length)];
    }
}
