using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Actions that leave the engine, and their errors (sections 15 and 19 of the rules).</summary>
public sealed class ExternalActionTests
{
    private static readonly StepDefinition After = Define.Set("after", "stage", "after");
    private static readonly StepDefinition Fallback = Define.Set("fallback", "stage", "fallback");

    [Fact]
    public void ERR_01_ERR_02_A_failure_goes_on_or_ends_the_enrollment_or_takes_its_branch()
    {
        foreach (var (policy, errorNext, stage, end) in new[]
            {
                (FailurePolicy.None, "", "after", "Completed"), (FailurePolicy.Continue, "", "after", "Completed"),
                (FailurePolicy.End, "", "", "ActionFailed"), (FailurePolicy.Branch, "fallback", "fallback", "Completed"),
            })
        {
            // By a worker, and inside the turn.
            var external = Worlds(Define.Work("t", "after") with { OnFailure = policy, ErrorNext = errorNext });
            external.Enroll("w");
            external.Complete("w", "t", StepResult.Failed, code: "WORKER");
            Assert.Equal((stage, end), (external.Text("stage"), external.Ends("w").Single()));

            var builtIn = Worlds(Define.Put("t", "score", SetMode.Set, new TextSourceDefinition("many"), next: "after") with { OnFailure = policy, ErrorNext = errorNext });
            builtIn.Enroll("w");
            Assert.Equal((stage, end), (builtIn.Text("stage"), builtIn.Ends("w").Single()));
            Assert.Single(builtIn.Results("w"), r => r.StartsWith("t Failed", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void ERR_02_A_skipped_action_and_a_success_do_not_fail()
    {
        foreach (var result in new[] { StepResult.Success, StepResult.Skipped })
        {
            var world = Worlds(Define.Work("t", "after") with { OnFailure = FailurePolicy.End });
            world.Enroll("w");
            world.Complete("w", "t", result);
            Assert.Equal("after", world.Text("stage"));
        }
    }

    [Fact]
    public void ERR_02_With_wait_false_the_enrollment_has_gone_on()
    {
        var world = Worlds(Define.Work("t", "d", wait: false) with { OnFailure = FailurePolicy.End }, Define.Delay("d", 1, DelayUnit.Hours, "after"));
        world.Enroll("w");
        world.Complete("w", "t", StepResult.Failed, code: "WORKER");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(("after", "Completed"), (world.Text("stage"), world.Ends("w").Single()));
    }

    [Fact]
    public void ERR_03_The_enrollment_waits_while_attempts_are_pending_and_no_window_moves_it()
    {
        // The window is open for the first attempt only; nothing of the turn asks for another instant while the outbox tries again.
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t", "after"), After) with { Windows = Define.Open("12:00", "12:01") });
        world.Enroll("w");
        var due = world.State.NextDueAt;
        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal(due, world.State.NextDueAt);
        Assert.Equal(StepPhase.Effect, world.State.Enrollments[0].Phase);
        Assert.Single(world.Entries(EntryKind.EffectRequested));
        Assert.Empty(world.Entries(EntryKind.StepRescheduled));
    }

    [Fact]
    public void EDT_10_A_task_that_became_a_webhook_is_entered_anew_at_its_completion()
    {
        var world = Worlds(Define.Work("t", "after"));
        world.Enroll("w");
        world.Publish(Define.Workflow("w", Define.ByHand(), new WebhookStepDefinition("t", "after", "crm", WebhookMethod.Post, ""), After, Fallback));
        world.Complete("w", "t");
        Assert.Equal(["mail", TaskQueues.OfWebhook("crm")], world.Entries(EntryKind.EffectRequested).Select(e => e.Text));
        world.Complete("w", "t", execution: 2);
        Assert.Equal("after", world.Text("stage"));
    }

    [Fact]
    public void ERR_06_Retries_follow_the_policy_of_the_action()
    {
        var first = new Timestamp(0);
        var policy = new RetryPolicy(3_600_000, 1_000, 60_000);
        Assert.Equal(new Timestamp(1_000), RetrySchedule.NextAt(policy, first, first, 1, 0, 0));
        Assert.Equal(new Timestamp(8_000), RetrySchedule.NextAt(policy, first, first, 4, 0, 0));
        Assert.Equal(new Timestamp(60_000), RetrySchedule.NextAt(policy, first, first, 12, 0, 100));
        Assert.Equal(new Timestamp(90_000), RetrySchedule.NextAt(policy, first, first, 1, 90_000, 0));
        Assert.True(RetrySchedule.NextAt(policy, first, first, 1, 3_600_001, 0).IsNone);
        Assert.True(RetrySchedule.NextAt(new RetryPolicy(0, 1_000, 60_000), first, first, 1, 0, 0).IsNone);

        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), new WorkerStepDefinition("t", "", "q", [], [], true, null) { Retry = new RetryDefinition(TimeSpan.FromHours(1), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)) }, Define.Work("u")));
        Assert.Equal(policy, world.Compiled("w").RetryOf(world.Step("w", "t")));
        Assert.Equal(RetryPolicy.Default, world.Compiled("w").RetryOf(world.Step("w", "u")));
    }

    [Fact]
    public void ERR_08_The_lease_of_an_action_holds_for_its_step_and_0_leaves_it_to_the_worker()
    {
        var world = Worlds(
            new WorkerStepDefinition("t", "m", "q", [], [], true, null) { LeaseFor = TimeSpan.FromSeconds(5) },
            new MessageStepDefinition("m", "c", MessageChannel.Slack) { To = ["#x"], Queue = "chat", LeaseFor = TimeSpan.FromHours(1) },
            new CodeStepDefinition("c", "u", "code", "js", "x") { LeaseFor = TimeSpan.FromMinutes(2) },
            Define.Work("u", "after"));
        Assert.Equal([5_000L, 3_600_000, 120_000, 0, 0], new[] { "t", "m", "c", "u", "after" }.Select(step => world.Compiled("w").LeaseMsOf(world.Step("w", step))));
    }

    [Fact]
    public void ERR_04_ERR_07_The_first_attempt_is_noted_once_while_the_task_is_offered_and_changes_nothing_else()
    {
        var world = Worlds(Define.Work("t", "after"));
        world.Enroll("w");
        var (first, due) = (world.State.LastTurnAt, world.State.NextDueAt);
        Assert.Equal(TurnStatus.Nothing, Retry(world, first, execution: 2).Status);
        Assert.Equal(TurnStatus.Applied, Retry(world, first).Status);
        Assert.Equal([EntryKind.EffectRetried], world.Last.Select(e => e.Kind));
        Assert.Equal(TurnStatus.Nothing, Retry(world, first.PlusMs(1)).Status);
        Assert.Equal((first, due), (world.State.OpenEffects[0].FirstTriedAt, world.State.NextDueAt));
        world.Complete("w", "t");
        Assert.Equal("after", world.Text("stage"));

        world = Worlds(Define.Work("t", "after"));
        world.Enroll("w");
        world.Unenroll("w");
        Assert.Equal(TurnStatus.Nothing, Retry(world, first).Status);

        static TurnResult Retry(World world, Timestamp first, int execution = 1) => world.Run(new RetryInput(1, world.Step("w", "t"), execution, first));
    }

    [Fact]
    public void ERR_11_What_was_given_up_is_a_dead_letter_until_it_is_closed_and_the_enrollment_does_not_change()
    {
        var world = Worlds(Define.Work("t", "after"));
        world.Enroll("w");
        world.Complete("w", "t", StepResult.Failed, code: "EXHAUSTED");
        var letter = Assert.Single(world.State.DeadLetters.ToArray());
        Assert.Equal((1, world.Step("w", "t"), 1), (letter.Enrollment, letter.Step, letter.Execution));
        var before = (world.Text("stage"), world.Ends("w").Single());
        Assert.Equal(TurnStatus.Nothing, world.Run(new DeadLetterInput(1, letter.Step, 2, StepResult.Success, string.Empty)).Status);
        Assert.Equal(TurnStatus.Applied, world.Run(new DeadLetterInput(1, letter.Step, 1, StepResult.Success, string.Empty)).Status);
        Assert.Equal(0, world.State.DeadLetters.Length);
        Assert.Equal([EntryKind.DeadLetterClosed], world.Last.Select(e => e.Kind));
        Assert.Equal(before, (world.Text("stage"), world.Ends("w").Single()));
        Assert.Equal(TurnStatus.Nothing, world.Run(new DeadLetterInput(1, letter.Step, 1, StepResult.Success, string.Empty)).Status);
    }

    [Fact]
    public void ERR_11_Done_skipped_and_withdrawn_tasks_are_no_dead_letters_and_a_timeout_is_one()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Work("t", timeout: TimeSpan.FromHours(1))));
        world.Enroll("w");
        world.Complete("w", "t", StepResult.Skipped);
        world.Enroll("w");
        world.Unenroll("w");
        world.Complete("w", "t", StepResult.Failed, enrollment: 2, code: "WORKER");
        Assert.Equal(0, world.State.DeadLetters.Length);
        world.Enroll("w");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(3, Assert.Single(world.State.DeadLetters.ToArray()).Enrollment);
    }

    [Fact]
    public void ERR_11_A_record_keeps_its_newest_dead_letters()
    {
        var world = new World(TenantSettings.Default with { StepRunsPerHourMax = 1_000 }).Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t", "g"), Define.GoTo("g", "t")));
        world.Enroll("w");
        for (var i = 1; i <= RecordState.DeadLettersMax + 1; i++)
        {
            world.Complete("w", "t", StepResult.Failed, execution: i, code: "WORKER");
        }

        Assert.Equal(Enumerable.Range(2, RecordState.DeadLettersMax), world.State.DeadLetters.ToArray().Select(l => l.Execution));
        Assert.Equal(1, world.Entries(EntryKind.DeadLetterClosed).Single().Execution);
    }

    [Fact]
    public void REC_17_ERR_11_An_erased_record_has_no_dead_letters()
    {
        var world = Worlds(Define.Work("t", "after"));
        world.Enroll("w");
        world.Complete("w", "t", StepResult.Failed, code: "WORKER");
        world.Erase();
        Assert.Equal(0, world.State.DeadLetters.Length);
        Assert.Equal(StepResult.Cancelled, world.Entries(EntryKind.DeadLetterClosed).Single().Result);
    }

    [Fact]
    public void ACT_62_A_blocked_task_waits_for_its_callback()
    {
        var world = Worlds(new WorkerStepDefinition("t", "after", "enrich", [], [], true, TimeSpan.FromHours(1)) { BlockExpiry = TimeSpan.FromDays(2) });
        world.Enroll("w");
        Assert.Equal(TurnStatus.Applied, Block(world).Status);
        Assert.Equal(TurnStatus.Nothing, Block(world).Status);
        Assert.True(world.State.OpenEffects[0].IsOut);
        world.Pass(TimeSpan.FromDays(1));
        Assert.Empty(world.Ends("w"));
        world.Complete("w", "t");
        Assert.Equal("after", world.Text("stage"));
        Assert.Equal(1, world.Entries(EntryKind.EffectCompleted).Single().Number);
    }

    [Fact]
    public void ACT_62_A_blocked_task_expires_as_failed_with_TIMEOUT()
    {
        var world = Worlds(new WorkerStepDefinition("t", "after", "enrich", [], [], true, null) { BlockExpiry = TimeSpan.FromDays(2) });
        world.Enroll("w");
        Block(world);
        world.Pass(TimeSpan.FromDays(2));
        var completed = world.Entries(EntryKind.EffectCompleted).Single();
        Assert.Equal((StepResult.Failed, "TIMEOUT"), (completed.Result, completed.Text));
        Assert.Equal("after", world.Text("stage"));
    }

    [Fact]
    public void ACT_62_UNE_07_A_blocked_task_of_an_enrollment_that_ends_is_withdrawn_once()
    {
        var world = Worlds(Define.Work("t", "after"));
        world.Enroll("w");
        Block(world);
        world.Unenroll("w");
        Assert.Equal(1, world.Entries(EntryKind.EffectWithdrawn).Single().Number);
        world.Complete("w", "t");
        Assert.Equal(0, world.State.OpenEffects.Length);
        Assert.Equal("", world.Text("stage"));
    }

    [Fact]
    public void ACT_61_Custom_code_is_a_task_with_its_source_its_inputs_and_the_limits_of_the_tenant()
    {
        var world = Worlds(new CodeStepDefinition("t", "after", "code", "javascript", "return 1") { Inputs = [KeyValuePair.Create("name", "{{name|nobody}}")] });
        world.Enroll("w");
        var requested = world.Entries(EntryKind.EffectRequested).Single();
        Assert.Equal("code", requested.Text);
        Assert.Equal([":language=javascript", ":source=return 1", ":time_max_ms=20000", ":memory_max_mb=128", "name=nobody"], requested.Fields!.Select(f => $"{f.Name}={f.Value}"));
        world.Complete("w", "t", outputs: [new NamedValue("o", Value.OfText(new string('x', 65_000)))]);
        Assert.Equal("OUTPUT_TOO_LARGE", world.Entries(EntryKind.EffectCompleted).Single().Text);
    }

    [Fact]
    public void ACT_62_ACT_63_A_named_queue_takes_whatever_there_is_no_action_for()
    {
        // A social post, a CMS change or an ad is a task of a queue whose worker knows the tool.
        var world = Worlds(new WorkerStepDefinition("t", "after", "social.posts", [KeyValuePair.Create("text", "Welcome {{name|you}}")], ["stage"], true, null));
        world.Enroll("w");
        var requested = world.Entries(EntryKind.EffectRequested).Single();
        Assert.Equal(("social.posts", "Welcome you"), (requested.Text, NamedValues.Find(requested.Fields, "text").ToString()));
        world.Complete("w", "t");
        Assert.Equal("after", world.Text("stage"));
    }

    [Fact]
    public void ACT_60_A_webhook_is_an_effect_whose_request_is_written_when_the_step_runs()
    {
        var hook = new WebhookStepDefinition("t", "after", "crm", WebhookMethod.Put, "contacts/{{name}}/x y")
        {
            Query = [KeyValuePair.Create("q r", "a&b={{stage|none}}"), KeyValuePair.Create("e", "{{event.color}}")],
            Headers = [KeyValuePair.Create("X-Name", "{{name}}")],
            Fields = [KeyValuePair.Create("greeting", "Hi {{name}}")],
            Properties = ["name"],
        };
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), hook, After));
        world.Event("clicked", Timestamp.None, "e", false, [new NamedValue("color", Value.OfText("red/blue"))], ("name", "Ada/../é?#\r\nHost: evil"));
        var requested = world.Entries(EntryKind.EffectRequested).Single();
        Assert.Equal(TaskQueues.OfWebhook("crm"), requested.Text);
        Assert.Equal("crm", TaskQueues.EndpointOf(requested.Text!));
        var fields = requested.Fields!.ToDictionary(f => f.Name, f => f.Value.ToString());
        Assert.Equal("contacts/Ada%2F..%2F%C3%A9%3F%23%0D%0AHost%3A%20evil/x y?q%20r=a%26b%3Dnone&e=red%2Fblue", fields["/PUT"]);
        Assert.Equal("Ada/../é?#  Host: evil", fields[":X-Name"]);
        Assert.Equal("red/blue", fields["!color"]);
        Assert.Equal("Hi Ada/../é?#\r\nHost: evil", fields["greeting"]);
        Assert.Equal("Ada/../é?#\r\nHost: evil", fields[".name"]);
        world.Complete("w", "t");
        Assert.Equal("after", world.Text("stage"));
    }

    [Fact]
    public void ACT_60_Without_a_body_a_webhook_has_no_event_and_later_steps_read_its_outputs()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnEvent("clicked", allowNew: true), new WebhookStepDefinition("t", "s", "crm", WebhookMethod.Get, ""), Define.Put("s", "name", SetMode.Set, new TextSourceDefinition("{{t.status}} {{t.body.id}}"))));
        world.Event("clicked", Timestamp.None, "e", false, [new NamedValue("color", Value.OfText("red"))]);
        Assert.Equal(["/GET"], world.Entries(EntryKind.EffectRequested).Single().Fields!.Select(f => f.Name));
        world.Complete("w", "t", outputs: [new NamedValue("status", Value.OfNumber(200)), new NamedValue("body.id", Value.OfText("x1"))]);
        Assert.Equal("200 x1", world.Text("name"));
    }

    [Theory]
    [InlineData("", "", "", "", "SkippedIneligible")]
    [InlineData("ada@example.com", "", "", "", "sent")]
    [InlineData("ada@example.com", "UNSUBSCRIBED", "", "", "SkippedIneligible")]
    [InlineData("ada@example.com", "NOT_GRANTED", "", "", "SkippedIneligible")]
    [InlineData("ada@example.com", "SUBSCRIBED", "true", "", "SkippedIneligible")]
    [InlineData("ada@example.com", "SUBSCRIBED", "false", "false", "SkippedIneligible")]
    [InlineData("ada@example.com", "GRANTED", "false", "true", "sent")]
    public void ACT_12_A_marketing_email_goes_to_who_may_get_it_and_the_run_goes_on(string address, string consent, string bounced, string marketing, string expected)
    {
        var world = new World().Declare("email", PropertyType.String).Declare("consent.news", PropertyType.String).Declare("email_hard_bounced", PropertyType.Bool).Declare("marketing_contact", PropertyType.Bool);
        world.Publish(Define.Workflow("w", Define.ByHand(), Email() with { Subscription = "news" }, After));
        world.Event(string.Empty, ("email", address), ("consent.news", consent), ("email_hard_bounced", bounced), ("marketing_contact", marketing));
        world.Enroll("w");
        var sent = world.Entries(EntryKind.EffectRequested).ToArray();
        if (expected == "sent")
        {
            Assert.Equal(TaskQueues.Mail, sent.Single().Text);
            Assert.Equal([":channel=MARKETING_EMAIL", ":to=ada@example.com", ":subject=Hi Ada", ":html=<b>x</b>"], sent.Single().Fields!.Select(f => $"{f.Name}={f.Value}"));
            Assert.True(world.State.OpenEffects[0].IsMarketing);
            world.Complete("w", "t");
        }
        else
        {
            Assert.Empty(sent);
            Assert.Contains($"t {expected}", world.Results("w"));
        }

        Assert.Equal("after", world.Text("stage"));
    }

    [Fact]
    public void ACT_12_Values_in_html_are_escaped_and_a_subject_stays_on_one_line()
    {
        var world = new World().Declare("email", PropertyType.String);
        world.Publish(Define.Workflow("w", Define.ByHand(), new MessageStepDefinition("t", "", MessageChannel.MarketingEmail) { Parts = [KeyValuePair.Create("subject", "Hi {{name}}"), KeyValuePair.Create("html", "<b>{{name}}</b>"), KeyValuePair.Create("text", "{{name}}")] }));
        world.Event(string.Empty, ("email", "a@b.example"), ("name", "<i>\r\nBcc: x"));
        world.Enroll("w");
        var fields = world.Entries(EntryKind.EffectRequested).Single().Fields!.ToDictionary(f => f.Name, f => f.Value.ToString());
        Assert.Equal("Hi <i>  Bcc: x", fields[":subject"]);
        Assert.Equal("<b>&lt;i&gt;\r\nBcc: x</b>", fields[":html"]);
        Assert.Equal("<i>\r\nBcc: x", fields[":text"]);
    }

    [Fact]
    public void ACT_13_An_internal_message_has_no_doubles_and_without_anybody_no_target()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(reenroll: true), new MessageStepDefinition("t", "after", MessageChannel.InternalEmail) { To = ["{{owner}}", " Sales@x.example", "sales@x.example", "{{other}}"], Wait = false }, After));
        world.Set("owner", "o@x.example");
        world.Enroll("w");
        var sent = world.Entries(EntryKind.EffectRequested).Single();
        Assert.Equal(["o@x.example", "Sales@x.example"], sent.Fields!.Where(f => f.Name == ":to").Select(f => f.Value.ToString()));
        Assert.False(world.State.OpenEffects[0].IsMarketing);

        var nobody = new World().Publish(Define.Workflow("w", Define.ByHand(), new MessageStepDefinition("t", "after", MessageChannel.Notification) { To = ["{{owner}}"], Queue = "app" }, After));
        nobody.Enroll("w");
        Assert.Contains("t NoTarget", nobody.Results("w"));
        Assert.Equal("after", nobody.Text("stage"));
    }

    [Theory]
    [InlineData(MessageChannel.SalesEmail, "email", "consent.email")]
    [InlineData(MessageChannel.Sms, "phone", "consent.sms")]
    [InlineData(MessageChannel.WhatsApp, "phone", "consent.whatsapp")]
    [InlineData(MessageChannel.Survey, "email", "consent.email")]
    public void ACT_14_ACT_15_The_consent_of_the_channel_is_checked(MessageChannel channel, string property, string consent)
    {
        var world = new World().Declare(property, PropertyType.String).Declare(consent, PropertyType.String);
        world.Publish(Define.Workflow("w", Define.ByHand(reenroll: true), new MessageStepDefinition("t", "after", channel) { Queue = "messages" }, After));
        world.Set(property, "x");
        world.Enroll("w");
        Assert.Equal("messages", world.Entries(EntryKind.EffectRequested).Single().Text);
        world.Complete("w", "t");
        world.Set(consent, "UNSUBSCRIBED");
        world.Enroll("w");
        Assert.Single(world.Entries(EntryKind.EffectRequested));
        Assert.Contains("t SkippedIneligible", world.Results("w"));
    }

    [Fact]
    public void ACT_14_Slack_and_chat_go_to_colleagues_and_ask_for_no_consent()
    {
        foreach (var channel in new[] { MessageChannel.Slack, MessageChannel.Chat })
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), new MessageStepDefinition("t", "", channel) { To = ["#sales"], Queue = "chat" }));
            world.Enroll("w");
            Assert.Single(world.Entries(EntryKind.EffectRequested));
        }
    }

    [Fact]
    public void ACT_42_Consent_and_marketing_status_change_at_once_and_later_sends_see_it()
    {
        var world = new World().Declare("email", PropertyType.String).Declare("consent.news", PropertyType.String).Declare("marketing_contact", PropertyType.Bool).Declare("campaign", PropertyType.String);
        world.Publish(Define.Workflow(
            "w", Define.ByHand(),
            new ConsentStepDefinition("c", "d") { Campaign = "spring" }, new ConsentStepDefinition("d", "e") { Subscription = "news", State = "SUBSCRIBED" },
            new ConsentStepDefinition("e", "t") { IsMarketingContact = false }, Email(), After));
        world.Event(string.Empty, ("email", "a@b.example"), ("consent.news", "UNSUBSCRIBED"));
        world.Enroll("w");
        Assert.Equal(("spring", "SUBSCRIBED", "false"), (world.Text("campaign"), world.Text("consent.news"), world.Text("marketing_contact")));
        Assert.Contains("t SkippedIneligible", world.Results("w"));
        Assert.Equal("after", world.Text("stage"));
    }

    private static MessageStepDefinition Email() => new("t", "after", MessageChannel.MarketingEmail)
    {
        Parts = [KeyValuePair.Create("subject", "Hi {{name|Ada}}"), KeyValuePair.Create("html", "<b>x</b>")],
    };

    private static World Worlds(params StepDefinition[] steps) => new World().Publish(Define.Workflow("w", Define.ByHand(), [.. steps, After, Fallback]));

    private static TurnResult Block(World world) => world.Run(new BlockInput(1, world.Step("w", "t"), 1));
}
