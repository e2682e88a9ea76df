namespace Roster.Server.Access;

/// <summary>Lets so many entries of a log through in a minute, and counts the others: whoever tries keys shall be seen, and shall not fill the disk. Thread-safe.</summary>
internal sealed class LogBudget(TimeProvider clock)
{
    /// <summary>Entries that are let through in a minute.</summary>
    public const int PerMinute = 20;

    private readonly Lock _gate = new();
    private DateTimeOffset _minute;
    private int _taken;
    private int _held;

    /// <summary>Whether an entry may be written; if so, how many were not since the last one that was.</summary>
    public bool TryTake(out int heldBack)
    {
        var now = clock.GetUtcNow();
        lock (_gate)
        {
            if (now - _minute >= TimeSpan.FromMinutes(1) || now < _minute)
            {
                (_minute, _taken) = (now, 0);
            }

            heldBack = _held;
            if (_taken >= PerMinute)
            {
                _held++;
                return false;
            }

            _taken++;
            _held = 0;
            return true;
        }
    }
}
