using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;

namespace Roster.Core.Tests.Turns;

/// <summary>Changes of one link at both of its ends at once, whose messages cross on their way (ACT-27, ENG-15).</summary>
public sealed class CrossingLinkTests
{
    private const int A = 0;
    private const int B = 1;
    private const int C = 2;

    /// <summary>Who says a link or a label after the other one has taken it away, as far as either knows, has it.</summary>
    [Theory]
    [InlineData("unlink", "link y", "2")]
    [InlineData("unlink", "link", "-")]
    [InlineData("unlink", "unlink y", "-")]
    [InlineData("unlink", "unlink", "-")]
    [InlineData("unlink", "unlink;link", "")]
    [InlineData("unlink;link", "unlink;link y", "2")]
    [InlineData("unlink x", "link y", "2")]
    [InlineData("unlink x", "link x", "")]
    [InlineData("unlink x", "unlink x;link x", "1")]
    [InlineData("unlink x", "unlink;link y", "2")]
    [InlineData("link y", "link y", "1,2")]
    [InlineData("link y", "unlink x;link y", "2")]
    [InlineData("link y;unlink y", "link y", "1,2")]
    public void ACT_27_ENG_15_Both_ends_of_a_link_agree_after_changes_that_crossed(string atA, string atB, string expected)
    {
        foreach (var (first, second) in new[] { (A, B), (B, A) })
        {
            foreach (var seed in new[] { A, B })
            {
                var net = new LinkNet(2);
                net.Link(seed, 1 - seed, LinkNet.X);
                net.Settle();
                Do(net, first, atA);
                Do(net, second, atB);
                net.Settle();
                net.CheckBothEnds();
                Assert.Equal(expected, net.LinkOf(A, B));
            }
        }
    }

    /// <summary>What crossed once is taken away for good by a later change of either end.</summary>
    [Theory]
    [InlineData(A)]
    [InlineData(B)]
    public void ACT_27_What_both_ends_said_at_once_is_taken_away_by_either_of_them(int by)
    {
        var net = new LinkNet(2);
        net.Link(A, B, LinkNet.X);
        net.Link(B, A, LinkNet.X);
        net.Settle();
        Assert.Equal(("1", "1"), (net.LinkOf(A, B), net.LinkOf(B, A)));
        net.Unlink(by, 1 - by, LinkNet.X);
        net.Settle();
        Assert.Equal(("", ""), (net.LinkOf(A, B), net.LinkOf(B, A)));
        net.Unlink(by, 1 - by);
        net.Settle();
        Assert.Equal(("-", "-"), (net.LinkOf(A, B), net.LinkOf(B, A)));
    }

    /// <summary>All orders of three changes at one end, two at the other, and the deliveries between them, from a link and from none.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("link x")]
    public void ACT_27_ENG_15_Both_ends_agree_whatever_the_order_of_some_changes_and_deliveries(string before)
    {
        string[] changes = ["link", "link x", "unlink", "unlink x"];
        var start = new LinkNet(2);
        Do(start, A, before);
        start.Settle();
        var open = new Stack<(LinkNet Net, int LeftAtA, int LeftAtB)>([(start, 3, 2)]);
        var seen = new HashSet<(string, int, int)>();
        var quiet = 0;
        while (open.TryPop(out var place))
        {
            var (net, leftAtA, leftAtB) = place;
            if (!seen.Add((net.Fingerprint, leftAtA, leftAtB)))
            {
                continue;
            }

            if (net.IsQuiet)
            {
                net.CheckBothEnds();
                quiet++;
            }

            foreach (var (record, left) in new[] { (A, leftAtA), (B, leftAtB) })
            {
                foreach (var change in left > 0 ? changes : [])
                {
                    var next = net.Copy();
                    Do(next, record, change);
                    open.Push((next, leftAtA - (record == A ? 1 : 0), leftAtB - (record == B ? 1 : 0)));
                }
            }

            for (var i = 0; i < net.Deliveries; i++)
            {
                var next = net.Copy();
                next.Deliver(i);
                open.Push((next, leftAtA, leftAtB));
            }
        }

        Assert.True(quiet > 1_000, $"{quiet} of {seen.Count} places are quiet.");
    }

    /// <summary>As above at random, with records that are deleted, brought back, merged and erased, that have few or many links.</summary>
    [Theory]
    [InlineData(2, 1_000_000)]
    [InlineData(4, 1_000_000)]
    [InlineData(5, 2)]
    [InlineData(30, 1_000_000)]
    public void ACT_27_REC_13_REC_16_REC_17_Both_ends_agree_after_deletions_merges_and_erasures_too(int records, int linksMax)
    {
        for (var seed = 0; seed < (records > 10 ? 40 : 400); seed++)
        {
            var random = new Random(seed);
            var net = new LinkNet(records, TenantSettings.Default with { AssociationsPerRecordMax = linksMax });
            for (var phase = 0; phase < 2; phase++)
            {
                for (var step = records > 10 ? 200 : 25; step > 0; step--)
                {
                    Step(net, random, records);
                }

                net.Settle(random.Next);
                net.CheckBothEnds();
                net.CheckNamed();
            }
        }
    }

    private static void Step(LinkNet net, Random random, int records)
    {
        var record = random.Next(records > 10 && random.Next(2) == 0 ? 2 : records);
        var other = (record + 1 + random.Next(records - 1)) % records;
        switch (random.Next(40))
        {
            case 0:
                net.Command(record, CommandKind.Delete);
                break;
            case 1 or 2:
                net.Command(record, CommandKind.Restore);
                break;
            case 3 when net.State(record).IsLive:
                net.Command(record, CommandKind.Merge, other);
                break;
            case 4 when random.Next(4) == 0:
                net.Command(record, CommandKind.Erase);
                break;
            case < 22 when net.Deliveries > 0:
                net.Deliver(random.Next(net.Deliveries));
                break;
            case < 32:
                net.Link(record, other, random.Next(3));
                break;
            default:
                net.Unlink(record, other, random.Next(3));
                break;
        }
    }

    /// <summary>A link that comes back is taken away again, but not what was said of it since and has arrived.</summary>
    [Fact]
    public void REC_16_A_link_that_a_deleted_record_refused_leaves_what_was_linked_after_it_was_brought_back()
    {
        var net = new LinkNet(2);
        net.Command(B, CommandKind.Delete);
        net.Link(A, B, LinkNet.X);
        net.Deliver(0);
        net.Command(B, CommandKind.Restore);
        net.Link(A, B, LinkNet.Y);
        net.Deliver(0);
        Assert.Equal(("1,2", "2"), (net.LinkOf(A, B), net.LinkOf(B, A)));
        net.Settle();
        Assert.Equal(("2", "2"), (net.LinkOf(A, B), net.LinkOf(B, A)));
    }

    /// <summary>The record that is merged away has given its link away when the other end changes it.</summary>
    [Theory]
    [InlineData("link y")]
    [InlineData("unlink")]
    [InlineData("unlink;link y")]
    [InlineData("unlink x")]
    public void REC_13_A_link_that_is_changed_while_it_is_handed_over_is_the_same_at_both_ends(string change)
    {
        var net = new LinkNet(3);
        net.Link(A, B, LinkNet.X);
        net.Settle();
        net.Command(A, CommandKind.Merge, C);
        Do(net, B, change);
        net.Settle();
        net.CheckBothEnds();
        Assert.Equal(("-", "1"), (net.LinkOf(B, A), net.LinkOf(B, C)));
    }

    /// <summary>Who links itself to a record that refuses it is known to that record, at whatever moment it is erased.</summary>
    [Theory]
    [InlineData(CommandKind.Delete)]
    [InlineData(CommandKind.Merge)]
    [InlineData(CommandKind.Erase)]
    public void REC_17_A_record_that_has_gone_hears_of_those_that_link_to_it(CommandKind goes)
    {
        var net = new LinkNet(3);
        net.Command(B, goes, goes == CommandKind.Merge ? C : -1);
        net.Link(A, B);
        net.Settle();
        net.CheckNamed();
        Assert.Equal("-", net.LinkOf(A, B));
    }

    /// <summary>It has its id again, for the job that has the other one forget it, and loses it again.</summary>
    [Fact]
    public void REC_17_An_erased_record_that_is_named_later_is_erased_again()
    {
        var net = new LinkNet(2);
        net.Command(B, CommandKind.Erase);
        net.FinishErasure(B);
        Assert.True(net.State(B).IsIdErased);
        net.Link(A, B, LinkNet.X);
        net.Settle();
        net.CheckNamed();
        var named = net.State(B);
        Assert.Equal((GoneKind.Erased, "r1", false), (named.Gone, named.Id, named.IsIdErased));
        Assert.Equal(TurnStatus.Refused, net.Change(B).Status);
        net.FinishErasure(B);
        Assert.Equal((true, string.Empty, 2L), (net.State(B).IsIdErased, net.State(B).Id, net.State(B).Number));
    }

    private static void Do(LinkNet net, int record, string changes)
    {
        foreach (var change in changes.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = change.Split(' ');
            var label = words.Length == 1 ? 0 : words[1] == "x" ? LinkNet.X : LinkNet.Y;
            var result = words[0] == "link" ? net.Link(record, 1 - record, label) : net.Unlink(record, 1 - record, label);
            Assert.Equal(TurnStatus.Applied, result.Status);
        }
    }
}
