using Roster.V1;

namespace Roster.Cli.Ingest;

/// <summary>An event with where it came from.</summary>
/// <param name="Event">The event.</param>
/// <param name="AtMs">Its time for merging: milliseconds since 1970. One without a time has that of the event before it in its file.</param>
/// <param name="File">Index of the file.</param>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="Sequence">Position in the file, from 0: keeps the order among equal times.</param>
internal sealed record SourceEvent(Event Event, long AtMs, int File, long Line, long Sequence);

/// <summary>A line that cannot become an event.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column or field in question; empty for the whole line.</param>
/// <param name="Value">The value in question; empty when there is none.</param>
/// <param name="Message">One sentence.</param>
internal sealed record BadLine(string File, long Line, string Column, string Value, string Message)
{
    public override string ToString()
    {
        var column = Column.Length > 0 ? $" {Column}:" : "";
        var value = Value.Length > 0 && !Message.Contains(Value, StringComparison.Ordinal) ? $" Value: `{Value}`." : "";
        return $"{File}:{Line}:{column} {Message}{value}";
    }
}

/// <summary>A value of a line is not what it should be.</summary>
internal sealed class BadValueException(string column, string value, string message) : Exception(message)
{
    public string Column { get; } = column;

    public string Value { get; } = value.Length <= 100 ? value : string.Concat(value.AsSpan(0, 99), "…");
}

/// <summary>A file of events. Reading it again gives the same events in the same order.</summary>
internal interface IEventSource
{
    /// <summary>Name for messages.</summary>
    string Name { get; }

    /// <summary>Bytes in all; 0 when that is not known.</summary>
    long Length { get; }

    /// <summary>Bytes read so far, roughly.</summary>
    long Position { get; }

    /// <summary>Reads the events; lines that cannot become one go to <paramref name="onBad"/>.</summary>
    IEnumerable<SourceEvent> Read(int file, Action<BadLine> onBad);
}
