using NodaTime;

namespace Roster.Core;

/// <summary>An instant in UTC with the precision of the rules: whole milliseconds since 1970-01-01 (ENG-03).</summary>
/// <remarks>The default value means "none" wherever a timestamp is optional. Thread-safe: immutable.</remarks>
/// <param name="Ms">Milliseconds since 1970-01-01T00:00:00Z, from year 1 to year 9999.</param>
public readonly record struct Timestamp(long Ms) : IComparable<Timestamp>
{
    /// <summary>No instant.</summary>
    public static readonly Timestamp None;

    /// <summary>The last instant that can be told: 9999-12-31T23:59:59.999Z.</summary>
    public static readonly Timestamp Max = new(253402300799999L);

    /// <summary>The first instant that can be told: 0001-01-01T00:00:00Z.</summary>
    public static readonly Timestamp Min = new(-62135596800000L);

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsNone => Ms == 0;

    /// <summary>The same instant for calendar arithmetic.</summary>
    public Instant ToInstant() => Instant.FromUnixTimeMilliseconds(Ms);

    /// <summary>The instant, cut to whole milliseconds.</summary>
    public static Timestamp FromInstant(Instant instant) => new(instant.ToUnixTimeMilliseconds());

    /// <summary>This instant plus elapsed milliseconds.</summary>
    public Timestamp PlusMs(long ms) => new(checked(Ms + ms));

    /// <inheritdoc/>
    public int CompareTo(Timestamp other) => Ms.CompareTo(other.Ms);

    /// <summary>Earlier.</summary>
    public static bool operator <(Timestamp left, Timestamp right) => left.Ms < right.Ms;

    /// <summary>Later.</summary>
    public static bool operator >(Timestamp left, Timestamp right) => left.Ms > right.Ms;

    /// <summary>Earlier or the same.</summary>
    public static bool operator <=(Timestamp left, Timestamp right) => left.Ms <= right.Ms;

    /// <summary>Later or the same.</summary>
    public static bool operator >=(Timestamp left, Timestamp right) => left.Ms >= right.Ms;

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "none" : ToInstant().ToString();
}
