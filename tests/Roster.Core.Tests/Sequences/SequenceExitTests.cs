using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;
using static Roster.Core.Tests.Sequences.SequenceWorld;

namespace Roster.Core.Tests.Sequences;

/// <summary>What ends a sequence (SEQ-01, SEQ-10 to SEQ-13, SEQ-17, SEQ-18, REC-15).</summary>
public sealed class SequenceExitTests
{
    /// <summary>Ada and Bob are enrolled, and have got the first of two e-mails.</summary>
    private static SequenceWorld Enrolled(Func<SequenceDefinition, SequenceDefinition>? change = null)
    {
        var sequence = Sequence(Email("one"), Email("two", days: 3));
        var world = new SequenceWorld().Save(change?.Invoke(sequence) ?? sequence);
        foreach (var contact in new[] { "ada", "bob" })
        {
            world.Contact(contact);
            world.Link(contact, "acme");
            world.Enroll(contact);
            world.Complete(contact, "one");
        }

        return world;
    }

    [Fact]
    public void SEQ_10_A_reply_to_an_email_of_the_sequence_ends_it()
    {
        var world = Enrolled();

        // Also from another address: the event says whose reply it is.
        world.About("ada", "email_replied", "one", more: Text("from", "private@example.net"));

        Assert.Equal(EndReason.Replied, world.End("ada"));
        Assert.Equal(EndReason.None, world.End("bob"));
        world.PassDays(5);
        Assert.Single(world.Sent("ada"));
    }

    [Theory]
    [InlineData("email_received", Owner, EndReason.InboundEmail)]
    [InlineData("email_replied", Owner, EndReason.InboundEmail)]
    [InlineData("email_received", "somebody", EndReason.None)]
    [InlineData("email_replied", "somebody", EndReason.None)]
    public void SEQ_10_Another_email_to_the_owner_ends_it(string type, string user, EndReason expected)
    {
        var world = Enrolled();

        world.Event("ada", type, [Text("user", user)]);

        Assert.Equal(expected, world.End("ada"));
    }

    [Fact]
    public void SEQ_10_Automatic_answers_end_nothing()
    {
        var world = Enrolled();

        world.About("ada", "email_replied", "one", more: Yes("auto_reply"));
        world.Event("ada", "email_received", [Text("user", Owner), Yes("auto_reply")]);

        Assert.Equal(EndReason.None, world.End("ada"));
    }

    [Fact]
    public void SEQ_10_A_reply_to_an_email_of_a_former_enrollment_is_another_email()
    {
        var world = Enrolled();
        world.Command("ada", CommandKind.Unenroll);
        world.Enroll("ada");

        world.About("ada", "email_replied", "one", enrollment: 1);
        Assert.Equal(EndReason.None, world.Active("ada") is { Number: 2 } ? EndReason.None : EndReason.Replied);

        world.About("ada", "email_replied", "one", enrollment: 1, Text("user", Owner));
        Assert.Equal(EndReason.InboundEmail, world.End("ada"));
    }

    [Theory]
    [InlineData("meeting_booked", "", true, EndReason.MeetingBooked)]
    [InlineData("meeting_booked", "somebody", true, EndReason.MeetingBooked)]
    [InlineData("meeting_booked", Owner, false, EndReason.MeetingBooked)]
    [InlineData("meeting_booked", "somebody", false, EndReason.None)]
    [InlineData("meeting_logged", Owner, false, EndReason.MeetingBooked)]
    [InlineData("meeting_logged", "somebody", false, EndReason.None)]
    public void SEQ_11_A_meeting_by_a_link_of_the_sequence_or_with_the_enrolling_user_ends_it(string type, string user, bool byLink, EndReason expected)
    {
        var world = Enrolled();
        NamedValue[] properties = [.. user.Length > 0 ? [Text("user", user)] : Array.Empty<NamedValue>(), .. byLink ? [world.Key("ada", "one")] : Array.Empty<NamedValue>()];

        world.Event("ada", type, properties);

        Assert.Equal(expected, world.End("ada"));
    }

    [Fact]
    public void SEQ_11_The_enrolling_user_may_be_another_one_than_the_owner_and_past_meetings_count()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", days: 3)).Contact("ada");
        world.Enroll("ada", facts: new SequenceFacts("egon"));

        world.Event("ada", "meeting_booked", [Text("user", Owner)]);
        Assert.Equal(EndReason.None, world.End("ada"));

        world.EventOf("contact", "ada", "meeting_logged", [Text("user", "egon")], Start.PlusMs(-86_400_000));
        Assert.Equal(EndReason.MeetingBooked, world.End("ada"));
    }

    [Theory]
    [InlineData("email_bounced", EndReason.Bounced)]
    [InlineData("email_unsubscribed", EndReason.Unsubscribed)]
    public void SEQ_12_A_bounce_and_an_unsubscribe_end_it(string type, EndReason expected)
    {
        var world = Enrolled();

        world.About("ada", type, "one");

        Assert.Equal(expected, world.End("ada"));
    }

    [Fact]
    public void SEQ_12_Consent_that_is_withdrawn_ends_it()
    {
        var world = Enrolled();

        world.Event("ada", string.Empty, [], ("consent.one_to_one", "UNSUBSCRIBED"));

        Assert.Equal(EndReason.Unsubscribed, world.End("ada"));
    }

    [Theory]
    [InlineData("email_replied", EndReason.Replied)]
    [InlineData("meeting_booked", EndReason.MeetingBooked)]
    public void SEQ_13_By_choice_it_ends_for_all_enrolled_contacts_of_the_company(string type, EndReason own)
    {
        var world = Enrolled(s => s with { OnReply = EngagementScope.Company, OnMeeting = EngagementScope.Company });
        world.Contact("eve");
        world.Link("eve", "other");
        world.Enroll("eve");

        world.About("ada", type, "one");

        Assert.Equal(own, world.End("ada"));
        Assert.Equal(EndReason.CompanyEngaged, world.End("bob"));
        Assert.Equal(EndReason.None, world.End("eve"));
    }

    [Fact]
    public void SEQ_13_It_reaches_all_contacts_of_a_company_that_has_many()
    {
        var world = new SequenceWorld().Save(Sequence(Email("one"), Email("two", days: 3)) with { OnReply = EngagementScope.Company });
        const int Contacts = 200;
        for (var i = 0; i < Contacts; i++)
        {
            world.Contact($"c{i}");
            world.Link($"c{i}", "acme");
            world.Enroll($"c{i}");
        }

        world.Complete("c0", "one");
        world.About("c0", "email_replied", "one");

        Assert.Equal(EndReason.Replied, world.End("c0"));
        Assert.All(Enumerable.Range(1, Contacts - 1), i => Assert.Equal(EndReason.CompanyEngaged, world.End($"c{i}")));
    }

    [Theory]
    [InlineData("email_replied")]
    [InlineData("email_received")]
    [InlineData("meeting_booked")]
    public void SEQ_13_A_setting_of_NOBODY_ends_nothing(string type)
    {
        var world = Enrolled(s => s with { OnReply = EngagementScope.Nobody, OnMeeting = EngagementScope.Nobody });

        world.About("ada", type, "one", more: Text("user", Owner));

        Assert.Equal(EndReason.None, world.End("ada"));
    }

    [Fact]
    public void SEQ_01_When_the_sender_is_removed_enrollments_end()
    {
        var world = Enrolled();

        world.RemoveInbox().Refresh("ada");

        Assert.Equal(EndReason.SenderGone, world.End("ada"));
        world.PassDays(3);
        Assert.Equal(EndReason.SenderGone, world.End("bob"));
        Assert.Single(world.Sent("bob"));
    }

    [Fact]
    public void SEQ_01_A_sender_who_is_not_connected_enrolls_nobody_but_goes_on()
    {
        var world = Enrolled();

        world.Inbox(isConnected: false).PassDays(3);

        Assert.Equal(2, world.Sent("ada").Count());
    }

    [Fact]
    public void SEQ_17_A_sequence_that_is_deleted_ends_its_enrollments()
    {
        var world = Enrolled();

        world.Drop("s").Refresh("ada", "s");

        Assert.Equal(EndReason.SequenceDeleted, world.State("ada").TryGetSummary(1, out var summary) ? summary.LastEnd : EndReason.None);
    }

    [Fact]
    public void SEQ_18_The_list_of_end_reasons_is_closed()
    {
        EndReason[] all =
        [
            EndReason.Finished, EndReason.Replied, EndReason.InboundEmail, EndReason.CompanyEngaged, EndReason.MeetingBooked, EndReason.Bounced, EndReason.Unsubscribed, EndReason.SenderGone,
            EndReason.SendFailed, EndReason.SequenceDeleted, EndReason.Manual, EndReason.ByWorkflow, EndReason.LoopGuard, EndReason.Merged, EndReason.Deleted, EndReason.Erased,
        ];
        string[] names =
        [
            "FINISHED", "REPLIED", "INBOUND_EMAIL", "COMPANY_ENGAGED", "MEETING_BOOKED", "BOUNCED", "UNSUBSCRIBED", "SENDER_GONE", "SEND_FAILED", "SEQUENCE_DELETED", "MANUAL", "BY_WORKFLOW",
            "LOOP_GUARD", "MERGED", "DELETED", "ERASED",
        ];

        Assert.Equal(names, all.Select(r => ApiNames.Of(r.ToString())));
    }

    [Fact]
    public void SEQ_18_By_hand_deleted_and_erased()
    {
        var world = Enrolled();
        world.Contact("eve");
        world.Enroll("eve");

        world.Command("ada", CommandKind.Unenroll);
        world.Command("bob", CommandKind.Delete);
        world.Command("eve", CommandKind.Erase);

        Assert.Equal((EndReason.Manual, EndReason.Deleted), (world.End("ada"), world.End("bob")));
        Assert.Contains(world.Journal, e => e.Contact == "eve" && e.Entry is { Kind: EntryKind.EnrollmentEnded, EndReason: EndReason.Erased });
    }

    [Fact]
    public void SEQ_18_An_end_changes_no_metric_of_the_past()
    {
        var world = Enrolled();
        world.About("ada", "email_opened", "one");
        var before = world.State("ada").EmailMarks[0];

        world.Command("ada", CommandKind.Unenroll);

        Assert.Equal(before, world.State("ada").EmailMarks[0]);
    }

    [Fact]
    public void REC_15_At_a_merge_the_survivor_keeps_its_own_enrollment_and_the_other_one_ends()
    {
        var world = Enrolled();

        world.Command("ada", CommandKind.Merge, other: "bob");

        Assert.Equal(EndReason.Merged, world.End("ada"));
        Assert.Equal(EndReason.None, world.End("bob"));
    }

    [Fact]
    public void REC_15_Later_inputs_for_the_merged_away_id_go_to_the_survivor()
    {
        var world = Enrolled();
        world.Command("ada", CommandKind.Merge, other: "bob");

        var result = world.Event("ada", "email_received", [Text("user", Owner)]);

        Assert.Equal(TurnStatus.Applied, result.Status);
        Assert.Equal(EndReason.InboundEmail, world.End("bob"));

        // What is no input of a sequence is refused as before.
        Assert.Equal(RefusalReason.RecordGone, world.Event("ada", "bought", []).Refusal!.Reason);
    }

    [Fact]
    public void REC_15_They_follow_a_survivor_that_was_merged_away_itself()
    {
        var world = Enrolled();
        world.Contact("eve");
        world.Command("ada", CommandKind.Merge, other: "eve");
        world.Command("eve", CommandKind.Merge, other: "bob");

        world.Event("ada", "email_received", [Text("user", Owner)]);

        Assert.Equal(EndReason.InboundEmail, world.End("bob"));
    }

    [Fact]
    public void TRG_31_What_happens_in_a_sequence_starts_workflows()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", days: 3));
        foreach (var type in new[] { "sequence_enrolled", "sequence_finished", "sequence_unenrolled", "sequence_meeting" })
        {
            world.Save(Define.Workflow(type, Define.OnEvent(type, reenroll: true, where: Define.Eq("sequence", "s")), Define.Set("set", "name", type)));
        }

        world.Contact("ada");
        world.Enroll("ada");
        Assert.Equal(1, Times(world, "sequence_enrolled"));
        world.Event("ada", "meeting_booked", [world.Key("ada", "one")]);
        Assert.Equal((1, 1, 0), (Times(world, "sequence_meeting"), Times(world, "sequence_unenrolled"), Times(world, "sequence_finished")));
    }

    private static int Times(SequenceWorld world, string workflow) => world.State("ada").TryGetSummary(world.Number(workflow), out var summary) ? summary.TimesEnrolled : 0;

    [Fact]
    public void UNE_05_Kick_out_of_all_other_workflows_leaves_sequences_alone()
    {
        var world = Enrolled().Save(Define.Workflow("w", Define.OnEvent("bought"), Define.Set("set", "name", "x")) with { UnenrollFromAll = true });

        world.Event("ada", "bought", []);

        Assert.Equal(EndReason.None, world.End("ada"));
    }
}
