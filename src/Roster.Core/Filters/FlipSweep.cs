namespace Roster.Core.Filters;

/// <summary>
/// Finds when a filter on the number of things that accept flips: each thing says when its own answer changes, and the changes of all are
/// taken in order of time.
/// </summary>
internal sealed class FlipSweep
{
    private readonly List<(Timestamp At, int Change)> _changes = [];
    private int _count;

    /// <summary>Adds a thing with all its future answers.</summary>
    /// <param name="now">The present.</param>
    /// <param name="accepts">Its answer at an instant.</param>
    /// <param name="nextFlip">The first instant after another one at which the answer may change; none for never.</param>
    public void Add(Timestamp now, Func<Timestamp, bool> accepts, Func<Timestamp, Timestamp> nextFlip)
    {
        var last = accepts(now);
        _count += last ? 1 : 0;
        for (var at = nextFlip(now); !at.IsNone; at = nextFlip(at))
        {
            var next = accepts(at);
            if (next != last)
            {
                _changes.Add((at, next ? 1 : -1));
                last = next;
            }
        }
    }

    /// <summary>The first instant at which the answer about the number is another one than now; none when there is none.</summary>
    public Timestamp First(Func<int, bool> holds)
    {
        var held = holds(_count);
        _changes.Sort(static (left, right) => left.At.CompareTo(right.At));
        for (var i = 0; i < _changes.Count; i++)
        {
            _count += _changes[i].Change;
            var isLastOfInstant = i + 1 == _changes.Count || _changes[i + 1].At != _changes[i].At;
            if (isLastOfInstant && holds(_count) != held)
            {
                return _changes[i].At;
            }
        }

        return Timestamp.None;
    }

    /// <summary>The earlier of two instants; none is no instant.</summary>
    public static Timestamp Earlier(Timestamp left, Timestamp right) =>
        right.IsNone || (!left.IsNone && left <= right) ? left : right;
}
