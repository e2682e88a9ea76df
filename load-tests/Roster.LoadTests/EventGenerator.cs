using System.Globalization;
using Roster.V1;

namespace Roster.LoadTests;

/// <summary>
/// The events of the workload: 70 % change a property that no workflow reads, 20 % are looked at by a filter and change nothing,
/// 10 % enroll. Batches are objects that are filled again and again, so that the generator costs little beside the server.
/// </summary>
internal sealed class EventGenerator
{
    /// <summary>Properties of a contact, the triggers not counted.</summary>
    public const int Properties = 20;

    private static readonly string[] Notes = [.. Enumerable.Range(0, 64).Select(i => $"value {i:D2} of it")];

    private readonly Random _random;
    private readonly LoadOptions _options;
    private readonly byte[] _enrolled;
    private readonly string _prefix;
    private long _events;

    /// <param name="options">The workload.</param>
    /// <param name="stream">Number of the stream: each has events and enrolling records of its own.</param>
    /// <param name="run">Makes event ids differ from those of former runs on the same folder.</param>
    public EventGenerator(LoadOptions options, int stream, string run)
    {
        _options = options;
        _random = new Random((options.Seed * 1_000) + stream);
        _enrolled = new byte[(options.Records / options.Streams) + 1];
        _prefix = $"{run}-{stream}-";
        Stream = stream;
    }

    private int Stream { get; }

    /// <summary>Enrolling events so far.</summary>
    public long Enrolling { get; private set; }

    public static string ContactId(int number) => string.Create(CultureInfo.InvariantCulture, $"contact-{number:D8}@example.org");

    public static string Trigger(int workflow) => string.Create(CultureInfo.InvariantCulture, $"trigger_{workflow}");

    /// <summary>A batch whose events <see cref="Fill"/> writes over.</summary>
    public Batch NewBatch()
    {
        var batch = new Batch();
        for (var i = 0; i < _options.BatchEvents; i++)
        {
            var e = new Event { ObjectType = "contact", Type = "property_changed", Source = "load-test" };
            e.Writes.Add(new PropertyValue { Value = new Value { Text = string.Empty } });
            e.Properties.Add(new PropertyValue { Name = "page", Value = new Value { Text = "https://www.example.org/products/overview?campaign=spring" } });
            e.Properties.Add(new PropertyValue { Name = "referrer", Value = new Value { Text = "https://search.example.com/results?q=crm+automation&page=2" } });
            e.Properties.Add(new PropertyValue { Name = "agent", Value = new Value { Text = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140" } });
            batch.Events.Add(e);
        }

        return batch;
    }

    public void Fill(Batch batch)
    {
        foreach (var e in batch.Events)
        {
            var kind = _random.Next(100);
            var local = PickLocal();
            e.EventId = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{++_events}");
            e.RecordId = ContactId((local * _options.Streams) + Stream);
            var write = e.Writes[0];
            if (kind >= 90 && _enrolled[local] < _options.Workflows)
            {
                write.Name = Trigger(_enrolled[local]++);
                write.Value.Text = "go";
                Enrolling++;
            }
            else if (kind >= 70)
            {
                write.Name = Trigger(_random.Next(_options.Workflows));
                write.Value.Text = Notes[_random.Next(Notes.Length)];
            }
            else
            {
                write.Name = "p" + _random.Next(Properties).ToString(CultureInfo.InvariantCulture);
                write.Value.Text = Notes[_random.Next(Notes.Length)];
            }
        }
    }

    private int PickLocal()
    {
        var all = _options.Records / _options.Streams;
        var hot = Math.Max(1, all / 10);
        return _random.NextDouble() < _options.HotShare ? _random.Next(hot) : _random.Next(all);
    }
}
