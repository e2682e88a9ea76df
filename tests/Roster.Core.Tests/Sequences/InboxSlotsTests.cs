using Roster.Core.Sequences;

namespace Roster.Core.Tests.Sequences;

/// <summary>The first free instant of an inbox, against counting (SEQ-15).</summary>
public sealed class InboxSlotsTests
{
    private const long MinuteMs = 60_000;

    [Fact]
    public void SEQ_15_What_is_granted_never_exceeds_a_limit_and_is_never_later_than_needed()
    {
        var random = new Random(20260105);
        for (var round = 0; round < 300; round++)
        {
            var limits = new InboxLimits(10, random.Next(2, 12), random.Next(1, 4), random.Next(1, 3), 50);
            var slots = new List<InboxSlot>();
            var now = 1_000_000_000L;
            for (var i = 0; i < 25; i++)
            {
                now += random.Next(3) == 0 ? random.Next((int)(MinuteMs * 30)) : 0;
                var isBulk = random.Next(2) == 0;
                var at = InboxSlots.FirstFree(slots, new Timestamp(now), isBulk, limits);
                Assert.True(at.Ms >= now);
                Assert.True(Fits(slots, new InboxSlot(at, isBulk), limits), $"round {round}: the slot at {at.Ms} exceeds a limit");

                // Limits change only at slots, or a span after one: no such instant before it would have done.
                foreach (var earlier in slots.SelectMany(s => new[] { s.At.Ms + MinuteMs, s.At.Ms + InboxSlots.SpanMs }).Append(now).Where(t => t >= now && t < at.Ms))
                {
                    Assert.False(Fits(slots, new InboxSlot(new Timestamp(earlier), isBulk), limits), $"round {round}: {earlier} was free, granted was {at.Ms}");
                }

                slots.Add(new InboxSlot(at, isBulk));
                slots.Sort((left, right) => left.At.CompareTo(right.At));
            }
        }
    }

    private static bool Fits(List<InboxSlot> slots, InboxSlot added, InboxLimits limits)
    {
        var all = slots.Append(added).OrderBy(s => s.At).ToList();
        return Within(all, limits.EmailsPerMin, MinuteMs) && Within(all, limits.EmailsPer24h, InboxSlots.SpanMs) && Within([.. all.Where(s => s.IsBulk)], limits.BulkEmailsPerMin, MinuteMs);
    }

    private static bool Within(List<InboxSlot> slots, int max, long spanMs)
    {
        for (var i = 0; i + max < slots.Count; i++)
        {
            if (slots[i + max].At.Ms - slots[i].At.Ms < spanMs)
            {
                return false;
            }
        }

        return true;
    }

    [Theory]
    [InlineData(0, 1_000, 10, 3, 50)]
    [InlineData(1_000, 10_001, 10, 3, 50)]
    [InlineData(1_000, 1_000, 101, 3, 50)]
    [InlineData(1_000, 1_000, 10, 0, 50)]
    [InlineData(1_000, 1_000, 10, 3, 1_001)]
    public void SEQ_15_Limits_have_ranges(int perDay, int per24h, int perMin, int bulkPerMin, int bulkMax) =>
        Assert.Single(new InboxLimits(perDay, per24h, perMin, bulkPerMin, bulkMax).Check());
}
