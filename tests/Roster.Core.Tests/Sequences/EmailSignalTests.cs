using Roster.Core.Journal;
using Roster.Core.Sequences;
using static Roster.Core.Tests.Sequences.SequenceWorld;

namespace Roster.Core.Tests.Sequences;

/// <summary>What becomes of e-mails is noted once per recipient (MET-10 to MET-16); the counters are folds of these entries.</summary>
public sealed class EmailSignalTests
{
    private static SequenceWorld Sent()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", days: 1), Email("three", days: 1)).Contact("ada");
        world.Enroll("ada", facts: new SequenceFacts(Owner));
        world.Complete("ada", "one");
        return world;
    }

    private static List<(EmailSignal Signal, EmailScopes Scopes)> Noted(SequenceWorld world, string step) =>
        [.. world.Journal.Where(e => e.Entry.Kind == EntryKind.EmailEngaged && e.Entry.Step == world.Step(step)).Select(e => ((EmailSignal)e.Entry.Code, (EmailScopes)e.Entry.Subject))];

    [Fact]
    public void MET_10_Each_signal_is_noted_once_per_recipient()
    {
        var world = Sent();
        world.About("ada", "email_delivered", "one");
        world.About("ada", "email_opened", "one");
        world.About("ada", "email_opened", "one");
        world.About("ada", "email_clicked", "one");
        world.About("ada", "email_clicked", "one");

        Assert.Equal(
            [EmailSignal.Sent, EmailSignal.Delivered, EmailSignal.Opened, EmailSignal.OpenedByPerson, EmailSignal.Clicked],
            Noted(world, "one").Select(n => n.Signal));
    }

    [Fact]
    public void MET_10_A_click_is_an_open_and_a_reaction_means_that_it_was_delivered()
    {
        var world = Sent();

        world.About("ada", "email_clicked", "one");

        Assert.Equal(
            [EmailSignal.Sent, EmailSignal.Delivered, EmailSignal.Opened, EmailSignal.OpenedByPerson, EmailSignal.Clicked],
            Noted(world, "one").Select(n => n.Signal));
    }

    [Theory]
    [InlineData("unsubscribe")]
    [InlineData("preferences")]
    public void MET_10_Clicks_to_unsubscribe_or_set_preferences_do_not_count(string kind)
    {
        var world = Sent();

        world.About("ada", "email_clicked", "one", more: Text("link_kind", kind));

        Assert.Equal([EmailSignal.Sent], Noted(world, "one").Select(n => n.Signal));
    }

    [Fact]
    public void MET_10_An_email_that_was_skipped_or_failed_is_not_sent()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two")).Contact("ada");
        world.Enroll("ada");
        world.Complete("ada", "one", StepResult.Skipped);
        world.Complete("ada", "two", StepResult.Failed);

        Assert.DoesNotContain(world.Journal, e => e.Entry.Kind == EntryKind.EmailEngaged);
    }

    [Fact]
    public void MET_10_Recipients_are_counted_once_for_all_emails_of_a_sequence()
    {
        var world = Sent();
        world.About("ada", "email_opened", "one");
        world.PassDays(1);
        world.Complete("ada", "two");
        world.About("ada", "email_opened", "two");

        Assert.Contains((EmailSignal.Opened, EmailScopes.Step | EmailScopes.Workflow | EmailScopes.Enrollment | EmailScopes.Engagement), Noted(world, "one"));
        Assert.Contains((EmailSignal.Opened, EmailScopes.Step), Noted(world, "two"));

        // What was sent and delivered counts for each e-mail.
        Assert.Contains((EmailSignal.Sent, EmailScopes.Step | EmailScopes.Workflow), Noted(world, "two"));
        Assert.Contains((EmailSignal.Delivered, EmailScopes.Step | EmailScopes.Workflow), Noted(world, "two"));
    }

    [Fact]
    public void MET_10_Sent_again_to_the_same_recipient_opens_count_once_and_deliveries_twice()
    {
        var world = Sent();
        world.About("ada", "email_opened", "one");
        world.Command("ada", CommandKind.Unenroll);
        world.Enroll("ada");
        world.Complete("ada", "one", enrollment: 2);
        world.About("ada", "email_opened", "one", enrollment: 2);

        var noted = Noted(world, "one");
        Assert.Equal(2, noted.Count(n => n.Signal == EmailSignal.Sent));
        Assert.Equal(2, noted.Count(n => n.Signal == EmailSignal.Delivered && n.Scopes.HasFlag(EmailScopes.Step)));
        Assert.Equal(1, noted.Count(n => n.Signal == EmailSignal.Opened && n.Scopes.HasFlag(EmailScopes.Step)));

        // MET-16 counts enrollments: the second was opened too.
        Assert.Equal(2, noted.Count(n => n.Signal == EmailSignal.Opened && n.Scopes.HasFlag(EmailScopes.Enrollment)));
    }

    [Fact]
    public void MET_11_Bounces_unsubscribes_spam_and_replies_are_noted()
    {
        foreach (var (type, signal) in new[] { ("email_bounced", EmailSignal.Bounced), ("email_unsubscribed", EmailSignal.Unsubscribed), ("email_marked_spam", EmailSignal.MarkedSpam), ("email_replied", EmailSignal.Replied) })
        {
            var world = Sent();
            world.About("ada", type, "one");
            world.About("ada", type, "one");
            Assert.Single(Noted(world, "one"), n => n.Signal == signal);
        }
    }

    [Fact]
    public void MET_11_Automatic_answers_are_no_replies()
    {
        var world = Sent();

        world.About("ada", "email_replied", "one", more: Yes("auto_reply"));

        Assert.Equal([EmailSignal.Sent], Noted(world, "one").Select(n => n.Signal));
    }

    [Fact]
    public void MET_13_The_first_reaction_counts_from_the_send()
    {
        var world = Sent();
        world.Pass(TimeSpan.FromMinutes(10));
        world.About("ada", "email_opened", "one", more: Yes("machine"));
        world.Pass(TimeSpan.FromMinutes(20));
        world.About("ada", "email_opened", "one");
        world.Pass(TimeSpan.FromMinutes(5));
        world.About("ada", "email_replied", "one");

        var reaction = Assert.Single(world.Journal, e => e.Entry.Kind == EntryKind.EmailEngaged && !e.Entry.DueAt.IsNone).Entry;
        Assert.Equal((Start, Start.PlusMs(30 * 60_000)), (reaction.DueAt, reaction.OccurredAt));
    }

    [Fact]
    public void MET_15_Opens_by_machines_are_opens_but_not_by_persons()
    {
        var world = Sent();

        world.About("ada", "email_opened", "one", more: Yes("machine"));
        Assert.Equal([EmailSignal.Sent, EmailSignal.Delivered, EmailSignal.Opened], Noted(world, "one").Select(n => n.Signal));

        world.About("ada", "email_opened", "one");
        Assert.Equal(EmailSignal.OpenedByPerson, Noted(world, "one")[^1].Signal);
    }

    [Fact]
    public void MET_16_A_sequence_that_finished_without_a_reply_or_a_meeting_had_no_response()
    {
        var silent = new SequenceWorld().Steps(Email("one")).Contact("ada");
        silent.Enroll("ada");
        silent.Complete("ada", "one");
        Assert.True(silent.Journal.Single(e => e.Entry.Kind == EntryKind.EnrollmentEnded).Entry.Flag);

        // With replies that end nothing it still was answered.
        var answered = new SequenceWorld().Save(Sequence(Email("one"), Email("two", days: 1)) with { OnReply = EngagementScope.Nobody }).Contact("ada");
        answered.Enroll("ada");
        answered.Complete("ada", "one");
        answered.About("ada", "email_replied", "one");
        answered.PassDays(1);
        answered.Complete("ada", "two");
        var end = answered.Journal.Single(e => e.Entry.Kind == EntryKind.EnrollmentEnded).Entry;
        Assert.Equal((EndReason.Finished, false), (end.EndReason, end.Flag));
    }

    [Fact]
    public void MET_16_A_meeting_that_no_email_led_to_counts_for_the_enrollment()
    {
        var world = Sent();

        world.Event("ada", "meeting_logged", [Text("user", Owner)]);

        var met = world.Journal.Single(e => e.Entry.Kind == EntryKind.EmailEngaged && e.Entry.Code == (int)EmailSignal.Met).Entry;
        Assert.Equal((0, EmailScopes.Enrollment | EmailScopes.Engagement), (met.Step, (EmailScopes)met.Subject));
    }

    [Fact]
    public void Events_about_emails_of_other_records_count_nowhere()
    {
        var world = Sent().Contact("bob");

        world.Event("bob", "email_opened", [world.Key("ada", "one")]);
        world.Event("ada", "email_opened", [Text("task_key", "acme/1/9/one/1")]);
        world.Event("ada", "email_opened", [Text("task_key", "no key")]);
        world.Event("ada", "email_opened", []);

        Assert.Equal([EmailSignal.Sent], Noted(world, "one").Select(n => n.Signal));
    }
}
