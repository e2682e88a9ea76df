using System.Globalization;
using System.Text.Json;

namespace Roster.Cli.Ingest;

/// <summary>A file of JSON lines. Empty lines are skipped.</summary>
internal sealed class JsonLinesSource(string name, Func<Stream> open) : IEventSource
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
        using var reader = new StreamReader(stream, bufferSize: 256 * 1024);
        long line = 0, sequence = 0;
        var at = long.MinValue;
        while (reader.ReadLine() is { } text)
        {
            line++;
            if (string.IsNullOrWhiteSpace(text) || Parse(text, line, onBad) is not { } item)
            {
                continue;
            }

            at = item.OccurredAt is { } time ? time.Seconds * 1_000 + time.Nanos / 1_000_000 : at;
            yield return new SourceEvent(item, at, file, line, sequence++);
        }

        _stream = null;
    }

    private V1.Event? Parse(string text, long line, Action<BadLine> onBad)
    {
        try
        {
            return JsonEvent.Parse(text);
        }
        catch (JsonException error)
        {
            var column = ((error.BytePositionInLine ?? 0) + 1).ToString(CultureInfo.InvariantCulture);
            onBad(new BadLine(Name, line, column, "", $"The line is not JSON: {FirstSentence(error.Message)}"));
        }
        catch (BadValueException error)
        {
            onBad(new BadLine(Name, line, error.Column, error.Value, error.Message));
        }

        return null;
    }

    private static string FirstSentence(string message) => message.Split(" LineNumber:", 2)[0].Split(" Path:", 2)[0];
}
