using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CsvHelper;
using Roster.V1;

namespace Roster.Cli.Ingest;

/// <summary>A CSV file with a header, read through a map.</summary>
internal sealed class CsvSource(string name, Func<Stream> open, CsvMap map) : IEventSource
{
    private Stream? _stream;

    public string Name { get; } = name;

    public long Length { get; private set; }

    public long Position => _stream is { CanSeek: true } stream ? stream.Position : 0;

    public IEnumerable<SourceEvent> Read(int file, Action<BadLine> onBad)
    {
        using var stream = open();
        _stream = stream;
        Length = stream.CanSeek ? stream.Length : 0;
        string? problem = null;
        using var reader = CsvReader.Create(stream, OptionsWith(() => problem = "A quote stands where none may stand."));
        reader.ReadHeader();
        string[] header = [.. reader.Headers];
        var events = map.Events.Select((item, index) => new RowEvent(item, index, header, map, Name)).ToArray();
        long sequence = 0;
        var at = long.MinValue;
        while (reader.Read())
        {
            var line = reader.LineNumber;
            foreach (var item in MakeEvents(events, reader, header.Length, problem, onBad))
            {
                at = item.OccurredAt is { } time ? time.Seconds * 1_000 + time.Nanos / 1_000_000 : at;
                yield return new SourceEvent(item, at, file, line, sequence++);
            }

            problem = null;
        }

        _stream = null;
    }

    private CsvReaderOptions OptionsWith(Action onMalformed) => new()
    {
        Separator = map.Delimiter,
        AllowLineBreaksInQuotes = map.LineBreaksInQuotes,
        TrackLineNumbers = true,
        OnMalformedRecord = _ => onMalformed(),
    };

    // All events of a row or none: half a row would be harder to mend than a missing one.
    private List<Event> MakeEvents(RowEvent[] events, CsvReader reader, int columns, string? problem, Action<BadLine> onBad)
    {
        var made = new List<Event>(events.Length);
        try
        {
            string[] row = reader.Current.ToArray();
            if (problem is not null || row.Length != columns)
            {
                throw new BadValueException("", "", problem ?? $"The row has {row.Length} fields; the header has {columns}.");
            }

            foreach (var item in events)
            {
                if (item.Make(row, reader.RawRecord) is { } one)
                {
                    made.Add(one);
                }
            }
        }
        catch (BadValueException error)
        {
            onBad(new BadLine(Name, reader.LineNumber, error.Column, error.Value, error.Message));
            made.Clear();
        }

        return made;
    }

    /// <summary>One event of the map, with its columns found.</summary>
    private sealed class RowEvent
    {
        private readonly CsvEventMap _map;
        private readonly int _index;
        private readonly CsvCell _record;
        private readonly CsvCell? _id;
        private readonly CsvCell? _type;
        private readonly CsvCell? _at;
        private readonly CsvCell? _onlyIf;
        private readonly (string Name, CsvCell Cell)[] _set;
        private readonly (string Name, CsvCell Cell)[] _properties;

        public RowEvent(CsvEventMap map, int index, string[] header, CsvMap whole, string file)
        {
            _map = map;
            _index = index;
            var path = string.Create(CultureInfo.InvariantCulture, $"events[{index}]");
            _record = Cell(map.Record, "record");
            _id = map.Id is null ? null : Cell(map.Id, "id");
            _type = map.Type is null ? null : Cell(map.Type, "type");
            _at = map.At is null ? null : Cell(map.At, "at");
            _onlyIf = map.OnlyIf is null ? null : Cell(new CsvFieldMap { Column = map.OnlyIf }, "only_if");
            _set = [.. map.Set.Select(pair => (pair.Key, Cell(pair.Value, $"set.{pair.Key}")))];
            _properties = [.. map.Properties.Select(pair => (pair.Key, Cell(pair.Value, $"properties.{pair.Key}")))];

            CsvCell Cell(CsvFieldMap field, string name) => new(field, $"{path}.{name}", header, whole.TimeZone, file);
        }

        public Event? Make(string[] row, ReadOnlySpan<byte> raw)
        {
            if (_onlyIf is not null && _onlyIf.Text(row).Length == 0)
            {
                return null;
            }

            var record = _record.Text(row);
            if (record.Length == 0)
            {
                throw new BadValueException(_map.Record.Column ?? "record", "", "The id of the record is empty.");
            }

            var item = new Event
            {
                ObjectType = _map.Object,
                RecordId = record,
                Type = _type?.Text(row) ?? "",
                Source = _map.Source,
                OccurredAt = _at?.Instant(row),
            };
            item.EventId = _id?.Text(row) is { Length: > 0 } id ? id : Hash(raw);
            Add(item.Writes, _set, row);
            Add(item.Properties, _properties, row);
            return item;
        }

        private static void Add(Google.Protobuf.Collections.RepeatedField<PropertyValue> values, (string Name, CsvCell Cell)[] cells, string[] row)
        {
            foreach (var (name, cell) in cells)
            {
                if (cell.Value(row) is { } value)
                {
                    values.Add(new PropertyValue { Name = name, Value = value });
                }
            }
        }

        // Of the row as it stands and the place of the event in it: the same whenever and wherever the row is read.
        private string Hash(ReadOnlySpan<byte> raw)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_index}\n{_map.Object}\n")));
            hash.AppendData(raw);
            return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
        }
    }
}
