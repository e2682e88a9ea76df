using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Roster.Engine.Tests.Delivery;
using Roster.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Crash.Tests;

/// <summary>
/// <c>kill -9</c> while webhooks are sent to a receiver that drops connections after it has taken the request, fails, and refuses some for good: every
/// intent is delivered at least once or is a dead letter, always with the same key and body, and nothing is sent without a commit (P6, I7, X28).
/// </summary>
public sealed class DeliveryKillTests
{
    private const int Records = 400;
    private const int Kills = 6;

    private const string Workflow = """
        {
          "id": "hooks", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
          "steps": [ { "id": "hook", "webhook": { "endpoint": "sink", "fields": [ { "name": "n", "text": "{{event.n}}" } ], "retry": { "gapFirst": "1s", "gapMax": "60s" } } } ]
        }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ERR_11_ACT_03_Killed_while_webhooks_are_sent_every_intent_is_delivered_or_a_dead_letter()
    {
        var folder = Directory.CreateTempSubdirectory("roster-crash-").FullName;
        await using var receiver = new WebhookReceiver(Answer);
        try
        {
            await using var server = new Restartable(new Dictionary<string, string> { ["data_folder"] = folder, ["webhook_allow"] = "127.0.0.1" });
            await SetUpAsync(await server.StartAsync(Token), receiver.Url);
            await SendAsync(server.Now);
            for (var kill = 1; kill <= Kills; kill++)
            {
                for (var i = 0; i < Records / (2 * Kills); i++)
                {
                    await receiver.NextAsync(Token);
                }

                await server.KillAsync();
                await server.StartAsync(Token);
            }

            await SettleAsync(server.Now);
            await CheckAsync(server.Now, receiver);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>By the number of the record and the number of the request: some are refused for good, some fail or are dropped at first.</summary>
    private static ReceiverAnswer Answer(ReceivedRequest request, int number) => (RecordOf(request), number % 7) switch
    {
        (var record, _) when record % 10 == 3 => new ReceiverAnswer(400),
        (_, 1 or 4) => ReceiverAnswer.Drop,
        (_, 5) => new ReceiverAnswer(503),
        _ => new ReceiverAnswer(200),
    };

    private static int RecordOf(ReceivedRequest request)
    {
        using var body = JsonDocument.Parse(request.Body);
        return int.Parse(body.RootElement.GetProperty("record").GetProperty("record_id").GetString()![1..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task SetUpAsync(ServerUnderTest server, string url)
    {
        var tenants = new TenantService.TenantServiceClient(server.Channel);
        await tenants.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = new TenantSettings { WebhooksPerS = 1_000 } }, cancellationToken: Token);
        await tenants.SaveWebhookEndpointAsync(new SaveWebhookEndpointRequest { Endpoint = new WebhookEndpoint { Id = "sink", Url = url } }, cancellationToken: Token);
        var workflows = new WorkflowService.WorkflowServiceClient(server.Channel);
        await workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(Workflow) }, cancellationToken: Token);
        await workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = "hooks", State = V1.Workflow.Types.State.On }, cancellationToken: Token);
    }

    private static async Task SendAsync(ServerUnderTest server)
    {
        var events = Enumerable.Range(0, Records).Select(i => new Event
        {
            EventId = $"e{i}",
            ObjectType = "contact",
            RecordId = $"c{i}",
            Type = "go",
            Properties = { new PropertyValue { Name = "n", Value = new Value { Text = $"{i}" } } },
        });
        var answer = await new IngestService.IngestServiceClient(server.Channel).IngestAsync(new IngestRequest { Events = { events } }, cancellationToken: Token);
        Assert.All(answer.Results, result => Assert.Equal(EventResult.Types.Code.Applied, result.Code));
    }

    /// <summary>Lets time pass until nothing is open: attempts wait for the clock, and requests for the receiver.</summary>
    private static async Task SettleAsync(ServerUnderTest server)
    {
        var admin = new AdminService.AdminServiceClient(server.Channel);
        while (await admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: Token) is { EffectsOpen: > 0 } status)
        {
            await admin.AdvanceClockAsync(new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(status.Now.ToDateTimeOffset().AddSeconds(1)) }, cancellationToken: Token);
        }
    }

    private static async Task CheckAsync(ServerUnderTest server, WebhookReceiver receiver)
    {
        var admin = new AdminService.AdminServiceClient(server.Channel);
        Assert.Empty((await admin.VerifyAsync(new VerifyRequest(), cancellationToken: Token)).Differences);
        var intents = new HashSet<string>(StringComparer.Ordinal);
        using var call = new JournalService.JournalServiceClient(server.Channel).ReadJournal(new ReadJournalRequest(), cancellationToken: Token);
        await foreach (var entry in call.ResponseStream.ReadAllAsync(Token).SelectMany(r => r.Entries))
        {
            Assert.True(entry.Kind != JournalEntry.Types.Kind.EffectRequested || intents.Add(entry.Ref.RecordId), $"{entry.Ref.RecordId} twice");
        }

        Assert.Equal(Records, intents.Count);
        var bodies = receiver.Requests.GroupBy(r => r.Key).ToDictionary(g => g.Key, g => g.Select(r => Encoding.UTF8.GetString(r.Body)).Distinct().Single());
        Assert.Equal(Records, bodies.Count);
        Assert.Equal(intents.Order(StringComparer.Ordinal), receiver.Requests.Select(r => $"c{RecordOf(r)}").Distinct().Order(StringComparer.Ordinal));
        Assert.True(receiver.Requests.Count > Records, "Nothing was sent twice, so nothing was interrupted.");
        var letters = await new WorkService.WorkServiceClient(server.Channel).ListDeadLettersAsync(new ListDeadLettersRequest { PageSize = 1_000 }, cancellationToken: Token);
        Assert.Equal(Records / 10, letters.DeadLetters.Count);
        Assert.All(letters.DeadLetters, letter => Assert.Equal(("HTTP_4XX", true), (letter.Code, bodies.ContainsKey(letter.Key))));
    }
}
