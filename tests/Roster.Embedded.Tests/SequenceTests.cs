using Google.Protobuf;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;
using EndReason = Roster.V1.Enrollment.Types.EndReason;

namespace Roster.Embedded.Tests;

/// <summary>Sequences through the engine: definitions, enrollment, limits, jobs, counters (section 20 of the rules, MET-10 to MET-16).</summary>
public sealed class SequenceTests
{
    private const string FollowUp = """
        { "id": "follow-up", "owner": "olga", "steps": [
            { "id": "one", "email": { "variants": [ { "subject": "Hello {{name|you}}", "body": "..." } ] } },
            { "id": "two", "delayMs": "259200000", "email": { "variants": [ { "subject": "Again" } ], "sameThread": true } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private int _ids;

    private static async Task<EngineHarness> StartAsync(string sequence = FollowUp, Inbox? inbox = null, IRecordStore? store = null, ManualClock? clock = null)
    {
        var harness = await EngineHarness.StartAsync(new EmbeddedOptions { Shards = 2 }, store, clock);
        await harness.Engine.SaveInboxAsync(EngineHarness.Tenant, new SaveInboxRequest { Inbox = inbox ?? new Inbox { User = "olga", Address = "olga@example.org", Connected = true } }, Token);

        // Tokens name declared properties.
        await ContactAsync(harness, "seed");
        await SaveAsync(harness, sequence);
        return harness;
    }

    private static async Task<SaveSequenceResponse> SaveAsync(EngineHarness harness, string sequence) =>
        await harness.Engine.SaveSequenceAsync(EngineHarness.Tenant, new SaveSequenceRequest { Sequence = JsonParser.Default.Parse<Sequence>(sequence), Force = true }, Token);

    private static RecordRef Contact(string id) => new() { ObjectType = "contact", RecordId = id };

    private static async Task ContactAsync(EngineHarness harness, params string[] ids)
    {
        foreach (var id in ids)
        {
            Assert.Empty(await harness.SendAsync(harness.Event(id, "", EngineHarness.Text("email", $"{id}@example.com"), EngineHarness.Text("name", id))));
        }
    }

    private async Task<EnrollResponse> EnrollAsync(EngineHarness harness, string contact, string? requestId = null, string firstStep = "", string sequence = "follow-up") =>
        await harness.Engine.EnrollInSequenceAsync(
            EngineHarness.Tenant, new EnrollInSequenceRequest { Ref = Contact(contact), SequenceId = sequence, RequestId = requestId ?? $"enroll{++_ids}", FirstStep = firstStep }, Token);

    private static async Task<List<WorkTask>> SendAllAsync(EngineHarness harness)
    {
        var tasks = await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "sequence_email", 1_000, TimeSpan.FromMinutes(1), "mailer", Token);
        foreach (var task in tasks)
        {
            Assert.True(await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token));
        }

        return [.. tasks];
    }

    private static async Task AboutAsync(EngineHarness harness, string contact, string type, string key, params PropertyValue[] more)
    {
        var e = harness.Event(contact, type);
        e.Properties.Add(EngineHarness.Text("task_key", key));
        e.Properties.AddRange(more);
        Assert.Empty(await harness.SendAsync(e));
        await harness.SettleAsync();
    }

    private static async Task<SequenceStatus> StatusAsync(EngineHarness harness, string contact) =>
        await harness.Engine.GetSequenceStatusAsync(EngineHarness.Tenant, new GetSequenceStatusRequest { Ref = Contact(contact) }, Token);

    private static async Task<SequenceStats> StatsAsync(EngineHarness harness, string company = "") =>
        await harness.Engine.GetSequenceStatsAsync(EngineHarness.Tenant, new GetSequenceStatsRequest { SequenceId = "follow-up", CompanyId = company }, Token);

    [Fact]
    public async Task SEQ_02_A_contact_is_enrolled_and_goes_through_the_steps()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada");

        var answer = await EnrollAsync(harness, "ada");
        Assert.Equal((Decision.Types.Code.Enrolled, 1), (answer.Decision, answer.EnrollmentNumber));

        await harness.SettleAsync();
        var first = Assert.Single(await SendAllAsync(harness));
        Assert.Equal(("follow-up", "one", "Hello ada"), (first.WorkflowId, first.StepId, first.Fields.Single(f => f.Name == "subject").Value.Text));
        Assert.Equal("two", (await StatusAsync(harness, "ada")).Active.StepId);

        await harness.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Equal("two", Assert.Single(await SendAllAsync(harness)).StepId);
        var status = await StatusAsync(harness, "ada");
        Assert.Equal((EndReason.Finished, null), (status.EndReason, status.Active));
        Assert.Equal(["SENT"], status.Signals);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SEQ_04_The_answer_says_why_not_and_a_repeated_request_gets_the_first_answer()
    {
        await using var harness = await StartAsync(inbox: new Inbox { User = "olga", Address = "o@example.org", Connected = true, EnrollmentsPerDay = 1 });
        await ContactAsync(harness, "ada", "bob");

        Assert.Equal(Decision.Types.Code.NoAddress, (await EnrollAsync(harness, "nobody")).Decision);
        Assert.Equal(Decision.Types.Code.Enrolled, (await EnrollAsync(harness, "ada", "r1")).Decision);
        Assert.Equal(Decision.Types.Code.LimitReached, (await EnrollAsync(harness, "bob", "r2")).Decision);

        var again = await EnrollAsync(harness, "ada", "r1");
        Assert.Equal((EventResult.Types.Code.Duplicate, Decision.Types.Code.Enrolled, 1), (again.Result.Code, again.Decision, again.EnrollmentNumber));
        Assert.Equal(Decision.Types.Code.LimitReached, (await EnrollAsync(harness, "bob", "r2")).Decision);
        Assert.Equal(Decision.Types.Code.AlreadyActive, (await EnrollAsync(harness, "ada", "r3")).Decision);
        Assert.Equal(EventResult.Types.Code.Refused, (await EnrollAsync(harness, "ada", "r4", firstStep: "nope")).Result.Code);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SEQ_02_Fifty_contacts_at_a_time_are_enrolled_in_bulk()
    {
        await using var harness = await StartAsync();
        var ids = Enumerable.Range(0, 50).Select(i => $"c{i}").ToArray();
        await ContactAsync(harness, ids);
        var request = new BulkEnrollInSequenceRequest { SequenceId = "follow-up", RequestId = "bulk", Refs = { ids.Select(Contact) } };

        var answers = (await harness.Engine.BulkEnrollInSequenceAsync(EngineHarness.Tenant, request, Token)).Answers;
        Assert.Equal(50, answers.Count(a => a.Decision == Decision.Types.Code.Enrolled));

        // SEQ-15: three a minute.
        await harness.SettleAsync();
        Assert.Equal(3, (await SendAllAsync(harness)).Count);
        await harness.AdvanceAsync(TimeSpan.FromMinutes(16));
        Assert.Equal(47, (await SendAllAsync(harness)).Count);

        request.Refs.Add(Contact("one-more"));
        var error = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.BulkEnrollInSequenceAsync(EngineHarness.Tenant, request, Token));
        Assert.Equal((RosterError.InvalidArgument, "refs"), (error.Error, error.Refusal!.Path));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SEQ_15_The_inbox_says_what_it_has_granted()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada", "bob");
        await EnrollAsync(harness, "ada");
        await EnrollAsync(harness, "bob");
        await harness.SettleAsync();

        var inbox = await harness.Engine.GetInboxAsync(EngineHarness.Tenant, new GetInboxRequest { User = "olga" }, Token);
        Assert.Equal((2, 2), (inbox.EnrolledToday, inbox.EmailsIn24H));

        await harness.AdvanceAsync(TimeSpan.FromDays(1));
        inbox = await harness.Engine.GetInboxAsync(EngineHarness.Tenant, new GetInboxRequest { User = "olga" }, Token);
        Assert.Equal((0, 0), (inbox.EnrolledToday, inbox.EmailsIn24H));
    }

    [Fact]
    public async Task SEQ_10_A_reply_ends_it_and_the_task_that_nobody_has_is_withdrawn()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada");
        await EnrollAsync(harness, "ada");
        await harness.SettleAsync();
        var first = Assert.Single(await SendAllAsync(harness));
        await harness.AdvanceAsync(TimeSpan.FromDays(3));

        await AboutAsync(harness, "ada", "email_replied", first.Key);

        Assert.Equal(EndReason.Replied, (await StatusAsync(harness, "ada")).EndReason);
        Assert.Empty(await SendAllAsync(harness));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SEQ_14_A_save_is_a_version_for_later_enrollments_and_edits_are_for_one_contact()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada", "bob");
        await EnrollAsync(harness, "ada");
        await harness.SettleAsync();
        await SendAllAsync(harness);
        var edit = new EditScheduledEmailRequest { Ref = Contact("ada"), SequenceId = "follow-up", StepId = "two", Subject = "For you", RequestId = "edit" };
        Assert.True((await harness.Engine.EditScheduledEmailAsync(EngineHarness.Tenant, edit, Token)).Edited);
        Assert.True((await harness.Engine.EditScheduledEmailAsync(EngineHarness.Tenant, edit, Token)).Edited);

        var saved = await SaveAsync(harness, FollowUp.Replace("Again", "Changed", StringComparison.Ordinal).Replace("Hello", "Hi", StringComparison.Ordinal));
        Assert.Equal((2, 2L), (saved.Sequence.Version, saved.Sequence.Revision));
        await EnrollAsync(harness, "bob");
        await harness.SettleAsync();
        Assert.Equal("Hi bob", Assert.Single(await SendAllAsync(harness)).Fields.Single(f => f.Name == "subject").Value.Text);
        await harness.AdvanceAsync(TimeSpan.FromDays(3));

        var subjects = (await SendAllAsync(harness)).ToDictionary(t => t.Ref.RecordId, t => t.Fields.Single(f => f.Name == "subject").Value.Text);
        Assert.Equal(("For you", "Changed"), (subjects["ada"], subjects["bob"]));
        Assert.Equal("Again", (await harness.Engine.GetSequenceAsync(EngineHarness.Tenant, new GetSequenceRequest { SequenceId = "follow-up", Version = 1 }, Token)).Steps[1].Email.Variants[0].Subject);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SEQ_09_A_pause_is_lifted_once()
    {
        await using var harness = await StartAsync("""
            { "id": "follow-up", "owner": "olga", "steps": [ { "id": "look", "pause": {} }, { "id": "one", "email": { "variants": [ { "subject": "x" } ] } } ] }
            """);
        await ContactAsync(harness, "ada");
        await EnrollAsync(harness, "ada");
        var lift = new LiftPauseRequest { Ref = Contact("ada"), SequenceId = "follow-up", RequestId = "lift" };

        Assert.True((await harness.Engine.LiftPauseAsync(EngineHarness.Tenant, lift, Token)).Lifted);
        var again = await harness.Engine.LiftPauseAsync(EngineHarness.Tenant, lift, Token);
        Assert.Equal((EventResult.Types.Code.Duplicate, true), (again.Result.Code, again.Lifted));
        lift.RequestId = "lift again";
        Assert.False((await harness.Engine.LiftPauseAsync(EngineHarness.Tenant, lift, Token)).Lifted);
        await harness.SettleAsync();
        Assert.Single(await SendAllAsync(harness));
    }

    [Fact]
    public async Task SEQ_01_When_the_user_is_removed_jobs_end_the_enrollments()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada");
        await EnrollAsync(harness, "ada");

        var removed = await harness.Engine.DeleteInboxAsync(EngineHarness.Tenant, new DeleteInboxRequest { User = "olga" }, Token);
        Assert.Equal("follow-up", Assert.Single(removed.Operations).WorkflowId);
        await harness.SettleAsync();

        Assert.Equal(EndReason.SenderGone, (await StatusAsync(harness, "ada")).EndReason);
        Assert.Equal(Decision.Types.Code.SenderNotConnected, (await EnrollAsync(harness, "ada")).Decision);
        await harness.VerifyAsync();
    }

    private const string Long = """
        { "id": "long", "owner": "olga", "windowStart": 540, "windowEnd": 1020, "steps": [
            { "id": "one", "email": { "variants": [ { "subject": "Hello" } ] } },
            { "id": "call", "delayMs": "86400000", "task": { "kind": "CALL", "title": "Call", "wait": true } },
            { "id": "hold", "pause": {} },
            { "id": "ways", "delayMs": "172800000", "adaptive": { "clicked": { "steps": [ { "id": "hot", "task": { "title": "Meet" } } ] },
                "otherwise": { "steps": [ { "id": "again", "email": { "variants": [ { "subject": "Again" } ], "sameThread": true } } ] } } },
            { "id": "end", "finish": {} } ] }
        """;

    private static async Task<TestWorkflowResponse> TestAsync(EngineHarness harness, Action<TestSequenceRequest>? change = null)
    {
        var request = new TestSequenceRequest { SequenceId = "long", Ref = Contact("ada") };
        change?.Invoke(request);
        return await harness.Engine.TestSequenceAsync(EngineHarness.Tenant, request, Token);
    }

    private static string Way(TestWorkflowResponse walk) => string.Join(' ', walk.Steps.Select(s => s.Branch.Length == 0 ? s.StepId : $"{s.StepId}:{s.Branch}"));

    [Fact]
    public async Task HIS_05_A_test_walks_a_contact_through_a_sequence_and_leaves_no_trace()
    {
        await using var harness = await StartAsync(Long);
        await ContactAsync(harness, "ada");
        await harness.SettleAsync();
        var before = (await harness.Engine.GetStatusAsync(Token)).JournalPosition;

        var walk = await TestAsync(harness);
        Assert.Equal(Decision.Types.Code.Enrolled, walk.Decision);
        Assert.Equal("one call call/wait:met hold ways:otherwise again end", Way(walk));
        Assert.Equal(EndReason.Finished, walk.EndReason);

        // The first e-mail waits for the window (SEQ-05), the task for its minute of the day after, the container for its delay, and its e-mail for the window again.
        var entered = walk.Steps.ToDictionary(s => s.StepId, s => (s.LeftAt ?? s.EnteredAt).ToDateTimeOffset());
        Assert.Equal(
            [EngineHarness.Start.AddHours(9), EngineHarness.Start.AddHours(32), EngineHarness.Start.AddHours(80), EngineHarness.Start.AddHours(81)],
            new[] { "one", "call", "ways", "again" }.Select(step => entered[step]));

        Assert.Equal(before, (await harness.Engine.GetStatusAsync(Token)).JournalPosition);
        Assert.Equal("", (await StatusAsync(harness, "ada")).SequenceId);
        Assert.Equal(0, (await harness.Engine.GetInboxAsync(EngineHarness.Tenant, new GetInboxRequest { User = "olga" }, Token)).EnrolledToday);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task HIS_06_A_test_of_a_sequence_may_choose_the_ways_the_start_and_the_first_step_and_make_the_contact_up()
    {
        await using var harness = await StartAsync(Long);
        var start = new DateTimeOffset(2030, 5, 1, 12, 0, 0, TimeSpan.Zero);
        var walk = await TestAsync(harness, r =>
        {
            r.Ref = null;
            r.Properties.Add(EngineHarness.Text("email", "made@example.com"));
            r.Start = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(start);
            r.FirstStep = "hold";
            r.Choices.Add(new TestChoice { StepId = "ways", Branch = "clicked" });
        });
        Assert.Equal(("hold ways:clicked hot end", start), (Way(walk), walk.Steps[0].EnteredAt.ToDateTimeOffset()));
        Assert.Equal(Decision.Types.Code.NoAddress, (await TestAsync(harness, r => r.Ref = null)).Decision);

        // A definition that nobody has saved.
        var other = JsonParser.Default.Parse<Sequence>(FollowUp.Replace("follow-up", "unsaved", StringComparison.Ordinal));
        Assert.Equal("one two", Way(await TestAsync(harness, r =>
        {
            r.Sequence = other;
            r.ByHand = true;
            r.Properties.Add(EngineHarness.Text("email", "a@example.com"));
        })));

        foreach (var change in new Action<TestSequenceRequest>[]
        {
            r => r.FirstStep = "nowhere", r => r.Choices.Add(new TestChoice { StepId = "one", Branch = "clicked" }), r => r.Choices.Add(new TestChoice { StepId = "ways", Branch = "left" }),
            r => r.SequenceId = "none", r => r.Sequence = new Sequence { Id = "long", Owner = "olga", Steps = { new SequenceStep { Id = "x" } } },
        })
        {
            await Assert.ThrowsAsync<RosterException>(() => TestAsync(harness, change));
        }
    }

    [Fact]
    public async Task HIS_05_SEQ_04_A_test_says_what_the_checks_and_the_inbox_would_say()
    {
        await using var harness = await StartAsync(inbox: new Inbox { User = "olga", Address = "o@example.org", Connected = true, EnrollmentsPerDay = 1 });
        await SaveAsync(harness, Long);
        await ContactAsync(harness, "ada", "bob");
        Assert.Equal(Decision.Types.Code.Enrolled, (await TestAsync(harness)).Decision);
        await EnrollAsync(harness, "ada");

        Assert.Equal(Decision.Types.Code.AlreadyActive, (await TestAsync(harness)).Decision);
        Assert.Equal(Decision.Types.Code.LimitReached, (await TestAsync(harness, r => r.Ref = Contact("bob"))).Decision);
        Assert.Equal(Decision.Types.Code.Enrolled, (await TestAsync(harness, r =>
        {
            r.Ref = Contact("bob");
            r.Start = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(EngineHarness.Start.AddDays(1));
        })).Decision);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SEQ_17_A_sequence_with_active_enrollments_is_deleted_only_with_end_active()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada");
        await EnrollAsync(harness, "ada");
        var delete = new DeleteSequenceRequest { SequenceId = "follow-up" };

        var error = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.DeleteSequenceAsync(EngineHarness.Tenant, delete, Token));
        Assert.Equal(RosterError.FailedPrecondition, error.Error);

        delete.EndActive = true;
        await harness.Engine.DeleteSequenceAsync(EngineHarness.Tenant, delete, Token);
        await harness.SettleAsync();
        Assert.Equal(EndReason.SequenceDeleted, (await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentEnded)).Single().EndReason);
        var gone = await Assert.ThrowsAsync<RosterException>(async () => await SaveAsync(harness, FollowUp));
        Assert.Equal(RosterError.FailedPrecondition, gone.Error);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task API_02_Sequences_are_listed_read_and_replaced_under_a_revision_and_are_no_workflows()
    {
        await using var harness = await StartAsync();
        var stale = JsonParser.Default.Parse<Sequence>(FollowUp);

        var conflict = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.SaveSequenceAsync(EngineHarness.Tenant, new SaveSequenceRequest { Sequence = stale }, Token));
        Assert.Equal(RosterError.RevisionConflict, conflict.Error);
        Assert.Equal("follow-up", Assert.Single((await harness.Engine.ListSequencesAsync(EngineHarness.Tenant, new ListSequencesRequest { Owner = "olga" }, Token)).Sequences).Id);
        Assert.Empty((await harness.Engine.ListSequencesAsync(EngineHarness.Tenant, new ListSequencesRequest { Owner = "egon" }, Token)).Sequences);
        Assert.Empty((await harness.Engine.ListWorkflowsAsync(EngineHarness.Tenant, new ListWorkflowsRequest(), Token)).Workflows);
        var asWorkflow = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.GetWorkflowAsync(EngineHarness.Tenant, new GetWorkflowRequest { WorkflowId = "follow-up" }, Token));
        Assert.Equal(RosterError.NotFound, asWorkflow.Error);

        stale.Steps[0].Email.Variants.Clear();
        stale.Steps[1].DelayMs = -1;
        var broken = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.SaveSequenceAsync(EngineHarness.Tenant, new SaveSequenceRequest { Sequence = stale, Force = true }, Token));
        Assert.Equal(["steps[0].email.variants", "steps[1].delayMs"], broken.Problems.Select(p => p.Path).Order());
    }

    [Fact]
    public async Task Sequences_inboxes_and_what_waits_survive_a_restart()
    {
        // The harness closes the store with its engine, so this one is kept apart.
        var store = new VolatileRecordStore();
        var clock = new ManualClock(EngineHarness.Start);
        var first = await StartAsync(store: store, clock: clock);
        await ContactAsync(first, "ada");
        await EnrollAsync(first, "ada", "r1");
        await first.SettleAsync();
        await SendAllAsync(first);
        await first.Engine.DisposeAsync();

        await using var second = await EngineHarness.StartAsync(new EmbeddedOptions { Shards = 2 }, store, clock);
        var again = await EnrollAsync(second, "ada", "r1");
        Assert.Equal((EventResult.Types.Code.Duplicate, Decision.Types.Code.Enrolled), (again.Result.Code, again.Decision));
        await second.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Single(await SendAllAsync(second));
        await second.VerifyAsync();
    }

    [Fact]
    public async Task MET_10_MET_11_MET_13_MET_15_MET_16_Counters_and_rates_of_a_sequence_and_its_steps()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada", "bob", "cleo", "dan");
        foreach (var contact in new[] { "ada", "bob", "cleo", "dan" })
        {
            await EnrollAsync(harness, contact);
        }

        await harness.SettleAsync();
        var keys = (await SendAllAsync(harness)).ToDictionary(t => t.Ref.RecordId, t => t.Key);
        await harness.AdvanceAsync(TimeSpan.FromHours(1));
        await AboutAsync(harness, "ada", "email_clicked", keys["ada"]);
        await AboutAsync(harness, "bob", "email_opened", keys["bob"], new PropertyValue { Name = "machine", Value = new Value { Boolean = true } });
        await AboutAsync(harness, "cleo", "email_replied", keys["cleo"]);
        await AboutAsync(harness, "dan", "email_bounced", keys["dan"]);
        await harness.AdvanceAsync(TimeSpan.FromDays(3));
        await SendAllAsync(harness);

        var stats = await StatsAsync(harness);
        Assert.Equal((4L, 0L, 2L, 1L, 1L, 0L, 1L), (stats.Enrolled, stats.Active, stats.Opened, stats.Clicked, stats.Replied, stats.Meetings, stats.Bounced));
        Assert.Equal((3L, 2L), (stats.Engaged, stats.NoResponse));
        Assert.Equal([("BOUNCED", 1L), ("FINISHED", 2L), ("REPLIED", 1L)], stats.Ended.Select(e => (e.Name, e.Count)).OrderBy(e => e.Name));
        var one = stats.Steps.Single(s => s.StepId == "one").Emails;
        Assert.Equal((4L, 3L, 2L, 1L, 1L, 1L, 1L), (one.Sent, one.Delivered, one.Opened, one.OpenedByPerson, one.Clicked, one.Replied, one.Bounced));
        Assert.Equal((0.75, 2.0 / 3, 1.0 / 3, 1.0 / 3, 0.5, 0.25, 1.0 / 3), (one.DeliveryRate, one.OpenRate, one.OpenRateByPerson, one.ClickRate, one.ClickThroughRate, one.BounceRate, one.ReplyRate));
        Assert.InRange(one.ReactionMs, 3_600_000 * 0.95, 3_600_000 * 1.05);
        var two = stats.Steps.Single(s => s.StepId == "two").Emails;
        Assert.Equal((2L, false, false), (two.Sent, two.HasOpenRate, two.HasReactionMs));
        Assert.Equal(6, stats.Emails.Sent);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task MET_16_Counts_of_one_company()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada", "bob");
        var link = harness.Event("ada");
        link.Associations.Add(new AssociationChange { ObjectType = "company", RecordId = "acme" });
        await harness.SendAsync(link);
        await EnrollAsync(harness, "ada");
        await EnrollAsync(harness, "bob");
        await harness.SettleAsync();
        var keys = (await SendAllAsync(harness)).ToDictionary(t => t.Ref.RecordId, t => t.Key);
        await AboutAsync(harness, "ada", "email_opened", keys["ada"]);
        await AboutAsync(harness, "bob", "email_replied", keys["bob"]);

        var stats = await StatsAsync(harness, "acme");

        Assert.Equal((1L, 1L, 1L, 0L, 1L), (stats.Enrolled, stats.Active, stats.Opened, stats.Replied, stats.Engaged));
    }

    [Fact]
    public async Task MET_10_Marketing_emails_of_workflows_are_counted_per_step_and_workflow()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "news", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "steps": [ { "id": "mail", "worker": { "queue": "mail", "marketingEmail": true } }, { "id": "other", "worker": { "queue": "mail" } } ] }
            """);
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("bob", "go"));
        var tasks = await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token);
        foreach (var task in tasks)
        {
            await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token);
        }

        await AboutAsync(harness, "ada", "email_delivered", tasks.Single(t => t.Ref.RecordId == "ada").Key);
        await AboutAsync(harness, "ada", "email_opened", tasks.Single(t => t.Ref.RecordId == "ada").Key);

        var stats = await harness.StatsAsync("news");
        Assert.Equal((2L, 1L, 1L, 0.5, 1.0), (stats.Emails.Sent, stats.Emails.Delivered, stats.Emails.Opened, stats.Emails.DeliveryRate, stats.Emails.OpenRate));
        Assert.Equal(2, stats.Steps.Single(s => s.StepId == "mail").Emails.Sent);
        Assert.Null(stats.Steps.Single(s => s.StepId == "other").Emails);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ACT_51_A_workflow_enrolls_in_a_sequence()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "no-show", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "meeting_missed" } ] } },
              "steps": [ { "id": "in", "enrollInSequence": { "sequenceId": "follow-up" } } ] }
            """);
        await ContactAsync(harness, "ada");

        await harness.SendAsync(harness.Event("ada", "meeting_missed"));
        await harness.SettleAsync();

        Assert.Equal("Hello ada", Assert.Single(await SendAllAsync(harness)).Fields.Single(f => f.Name == "subject").Value.Text);
        var named = await Assert.ThrowsAsync<RosterException>(
            async () => await harness.Engine.DeleteSequenceAsync(EngineHarness.Tenant, new DeleteSequenceRequest { SequenceId = "follow-up", EndActive = true }, Token));
        Assert.Contains("no-show", named.Message, StringComparison.Ordinal);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task HIS_07_An_explanation_says_the_checks_of_a_sequence()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "ada");
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("email", "")));

        var why = await harness.Engine.ExplainAsync(EngineHarness.Tenant, new ExplainRequest { Ref = Contact("ada"), WorkflowId = "follow-up" }, Token);

        Assert.Equal(Decision.Types.Code.NoAddress, why.DecisionByHand);
        Assert.Equal(
            ["RecordGone", "TypeMismatch", "SenderNotConnected", "AlreadyActive", "NoAddress", "OptedOut", "Bounced", "LoopGuard", "LimitReached"],
            why.Checks.Select(c => c.Decision.ToString()));
        Assert.Contains("set email", why.SmallestChange);
        var history = await harness.Engine.GetEnrollmentHistoryAsync(EngineHarness.Tenant, new GetEnrollmentHistoryRequest { WorkflowId = "follow-up" }, Token);
        Assert.Empty(history.Entries);
    }

    [Fact]
    public async Task REC_17_An_erased_contact_is_forgotten_by_the_inbox()
    {
        await using var harness = await StartAsync();
        await ContactAsync(harness, "secret-id");
        await EnrollAsync(harness, "secret-id");
        await harness.SettleAsync();

        await harness.Engine.EraseRecordAsync(EngineHarness.Tenant, new EraseRecordRequest { Ref = Contact("secret-id"), RequestId = "erase" }, Token);
        await harness.SettleAsync();

        Assert.DoesNotContain(await harness.JournalAsync(), e => e.ToString().Contains("secret-id", StringComparison.Ordinal));
        await harness.VerifyAsync();
    }
}
