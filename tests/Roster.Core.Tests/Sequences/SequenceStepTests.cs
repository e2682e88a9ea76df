using Roster.Core.Calendars;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using static Roster.Core.Tests.Sequences.SequenceWorld;

namespace Roster.Core.Tests.Sequences;

/// <summary>Steps, delays, windows and instants of an inbox (SEQ-06 to SEQ-09, SEQ-14 to SEQ-16).</summary>
public sealed class SequenceStepTests
{
    private const long HourMs = 3_600_000;
    private const long DayMs = 24 * HourMs;

    [Fact]
    public void SEQ_06_Steps_run_in_order_and_the_end_is_FINISHED()
    {
        var world = new SequenceWorld().Steps(Email("one"), Task("call"), Email("two"), new SequenceFinishDefinition("end"), Email("never")).Contact("ada");
        world.Enroll("ada");
        world.Complete("ada", "one");
        world.PassDays(2);
        world.Complete("ada", "two");

        Assert.Equal(EndReason.Finished, world.End("ada"));
        Assert.Equal(2, world.Sent("ada").Count());
        var task = world.State(Assert.Single(world.TasksOf("ada")), "task");
        Assert.Equal("Call ada", Property(world, task, "title"));
        Assert.Equal("CALL", Property(world, task, "task_type"));
        Assert.Equal(Owner, Property(world, task, "owner"));
    }

    private static string Property(SequenceWorld world, RecordState state, string name) =>
        state.TryGetProperty(world.Schema.FindObjectType("task")!.Find(name)!.Number, isBefore: false, out var view) ? view.Value.ToString() : string.Empty;

    [Fact]
    public void SEQ_06_A_follow_up_goes_in_the_thread_of_the_email_before_it()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", sameThread: true), Email("three")).Contact("ada");
        world.Enroll("ada");
        world.Complete("ada", "one", outputs: [Text("thread_id", "t1"), Text("message_id", "m1")]);
        world.Complete("ada", "two");

        var sent = world.Sent("ada").ToList();
        Assert.Equal(("t1", "m1"), (Field(sent[1], "thread_id"), Field(sent[1], "in_reply_to")));
        Assert.Equal(string.Empty, Field(sent[2], "thread_id"));
    }

    [Fact]
    public void SEQ_06_Variants_are_chosen_by_contact_and_step_and_stay_the_same()
    {
        var world = new SequenceWorld().Steps(Email("one", subjects: ["a", "b", "c"]));
        var chosen = new HashSet<string>();
        for (var i = 0; i < 30; i++)
        {
            world.Contact($"c{i}");
            world.Enroll($"c{i}");
            world.Complete($"c{i}", "one");
            world.PassDays(1);
            world.Enroll($"c{i}");
            world.Complete($"c{i}", "one", enrollment: 2);
            var subjects = world.Sent($"c{i}").Select(e => Field(e, "subject")).ToList();
            Assert.Equal(subjects[0], subjects[1]);
            chosen.Add(subjects[0]);
        }

        Assert.Equal(3, chosen.Count);
    }

    [Theory]
    [InlineData("email_clicked", "click")]
    [InlineData("email_opened", "open")]
    [InlineData("", "none")]
    public void SEQ_06_A_container_chooses_by_opens_and_clicks(string happened, string expected)
    {
        var container = new SequenceAdaptiveDefinition("which", string.Empty, [Email("click")], [Email("open")], [Email("none")]) { Delay = After(1) };
        var world = new SequenceWorld().Steps(Email("one"), container, Email("last")).Contact("ada");
        Assert.DoesNotContain(world.Problems, p => p.IsError);
        world.Enroll("ada");
        world.Complete("ada", "one");
        if (happened.Length > 0)
        {
            world.About("ada", happened, "one");
        }

        world.PassDays(1);
        Assert.Equal(Start.PlusMs(DayMs), world.SentAt("ada", expected));

        // SEQ-09: what follows waits until the container is through.
        Assert.Equal(2, world.Sent("ada").Count());
        world.Complete("ada", expected);
        Assert.Equal(Start.PlusMs(DayMs), world.SentAt("ada", "last"));
    }

    [Fact]
    public void SEQ_07_Whole_days_are_eligible_days_at_the_same_local_time_and_the_rest_is_elapsed()
    {
        var sequence = Sequence(Email("one"), Email("two", days: 5), Email("three", days: 1.5)) with { EligibleDays = EligibleDays.Weekdays };
        var world = new SequenceWorld().Save(sequence).Contact("ada");
        world.Enroll("ada");
        world.Complete("ada", "one");
        world.PassDays(8);

        // Five weekdays after Monday is Monday. One and a half days after that is Wednesday, 0:00.
        Assert.Equal(Start.PlusMs(7 * DayMs), world.SentAt("ada", "two"));
        world.Now = Start.PlusMs(7 * DayMs);
        var wednesday = new SequenceWorld().Save(Sequence(Email("one"), Email("two", days: 1.5)) with { EligibleDays = EligibleDays.Weekdays }).Contact("bob");
        wednesday.Enroll("bob");
        wednesday.Complete("bob", "one");
        wednesday.PassDays(3);
        Assert.Equal(Start.PlusMs(DayMs + (12 * HourMs)), wednesday.SentAt("bob", "two"));
    }

    [Fact]
    public void SEQ_07_The_same_local_time_holds_over_a_change_of_the_clock()
    {
        var calendar = new SequenceCalendar(EligibleDays.EveryDay, 0, 1_440, 480);
        var berlin = TimeZones.Find("Europe/Berlin")!;
        var saturday = Timestamp.FromInstant(NodaTime.Instant.FromUtc(2026, 3, 28, 9, 0));

        // On 29 March clocks go forward: the day has 23 hours.
        Assert.Equal(saturday.PlusMs(23 * HourMs), calendar.After(saturday, DayMs, berlin, BusinessCalendar.Default));
        Assert.Equal(saturday.PlusMs(24 * HourMs - 1), calendar.After(saturday, DayMs - 1 + HourMs - HourMs, berlin, BusinessCalendar.Default));
    }

    [Fact]
    public void SEQ_07_Between_a_least_and_a_greatest_delay_the_value_is_chosen_by_hash()
    {
        var sequence = Sequence(Email("one"), Email("two") with { Delay = new SequenceDelayDefinition(DayMs, 5 * DayMs) });
        var world = new SequenceWorld().Save(sequence);
        var days = new HashSet<long>();
        for (var i = 0; i < 40; i++)
        {
            world.Contact($"c{i}");
        }

        for (var i = 0; i < 40; i++)
        {
            world.Enroll($"c{i}");
            world.PassTo(world.Now.PlusMs(60_000));
            world.Complete($"c{i}", "one");
            days.Add((world.Active($"c{i}").DueAt.Ms - world.Now.Ms) / DayMs);
            Assert.Equal(0, (world.Active($"c{i}").DueAt.Ms - world.Now.Ms) % DayMs);
        }

        Assert.Equal([1, 2, 3, 4, 5], days.Order());
    }

    [Theory]
    [InlineData(-1, -1)]
    [InlineData(0, 90L * 86_400_000 + 1)]
    [InlineData(2, 1)]
    public void SEQ_07_A_delay_is_0_to_90_days(long min, long max)
    {
        var world = new SequenceWorld().Steps(Email("one") with { Delay = new SequenceDelayDefinition(min, max) });

        Assert.Contains(world.Problems, p => p is { IsError: true, Code: "OUT_OF_RANGE", Path: "steps[0].delayMs" });
    }

    [Fact]
    public void SEQ_08_An_email_outside_the_window_moves_to_the_next_opening_on_an_eligible_day()
    {
        var settings = TenantSettings.Default with { Holidays = [new NodaTime.LocalDate(2026, 1, 12)] };
        var sequence = Sequence(Email("one"), Email("two", days: 3.5), Email("three", days: 1)) with { EligibleDays = EligibleDays.BusinessDays, WindowStart = 540, WindowEnd = 1_020 };
        var world = new SequenceWorld(settings).Save(sequence).Contact("ada");
        world.Enroll("ada");
        world.Complete("ada", "one");
        world.PassDays(14);

        // Monday 12:00 plus three business days and twelve hours is Friday 0:00: it opens at 9:00.
        Assert.Equal(Start.PlusMs((3 * DayMs) + (21 * HourMs)), world.SentAt("ada", "two"));
    }

    [Fact]
    public void SEQ_08_Weekends_and_holidays_are_passed_over()
    {
        var business = new BusinessCalendar(Weekdays.MondayToFriday, [new NodaTime.LocalDate(2026, 1, 12)]);
        var calendar = new SequenceCalendar(EligibleDays.BusinessDays, 540, 1_020, 480);
        var utc = NodaTime.DateTimeZone.Utc;
        var friday = Timestamp.FromInstant(NodaTime.Instant.FromUtc(2026, 1, 9, 17, 0));

        // The window is closed from its end on; Monday the 12th is a holiday.
        Assert.Equal(Timestamp.FromInstant(NodaTime.Instant.FromUtc(2026, 1, 13, 9, 0)), calendar.NextOpening(friday, utc, business));
        Assert.Equal(friday.PlusMs(-1), calendar.NextOpening(friday.PlusMs(-1), utc, business));
        Assert.Equal(Timestamp.FromInstant(NodaTime.Instant.FromUtc(2026, 1, 13, 8, 0)), calendar.TaskInstant(friday, 0, utc, business));
    }

    [Fact]
    public void SEQ_08_Windows_are_in_the_zone_of_the_sender_or_of_the_contact()
    {
        var sequence = Sequence(Email("one")) with { WindowStart = 480, WindowEnd = 540, TimeZoneProperty = "zone" };
        var world = new SequenceWorld().Inbox(zone: "America/New_York").Save(sequence).Contact("ada").Contact("bob", ("zone", "Asia/Tokyo"));
        world.Enroll("ada");
        world.Enroll("bob");
        world.PassDays(1);

        // 8:00 in New York is 13:00 UTC, 8:00 in Tokyo is 23:00 UTC.
        Assert.Equal(Start.PlusMs(HourMs), world.SentAt("ada", "one"));
        Assert.Equal(Start.PlusMs(11 * HourMs), world.SentAt("bob", "one"));
    }

    [Fact]
    public void SEQ_08_Tasks_are_created_at_the_task_minute()
    {
        var world = new SequenceWorld().Save(Sequence(Email("one"), Task("today"), Task("later", days: 2)) with { TaskMinute = 600 }).Contact("ada");
        world.Enroll("ada");
        world.Complete("ada", "one");
        world.PassDays(7);

        // It is 12:00: the next 10:00 is tomorrow. Two days after that it is 10:00 again.
        var created = world.Journal.Where(e => e.Contact == "ada" && e.Entry.Kind == EntryKind.StepFinished && e.Entry.Step != world.Step("one")).Select(e => e.At);
        Assert.Equal([Start.PlusMs(22 * HourMs), Start.PlusMs((22 * HourMs) + (2 * DayMs))], created);
    }

    [Fact]
    public void SEQ_09_What_follows_waits_for_the_task_and_its_delay_counts_from_then()
    {
        var world = new SequenceWorld().Steps(Task("call", wait: true), Email("one", days: 2)).Contact("ada");
        world.Enroll("ada", facts: new SequenceFacts(Owner) { IsByHand = true });
        var task = Assert.Single(world.TasksOf("ada"));
        world.PassDays(5);
        Assert.Empty(world.Sent("ada"));

        world.EventOf("task", task, StandardEventTypes.TaskCompleted, [], Timestamp.None);
        world.PassDays(3);

        Assert.Equal(Start.PlusMs(7 * DayMs), world.SentAt("ada", "one"));
    }

    [Fact]
    public void SEQ_09_A_pause_is_lifted_by_hand_and_the_delay_counts_from_then()
    {
        var world = new SequenceWorld().Steps(Email("one"), new SequencePauseDefinition("look"), Email("two", days: 1)).Contact("ada");
        world.Enroll("ada");
        Assert.Equal(0, world.Command("ada", CommandKind.LiftPause).Enrollment);
        world.Complete("ada", "one");
        world.PassDays(10);
        Assert.Single(world.Sent("ada"));

        Assert.Equal(1, world.Command("ada", CommandKind.LiftPause).Enrollment);
        world.PassDays(2);

        Assert.Equal(Start.PlusMs(11 * DayMs), world.SentAt("ada", "two"));
    }

    [Fact]
    public void SEQ_14_Edits_hold_for_later_enrollments_only()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", days: 1)).Contact("ada").Contact("bob");
        world.Enroll("ada");
        world.Complete("ada", "one");

        world.Steps(Email("one", subjects: ["new"]), Email("three", days: 1));
        world.Enroll("bob");
        world.Complete("bob", "one");
        world.PassDays(1);

        Assert.Equal(["About one", "About two"], world.Sent("ada").Select(e => Field(e, "subject")));
        Assert.Equal(["new", "About three"], world.Sent("bob").Select(e => Field(e, "subject")));
        Assert.Equal((1, 2), (world.Active("ada").Version, world.Active("bob").Version));
    }

    [Fact]
    public void SEQ_14_A_scheduled_email_is_edited_for_one_contact()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two", days: 1)).Contact("ada").Contact("bob");
        foreach (var contact in new[] { "ada", "bob" })
        {
            world.Enroll(contact);
            world.Complete(contact, "one");
        }

        Assert.Equal(0, world.Command("ada", CommandKind.EditEmail, step: "one", content: Text("subject", "too late")).Enrollment);
        Assert.Equal(1, world.Command("ada", CommandKind.EditEmail, step: "two", content: Text("subject", "for Ada")).Enrollment);
        world.PassDays(1);

        Assert.Equal(["About one", "for Ada"], world.Sent("ada").Select(e => Field(e, "subject")));
        Assert.Equal(["About one", "About two"], world.Sent("bob").Select(e => Field(e, "subject")));
        Assert.Equal("Dear ada", Field(world.Sent("ada").Last(), "body"));
    }

    [Fact]
    public void SEQ_15_An_email_over_the_limit_of_a_minute_moves_to_the_first_free_instant()
    {
        var world = new SequenceWorld().Inbox(limits: InboxLimits.Default with { EmailsPerMin = 2 }).Steps(Email("one"));
        for (var i = 0; i < 5; i++)
        {
            world.Contact($"c{i}").Enroll($"c{i}");
        }

        world.Pass(TimeSpan.FromMinutes(5));

        Assert.Equal([0, 0, 60_000, 60_000, 120_000], Enumerable.Range(0, 5).Select(i => world.SentAt($"c{i}", "one").Ms - Start.Ms));
    }

    [Fact]
    public void SEQ_15_Emails_of_bulk_enrollments_are_slower()
    {
        var world = new SequenceWorld().Inbox(limits: InboxLimits.Default with { EmailsPerMin = 3, BulkEmailsPerMin = 1 }).Steps(Email("one"));
        for (var i = 0; i < 3; i++)
        {
            world.Contact($"c{i}").Enroll($"c{i}", facts: new SequenceFacts(Owner) { IsBulk = true });
        }

        world.Contact("ada").Enroll("ada");
        world.Pass(TimeSpan.FromMinutes(5));

        Assert.Equal([0, 60_000, 120_000], Enumerable.Range(0, 3).Select(i => world.SentAt($"c{i}", "one").Ms - Start.Ms));
        Assert.Equal(Start, world.SentAt("ada", "one"));
    }

    [Fact]
    public void SEQ_15_In_24_hours_there_are_so_many_and_no_more()
    {
        var world = new SequenceWorld().Inbox(limits: InboxLimits.Default with { EmailsPer24h = 2 }).Steps(Email("one"));
        for (var i = 0; i < 3; i++)
        {
            world.Contact($"c{i}").Enroll($"c{i}");
            world.Pass(TimeSpan.FromHours(1));
        }

        world.PassDays(2);

        Assert.Equal(Start.PlusMs(DayMs), world.SentAt("c2", "one"));
    }

    [Fact]
    public void SEQ_15_An_instant_outside_the_window_is_given_back_and_asked_for_again()
    {
        var sequence = Sequence(Email("one")) with { WindowStart = 0, WindowEnd = 721 };
        var world = new SequenceWorld().Inbox(limits: InboxLimits.Default with { EmailsPerMin = 1 }).Save(sequence).Contact("ada").Contact("bob");
        world.Enroll("ada");
        world.Enroll("bob");
        world.PassDays(1);

        // Bob's instant would be 12:01, when the window is closed: he goes at its next opening.
        Assert.Equal(Start, world.SentAt("ada", "one"));
        Assert.Equal(Start.PlusMs(12 * HourMs), world.SentAt("bob", "one"));
        Assert.Contains(world.Journal, e => e.Contact == Owner && e.Entry.Kind == EntryKind.SlotReleased);
    }

    [Fact]
    public void SEQ_15_An_instant_of_an_enrollment_that_ends_before_it_is_given_back()
    {
        var world = new SequenceWorld().Inbox(limits: InboxLimits.Default with { EmailsPerMin = 1 }).Steps(Email("one"));
        foreach (var contact in new[] { "ada", "bob", "cleo", "dan", "eve" })
        {
            world.Contact(contact);
        }

        world.Enroll("ada");
        world.Enroll("bob");
        world.Enroll("cleo");
        world.About("ada", "email_replied", "one");
        world.Command("bob", CommandKind.Unenroll);
        world.Enroll("dan");
        world.Enroll("eve");
        world.Pass(TimeSpan.FromMinutes(5));

        // Bob's goes to Dan. That of Ada, who has her e-mail, goes to nobody.
        Assert.Empty(world.Sent("bob"));
        Assert.Equal(EndReason.Replied, world.End("ada"));
        Assert.Equal([0, 60_000, 120_000, 180_000], new[] { "ada", "dan", "cleo", "eve" }.Select(c => world.SentAt(c, "one").Ms - Start.Ms));
    }

    [Fact]
    public void SEQ_16_An_email_that_fails_for_good_ends_the_enrollment()
    {
        var world = new SequenceWorld().Steps(Email("one"), Email("two")).Contact("ada").Contact("bob");
        world.Enroll("ada");
        world.Complete("ada", "one", StepResult.Failed);
        Assert.Equal(EndReason.SendFailed, world.End("ada"));

        // One that is skipped is no failure.
        world.Enroll("bob");
        world.Complete("bob", "one", StepResult.Skipped);
        Assert.Equal(2, world.Sent("bob").Count());
    }

    [Fact]
    public void SEQ_16_An_email_that_nobody_reports_of_has_failed()
    {
        var world = new SequenceWorld().Steps(Email("one")).Contact("ada");
        world.Enroll("ada");

        world.PassDays(7);

        Assert.Equal(EndReason.SendFailed, world.End("ada"));
    }
}
