namespace Roster.Core.Turns;

/// <summary>How often an external action is tried (ERR-06).</summary>
/// <param name="ForMs">How long from the first attempt on, in milliseconds (<c>retry_for</c>). 0 is one attempt.</param>
/// <param name="GapFirstMs">Gap after the first attempt (<c>retry_gap_first</c>).</param>
/// <param name="GapMaxMs">Longest gap (<c>retry_gap_max</c>).</param>
public readonly record struct RetryPolicy(long ForMs, long GapFirstMs, long GapMaxMs)
{
    /// <summary>3 days, 1 minute, 8 hours.</summary>
    public static readonly RetryPolicy Default = new(RetrySchedule.RetryForMs, RetrySchedule.GapFirstMs, RetrySchedule.GapMaxMs);
}

/// <summary>When a failed task is offered again (ERR-06, ERR-07).</summary>
public static class RetrySchedule
{
    private const long MinuteMs = 60_000;

    /// <summary>Gap after the first attempt (<c>retry_gap_first</c>): 1 minute.</summary>
    public const long GapFirstMs = MinuteMs;

    /// <summary>Longest gap (<c>retry_gap_max</c>): 8 hours.</summary>
    public const long GapMaxMs = 8 * 60 * MinuteMs;

    /// <summary>How long it is tried (<c>retry_for</c>): 3 days from the first attempt.</summary>
    public const long RetryForMs = 3 * 24 * 60 * MinuteMs;

    /// <summary>The instant of the next attempt by the default policy.</summary>
    /// <inheritdoc cref="NextAt(in RetryPolicy, Timestamp, Timestamp, int, long, ulong)"/>
    public static Timestamp NextAt(Timestamp now, Timestamp firstTriedAt, int attempts, long wantedGapMs, ulong hash) =>
        NextAt(RetryPolicy.Default, now, firstTriedAt, attempts, wantedGapMs, hash);

    /// <summary>
    /// The instant of the next attempt: the first gap later, doubled each time, plus up to 10 % by hash, never above the longest; a wanted gap
    /// overrides a shorter one. None when that is past the time for retries: the task has failed for good.
    /// </summary>
    /// <param name="policy">Gaps and time.</param>
    /// <param name="now">When the attempt failed.</param>
    /// <param name="firstTriedAt">When the first attempt began.</param>
    /// <param name="attempts">Attempts so far, from 1.</param>
    /// <param name="wantedGapMs">What the worker asked for in milliseconds; 0 for nothing.</param>
    /// <param name="hash">Hash of the task, so that many that failed together do not come back together.</param>
    public static Timestamp NextAt(in RetryPolicy policy, Timestamp now, Timestamp firstTriedAt, int attempts, long wantedGapMs, ulong hash)
    {
        var at = now.PlusMs(Math.Max(wantedGapMs, GapAfter(policy, attempts, hash)));
        return at <= firstTriedAt.PlusMs(policy.ForMs) ? at : Timestamp.None;
    }

    /// <summary>
    /// Attempts that the schedule makes within a time, the first one included: what is left of them when the engine has forgotten their number in a
    /// restart, so that gaps do not begin anew. Those after the gap has reached its longest do not matter and are not counted.
    /// </summary>
    /// <param name="policy">Gaps and time.</param>
    /// <param name="elapsedMs">Time since the first attempt, in milliseconds; 0 for none.</param>
    /// <param name="hash">Hash of the task.</param>
    public static int AttemptsWithin(in RetryPolicy policy, long elapsedMs, ulong hash)
    {
        var attempts = 0;
        var gap = 0L;
        for (var passed = 0L; passed < elapsedMs && gap < policy.GapMaxMs; passed += gap)
        {
            gap = GapAfter(policy, ++attempts, hash);
        }

        return attempts;
    }

    private static long GapAfter(in RetryPolicy policy, int attempts, ulong hash)
    {
        var doubled = Math.Min(policy.GapMaxMs, policy.GapFirstMs << Math.Clamp(attempts - 1, 0, 20));
        return Math.Min(policy.GapMaxMs, doubled + (doubled * (long)(hash % 101) / 1_000));
    }
}
