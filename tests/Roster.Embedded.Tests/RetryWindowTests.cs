using Roster.Engine;
using Roster.Engine.Delivery;
using Roster.Engine.Stores;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Embedded.Tests;

/// <summary>The time for retries counts from the first attempt, whether or not the engine was started again meanwhile (ERR-04, ERR-06, ERR-07).</summary>
public sealed class RetryWindowTests
{
    private const string Flow = """
        { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } }, "steps": [ STEP ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ERR_04_ERR_06_An_email_that_was_tried_for_two_days_before_a_restart_is_given_up_after_three_in_all()
    {
        var mail = new BusyMail();
        await using var world = await World.StartAsync(mail);
        await world.GoAsync("""{ "id": "m", "sendMessage": { "channel": "INTERNAL_EMAIL", "to": ["a@example.com"], "subject": "x", "text": "y" } }""");
        await world.ReportedAsync();
        for (var hours = 9; hours <= 45; hours += 9)
        {
            await world.PassAsync(TimeSpan.FromHours(9));
            await world.ReportedAsync();
        }

        // What is open is tried at once after a start. Then the gap is the longest, as it was before.
        await world.RestartAsync();
        await world.ReportedAsync();
        await world.PassAsync(TimeSpan.FromHours(8) - TimeSpan.FromSeconds(1));
        await world.PassAsync(TimeSpan.FromSeconds(1));
        await world.ReportedAsync();
        Assert.Equal(8, mail.Attempts);
        Assert.Empty(await world.Harness.JournalAsync(Kind.EffectCompleted));

        await world.RestartAsync();
        await world.ReportedAsync();
        await world.PassAsync(TimeSpan.FromHours(9));
        await world.ReportedAsync();
        await world.PassAsync(TimeSpan.FromHours(9));
        await world.ReportedAsync();
        Assert.Equal(11, mail.Attempts);
        var given = Assert.Single(await world.Harness.JournalAsync(Kind.EffectCompleted));
        Assert.Equal(("EXHAUSTED: 451 busy", EngineHarness.Start.AddHours(71)), (given.Detail, given.At.ToDateTimeOffset()));
        Assert.Single((await world.Engine.ListDeadLettersAsync(EngineHarness.Tenant, new ListDeadLettersRequest(), Token)).DeadLetters);
        await world.Harness.VerifyAsync();
    }

    [Fact]
    public async Task ERR_07_ERR_06_The_task_of_a_worker_keeps_its_first_attempt_over_a_restart()
    {
        await using var world = await World.StartAsync();
        await world.GoAsync("""{ "id": "t", "worker": { "queue": "jobs" } }""");
        var key = Assert.Single(await world.LeaseAsync()).Key;
        Assert.True(await world.FailAsync(key));

        await world.PassAsync(TimeSpan.FromDays(2));
        await world.RestartAsync();
        Assert.Single(await world.LeaseAsync());
        Assert.True(await world.FailAsync(key));
        await world.PassAsync(TimeSpan.FromHours(8) - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await world.LeaseAsync());
        await world.PassAsync(TimeSpan.FromMilliseconds(1));
        Assert.Single(await world.LeaseAsync());

        await world.PassAsync(TimeSpan.FromHours(9));
        Assert.Single(await world.LeaseAsync());
        Assert.True(await world.FailAsync(key));
        Assert.StartsWith("EXHAUSTED", Assert.Single(await world.Harness.JournalAsync(Kind.EffectCompleted)).Detail, StringComparison.Ordinal);
        await world.Harness.VerifyAsync();
    }

    [Fact]
    public async Task ERR_07_A_task_that_nobody_has_tried_before_a_restart_has_all_its_time()
    {
        await using var world = await World.StartAsync();
        await world.GoAsync("""{ "id": "t", "worker": { "queue": "jobs" } }""");
        await world.PassAsync(TimeSpan.FromDays(4));
        await world.RestartAsync();
        var key = Assert.Single(await world.LeaseAsync()).Key;
        Assert.True(await world.FailAsync(key));
        await world.PassAsync(TimeSpan.FromSeconds(66));
        Assert.Single(await world.LeaseAsync());
        Assert.Empty(await world.Harness.JournalAsync(Kind.EffectCompleted));
        await world.Harness.VerifyAsync();
    }

    /// <summary>A mail server that takes everything later.</summary>
    private sealed class BusyMail : IMailTransport
    {
        private int _attempts;

        public int Attempts => Volatile.Read(ref _attempts);

        public int ConnectionsMax => 1;

        public Task<MailAnswer> SendAsync(MailMessage message, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _attempts);
            return Task.FromResult(new MailAnswer(false, "451 busy") { IsRetryable = true });
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>An engine that is started again on its store.</summary>
    private sealed class World(IRecordStore store, IMailTransport? mail) : IAsyncDisposable
    {
        private readonly ManualClock _clock = new(EngineHarness.Start);
        private readonly SemaphoreSlim _reported = new(0);

        public EngineHarness Harness { get; private set; } = null!;

        public IRosterEngine Engine => Harness.Engine;

        public static async Task<World> StartAsync(IMailTransport? mail = null)
        {
            var world = new World(await EngineHarness.OpenStore(), mail);
            await world.StartEngineAsync();
            return world;
        }

        public async Task RestartAsync()
        {
            await Harness.Engine.DisposeAsync();
            await StartEngineAsync();
        }

        public async Task GoAsync(string step)
        {
            await Harness.PublishAsync(Flow.Replace("STEP", step, StringComparison.Ordinal));
            await Harness.SendAsync(Harness.Event("ada", "go"));
        }

        public Task PassAsync(TimeSpan time) => Harness.AdvanceAsync(time);

        /// <summary>Waits until the engine knows what became of one more attempt.</summary>
        public Task ReportedAsync() => _reported.WaitAsync(Token);

        public async Task<IReadOnlyList<WorkTask>> LeaseAsync() => await Engine.LeaseTasksAsync(EngineHarness.Tenant, "jobs", 10, TimeSpan.FromMinutes(1), "w", Token);

        public async Task<bool> FailAsync(string key) => await Engine.CompleteTaskAsync(
            EngineHarness.Tenant, new TaskCompletion { Key = key, Outcome = TaskCompletion.Types.Outcome.Failed, Retryable = true, Error = "busy" }, Token);

        public async ValueTask DisposeAsync()
        {
            await Harness.DisposeAsync();
            _reported.Dispose();
        }

        private async Task StartEngineAsync() => Harness = await EngineHarness.StartAsync(
            new EmbeddedOptions { Mail = mail, DeliveryReported = () => _reported.Release() }, store, _clock);
    }
}
