using System.Globalization;
using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Roster.Cli.Commands;
using Roster.Cli.Json;
using Roster.Cli.Output;
using Roster.Client;
using Roster.Server;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Demo;

/// <summary>One run of the demo against a server in this process, over real gRPC on loopback.</summary>
internal sealed class DemoRun(RosterServer server, RosterClient client, DemoPlan plan, CliConsole console)
{
    private const int TimelineTurns = 12;

    // The clock moves in steps; the events of a step are sent when it has been reached.
    private static readonly TimeSpan Step = TimeSpan.FromHours(2);
    private static readonly TimeSpan Afterwards = TimeSpan.FromDays(35);
    private static readonly string[] Queues = ["mail", "sales"];

    // One workflow stands still for two days, to show what that does.
    private const string Paused = "lead-nurturing";
    private const int PausedOnDay = 10;
    private const int ResumedOnDay = 12;

    private long _tasks;
    private long _timers;

    /// <summary>Declares properties and workflows of the samples; their output is the same as that of <c>roster apply</c>.</summary>
    public async Task ApplySamplesAsync(CancellationToken cancellationToken)
    {
        console.Out.Write(new Rule("[bold]roster apply samples/.../workflow.json[/]").LeftJustified());
        var files = new List<(string, ApplyFile)>();
        foreach (var sample in DemoSamples.Month)
        {
            var name = $"samples/{sample}";
            files.Add((name, ApplyFile.Parse(await DemoSamples.ReadAsync(sample, "workflow.json", cancellationToken), name)));
        }

        if (await ApplyCommand.ApplyAsync(client, files, isDraft: false, console, cancellationToken) > 0)
        {
            throw new CliException("A sample was refused.", ExitCode.ServerSaidNo);
        }

        // What the samples do not speak of, such as page views, is declared by its first value.
        var settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare };
        await client.Tenants.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = settings }, cancellationToken: cancellationToken);
    }

    /// <summary>Lives through the month with workers at work, and lets time pass after it.</summary>
    public async Task LiveAsync(CancellationToken cancellationToken)
    {
        console.Out.Write(new Rule($"[bold]{DemoPlan.Days} days, {Show.Count(plan.Events.Count)} events, {Show.Count(plan.People)} people[/]").LeftJustified());
        using var stopWorkers = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var workers = Queues.Select(queue => NewWorker(queue).RunAsync(stopWorkers.Token)).ToArray();
        var startedAt = TimeProvider.System.GetTimestamp();
        await console.Error.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => StreamMonthAsync(context.AddTask("day 1", maxValue: plan.Events.Count), cancellationToken));
        await LetTimePassAsync(cancellationToken);
        var seconds = TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds;
        await stopWorkers.CancelAsync();
        await Task.WhenAll(workers);
        console.Out.MarkupLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.Events.Count:N0} events, {_timers:N0} timers and {_tasks:N0} tasks of workers in [bold]{seconds:N1} s[/], the clock moved by {(Afterwards.TotalDays + DemoPlan.Days):N0} days"));
    }

    /// <summary>Sends page views as fast as they are acknowledged, and prints the rate.</summary>
    public async Task BurstAsync(int count, CancellationToken cancellationToken)
    {
        if (count == 0)
        {
            return;
        }

        // The first half warms up and is not timed.
        var events = DemoPlan.Burst(count, plan.People, server.Engine.Clock.GetUtcNow(), seed: 7).ToList();
        var timed = count / 2;
        await using var session = client.OpenIngest(new IngestSessionOptions { ClientName = "roster demo", BatchEventsMax = 1_000 });
        await SendAsync(session, events.Take(count - timed), cancellationToken);
        var startedAt = TimeProvider.System.GetTimestamp();
        await SendAsync(session, events.Skip(count - timed), cancellationToken);
        var seconds = TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds;
        await session.CompleteAsync(cancellationToken);
        console.Out.MarkupLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{timed:N0} page views at once: [bold]{timed / seconds:N0} events/s[/], each one durable before it was acknowledged (client and server in this process)"));
    }

    private static async Task SendAsync(IngestSession session, IEnumerable<Event> events, CancellationToken cancellationToken)
    {
        foreach (var item in events)
        {
            await session.SendAsync(item, cancellationToken);
        }

        await session.FlushAsync(cancellationToken);
    }

    /// <summary>Prints what came of it.</summary>
    public async Task ShowAsync(CancellationToken cancellationToken)
    {
        await ShowPauseAsync(cancellationToken);
        console.Out.Write(new Rule("[bold]roster workflow ID[/]").LeftJustified());
        var workflows = await client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest(), cancellationToken: cancellationToken);

        // A workflow of one step has no funnel worth a table.
        foreach (var workflow in workflows.Workflows.Where(workflow => workflow.Steps.Count > 1))
        {
            var stats = await client.Workflows.GetWorkflowStatsAsync(new GetWorkflowStatsRequest { WorkflowId = workflow.Id }, cancellationToken: cancellationToken);
            WorkflowCommand.ShowStats(workflow, stats, console);
        }

        if (plan.Hero.Length > 0)
        {
            var reference = new RecordRef { ObjectType = "contact", RecordId = plan.Hero };
            console.Out.Write(new Rule($"[bold]roster record contact/{Markup.Escape(plan.Hero)}[/]").LeftJustified());
            RecordCommand.ShowRecord(await client.Records.GetRecordAsync(new GetRecordRequest { Ref = reference }, cancellationToken: cancellationToken), console);
            await RecordCommand.ShowTimelineAsync(client, reference, TimelineTurns, console, cancellationToken);
        }

        await ShowListsAsync(cancellationToken);
        await ShowExplanationAsync(cancellationToken);
    }

    private async Task ShowPauseAsync(CancellationToken cancellationToken)
    {
        var held = 0;
        await foreach (var entry in ReadJournalAsync(Paused, cancellationToken))
        {
            held += entry.Kind == JournalEntry.Types.Kind.StepHeld ? 1 : 0;
        }

        console.Out.MarkupLine(
            $"roster workflow pause {Paused} on day {PausedOnDay}, resume on day {ResumedOnDay}: in between {Show.Count(held)} steps were held, and ran on resume");
    }

    private async Task ShowListsAsync(CancellationToken cancellationToken)
    {
        console.Out.Write(new Rule("[bold]roster list[/]").LeftJustified());
        var lists = await client.Lists.ListListsAsync(new ListListsRequest(), cancellationToken: cancellationToken);
        foreach (var list in lists.Lists)
        {
            console.Out.MarkupLine($"[bold]{Markup.Escape(list.Id)}[/], {(list.Criteria is null ? "static" : "active")}: {Show.Count(list.Members)} members");
        }
    }

    /// <summary>Asks why somebody is not in a workflow: by preference somebody who must be left alone.</summary>
    private async Task ShowExplanationAsync(CancellationToken cancellationToken)
    {
        JournalEntry? refused = null;
        await foreach (var entry in ReadJournalAsync("", cancellationToken))
        {
            if (entry.Kind == JournalEntry.Types.Kind.EnrollmentRefused && (refused is null || entry.Decision == Decision.Types.Code.Suppressed))
            {
                refused = entry;
            }
        }

        if (refused is null)
        {
            return;
        }

        console.Out.Write(new Rule($"[bold]roster explain {Markup.Escape(RecordName.Of(refused.Ref))} {Markup.Escape(refused.WorkflowId)}[/]").LeftJustified());
        var request = new ExplainRequest { Ref = refused.Ref, WorkflowId = refused.WorkflowId };
        var explained = await client.Enrollments.ExplainAsync(request, cancellationToken: cancellationToken);
        console.Out.MarkupLine($"{Show.Time(refused.At)}: not enrolled, {ProtoNames.Of(refused.Decision)}. And now? {Markup.Escape(explained.Summary)}");
        foreach (var check in explained.Checks.Where(check => !check.Passes))
        {
            console.Out.MarkupLine($"  [yellow]{ProtoNames.Of(check.Decision)}[/]: {Markup.Escape(check.Found)}");
        }

        foreach (var change in explained.SmallestChange)
        {
            console.Out.MarkupLine($"  what would help: {Markup.Escape(change)}");
        }
    }

    private async IAsyncEnumerable<JournalEntry> ReadJournalAsync(string workflow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var call = client.Journal.ReadJournal(new ReadJournalRequest { WorkflowId = workflow }, cancellationToken: cancellationToken);
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            foreach (var entry in call.ResponseStream.Current.Entries)
            {
                yield return entry;
            }
        }
    }

    private async Task StreamMonthAsync(ProgressTask bar, CancellationToken cancellationToken)
    {
        await using var session = client.OpenIngest(new IngestSessionOptions { ClientName = "roster demo", OnResult = Expect });
        var next = 0;
        for (var now = DemoPlan.Start + Step; now <= DemoPlan.Start.AddDays(DemoPlan.Days); now += Step)
        {
            await AdvanceAsync(now, cancellationToken);
            await SwitchAsync(now, cancellationToken);
            while (next < plan.Events.Count && plan.Events[next].At <= now)
            {
                await session.SendAsync(plan.Events[next++].Event, cancellationToken);
            }

            await session.FlushAsync(cancellationToken);
            await WaitForWorkersAsync(cancellationToken);
            bar.Value = next;
            bar.Description = string.Create(CultureInfo.InvariantCulture, $"day {(now - DemoPlan.Start).TotalDays:N0}, {next:N0} events");
        }

        await session.CompleteAsync(cancellationToken);
    }

    private async Task SwitchAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var state = now == DemoPlan.Start.AddDays(PausedOnDay) ? Workflow.Types.State.Paused
            : now == DemoPlan.Start.AddDays(ResumedOnDay) ? Workflow.Types.State.On
            : Workflow.Types.State.Unspecified;
        if (state != Workflow.Types.State.Unspecified)
        {
            await client.Workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = Paused, State = state }, cancellationToken: cancellationToken);

            // What was held runs in the turns of a job; a move of the clock waits for it.
            await AdvanceAsync(now, cancellationToken);
        }
    }

    // Day by day, so that workers can do what falls due on each.
    private async Task LetTimePassAsync(CancellationToken cancellationToken)
    {
        var end = DemoPlan.Start.AddDays(DemoPlan.Days);
        for (var day = 1; day <= Afterwards.TotalDays; day++)
        {
            await AdvanceAsync(end.AddDays(day), cancellationToken);
            await WaitForWorkersAsync(cancellationToken);
        }
    }

    private void Expect(IngestOutcome outcome)
    {
        if (outcome.Refusal is { } refusal)
        {
            console.Fail(RpcSentences.Of(refusal));
        }
    }

    private async Task AdvanceAsync(DateTimeOffset to, CancellationToken cancellationToken)
    {
        var answer = await client.Admin.AdvanceClockAsync(
            new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(to) }, cancellationToken: cancellationToken);
        _timers += answer.TimersFired;
    }

    private RosterWorker NewWorker(string queue) => new(
        client,
        new RosterWorkerOptions { Queue = queue, Name = "roster demo", Concurrency = 64 },
        (task, _) =>
        {
            Interlocked.Increment(ref _tasks);
            return ValueTask.FromResult(TaskResult.Completed());
        });

    // The clock stands still until the workers are done, so that every run of the demo tells the same story.
    private async Task WaitForWorkersAsync(CancellationToken cancellationToken)
    {
        foreach (var queue in Queues)
        {
            while (true)
            {
                var counts = await client.Work.GetQueueAsync(new GetQueueRequest { Queue = queue }, cancellationToken: cancellationToken);
                if (counts.Waiting + counts.Leased == 0)
                {
                    break;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellationToken);
            }
        }
    }
}
