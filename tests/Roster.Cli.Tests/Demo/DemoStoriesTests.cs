using Roster.Cli.Demo;

namespace Roster.Cli.Tests.Demo;

public sealed class DemoStoriesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-stories-tests-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string, string[]> Stories() => new()
    {
        { "ebook-download", ["2026-01-05 09:10  enrolled      ebook-download                 #1, by event form_submitted", "2026-01-08 09:01  enrolled      ebook-click                    #2, by event email_link_clicked"] },
        { "lead-nurturing", ["2026-01-07 08:25  enrolled                        #1, by filter", "2026-01-09 15:05  ended         wait-1            GOAL_MET, customer"] },
        { "onboarding", ["2026-01-06 09:08  enrolled                      #1, by filter", "2026-01-09 09:08  step          opened          took default"] },
        { "trial", ["2026-01-05 11:00  enrolled                     #1, by event trial_started", "2026-01-09 11:00  ended         first-project  GOAL_MET, paying"] },
        { "big-customers", ["2026-01-06 10:00  enrolled      big-customer-care              #1, by event list_joined", "2026-02-11 08:00  refused       big-customer-care              SUPPRESSED, do-not-contact"] },
        { "lead-again", ["2026-02-03 09:00  refused                 REENROLLMENT_TRIGGER_NOT_SELECTED", "2026-02-04 09:00  enrolled                #2, by filter"] },
        { "newsletter", ["2026-02-01 05:00  enrolled             #1, by schedule", "2026-02-01 12:00  ended         issue  UNENROLLMENT_TRIGGER"] },
        { "birthday", ["2026-02-28 08:00  enrolled             #1, by schedule", "2027-02-28 08:00  enrolled             #2, by schedule"] },
        { "office-hours", ["2026-01-16 23:00  enrolled                #1, by event ticket_opened", "2026-01-20 14:26  sent          assign    to support, what=answer, subject=Import"] },
        { "won-deals", ["2026-01-16 15:00  enrolled                  #1, by filter", "2026-01-26 15:00  step          call/wait   timeout"] },
        { "no-show-follow-up", ["2026-01-05 17:00  enrolled      no-show-follow-up                #2, by workflow no-show", "2026-01-08 09:00  ended         no-show-follow-up / by-interest  MEETING_BOOKED"] },
        { "job-titles", ["2026-01-21 08:00  left list     job-titles / off-the-list    executives", "2026-01-22 08:00  refused       welcome-executives           REENROLLMENT_OFF"] },
        { "cart-abandoned", ["2026-01-12 19:00  step          quiet       timeout", "2026-01-14 08:00  step          won-back    carts_won_back = 1"] },
        { "human-step", ["2026-01-15 09:00  step          owner          owner = radia", "2026-01-16 10:00  step          given          approval = given"] },
        { "big-orders", ["2026-01-12 09:10  enrolled            #1, by event order_placed", "2026-01-12 09:10  step          told  warehouse = told"] },
    };

    [Theory]
    [MemberData(nameof(Stories))]
    public async Task A_story_shows_who_enrolled_when_and_what_came_of_it(string sample, string[] lines)
    {
        var story = Part(await TellAsync("one"), sample);
        Assert.Equal(lines, story.Select(line => line.Trim()).Where(lines.Contains));
        Assert.Contains(story, line => line.Trim() == DemoStories.All.Single(s => s.Sample == sample).Why);
    }

    [Fact]
    public async Task Every_sample_that_needs_no_other_files_is_told_and_each_time_alike()
    {
        var folders = Directory.GetDirectories(Path.Combine(AppContext.BaseDirectory, "samples")).Select(Path.GetFileName).Where(name => name != "olist").Order(StringComparer.Ordinal);
        Assert.Equal(folders, DemoStories.All.Select(story => story.Sample).Order(StringComparer.Ordinal));
        var first = await TellAsync("first");
        Assert.Equal(first, await TellAsync("second"));
        Assert.Matches("values of 15 samples as expected", first);
    }

    private async Task<string> TellAsync(string folder)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var stories = new DemoStories(Path.Combine(_folder.FullName, folder), CliConsole.Capture(output, error));
        Assert.True(await stories.TellAsync(Cancel), error.ToString());
        Assert.Equal("", error.ToString());
        return output.ToString();
    }

    private static List<string> Part(string told, string sample) =>
        [.. told.Split('\n').SkipWhile(line => !line.StartsWith($"{sample}: ", StringComparison.Ordinal)).TakeWhile(line => line.Trim().Length > 0)];
}
