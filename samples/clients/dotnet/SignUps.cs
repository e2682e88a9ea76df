using Microsoft.Extensions.Hosting;
using Roster.Client;
using Roster.V1;

namespace Roster.Samples.Client;

/// <summary>Declares what it needs, puts a workflow on, sends 1,000 sign-ups, and tells what came of them.</summary>
internal sealed class SignUps(RosterClient client, IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int People = 1_000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await PrepareAsync(stoppingToken);
        var refused = 0;
        await using var session = client.OpenIngest(new IngestSessionOptions
        {
            ClientName = "dotnet-example",
            OnResult = outcome => refused += outcome.Refusal is null ? 0 : 1,
            OnReconnect = error => Console.WriteLine($"connecting again: {error.Status.Detail}"),
        });

        // SendAsync waits by itself while too many events have no result. The ids make it safe to run this again: nothing is applied twice.
        for (var i = 0; i < People; i++)
        {
            var person = $"person{i}@example.org";
            await session.SendAsync(
                new EventBuilder($"sign-up-{i}", "contact", person).Type("signed_up").Set("email", Values.Text(person)).Build(), stoppingToken);
        }

        await session.CompleteAsync(stoppingToken);
        Console.WriteLine($"{session.Progress.Applied} events applied, {session.Progress.Duplicates} known before, {refused} refused");
        await TellAsync(stoppingToken);
        lifetime.StopApplication();
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await client.Tenants.DeclarePropertiesAsync(
            new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "email", Type = PropertyType.Types.Kind.String } } },
            cancellationToken: cancellationToken);
        var workflow = new Workflow
        {
            Id = "welcome",
            ObjectType = "contact",
            Start = new Start { Event = new EventStart { AnyOf = { new EventTrigger { EventType = "signed_up", AllowNewRecord = true } } } },
            Steps =
            {
                new Step
                {
                    Id = "mail",
                    Worker = new WorkerAction { Queue = "mail", Fields = { new Field { Name = "template", Text = "welcome" } }, Properties = { "email" } },
                },
            },
        };
        await client.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = workflow, Force = true }, cancellationToken: cancellationToken);
        await client.Workflows.SetWorkflowStateAsync(
            new SetWorkflowStateRequest { WorkflowId = "welcome", State = Workflow.Types.State.On }, cancellationToken: cancellationToken);
    }

    /// <summary>Reads the journal, which goes on as things happen, until every enrollment has ended.</summary>
    private async Task TellAsync(CancellationToken cancellationToken)
    {
        using var pages = client.Journal.ReadJournal(new ReadJournalRequest { Follow = true, WorkflowId = "welcome" }, cancellationToken: cancellationToken);
        var ended = 0;
        while (ended < People && await pages.ResponseStream.MoveNext(cancellationToken))
        {
            ended += pages.ResponseStream.Current.Entries.Count(entry => entry.Kind == JournalEntry.Types.Kind.EnrollmentEnded);
        }

        var stats = await client.Workflows.GetWorkflowStatsAsync(new GetWorkflowStatsRequest { WorkflowId = "welcome" }, cancellationToken: cancellationToken);
        Console.WriteLine($"welcome: {stats.Enrolled} enrolled, {stats.Completed} completed, {stats.Active} active");
    }
}
