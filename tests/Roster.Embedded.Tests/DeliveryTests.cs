using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Roster.Engine;
using Roster.Engine.Delivery;
using Roster.Engine.Stores;
using Roster.Engine.Tests.Delivery;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Embedded.Tests;

/// <summary>Webhooks, e-mails and dead letters from the event to the receiver and back (section 19 of the rules).</summary>
public sealed class DeliveryTests
{
    private const string Hook = """
        { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] }, "reenroll": true },
          "steps": [ { "id": "hook", "next": "s", "webhook": { "endpoint": "crm", "path": "in/{{name|nobody}}", "properties": ["name"], "fields": [ { "name": "hello", "text": "Hi {{name}}" } ] } },
                     { "id": "s", "setProperty": { "property": "stage", "source": { "text": "{{hook.status}} {{hook.body.id}}" } } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ACT_60_ERR_09_A_webhook_is_signed_and_its_answer_is_read_by_later_steps()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200, """{"id":"x1","n":{"a":1}}""", "Content-Type: application/json"));
        await using var world = await World.StartAsync(receiver);
        await world.Harness.SendAsync(world.Harness.Event("ada", "go", EngineHarness.Text("name", "Ada Ä")));
        await world.CompletedAsync(1);
        var got = Assert.Single(receiver.Requests);
        Assert.Equal(("POST", "/base/in/Ada%20%C3%84"), (got.Method, got.Target));
        Assert.Matches("^acme/[0-9]+/1/hook/1$", got.Key);
        Assert.Equal((got.Key, "secret-key"), (got.Headers["idempotency-key"], got.Headers["x-api-key"]));
        var timestamp = EngineHarness.Start.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        Assert.Equal(timestamp, got.Headers["webhook-timestamp"]);
        var signed = HMACSHA256.HashData(Convert.FromBase64String(world.Secret), (byte[])[.. Encoding.ASCII.GetBytes(timestamp), .. got.Body]);
        Assert.Equal("sha256=" + Convert.ToHexStringLower(signed), got.Headers["webhook-signature"]);
        using var body = JsonDocument.Parse(got.Body);
        Assert.Equal(
            $$$"""{"key":"{{{got.Key}}}","workflow_id":"w","version":1,"step_id":"hook","requested_at":"2026-01-01T00:00:00Z","record":{"object_type":"contact","record_id":"ada"},"event":{},"properties":{"name":"Ada Ä"},"fields":{"hello":"Hi Ada Ä"}}""",
            body.RootElement.GetRawText());
        Assert.Equal("200 x1", (await world.Harness.RecordAsync("ada")).Properties.Single(p => p.Name == "stage").Value.Text);
        await world.Harness.VerifyAsync();
    }

    [Fact]
    public async Task ERR_09_Two_secrets_sign_while_they_are_rotated()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200));
        await using var world = await World.StartAsync(receiver);
        var second = (await world.Engine.RotateWebhookSecretAsync(EngineHarness.Tenant, new RotateWebhookSecretRequest { EndpointId = "crm" }, Token)).Secret;
        Assert.Equal(2, Assert.Single((await world.Engine.ListWebhookEndpointsAsync(EngineHarness.Tenant, Token)).Endpoints).Secrets);
        await world.GoAsync("a");
        var got = await receiver.NextAsync(Token);
        Assert.Equal(string.Join(' ', Sign(world.Secret, got), Sign(second, got)), got.Headers["webhook-signature"]);
        await world.Engine.RotateWebhookSecretAsync(EngineHarness.Tenant, new RotateWebhookSecretRequest { EndpointId = "crm", DropFormer = true }, Token);
        await world.GoAsync("b");
        got = await receiver.NextAsync(Token);
        Assert.Equal(Sign(second, got), got.Headers["webhook-signature"]);

        static string Sign(string secret, ReceivedRequest got) => "sha256=" + Convert.ToHexStringLower(
            HMACSHA256.HashData(Convert.FromBase64String(secret), (byte[])[.. Encoding.ASCII.GetBytes(got.Headers["webhook-timestamp"]), .. got.Body]));
    }

    [Theory]
    [InlineData(400, "HTTP_4XX")]
    [InlineData(404, "HTTP_4XX")]
    [InlineData(410, "HTTP_4XX")]
    [InlineData(302, "HTTP_3XX")]
    public async Task ERR_04_ERR_06_A_refusal_and_a_redirect_fail_at_once_and_are_dead_letters(int status, string code)
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(status, "", "Location: /elsewhere"));
        await using var world = await World.StartAsync(receiver);
        await world.GoAsync("ada");
        var completed = await world.CompletedAsync(1);
        Assert.Equal($"{code}: HTTP {status}", completed.Detail[..(code.Length + 10)]);
        Assert.Single(receiver.Requests);
        var letter = Assert.Single((await world.LettersAsync()).DeadLetters);
        Assert.Equal((receiver.Requests.Single().Key, "!webhook/crm", "ada", "w", "hook", code, 1), (letter.Key, letter.Queue, letter.Ref.RecordId, letter.WorkflowId, letter.StepId, letter.Code, letter.Attempts));
        var status0 = await world.Engine.GetStatusAsync(Token);
        Assert.Equal((1, 0), (status0.DeadLetters, status0.EffectsOpen));
        await world.Harness.VerifyAsync();
    }

    [Fact]
    public async Task ERR_04_ERR_06_What_may_pass_is_tried_again_with_the_same_key_and_body_and_not_before_Retry_After()
    {
        await using var receiver = new WebhookReceiver(
            new ReceiverAnswer(500), ReceiverAnswer.Drop, new ReceiverAnswer(429, "", "Retry-After: 3600"),
            new ReceiverAnswer(429, "", $"Retry-After: {EngineHarness.Start.AddHours(5):R}"), new ReceiverAnswer(200));
        await using var world = await World.StartAsync(receiver);
        await world.GoAsync("ada");
        foreach (var (before, rest) in new[] { (59, 7), (119, 13), (3_599, 2), (14_199, 4) })
        {
            await receiver.NextAsync(Token);
            await world.ReportedAsync();
            await world.Harness.AdvanceAsync(TimeSpan.FromSeconds(before));
            await world.Harness.AdvanceAsync(TimeSpan.FromSeconds(rest));
        }

        await world.CompletedAsync(1);
        Assert.Equal(5, receiver.Requests.Count);
        Assert.Single(receiver.Requests.Select(r => (r.Key, Encoding.UTF8.GetString(r.Body))).Distinct());
        var times = receiver.Requests.Select(r => long.Parse(r.Headers["webhook-timestamp"], CultureInfo.InvariantCulture) - EngineHarness.Start.ToUnixTimeSeconds()).ToArray();
        Assert.InRange(times[1], 60, 66);
        Assert.InRange(times[2] - times[1], 120, 132);
        Assert.InRange(times[3] - times[2], 3_600, 3_601);
        Assert.InRange(times[4], 18_000, 18_005);
        Assert.Empty((await world.LettersAsync()).DeadLetters);
        Assert.Single(await world.Harness.JournalAsync(Kind.EffectCompleted));
    }

    [Fact]
    public async Task ERR_06_Retry_After_beyond_the_time_for_retries_fails_at_once()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(429, "", "Retry-After: 259201"));
        await using var world = await World.StartAsync(receiver);
        await world.GoAsync("ada");
        Assert.StartsWith("EXHAUSTED", (await world.CompletedAsync(1)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ERR_11_A_dead_letter_is_sent_again_with_the_same_key_and_body_and_the_enrollment_does_not_change()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(400), new ReceiverAnswer(404), new ReceiverAnswer(200, """{"id":"late"}""", "Content-Type: application/json"));
        await using var world = await World.StartAsync(receiver);
        await world.GoAsync("ada");
        await world.CompletedAsync(1);
        var before = (await world.Harness.RecordAsync("ada")).Properties.ToString();
        var key = Assert.Single((await world.LettersAsync()).DeadLetters).Key;
        var read = await world.Engine.GetDeadLetterAsync(EngineHarness.Tenant, new GetDeadLetterRequest { Key = key }, Token);
        Assert.Equal(("HTTP_4XX", "HTTP 400", "HTTP 400"), (read.Code, read.Error, Assert.Single(read.LatestAttempts).Error));
        Assert.Equal((key, "in/ada"), (read.Task.Key, Assert.Single(read.Task.Request).Value.Text));

        // It fails once more and stays on the list, then it succeeds and leaves it.
        await receiver.NextAsync(Token);
        Assert.Equal([key], await ResendAsync());
        await receiver.NextAsync(Token);
        await world.UntilAsync(async () => (await world.LettersAsync()).DeadLetters is [{ Resending: false }]);
        Assert.Equal([key], await ResendAsync());
        await receiver.NextAsync(Token);
        await world.UntilAsync(async () => (await world.LettersAsync()).DeadLetters.Count == 0);
        Assert.Single(receiver.Requests.Select(r => (r.Key, r.Target, Encoding.UTF8.GetString(r.Body))).Distinct());
        Assert.Equal(before, (await world.Harness.RecordAsync("ada")).Properties.ToString());
        Assert.Equal("SUCCESS", Assert.Single(await world.Harness.JournalAsync(Kind.DeadLetterClosed)).Result);
        Assert.Empty(await ResendAsync());
        await world.Harness.VerifyAsync();

        async Task<IEnumerable<string>> ResendAsync() =>
            (await world.Engine.ResendDeadLettersAsync(EngineHarness.Tenant, new ResendDeadLettersRequest { Keys = { key } }, Token)).Resending;
    }

    [Fact]
    public async Task ERR_11_Dead_letters_are_paged_filtered_and_discarded_and_survive_a_restart()
    {
        var store = await EngineHarness.OpenStore();
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(400));
        var world = await World.StartAsync(receiver, store);
        for (var i = 0; i < 5; i++)
        {
            await world.GoAsync($"r{i}");
        }

        await world.CompletedAsync(5);
        await world.Harness.Engine.DisposeAsync();
        await using var again = await World.StartAsync(receiver, store, isAgain: true);
        var page = await again.LettersAsync(new ListDeadLettersRequest { PageSize = 3 });
        Assert.Equal(3, page.DeadLetters.Count);
        var rest = await again.LettersAsync(new ListDeadLettersRequest { PageSize = 3, PageToken = page.NextPageToken });
        Assert.Equal((2, ""), (rest.DeadLetters.Count, rest.NextPageToken));
        Assert.Empty((await again.LettersAsync(new ListDeadLettersRequest { Queue = "other" })).DeadLetters);
        var keys = page.DeadLetters.Concat(rest.DeadLetters).Select(d => d.Key).ToArray();
        Assert.Equal(5, keys.Distinct().Count());
        var discarded = await again.Engine.DiscardDeadLettersAsync(EngineHarness.Tenant, new DiscardDeadLettersRequest { Keys = { keys[0], keys[0], keys[1], "acme/99/1/hook/1" }, Caller = "me" }, Token);
        Assert.Equal(2, discarded.Discarded);
        Assert.Equal(keys[2..], (await again.LettersAsync()).DeadLetters.Select(d => d.Key));
        await again.Harness.VerifyAsync();
    }

    [Fact]
    public async Task ERR_11_The_failed_task_of_a_worker_is_a_dead_letter_that_a_worker_may_do_after_all()
    {
        await using var world = await World.StartAsync(null);
        await world.Harness.PublishAsync("""
            { "id": "v", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "work", "allowNewRecord": true } ] } }, "steps": [ { "id": "t", "worker": { "queue": "jobs", "fields": [ { "name": "a", "text": "{{name|x}}" } ] } } ] }
            """);
        await world.Harness.SendAsync(world.Harness.Event("ada", "work"));
        var task = Assert.Single(await LeaseAsync());
        Assert.True(await CompleteAsync(TaskCompletion.Types.Outcome.Failed));
        Assert.Empty(await LeaseAsync());
        await world.Engine.ResendDeadLettersAsync(EngineHarness.Tenant, new ResendDeadLettersRequest { Keys = { task.Key } }, Token);
        var again = Assert.Single(await LeaseAsync());
        Assert.Equal((task.Key, task.Fields.ToString(), 1), (again.Key, again.Fields.ToString(), again.Attempt));
        Assert.False(await CompleteAsync(TaskCompletion.Types.Outcome.Failed));
        Assert.Single((await world.LettersAsync()).DeadLetters);
        await world.Engine.ResendDeadLettersAsync(EngineHarness.Tenant, new ResendDeadLettersRequest { Keys = { task.Key } }, Token);
        Assert.Single(await LeaseAsync());
        Assert.True(await CompleteAsync(TaskCompletion.Types.Outcome.Completed));
        Assert.False(await CompleteAsync(TaskCompletion.Types.Outcome.Completed));
        Assert.Empty((await world.LettersAsync()).DeadLetters);
        await world.Harness.VerifyAsync();

        async Task<IReadOnlyList<WorkTask>> LeaseAsync() => await world.Engine.LeaseTasksAsync(EngineHarness.Tenant, "jobs", 10, TimeSpan.FromMinutes(1), "w", Token);
        async Task<bool> CompleteAsync(TaskCompletion.Types.Outcome outcome) =>
            await world.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = outcome, Error = "no" }, Token);
    }

    [Fact]
    public async Task REC_17_ERR_11_An_erased_record_leaves_no_dead_letter_and_nothing_of_it_can_be_sent_again()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(400));
        await using var world = await World.StartAsync(receiver);
        await world.GoAsync("ada");
        await world.CompletedAsync(1);
        var key = Assert.Single((await world.LettersAsync()).DeadLetters).Key;
        await world.Engine.EraseRecordAsync(EngineHarness.Tenant, new EraseRecordRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, RequestId = "x" }, Token);
        await world.Harness.SettleAsync();
        Assert.Empty((await world.LettersAsync()).DeadLetters);
        Assert.Equal([key], (await world.Engine.ResendDeadLettersAsync(EngineHarness.Tenant, new ResendDeadLettersRequest { Keys = { key } }, Token)).Gone);
        await world.Harness.VerifyAsync();
    }

    [Fact]
    public async Task ERR_08_A_task_is_leased_for_as_long_as_its_action_says_else_for_as_long_as_the_worker_asks()
    {
        await using var world = await World.StartAsync(null);
        await world.Harness.PublishAsync("""
            { "id": "v", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "work", "allowNewRecord": true } ] } },
              "steps": [ { "id": "t", "next": "u", "worker": { "queue": "jobs", "leaseFor": "5s" } }, { "id": "u", "worker": { "queue": "jobs" } } ] }
            """);
        await world.Harness.SendAsync(world.Harness.Event("ada", "work"));
        var task = Assert.Single(await LeaseAsync());
        Assert.Equal((TimeSpan.FromSeconds(5), EngineHarness.Start.AddSeconds(5)), (task.LeaseFor.ToTimeSpan(), task.LeaseUntil.ToDateTimeOffset()));
        await world.Harness.AdvanceAsync(TimeSpan.FromSeconds(4));
        await world.Engine.KeepLeasesAsync(EngineHarness.Tenant, "jobs", "w", [], Token);
        await world.Harness.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.Empty(await LeaseAsync());
        await world.Harness.AdvanceAsync(TimeSpan.FromSeconds(1));
        var again = Assert.Single(await LeaseAsync());
        Assert.Equal((task.Key, 2), (again.Key, again.Attempt));
        await world.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token);
        Assert.Equal(TimeSpan.FromMinutes(1), Assert.Single(await LeaseAsync()).LeaseFor.ToTimeSpan());

        async Task<IReadOnlyList<WorkTask>> LeaseAsync() => await world.Engine.LeaseTasksAsync(EngineHarness.Tenant, "jobs", 10, TimeSpan.FromMinutes(1), "w", Token);
    }

    [Fact]
    public async Task ACT_62_A_blocked_task_leaves_the_queue_also_after_a_restart_until_its_callback()
    {
        var store = await EngineHarness.OpenStore();
        var world = await World.StartAsync(null, store);
        await world.Harness.PublishAsync("""
            { "id": "v", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "work", "allowNewRecord": true } ] } },
              "steps": [ { "id": "t", "next": "s", "worker": { "queue": "jobs" } }, { "id": "s", "setProperty": { "property": "stage", "value": "done" } } ] }
            """);
        await world.Harness.SendAsync(world.Harness.Event("ada", "work"));
        var key = Assert.Single(await world.Engine.LeaseTasksAsync(EngineHarness.Tenant, "jobs", 10, TimeSpan.FromMinutes(1), "w", Token)).Key;
        Assert.True(await world.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = key, Outcome = TaskCompletion.Types.Outcome.Blocked }, Token));
        await world.Harness.VerifyAsync();
        await world.Harness.Engine.DisposeAsync();
        await using var again = await World.StartAsync(null, store, isAgain: true);
        Assert.Empty(await again.Engine.LeaseTasksAsync(EngineHarness.Tenant, "jobs", 10, TimeSpan.FromMinutes(1), "w", Token));
        Assert.True(await again.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token));
        Assert.Equal("done", (await again.Harness.RecordAsync("ada")).Properties.Single(p => p.Name == "stage").Value.Text);
        await again.Harness.VerifyAsync();
    }

    [Fact]
    public async Task ERR_05_A_receiver_that_hangs_holds_up_no_other_and_its_breaker_opens()
    {
        var time = new ManualClock(EngineHarness.Start);
        await using var hanging = new WebhookReceiver(ReceiverAnswer.Hang);
        await using var healthy = new WebhookReceiver(new ReceiverAnswer(200));
        await using var world = await World.StartAsync(healthy, time: time);
        await world.SaveAsync("slow", hanging.Url);
        await world.Harness.PublishAsync(Hook.Replace("\"w\"", "\"slow\"", StringComparison.Ordinal).Replace("\"go\"", "\"slow\"", StringComparison.Ordinal).Replace("\"crm\"", "\"slow\"", StringComparison.Ordinal));
        for (var i = 0; i < 8; i++)
        {
            await world.Harness.SendAsync(world.Harness.Event($"s{i}", "slow"));
            await hanging.NextAsync(Token);
        }

        for (var i = 0; i < 3; i++)
        {
            await world.GoAsync($"h{i}");
            await healthy.NextAsync(Token);
        }

        // An answer that is on its way would be given up too.
        await world.CompletedAsync(3);

        // All that hang are given up at once; what comes then is not tried while the breaker is open.
        time.MoveTo(time.GetUtcNow() + TimeSpan.FromSeconds(33));
        await world.UntilAsync(() => IsOpenAsync());
        await world.Harness.SendAsync(world.Harness.Event("s8", "slow"), world.Harness.Event("s9", "slow"));
        Assert.Equal(8, hanging.Requests.Count);
        hanging.Answer = (_, _) => new ReceiverAnswer(200);
        time.MoveTo(time.GetUtcNow() + TimeSpan.FromSeconds(30));
        await world.CompletedAsync(3 + 2);
        Assert.False(await IsOpenAsync());
        Assert.Equal(10, hanging.Requests.Count);

        async Task<bool> IsOpenAsync() => (await world.Engine.ListWebhookEndpointsAsync(EngineHarness.Tenant, Token)).Endpoints.Single(e => e.Id == "slow").BreakerOpen;
    }

    [Fact]
    public async Task MET_17_ERR_05_Attempts_are_measured_by_their_outcome_and_breakers_are_shown()
    {
        var seen = new ConcurrentQueue<(string Name, string? Outcome, double Value)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("roster.delivery.", StringComparison.Ordinal))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200));
        await using var world = await World.StartAsync(receiver);
        await world.SaveAsync("measured", receiver.Url);
        await world.Harness.PublishAsync(
            Hook.Replace("\"w\"", "\"m\"", StringComparison.Ordinal).Replace("\"go\"", "\"measure\"", StringComparison.Ordinal).Replace("\"crm\"", "\"measured\"", StringComparison.Ordinal));
        await world.Harness.SendAsync(world.Harness.Event("ada", "measure"));
        await world.CompletedAsync(1);
        receiver.Answer = (_, _) => new ReceiverAnswer(404);
        await world.Harness.SendAsync(world.Harness.Event("bob", "measure"));
        await world.CompletedAsync(2);
        Assert.Equal([("roster.delivery.duration", "DELIVERED"), ("roster.delivery.duration", "HTTP_4XX")], seen.Select(s => (s.Name, s.Outcome)));
        Assert.All(seen, s => Assert.True(s.Value > 0));
        listener.RecordObservableInstruments();
        Assert.Contains(("roster.delivery.breaker_open", null, 0.0), seen);

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value as string);
            if (all["roster.queue"] == "!webhook/measured")
            {
                Assert.Equal(EngineHarness.Tenant, all["roster.tenant"]);
                seen.Enqueue((instrument.Name, all.GetValueOrDefault("roster.outcome"), value));
            }
        }
    }

    [Fact]
    public async Task ERR_10_Webhooks_over_the_rate_are_sent_later_and_none_is_lost()
    {
        var time = new ManualClock(EngineHarness.Start);
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200));
        await using var world = await World.StartAsync(receiver, time: time, givesUp: false);
        await world.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { WebhooksPerS = 2 } }, Token);
        for (var i = 0; i < 4; i++)
        {
            await world.GoAsync($"r{i}");
        }

        await receiver.NextAsync(Token);
        await receiver.NextAsync(Token);
        await world.CompletedAsync(2);
        Assert.Equal(2, receiver.Requests.Count);
        await world.UntilAsync(() =>
        {
            time.MoveTo(time.GetUtcNow() + TimeSpan.FromMilliseconds(100));
            return Task.FromResult(receiver.Requests.Count == 4);
        });
        await world.CompletedAsync(4);
    }

    [Fact]
    public async Task Webhooks_that_are_open_at_a_stop_are_sent_after_the_start_with_the_same_key()
    {
        var store = await EngineHarness.OpenStore();
        await using var receiver = new WebhookReceiver(ReceiverAnswer.Hang);
        var world = await World.StartAsync(receiver, store);
        await world.GoAsync("ada");
        var first = await receiver.NextAsync(Token);
        await world.Harness.Engine.DisposeAsync();
        receiver.Answer = (_, _) => new ReceiverAnswer(200);
        await using var again = await World.StartAsync(receiver, store, isAgain: true);
        var second = await receiver.NextAsync(Token);
        Assert.Equal((first.Key, Encoding.UTF8.GetString(first.Body)), (second.Key, Encoding.UTF8.GetString(second.Body)));
        await again.CompletedAsync(1);
    }

    [Fact]
    public async Task ACT_60_An_endpoint_must_be_public_and_is_not_deleted_while_it_is_called()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200));
        await using var world = await World.StartAsync(receiver);
        foreach (var url in new[] { "http://10.0.0.1/", "http://[::1]/", "ftp://example.com", "http://169.254.169.254/" })
        {
            Assert.Equal("endpoint.url", (await Assert.ThrowsAsync<RosterException>(() => world.SaveAsync("bad", url))).Refusal!.Path);
        }

        var unsaved = Google.Protobuf.JsonParser.Default.Parse<Workflow>(Hook.Replace("\"w\"", "\"fresh\"", StringComparison.Ordinal));
        Assert.Empty((await world.Engine.ValidateWorkflowAsync(EngineHarness.Tenant, new ValidateWorkflowRequest { Workflow = unsaved }, Token)).Problems);
        Assert.Equal(RosterError.FailedPrecondition, (await Assert.ThrowsAsync<RosterException>(DeleteAsync)).Error);
        await world.Harness.SwitchAsync("w", Workflow.Types.State.Off);
        await DeleteAsync();
        Assert.Equal(RosterError.NotFound, (await Assert.ThrowsAsync<RosterException>(DeleteAsync)).Error);
        Assert.Empty((await world.Engine.ListWebhookEndpointsAsync(EngineHarness.Tenant, Token)).Endpoints);
        var changed = await world.SaveAsync("crm", receiver.Url);
        Assert.NotEqual(world.Secret, changed.Secret);
        Assert.Empty((await world.SaveAsync("crm", receiver.Url)).Secret);

        async Task DeleteAsync() => await world.Engine.DeleteWebhookEndpointAsync(EngineHarness.Tenant, new DeleteWebhookEndpointRequest { EndpointId = "crm" }, Token);
    }

    [Fact]
    public async Task ERR_10_Limits_of_a_queue_are_kept_and_hold_at_once()
    {
        var store = await EngineHarness.OpenStore();
        var world = await World.StartAsync(null, store);
        Assert.Equal(2, (await world.Engine.SetQueueLimitsAsync(EngineHarness.Tenant, new SetQueueLimitsRequest { Queue = "jobs", LeasedMax = 2 }, Token)).LeasedMax);
        await Assert.ThrowsAsync<RosterException>(async () => await world.Engine.SetQueueLimitsAsync(EngineHarness.Tenant, new SetQueueLimitsRequest { Queue = "jobs", PerS = -1 }, Token));
        await world.Harness.PublishAsync("""
            { "id": "v", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "work", "allowNewRecord": true } ] } }, "steps": [ { "id": "t", "worker": { "queue": "jobs" } } ] }
            """);
        await world.Harness.Engine.DisposeAsync();
        await using var again = await World.StartAsync(null, store, isAgain: true);
        for (var i = 0; i < 4; i++)
        {
            await again.Harness.SendAsync(again.Harness.Event($"r{i}", "work"));
        }

        Assert.Equal(2, (await LeaseAsync()).Count);
        Assert.Empty(await LeaseAsync());
        await again.Engine.SetQueueLimitsAsync(EngineHarness.Tenant, new SetQueueLimitsRequest { Queue = "jobs" }, Token);
        Assert.Equal(2, (await LeaseAsync()).Count);

        async Task<IReadOnlyList<WorkTask>> LeaseAsync() => await again.Engine.LeaseTasksAsync(EngineHarness.Tenant, "jobs", 10, TimeSpan.FromMinutes(1), "w", Token);
    }

    [Fact]
    public async Task ACT_12_An_email_goes_to_the_mail_server_once_per_key_and_is_tried_again_when_it_may_be_taken_later()
    {
        var mail = new FakeMail(new MailAnswer(false, "451 later") { IsRetryable = true }, new MailAnswer(true));
        await using var world = await World.StartAsync(null, mail: mail);
        await world.Harness.PublishAsync("""
            { "id": "v", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "mail", "allowNewRecord": true } ] } },
              "steps": [ { "id": "m", "next": "s", "sendMessage": { "channel": "INTERNAL_EMAIL", "to": ["{{owner|sales@example.com}}"], "subject": "New: {{name|somebody}}", "text": "Hello" } },
                         { "id": "s", "setProperty": { "property": "stage", "value": "told" } } ] }
            """);
        await world.Harness.SendAsync(world.Harness.Event("ada", "mail", EngineHarness.Text("name", "Ada")));
        await world.ReportedAsync();
        await world.Harness.AdvanceAsync(TimeSpan.FromSeconds(66));
        await world.CompletedAsync(1);
        Assert.Single(mail.Messages.Select(m => (m.MessageId, m.Key, m.Subject, m.Text, string.Join(',', m.To))).Distinct());
        Assert.Equal(("New: Ada", "sales@example.com"), (mail.Messages.First().Subject, mail.Messages.First().To.Single()));
        Assert.Equal("told", (await world.Harness.RecordAsync("ada")).Properties.Single(p => p.Name == "stage").Value.Text);
    }

    private sealed class FakeMail(params MailAnswer[] answers) : IMailTransport
    {
        public System.Collections.Concurrent.ConcurrentQueue<MailMessage> Messages { get; } = new();

        public int ConnectionsMax => 2;

        public Task<MailAnswer> SendAsync(MailMessage message, CancellationToken cancellationToken)
        {
            var answer = answers[Math.Min(Messages.Count, answers.Length - 1)];
            Messages.Enqueue(message);
            return Task.FromResult(answer);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>An engine that sends, with an endpoint and a workflow that calls it.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly IAsyncDisposable? _transport;
        private readonly SemaphoreSlim _reported;

        private World(EngineHarness harness, IAsyncDisposable? transport, SemaphoreSlim reported)
        {
            Harness = harness;
            _transport = transport;
            _reported = reported;
        }

        public EngineHarness Harness { get; }

        public IRosterEngine Engine => Harness.Engine;

        public string Secret { get; private set; } = "";

        public static async Task<World> StartAsync(WebhookReceiver? receiver, IRecordStore? store = null, ManualClock? time = null, bool isAgain = false, IMailTransport? mail = null, bool givesUp = true)
        {
            Assert.Null(AddressRules.TryParse(["127.0.0.1"], out var rules));
            var transport = receiver is null ? null : new HttpWebhookTransport(new HostConnector(rules, new SystemHostResolver()), givesUp && time is not null ? time : TimeProvider.System);
            var reported = new SemaphoreSlim(0);
            var options = new EmbeddedOptions
            {
                Webhooks = transport,
                Mail = mail,
                DeliveryTime = (TimeProvider?)time ?? TimeProvider.System,
                DeliveryReported = () => reported.Release(),
            };
            var world = new World(await EngineHarness.StartAsync(options, store), transport, reported);
            if (!isAgain)
            {
                await world.Engine.DeclarePropertiesAsync(
                    EngineHarness.Tenant,
                    new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new[] { "name", "stage", "owner" }.Select(n => new PropertyDefinition { Name = n, Type = PropertyType.Types.Kind.String }) } },
                    Token);
            }

            if (!isAgain && receiver is not null)
            {
                world.Secret = (await world.SaveAsync("crm", receiver.Url + "/base", new Field { Name = "X-Api-Key", Text = "secret-key" })).Secret;
                await world.Harness.PublishAsync(Hook);
            }

            return world;
        }

        public async Task<SaveWebhookEndpointResponse> SaveAsync(string id, string url, params Field[] headers) =>
            await Engine.SaveWebhookEndpointAsync(EngineHarness.Tenant, new SaveWebhookEndpointRequest { Endpoint = new WebhookEndpoint { Id = id, Url = url, Headers = { headers } } }, Token);

        public async Task GoAsync(string record) => await Harness.SendAsync(Harness.Event(record, "go", EngineHarness.Text("name", record)));

        public async Task<ListDeadLettersResponse> LettersAsync(ListDeadLettersRequest? request = null) =>
            await Engine.ListDeadLettersAsync(EngineHarness.Tenant, request ?? new ListDeadLettersRequest(), Token);

        /// <summary>Waits until so many tasks are completed, and returns the entry of the last of them.</summary>
        public async Task<JournalEntry> CompletedAsync(int count)
        {
            var seen = 0;
            await foreach (var page in Engine.ReadJournalAsync(EngineHarness.Tenant, new ReadJournalRequest { Follow = true }, Token))
            {
                foreach (var entry in page.Entries.Where(e => e.Kind == Kind.EffectCompleted))
                {
                    if (++seen == count)
                    {
                        return entry;
                    }
                }
            }

            throw new InvalidOperationException("The journal ended.");
        }

        /// <summary>Waits until the engine knows what became of one more attempt.</summary>
        public Task ReportedAsync() => _reported.WaitAsync(Token);

        public async Task UntilAsync(Func<Task<bool>> isSo)
        {
            while (!await isSo())
            {
                Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Harness.DisposeAsync();
            if (_transport is not null)
            {
                await _transport.DisposeAsync();
            }
        }
    }
}
