using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using static Roster.Core.Tests.Sequences.SequenceWorld;

namespace Roster.Core.Tests.Sequences;

/// <summary>Who is enrolled in a sequence, and how it begins (SEQ-01 to SEQ-05, SEQ-15, ACT-51).</summary>
public sealed class SequenceEnrollTests
{
    [Fact]
    public void SEQ_02_One_contact_is_enrolled_by_name_and_the_first_email_is_asked_for()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", days: 3)).Contact("ada");

        Assert.Equal(Decision.Enrolled, world.Enroll("ada"));

        var email = Assert.Single(world.Sent("ada"));
        Assert.Equal("sequence_email", email.Text);
        Assert.Equal("ada@example.com", Field(email, "to"));
        Assert.Equal("olga@example.org", Field(email, "from"));
        Assert.Equal("About one", Field(email, "subject"));
        Assert.Equal("Dear ada", Field(email, "body"));
        Assert.Equal(Start, world.SentAt("ada", "one"));
    }

    public static TheoryData<string, Decision> Refused() => new()
    {
        { "company", Decision.TypeMismatch }, { "disconnected", Decision.SenderNotConnected }, { "no inbox", Decision.SenderNotConnected }, { "active", Decision.AlreadyActive },
        { "no address", Decision.NoAddress }, { "unsubscribed", Decision.OptedOut }, { "consent", Decision.OptedOut }, { "bounced", Decision.Bounced },
        { "often", Decision.LoopGuard }, { "full", Decision.LimitReached }, { "fine", Decision.Enrolled },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void SEQ_04_The_first_check_that_fails_decides(string because, Decision expected)
    {
        var world = new SequenceWorld(TenantSettingsOf(because)).Steps(Email("one"));
        world.Contact("ada");
        switch (because)
        {
            case "company":
                Assert.False(world.Catalog.Workflows[0].ObjectType.Name == "company");
                var company = world.EventOf("company", "acme", string.Empty, [], Timestamp.None);
                Assert.Equal(TurnStatus.Applied, company.Status);
                Assert.Equal(Decision.TypeMismatch, world.EnrollOther("company", "acme"));
                return;
            case "disconnected":
                world.Inbox(isConnected: false);
                break;
            case "no inbox":
                world.RemoveInbox();
                break;
            case "active":
                world.Enroll("ada");
                break;
            case "no address":
                world.Event("ada", string.Empty, [], ("email", string.Empty));
                break;
            case "unsubscribed":
                world.Event("ada", "email_unsubscribed", []);
                break;
            case "consent":
                world.Event("ada", string.Empty, [], ("consent.one_to_one", "UNSUBSCRIBED"));
                break;
            case "bounced":
                world.Event("ada", "email_bounced", []);
                break;
            case "often":
                world.Enroll("ada");
                world.Command("ada", CommandKind.Unenroll);
                break;
            case "full":
                world.Inbox(limits: InboxLimits.Default with { EnrollmentsPerDay = 1 }).Contact("bob").Enroll("bob");
                break;
            default:
                break;
        }

        Assert.Equal(expected, world.Enroll("ada"));
    }

    [Theory]
    [InlineData("disconnected", Decision.SenderNotConnected, "connect the inbox of olga")]
    [InlineData("active", Decision.AlreadyActive, "end the active enrollment, number 1, in sequence s")]
    [InlineData("no address", Decision.NoAddress, "set email")]
    [InlineData("consent", Decision.OptedOut, "set consent.one_to_one to SUBSCRIBED")]
    [InlineData("bounced", Decision.Bounced, "set email")]
    [InlineData("fine", Decision.Enrolled, "enroll the record by hand")]
    public void HIS_07_An_explanation_says_what_each_check_found_and_what_would_help(string because, Decision expected, string change)
    {
        var world = new SequenceWorld().Steps(Email("one")).Contact("ada");
        switch (because)
        {
            case "disconnected":
                world.Inbox(isConnected: false);
                break;
            case "active":
                world.Enroll("ada");
                break;
            case "no address":
                world.Event("ada", string.Empty, [], ("email", string.Empty));
                break;
            case "consent":
                world.Event("ada", string.Empty, [], ("consent.one_to_one", "UNSUBSCRIBED"));
                break;
            case "bounced":
                world.Event("ada", "email_bounced", []);
                break;
            default:
                break;
        }

        var explanation = new Turn().Explain(world.State("ada"), world.Catalog.Workflows[0], world.Catalog, world.Now);

        Assert.Equal((expected, expected), (explanation.Decision, explanation.DecisionByHand));
        Assert.Equal(9, explanation.Checks.Count);
        Assert.All(explanation.Checks, c => Assert.NotEmpty(c.Found));
        Assert.Contains(change, explanation.SmallestChange);
    }

    private static Schema.TenantSettings? TenantSettingsOf(string because) => because == "often" ? Schema.TenantSettings.Default with { EnrollmentsPerHourMax = 1 } : null;

    [Fact]
    public void SEQ_04_A_gone_contact_is_refused()
    {
        var world = new SequenceWorld().Steps(Email("one")).Contact("ada");
        world.Command("ada", CommandKind.Delete);

        var result = world.Command("ada", CommandKind.Enroll);

        Assert.Equal(RefusalReason.RecordGone, result.Refusal!.Reason);
    }

    [Fact]
    public void SEQ_04_The_decision_is_journaled_when_the_inbox_has_answered()
    {
        var world = new SequenceWorld().Steps(Email("one")).Contact("ada");

        world.Enroll("ada", requestId: "r1");

        var kinds = world.Journal.Where(e => e.Entry.Kind is EntryKind.CommandReceived or EntryKind.SlotTaken or EntryKind.Enrolled).Select(e => (e.Contact, e.Entry.Kind)).ToList();
        Assert.Equal([("ada", EntryKind.CommandReceived), ("olga", EntryKind.SlotTaken), ("ada", EntryKind.Enrolled), ("olga", EntryKind.SlotTaken)], kinds);
        Assert.Equal("r1", world.Journal.Single(e => e.Entry.Kind == EntryKind.Enrolled).Entry.Text);
    }

    [Fact]
    public void SEQ_04_Consent_given_again_and_an_address_changed_again_open_the_way()
    {
        var world = new SequenceWorld().Steps(Email("one")).Contact("ada");
        world.Event("ada", "email_unsubscribed", []);
        world.Event("ada", "email_bounced", []);
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(Decision.OptedOut, world.Enroll("ada"));

        world.Event("ada", string.Empty, [], ("consent.one_to_one", "SUBSCRIBED"));
        Assert.Equal(Decision.Bounced, world.Enroll("ada"));

        world.Event("ada", string.Empty, [], ("email", "new@example.com"));
        Assert.Equal(Decision.Enrolled, world.Enroll("ada"));
    }

    [Fact]
    public void SEQ_03_A_contact_is_active_in_one_sequence_at_most()
    {
        var world = new SequenceWorld().Steps(Email("one")).Save(Sequence(Email("other")) with { Id = "t" }).Contact("ada");

        Assert.Equal(Decision.Enrolled, world.Enroll("ada"));
        Assert.Equal(Decision.AlreadyActive, world.Enroll("ada", "t"));

        world.Command("ada", CommandKind.Unenroll);
        Assert.Equal(EndReason.Manual, world.End("ada"));
        Assert.Equal(Decision.Enrolled, world.Enroll("ada", "t"));
    }

    [Fact]
    public void SEQ_05_Enrolled_by_hand_the_first_step_ignores_the_window()
    {
        var night = Sequence(Email("one"), Email("two")) with { WindowStart = 60, WindowEnd = 120 };
        var world = new SequenceWorld().Save(night).Contact("ada").Contact("bob");

        world.Enroll("ada", facts: new SequenceFacts(Owner) { IsByHand = true });
        world.Enroll("bob");
        Assert.Equal(Start, world.SentAt("ada", "one"));
        Assert.Empty(world.Sent("bob"));

        world.Complete("ada", "one");
        world.PassDays(1);
        var opens = Start.PlusMs(13 * 3_600_000);
        Assert.Equal(opens, world.SentAt("bob", "one"));
        Assert.Equal(opens, world.SentAt("ada", "two"));
    }

    [Fact]
    public void SEQ_05_An_enrollment_may_begin_at_any_step_and_at_a_chosen_start()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", days: 5), Email("three", days: 1)).Contact("ada");

        world.Enroll("ada", facts: new SequenceFacts(Owner) { IsByHand = true, FirstStep = world.Step("two"), StartAt = Start.PlusMs(7_200_000) });
        Assert.Empty(world.Sent("ada"));
        world.PassDays(1);

        Assert.Equal(Start.PlusMs(7_200_000), world.SentAt("ada", "two"));
        Assert.Single(world.Sent("ada"));
    }

    [Fact]
    public void SEQ_05_After_an_end_the_contact_may_be_enrolled_again()
    {
        var world = new SequenceWorld().Steps(Email("one")).Contact("ada");
        world.Enroll("ada");
        world.Complete("ada", "one");
        Assert.Equal(EndReason.Finished, world.End("ada"));

        Assert.Equal(Decision.Enrolled, world.Enroll("ada"));

        Assert.Equal(2, world.Active("ada").Number);
    }

    [Fact]
    public void SEQ_15_Enrollments_of_a_day_are_counted_in_the_zone_of_the_inbox()
    {
        var world = new SequenceWorld().Inbox(limits: InboxLimits.Default with { EnrollmentsPerDay = 2 }, zone: "America/New_York").Steps(Email("one"));
        foreach (var contact in new[] { "a", "b", "c", "d" })
        {
            world.Contact(contact);
        }

        Assert.Equal([Decision.Enrolled, Decision.Enrolled, Decision.LimitReached], [.. new[] { "a", "b", "c" }.Select(c => world.Enroll(c))]);

        // 12:00 UTC is 7:00 in New York: the day ends 17 hours later.
        world.Pass(TimeSpan.FromHours(17) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(Decision.LimitReached, world.Enroll("c"));
        world.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Decision.Enrolled, world.Enroll("c"));
        Assert.Equal(1, world.InboxState().SlotEnrollments);
    }

    [Fact]
    public void SEQ_15_A_slot_that_is_not_used_is_given_back()
    {
        var world = new SequenceWorld().Inbox(limits: InboxLimits.Default with { EnrollmentsPerDay = 1 }).Steps(Email("one")).Contact("ada").Contact("bob");
        world.AfterSlotRequest = () => world.Event("ada", "email_unsubscribed", []);

        Assert.Equal(Decision.OptedOut, world.Enroll("ada"));

        Assert.Equal(0, world.InboxState().SlotEnrollments);
        Assert.Equal(Decision.Enrolled, world.Enroll("bob"));
    }

    [Fact]
    public void ACT_51_A_workflow_enrolls_in_a_sequence_and_takes_out_of_one()
    {
        var world = new SequenceWorld()
            .Steps(Email("one"), Email("two", days: 3))
            .Save(Define.Workflow("w", Define.OnEvent("bought"), new OtherSequenceStepDefinition("in", "wait", "s", true), Define.Delay("wait", 1, DelayUnit.Days, "out"), new OtherSequenceStepDefinition("out", string.Empty, string.Empty, false)))
            .Contact("ada");
        Assert.DoesNotContain(world.Problems, p => p.IsError);

        world.Event("ada", "bought", []);
        Assert.Single(world.Sent("ada"));
        Assert.Equal(TriggerKind.Workflow, world.Active("ada").Trigger);

        world.PassDays(1);
        Assert.Equal(EndReason.ByWorkflow, world.End("ada"));
    }

    [Fact]
    public void ACT_51_Only_contacts_are_enrolled_in_sequences()
    {
        var world = new SequenceWorld().Steps(Email("one"));

        world.Save(Define.Workflow("w", Define.ByHand(), new OtherSequenceStepDefinition("in", string.Empty, "s", true)) with { ObjectType = "deal" });

        Assert.Contains(world.Problems, p => p is { IsError: true, Code: "NOT_A_CONTACT" });
    }

    [Fact]
    public void ACT_51_A_refusal_of_a_sequence_asked_for_by_a_workflow_is_journaled_for_the_sequence()
    {
        var world = new SequenceWorld().Steps(Email("one"))
            .Save(Define.Workflow("w", Define.OnEvent("bought"), new OtherSequenceStepDefinition("in", string.Empty, "s", true)))
            .Contact("ada", ("consent.one_to_one", "NOT_GRANTED"));

        world.Event("ada", "bought", []);

        var refused = world.Journal.Single(e => e.Entry.Kind == EntryKind.EnrollmentRefused).Entry;
        Assert.Equal((world.Number("s"), Decision.OptedOut), (refused.Workflow, refused.Decision));
    }
}
