using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Roster.Server.Measures;

/// <summary>What one instrument has measured, by its tags, and its form as text. Thread-safe.</summary>
internal sealed class MetricSeries
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Cell> _cells = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string, object?, string?, object?), string> _labels = new();
    private readonly Kind _kind;
    private readonly string _help;
    private readonly double[] _bounds;

    /// <summary>Creates a series for an instrument.</summary>
    public MetricSeries(Instrument instrument)
    {
        var type = instrument.GetType().Name;
        _kind = type.StartsWith("Histogram", StringComparison.Ordinal) ? Kind.Histogram
            : type.StartsWith("Counter", StringComparison.Ordinal) ? Kind.Counter
            : type.StartsWith("UpDownCounter", StringComparison.Ordinal) ? Kind.Gauge
            : type.StartsWith("ObservableCounter", StringComparison.Ordinal) ? Kind.ObservedCounter
            : Kind.ObservedGauge;
        _help = instrument.Description ?? string.Empty;
        _bounds = instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } ? [.. bounds] : [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
        Name = NameOf(instrument.Name, instrument.Unit, _kind is Kind.Counter or Kind.ObservedCounter);
    }

    private enum Kind
    {
        Counter,
        Gauge,
        Histogram,
        ObservedCounter,
        ObservedGauge,
    }

    /// <summary>The name as text: <c>roster_event_applied_total</c>.</summary>
    public string Name { get; }

    /// <summary>The name of an instrument as text: dots are underscores, the unit is spelled out, counters end in <c>_total</c>.</summary>
    public static string NameOf(string name, string? unit, bool isCounter)
    {
        var text = new StringBuilder(name.Replace('.', '_').Replace('-', '_'));
        text.Append(unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            _ => string.Empty,
        });
        return text.Append(isCounter ? "_total" : string.Empty).ToString();
    }

    /// <summary>Takes a measurement.</summary>
    public void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = LabelsOf(tags);
        lock (_lock)
        {
            if (!_cells.TryGetValue(labels, out var cell))
            {
                _cells[labels] = cell = new Cell(_kind == Kind.Histogram ? _bounds.Length + 1 : 0);
            }

            cell.Count++;
            cell.Sum = _kind is Kind.ObservedCounter or Kind.ObservedGauge ? value : cell.Sum + value;
            if (_kind == Kind.Histogram)
            {
                var bucket = Array.FindIndex(_bounds, bound => value <= bound);
                cell.Buckets[bucket < 0 ? _bounds.Length : bucket]++;
            }
        }
    }

    /// <summary>Forgets what is observed anew by every reader.</summary>
    public void BeginRead()
    {
        if (_kind is Kind.ObservedCounter or Kind.ObservedGauge)
        {
            lock (_lock)
            {
                _cells.Clear();
            }
        }
    }

    /// <summary>Writes the series; nothing when there are no measurements.</summary>
    public void Write(StringBuilder text)
    {
        lock (_lock)
        {
            if (_cells.Count == 0)
            {
                return;
            }

            WriteHead(text, Name, _kind == Kind.Histogram ? "histogram" : _kind is Kind.Counter or Kind.ObservedCounter ? "counter" : "gauge", _help);
            foreach (var (labels, cell) in _cells)
            {
                if (_kind == Kind.Histogram)
                {
                    WriteHistogram(text, labels, cell);
                }
                else
                {
                    WriteSample(text, Name, labels, cell.Sum);
                }
            }
        }
    }

    /// <summary>Writes what stands above samples.</summary>
    public static void WriteHead(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal))
            .Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    /// <summary>Writes a sample.</summary>
    public static void WriteSample(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>A label with its value as text.</summary>
    public static string Label(string name, object? value) =>
        $"{name.Replace('.', '_').Replace('-', '_')}=\"{Convert.ToString(value, CultureInfo.InvariantCulture)?.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    private void WriteHistogram(StringBuilder text, string labels, Cell cell)
    {
        var separator = labels.Length > 0 ? "," : string.Empty;
        var below = 0L;
        for (var i = 0; i <= _bounds.Length; i++)
        {
            below += cell.Buckets[i];
            WriteSample(text, Name + "_bucket", $"{labels}{separator}le=\"{(i < _bounds.Length ? Number(_bounds[i]) : "+Inf")}\"", below);
        }

        WriteSample(text, Name + "_sum", labels, cell.Sum);
        WriteSample(text, Name + "_count", labels, cell.Count);
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Labels of one or two tags are kept: these are the instruments that are touched in every call.</summary>
    private string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.Length switch
    {
        0 => string.Empty,
        1 => _labels.GetOrAdd((tags[0].Key, tags[0].Value, null, null), static key => Join([new(key.Item1, key.Item2)])),
        2 => _labels.GetOrAdd((tags[0].Key, tags[0].Value, tags[1].Key, tags[1].Value), static key => Join([new(key.Item1, key.Item2), new(key.Item3!, key.Item4)])),
        _ => Join(tags),
    };

    private static string Join(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new string[tags.Length];
        for (var i = 0; i < tags.Length; i++)
        {
            labels[i] = Label(tags[i].Key, tags[i].Value);
        }

        Array.Sort(labels, StringComparer.Ordinal);
        return string.Join(",", labels);
    }

    private sealed class Cell(int buckets)
    {
        public long Count;
        public double Sum;

        public long[] Buckets { get; } = new long[buckets];
    }
}
