using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Roster.Storage.Postgres.Tests;
using Roster.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Crash.Tests;

/// <summary>
/// <c>kill -9</c> while up to 100,000 events are ingested and while timers fire: what was acknowledged is there, what was not is sent again,
/// and in the end every event is applied once, every enrollment happened once, every timer fired once, and counters and states equal
/// the journal (X01, X02, P1, P2, P4, P5).
/// </summary>
public sealed class KillTests
{
    private const int Records = 5_000;
    private const int BatchEvents = 250;
    private const int KillsWhileIngesting = 20;
    private const int KillsWhileTimersFire = 4;

    /// <summary>Makes commits long, so that a kill finds some of them on their way: an ack before its commit would be caught.</summary>
    private static readonly string Note = new('n', 2_000);

    private const string Workflow = """
        {
          "id": "crash", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "steps": [
            { "id": "mark", "next": "mail", "setProperty": { "property": "marked", "value": "yes" } },
            { "id": "mail", "next": "wait", "worker": { "queue": "mail", "wait": false } },
            { "id": "wait", "next": "done", "delay": { "amount": 3, "unit": "DAYS" } },
            { "id": "done", "setProperty": { "property": "stage", "value": "nurtured" } }
          ]
        }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_while_ingesting_and_while_timers_fire_nothing_is_lost_and_nothing_happens_twice()
    {
        var folder = Directory.CreateTempSubdirectory("roster-crash-").FullName;
        try
        {
            await RunAsync(new Dictionary<string, string> { ["data_folder"] = folder }, eventsPerRecord: 20);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Killed_on_a_database_that_stays_nothing_is_lost_and_nothing_happens_twice()
    {
        Databases.Require(ownServer: true);
        await using var postgres = await PostgresServer.StartNewAsync();
        await RunAsync(new Dictionary<string, string> { ["store"] = "postgres", ["postgres"] = postgres.ConnectionString }, eventsPerRecord: 8);
    }

    private static async Task RunAsync(IReadOnlyDictionary<string, string> store, int eventsPerRecord)
    {
        var seed = Environment.GetEnvironmentVariable("ROSTER_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed} (ROSTER_TEST_SEED repeats it)");
        var random = new Random(seed);
        var driver = new Driver(Enumerable.Range(0, Records * eventsPerRecord).Select(NewEvent).Chunk(BatchEvents));
        await using var server = new Restartable(store);
        await SetUpAsync(await server.StartAsync(Token));
        for (var kill = 0; kill < KillsWhileIngesting; kill++)
        {
            // The share of what is left that may be acknowledged before the next kill, so that the kills spread over the run.
            var acks = random.Next(1, Math.Max(2, 2 * driver.Left / (KillsWhileIngesting - kill + 1)));
            await driver.SendAsync(server.Now, stopAfterAcks: acks, keep: 1);
            await server.KillAsync();
            await server.StartAsync(Token);
        }

        Assert.True(driver.Left > 0, $"seed {seed}: everything was acknowledged before the last kill");
        await driver.SendAsync(server.Now, stopAfterAcks: int.MaxValue);
        Assert.Equal(0, driver.Left);

        await FireTimersAsync(server, random);
        await CheckAsync(server.Now, eventsPerRecord);
    }

    private static Event NewEvent(int index)
    {
        var (record, turn) = (index % Records, index / Records);
        var e = new Event { EventId = $"e{index}", ObjectType = "contact", RecordId = $"c{record}", Source = "crash" };
        e.Properties.Add(new PropertyValue { Name = "note", Value = new Value { Text = Note } });
        e.Writes.Add(new PropertyValue { Name = "counter", Value = new Value { Number = turn.ToString(CultureInfo.InvariantCulture) } });
        if (turn == 1 + (record % 7))
        {
            e.Writes.Add(new PropertyValue { Name = "stage", Value = new Value { Text = "lead" } });
        }

        return e;
    }

    private static async Task SetUpAsync(ServerUnderTest server)
    {
        var declare = new DeclarePropertiesRequest { ObjectType = "contact" };
        declare.Properties.Add(new PropertyDefinition { Name = "counter", Type = PropertyType.Types.Kind.Number });
        declare.Properties.Add(new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String });
        declare.Properties.Add(new PropertyDefinition { Name = "marked", Type = PropertyType.Types.Kind.String });
        await new TenantService.TenantServiceClient(server.Channel).DeclarePropertiesAsync(declare, cancellationToken: Token);
        var workflows = new WorkflowService.WorkflowServiceClient(server.Channel);
        await workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(Workflow) }, cancellationToken: Token);
        await workflows.SetWorkflowStateAsync(
            new SetWorkflowStateRequest { WorkflowId = "crash", State = V1.Workflow.Types.State.On }, cancellationToken: Token);
    }

    /// <summary>Kills in the middle of a clock advance, then lets one through.</summary>
    private static async Task FireTimersAsync(Restartable server, Random random)
    {
        for (var kill = 0; kill < KillsWhileTimersFire; kill++)
        {
            var advancing = AdvanceAsync(server.Now);
            var fired = random.Next(1, Records);
            using var call = new JournalService.JournalServiceClient(server.Now.Channel).ReadJournal(
                new ReadJournalRequest { FromEnd = true, Follow = true, WorkflowId = "crash" }, cancellationToken: Token);
            await CountAsync(call, fired, advancing);
            await server.KillAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => advancing.IsCompletedSuccessfully ? throw new InvalidOperationException() : advancing);
            await server.StartAsync(Token);
        }

        await AdvanceAsync(server.Now);
    }

    private static async Task AdvanceAsync(ServerUnderTest server)
    {
        var admin = new AdminService.AdminServiceClient(server.Channel);
        var now = (await admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: Token)).Now.ToDateTimeOffset();
        await admin.AdvanceClockAsync(new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(now.AddDays(4)) }, cancellationToken: Token);
    }

    private static async Task CountAsync(AsyncServerStreamingCall<ReadJournalResponse> call, int wanted, Task advancing)
    {
        var seen = 0;
        while (seen < wanted)
        {
            var next = call.ResponseStream.MoveNext(Token);
            if (await Task.WhenAny(next, advancing) == advancing)
            {
                return;
            }

            seen += await next ? call.ResponseStream.Current.Entries.Count(e => e.Kind == JournalEntry.Types.Kind.EnrollmentEnded) : wanted;
        }
    }

    private static async Task CheckAsync(ServerUnderTest server, int eventsPerRecord)
    {
        var admin = new AdminService.AdminServiceClient(server.Channel);
        var verified = await admin.VerifyAsync(new VerifyRequest(), cancellationToken: Token);
        Assert.Empty(verified.Differences);
        Assert.Equal(verified.StateHash, verified.ReplayHash);

        var status = await admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: Token);
        Assert.Equal(Records * eventsPerRecord, status.Events.Applied);
        Assert.Equal(0, status.Events.Refused + status.Events.Mismatch);
        Assert.Equal(Records, status.Records);

        var stats = await new WorkflowService.WorkflowServiceClient(server.Channel).GetWorkflowStatsAsync(
            new GetWorkflowStatsRequest { WorkflowId = "crash" }, cancellationToken: Token);
        Assert.Equal((Records, Records, 0, Records), (stats.Enrolled, stats.RecordsEnrolled, stats.Active, stats.Completed));
        Assert.All(stats.Steps, step => Assert.Equal((Records, 0, Records), (step.Entered, step.Waiting, step.Succeeded)));
        await CheckJournalAsync(server, eventsPerRecord);
    }

    /// <summary>Each event id once, each enrollment once, each delay left once, each task requested once.</summary>
    private static async Task CheckJournalAsync(ServerUnderTest server, int eventsPerRecord)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var enrolled = 0;
        using var call = new JournalService.JournalServiceClient(server.Channel).ReadJournal(new ReadJournalRequest(), cancellationToken: Token);
        await foreach (var entry in call.ResponseStream.ReadAllAsync(Token).SelectMany(r => r.Entries))
        {
            var key = entry.Kind switch
            {
                JournalEntry.Types.Kind.EventReceived => $"event {entry.EventId}",
                JournalEntry.Types.Kind.Enrolled => $"enrolled {entry.Ref.RecordId}",
                JournalEntry.Types.Kind.StepFinished => $"finished {entry.Ref.RecordId} {entry.EnrollmentNumber} {entry.StepId}",
                JournalEntry.Types.Kind.EffectRequested => $"task {entry.Ref.RecordId} {entry.EnrollmentNumber} {entry.StepId}",
                JournalEntry.Types.Kind.EnrollmentEnded => $"ended {entry.Ref.RecordId} {entry.EnrollmentNumber}",
                _ => null,
            };
            Assert.True(key is null || seen.Add(key), $"{key} twice");
            enrolled += entry.Kind == JournalEntry.Types.Kind.Enrolled ? 1 : 0;
        }

        Assert.Equal(Records, enrolled);
        Assert.Equal(Records * eventsPerRecord, seen.Count(k => k.StartsWith("event ", StringComparison.Ordinal)));
    }
}
