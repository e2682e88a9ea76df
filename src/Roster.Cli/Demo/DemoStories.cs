using System.Globalization;
using Roster.Cli.Ingest;
using Roster.Cli.Output;
using Roster.Cli.Simulate;
using Spectre.Console;

namespace Roster.Cli.Demo;

/// <summary>A sample, told by what happened to one of its records.</summary>
/// <param name="Sample">Folder of the sample.</param>
/// <param name="Title">What it is about.</param>
/// <param name="Hero">The record that is followed.</param>
/// <param name="Why">Why it went that way.</param>
/// <param name="Until">Where its clock ends; null for when nothing is due any more. Schedules have no end of their own.</param>
internal sealed record DemoStory(string Sample, string Title, string Hero, string Why, DateTimeOffset? Until = null);

/// <summary>Tells each sample as a short story: simulated on a virtual clock, one record followed, all counts compared with what the sample expects.</summary>
internal sealed class DemoStories(string folder, CliConsole console)
{
    private const int DetailMax = 90;

    /// <summary>The stories, the simple ones first.</summary>
    public static readonly IReadOnlyList<DemoStory> All =
    [
        new("ebook-download", "a form starts two mails, and a click a call", "contact/grace@example.org",
            "The form started it. Two days later the second mail left, and her click on its link is a task for sales."),
        new("lead-nurturing", "four mails in four weeks, until the lead buys", "contact/katherine@example.org",
            "She became a customer while she waited for the second mail. That is the goal: it ended at once, and no offer follows."),
        new("onboarding", "three days later: was the first mail opened?", "contact/alan@example.org",
            "He had not opened it, so the branch led to a call and not to tips."),
        new("trial", "seven days to make a first project", "contact/hedy@example.org",
            "The workflow waited for an event. Paying is the goal, and it ends a wait too."),
        new("big-customers", "one list starts it, another one stops it", "contact/hedy@example.org",
            "A purchase put her on the first list, which enrolled her. A complaint put her on the second, which took her out."),
        new("lead-again", "a lead that comes back", "contact/grace@example.org",
            "She stopped being a lead, and left. Being one again does not enroll her a second time; asking for a demo does."),
        new("newsletter", "on the first of each month, in office hours", "contact/hedy@example.org",
            "The first was a Sunday: the mail had to wait for Monday morning. She said no before that, and it never left.", At(2026, 4, 2)),
        new("birthday", "every year, by a date of the record", "contact/grace@example.org",
            "Born on 29 February: in other years her birthday is the 28th.", At(2027, 6, 1)),
        new("office-hours", "tickets that come in at night", "ticket/1004",
            "It came on Friday evening, and Monday was a holiday: the team hears of it on Tuesday, spread over the first half hour."),
        new("won-deals", "a deal is won: its buyers are welcomed", "contact/ada@example.org",
            "She is linked to the deal as its buyer. The workflow waited ten days for a call that nobody made, and went on.", At(2026, 3, 1)),
        new("no-show-follow-up", "who misses a meeting hears from Olga", "contact/grace@example.org",
            "She missed it after hours, so the mail of the sequence left the next morning. A new meeting with Olga ended it."),
        new("job-titles", "what somebody does, by the words of the title", "contact/ada@example.org",
            "An executive, then nobody, then one again. She joined the list twice, and one letter is enough."),
        new("cart-abandoned", "four quiet hours, then a reminder, then a coupon", "contact/katherine@example.org",
            "The reminder did not bring her back, the coupon did: her cart was worth one."),
        new("human-step", "somebody approves, or lowers the discount", "deal/d-1",
            "The workflow waited for a person. A day later the task was done, and the offer left."),
        new("big-orders", "another system hears of big orders", "contact/grace@example.org",
            "Her order was one of 1,000 or more: the warehouse was called, with its number in the path. One cent less would not have been told."),
    ];

    /// <summary>Tells all stories; false when one of them did not go as its sample expects.</summary>
    public async Task<bool> TellAsync(CancellationToken cancellationToken)
    {
        console.Out.Write(new Rule(string.Create(CultureInfo.InvariantCulture, $"[bold]{All.Count} stories, each on a virtual clock[/]")).LeftJustified());
        console.Plain.WriteLine("Times are UTC. More of each: roster simulate samples/.../workflow.json --events samples/.../events.jsonl");
        console.Plain.WriteLine();
        var (values, differences) = (0, 0);
        foreach (var story in All)
        {
            var (compared, differing) = await TellAsync(story, cancellationToken);
            values += compared;
            differences += differing;
        }

        console.Plain.WriteLine(differences == 0
            ? $"{Show.Count(values)} values of {Show.Count(All.Count)} samples as expected"
            : $"{Show.Count(differences)} of {Show.Count(values)} values differ from what the samples expect");
        return differences == 0;
    }

    private static DateTimeOffset At(int year, int month, int day) => new(year, month, day, 0, 0, 0, TimeSpan.Zero);

    private async Task<(int Values, int Differences)> TellAsync(DemoStory story, CancellationToken cancellationToken)
    {
        var files = await DemoSamples.UnpackAsync(story.Sample, folder, cancellationToken);
        var definitions = await SimulationDefinitions.ReadAsync([Path.Combine(files, "workflow.json")], cancellationToken);
        var expectation = await Expectation.ReadAsync(Path.Combine(files, "expect.json"), definitions.Workflows, cancellationToken);
        string[] events = [Path.Combine(files, "events.jsonl")];
        var tracker = new IngestTracker(events, console, skipped: 0);
        using var feed = EventFeed.Open(EventFiles.Open(events, []), isSorted: true, tracker.OnBadLine, cancellationToken);
        var options = new SimulationOptions { Until = story.Until, Conduct = WorkerConduct.Success, TimelineMax = long.MaxValue };
        var run = await SimulationRun.RunAsync(definitions, feed, tracker, options, console, cancellationToken);
        Print(story, run);
        var differences = expectation.Compare(run.Fold, definitions.Workflows);
        foreach (var difference in differences)
        {
            console.Fail($"samples/{story.Sample}/expect.json: {difference}");
        }

        return (expectation.Values, differences.Count);
    }

    private void Print(DemoStory story, SimulationResult run)
    {
        console.Out.MarkupLine($"[bold]{Markup.Escape(story.Sample)}[/]: {Markup.Escape(story.Title)}");
        console.Plain.WriteLine($"  {story.Hero}");

        // What other records sent is told by what came of it.
        var lines = run.Timeline.Lines.Where(line => line.Record == story.Hero && !line.What.StartsWith("message", StringComparison.Ordinal)).ToList();
        var wide = lines.Max(line => Where(line, run).Length);
        foreach (var line in lines)
        {
            var text = $"    {line.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}  {line.What,-12}  {Where(line, run).PadRight(wide)}  {Cut(line.Detail)}";
            console.Plain.WriteLine(text.TrimEnd());
        }

        console.Plain.WriteLine($"  {story.Why}");
        foreach (var workflow in run.Definitions.Workflows)
        {
            console.Plain.WriteLine($"  {workflow.Id}: {Tell(run.Fold.Workflow(workflow.Id))}");
        }

        console.Plain.WriteLine();
    }

    // With one workflow its name goes without saying.
    private static string Where(TimelineLine line, SimulationResult run) => run.Definitions.Workflows.Count == 1 ? line.Step : line.Where;

    private static string Cut(string detail) => detail.Length <= DetailMax ? detail : $"{detail[..(DetailMax - 3)]}...";

    private static string Tell(WorkflowTally tally)
    {
        var refused = tally.Refused.Values.Sum();
        return string.Join("; ", new[]
        {
            $"{Show.Count(tally.Enrolled)} enrolled" + (refused == 0 ? "" : $", {Show.Count(refused)} refused ({Counts(tally.Refused)})"),
            tally.Ended.Count == 0 ? "" : $"ended {Counts(tally.Ended)}",
            tally.Sent.Count == 0 ? "" : $"sent {Counts(tally.Sent)}",
        }.Where(part => part.Length > 0));
    }

    private static string Counts(IEnumerable<KeyValuePair<string, long>> counts) => string.Join(", ", counts.Select(count => $"{count.Key} {Show.Count(count.Value)}"));
}
