namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Reads that are under way. What a read has found in memory it may still look for in the log, so rows leave the log only when all reads have ended
/// that began before nobody could find them any more.
/// </summary>
internal sealed class Holds
{
    private readonly int[] _held = new int[2];
    private int _round;

    /// <summary>Begins a read.</summary>
    public Hold Enter()
    {
        while (true)
        {
            var round = Volatile.Read(ref _round) & 1;
            Interlocked.Increment(ref _held[round]);
            if ((Volatile.Read(ref _round) & 1) == round)
            {
                return new Hold(this, round);
            }

            // A new round began in between: whoever waits for the former one may not have seen this read.
            Interlocked.Decrement(ref _held[round]);
        }
    }

    /// <summary>Waits for the reads that began before the call; false when it was given up, which is for good. One caller at a time.</summary>
    public bool Wait(Func<bool> isGivenUp)
    {
        var former = (Interlocked.Increment(ref _round) - 1) & 1;
        var spin = default(SpinWait);
        while (Volatile.Read(ref _held[former]) != 0)
        {
            if (isGivenUp())
            {
                return false;
            }

            spin.SpinOnce();
        }

        return true;
    }

    /// <summary>Ends a read.</summary>
    public readonly struct Hold(Holds holds, int round) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref holds._held[round]);
    }
}
