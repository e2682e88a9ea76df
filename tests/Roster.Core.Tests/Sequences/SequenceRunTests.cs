using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using static Roster.Core.Tests.Sequences.SequenceWorld;

namespace Roster.Core.Tests.Sequences;

/// <summary>Random lives of some contacts in two sequences. After each turn the world compares the fold of the journal with the state.</summary>
public sealed class SequenceRunTests
{
    private const long MinuteMs = 60_000;
    private static readonly string[] Contacts = ["ada", "bob", "cleo", "dan", "eve"];

    private static readonly InboxLimits Limits = InboxLimits.Default with { EnrollmentsPerDay = 6, EmailsPer24h = 8, EmailsPerMin = 2, BulkEmailsPerMin = 1 };

    private static readonly SequenceDefinition One = Sequence(
        Email("one"),
        Task("call", days: 0.2, wait: true),
        new SequenceAdaptiveDefinition("which", "one", [Email("clicked", days: 1)], [Email("opened")], [new SequencePauseDefinition("look")]) { Delay = After(0.5) },
        Email("two", days: 1, sameThread: true)) with
    {
        EligibleDays = EligibleDays.Weekdays,
        WindowStart = 540,
        WindowEnd = 1_020,
        OnReply = EngagementScope.Company,
    };

    private static readonly SequenceDefinition Two = Sequence(Email("first"), Email("last") with { Delay = new SequenceDelayDefinition(0, 86_400_000) }) with { Id = "t" };

    private static SequenceWorld Run(int seed)
    {
        var random = new Random(seed);
        var world = new SequenceWorld().Inbox(limits: Limits).Save(One).Save(Two);
        foreach (var contact in Contacts)
        {
            world.Contact(contact);
            world.Link(contact, random.Next(2) == 0 ? "acme" : "other");
        }

        for (var i = 0; i < 120; i++)
        {
            Step(world, random, Contacts[random.Next(Contacts.Length)]);
            Check(world);
        }

        return world;
    }

    private static void Step(SequenceWorld world, Random random, string contact)
    {
        var active = ActiveIn(world, contact);
        switch (random.Next(16))
        {
            case < 3:
                world.Enroll(contact, random.Next(2) == 0 ? "s" : "t", new SequenceFacts(Owner)
                {
                    IsByHand = random.Next(2) == 0,
                    IsBulk = random.Next(3) == 0,
                    StartAt = random.Next(4) == 0 ? world.Now.PlusMs(random.Next(100_000_000)) : Timestamp.None,
                });
                break;
            case < 6:
                world.Pass(TimeSpan.FromMinutes(random.Next(random.Next(2) == 0 ? 30 : 3_000)));
                break;
            case < 10:
                CompleteAll(world, random);
                break;
            case 10:
                foreach (var task in world.State(contact).Gone == GoneKind.None ? world.TasksOf(contact) : [])
                {
                    world.EventOf("task", task, Schema.StandardEventTypes.TaskCompleted, [], Timestamp.None);
                }

                break;
            case 11:
                world.Event(contact, new[] { "email_received", "meeting_logged" }[random.Next(2)], [Text("user", random.Next(2) == 0 ? Owner : "other")]);
                break;
            case < 15 when active is { } enrollment:
                world.About(contact, new[] { "email_opened", "email_clicked", "email_opened", "email_clicked", "email_replied", "meeting_booked", "email_bounced" }[random.Next(7)], enrollment.Workflow == 1 ? "one" : "first", enrollment.Number);
                break;
            default:
                world.Command(contact, new[] { CommandKind.LiftPause, CommandKind.LiftPause, CommandKind.Unenroll, CommandKind.EditEmail }[random.Next(4)], step: "two", content: Text("subject", "edited"));
                world.Event(contact, string.Empty, [], ("email", $"{contact}{random.Next(1_000)}@example.com"));
                break;
        }
    }

    private static EnrollmentState? ActiveIn(SequenceWorld world, string contact)
    {
        var enrollments = world.State(contact).Enrollments;
        return enrollments.Length == 0 ? null : enrollments[0];
    }

    private static void CompleteAll(SequenceWorld world, Random random)
    {
        foreach (var contact in Contacts)
        {
            foreach (var effect in world.State(contact).OpenEffects.ToArray())
            {
                var sequence = effect.Workflow == 1 ? "s" : "t";
                var step = world.Catalog.Workflows.Single(w => w.Identity.Id == sequence).Steps.Single(s => s.Number == effect.Step).Id;
                world.Complete(contact, step, random.Next(12) == 0 ? StepResult.Failed : StepResult.Success, effect.Enrollment, sequence, outputs: Text("thread_id", "t"));
            }
        }
    }

    private static void Check(SequenceWorld world)
    {
        foreach (var contact in Contacts)
        {
            foreach (var enrollment in Only(world.State(contact).Enrollments.ToArray()))
            {
                // Who waits for an instant has one; who has asked an inbox has been answered, since messages arrive at once.
                Assert.NotEqual(StepPhase.Ready, enrollment.Phase);
                Assert.True(enrollment.Phase is not (StepPhase.Anchor or StepPhase.Slot) || enrollment.DueAt > world.Now);
            }
        }
    }

    /// <summary>SEQ-03.</summary>
    private static EnrollmentState[] Only(EnrollmentState[] enrollments)
    {
        Assert.True(enrollments.Length <= 1);
        return enrollments;
    }

    [Fact]
    public void SEQ_03_SEQ_08_SEQ_15_Random_runs_keep_every_limit_and_reach_every_case()
    {
        var ends = new HashSet<EndReason>();
        var decisions = new HashSet<Decision>();
        var phases = new HashSet<StepPhase>();
        var kinds = new HashSet<EntryKind>();
        for (var seed = 0; seed < 60; seed++)
        {
            var world = Run(seed);
            CheckSends(world);
            foreach (var (_, _, entry) in world.Journal)
            {
                kinds.Add(entry.Kind);
                _ = entry.Kind switch
                {
                    EntryKind.EnrollmentEnded => ends.Add(entry.EndReason),
                    EntryKind.Enrolled or EntryKind.EnrollmentRefused => decisions.Add(entry.Decision),
                    EntryKind.StepEntered or EntryKind.StepRescheduled => phases.Add((StepPhase)entry.Code),
                    _ => false,
                };
            }
        }

        EndReason[] wanted =
        [
            EndReason.Finished, EndReason.Replied, EndReason.InboundEmail, EndReason.CompanyEngaged, EndReason.MeetingBooked, EndReason.Bounced, EndReason.SendFailed, EndReason.Manual,
        ];
        Assert.Empty(wanted.Except(ends));
        Assert.Empty(new[] { Decision.AlreadyActive, Decision.Bounced, Decision.LimitReached, Decision.Enrolled }.Except(decisions));
        Assert.Empty(new[] { StepPhase.Anchor, StepPhase.Slot, StepPhase.Wait }.Except(phases));
        Assert.Empty(new[] { EntryKind.EmailEngaged, EntryKind.EmailEdited, EntryKind.SlotTaken, EntryKind.SlotReleased }.Except(kinds));
    }

    /// <summary>No e-mail leaves over a limit, and but for a first one by hand none outside the window.</summary>
    private static void CheckSends(SequenceWorld world)
    {
        var sent = world.Journal.Where(e => e.Entry.Kind == EntryKind.EffectRequested).ToList();
        var times = sent.Select(e => e.At.Ms).Order().ToArray();
        for (var i = 0; i < times.Length; i++)
        {
            Assert.True(i + Limits.EmailsPerMin >= times.Length || times[i + Limits.EmailsPerMin] - times[i] >= MinuteMs);
            Assert.True(i + Limits.EmailsPer24h >= times.Length || times[i + Limits.EmailsPer24h] - times[i] >= InboxSlots.SpanMs);
        }

        foreach (var (_, at, entry) in sent.Where(e => e.Entry.Workflow == 1 && e.Entry.Step != world.Step("one")))
        {
            var local = at.ToInstant().InUtc();
            Assert.InRange(local.TimeOfDay.Hour, 9, 16);
            Assert.NotInRange((int)local.DayOfWeek, 6, 7);
        }

        foreach (var day in world.Journal.Where(e => e.Entry.Kind == EntryKind.Enrolled).GroupBy(e => e.At.Ms / InboxSlots.SpanMs))
        {
            Assert.True(day.Count() <= Limits.EnrollmentsPerDay);
        }
    }
}
