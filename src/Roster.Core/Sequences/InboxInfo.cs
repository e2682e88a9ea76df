using NodaTime;

namespace Roster.Core.Sequences;

/// <summary>The connected inbox of a user, as sequences see it (SEQ-01, SEQ-15).</summary>
/// <param name="User">The user.</param>
/// <param name="Address">The address that e-mails are from.</param>
/// <param name="IsConnected">Whether it is connected.</param>
/// <param name="Zone">The user's zone: that of send windows and of days that are counted.</param>
/// <param name="Limits">What it may send.</param>
public sealed record InboxInfo(string User, string Address, bool IsConnected, DateTimeZone Zone, InboxLimits Limits);

/// <summary>Limits of an inbox (SEQ-15).</summary>
/// <param name="EnrollmentsPerDay">Enrollments in a day of the inbox's zone (setting <c>inbox_enrollments_per_day</c>). 1 to 10,000, default 1,000.</param>
/// <param name="EmailsPer24h">E-mails in any 24 hours (setting <c>inbox_emails_per_24h</c>). 1 to 10,000, default 1,000, for free mail accounts 350.</param>
/// <param name="EmailsPerMin">E-mails in any minute (setting <c>inbox_emails_per_min</c>). 1 to 100, default 10.</param>
/// <param name="BulkEmailsPerMin">Those of bulk enrollments in any minute (setting <c>inbox_bulk_emails_per_min</c>). 1 to 100, default 3.</param>
/// <param name="BulkEnrollMax">Contacts of one bulk enrollment (setting <c>bulk_enroll_max</c>, SEQ-02). 1 to 1,000, default 50.</param>
public sealed record InboxLimits(int EnrollmentsPerDay, int EmailsPer24h, int EmailsPerMin, int BulkEmailsPerMin, int BulkEnrollMax)
{
    /// <summary>E-mails in 24 hours of a free mail account.</summary>
    public const int FreeMailPer24h = 350;

    /// <summary>The limits of an inbox that sets none.</summary>
    public static readonly InboxLimits Default = new(1_000, 1_000, 10, 3, 50);

    /// <summary>One sentence per limit that is out of its range; empty when all are fine.</summary>
    public IReadOnlyList<string> Check()
    {
        var problems = new List<string>();
        Range("inbox_enrollments_per_day", EnrollmentsPerDay, 10_000);
        Range("inbox_emails_per_24h", EmailsPer24h, 10_000);
        Range("inbox_emails_per_min", EmailsPerMin, 100);
        Range("inbox_bulk_emails_per_min", BulkEmailsPerMin, 100);
        Range("bulk_enroll_max", BulkEnrollMax, 1_000);
        return problems;

        void Range(string setting, int value, int max)
        {
            if (value < 1 || value > max)
            {
                problems.Add($"{setting} is {value}; allowed are 1 to {max}.");
            }
        }
    }
}

/// <summary>An instant that an inbox gave out for an e-mail.</summary>
/// <param name="At">The instant.</param>
/// <param name="IsBulk">Whether it is for an e-mail of a bulk enrollment.</param>
public readonly record struct InboxSlot(Timestamp At, bool IsBulk);

/// <summary>Finds the first free instant of an inbox (SEQ-15).</summary>
public static class InboxSlots
{
    private const long MinuteMs = 60_000;

    /// <summary>How long a slot counts.</summary>
    public const long SpanMs = 86_400_000;

    /// <summary>The first instant, not before another, at which one e-mail more is within all limits.</summary>
    /// <param name="slots">What was given out, by time; what is older than 24 hours may be left out.</param>
    /// <param name="from">The instant that is wanted.</param>
    /// <param name="isBulk">Whether the e-mail is of a bulk enrollment.</param>
    /// <param name="limits">The limits.</param>
    public static Timestamp FirstFree(IReadOnlyList<InboxSlot> slots, Timestamp from, bool isBulk, InboxLimits limits)
    {
        ArgumentNullException.ThrowIfNull(slots);
        ArgumentNullException.ThrowIfNull(limits);
        var all = slots.Select(s => s.At.Ms).ToArray();
        var bulk = isBulk ? slots.Where(s => s.IsBulk).Select(s => s.At.Ms).ToArray() : [];
        var at = from.Ms;
        while (true)
        {
            var next = Math.Max(Fit(all, at, limits.EmailsPerMin, MinuteMs), Fit(all, at, limits.EmailsPer24h, SpanMs));
            next = Math.Max(next, Fit(bulk, at, limits.BulkEmailsPerMin, MinuteMs));
            if (next == at)
            {
                return new Timestamp(at);
            }

            at = next;
        }
    }

    /// <summary>
    /// The instant itself when no span of that length would have more than so many; else a later one, to be tried next: that at which the
    /// first e-mail of each span that is full does not count any more.
    /// </summary>
    private static long Fit(long[] taken, long at, int max, long spanMs)
    {
        if (taken.Length < max)
        {
            return at;
        }

        var place = Array.BinarySearch(taken, at);
        place = place < 0 ? ~place : place;
        var next = at;
        for (var first = Math.Max(0, place - max); first <= Math.Min(place, taken.Length - max); first++)
        {
            var begin = Math.Min(taken[first], at);
            var end = Math.Max(taken[first + max - 1], at);
            next = end - begin < spanMs ? Math.Max(next, taken[first] + spanMs) : next;
        }

        return next;
    }
}
