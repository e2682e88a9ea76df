using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Roster.LoadTests.Measuring;
using Roster.LoadTests.Reporting;

namespace Roster.LoadTests.Tests;

public sealed partial class ReportTests
{
    [Fact]
    public void The_page_needs_nothing_from_anywhere_else()
    {
        var page = HtmlReport.Write(NewResult());
        Assert.DoesNotMatch(Outside(), page);
    }

    [Fact]
    public void The_page_is_well_formed_and_shows_every_phase_figure_and_note()
    {
        var page = HtmlReport.Write(NewResult());
        var body = XElement.Parse(page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("</html>", StringComparison.Ordinal)]);
        foreach (var text in new[] { "1 · closed loop", "2 · open loop", "durable events per second", "a note & more", "<failed>", "bar met" })
        {
            Assert.Contains(text, body.Value, StringComparison.Ordinal);
        }

        Assert.Equal(6, body.Descendants("svg").Count());
    }

    [Fact]
    public void A_run_without_samples_has_a_page_too()
    {
        var empty = new RunResult { At = DateTimeOffset.UnixEpoch, Machine = NewResult().Machine, Options = new LoadOptions() };
        Assert.Contains("Settings", HtmlReport.Write(empty), StringComparison.Ordinal);
    }

    [Fact]
    public void The_result_for_machines_has_figures_phases_and_settings_but_no_password()
    {
        var json = JsonDocument.Parse(JsonReport.Write(NewResult())).RootElement;
        Assert.Equal(1_000, json.GetProperty("phases")[0].GetProperty("eventsPerSecond").GetDouble());
        Assert.Equal("bar met", json.GetProperty("figures")[0].GetProperty("verdict").GetString());
        Assert.Equal("mixed", json.GetProperty("options").GetProperty("scenario").GetString());
        Assert.DoesNotContain("secret", json.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(50, false, "bar not met")]
    [InlineData(100, false, "bar met")]
    [InlineData(200, false, "goal met")]
    [InlineData(50, true, "goal met")]
    [InlineData(150, true, "bar met")]
    [InlineData(201, true, "bar not met")]
    public void A_figure_is_judged_by_bar_and_goal(double value, bool lessIsBetter, string verdict)
    {
        var (bar, goal) = lessIsBetter ? (200, 100) : (100, 200);
        Assert.Equal(verdict, new Figure("f", value, "ms", bar, goal, lessIsBetter).Verdict);
        Assert.Empty(new Figure("f", value, "ms").Verdict);
    }

    [Theory]
    [InlineData(0, "0,0.2,0.4,0.6,0.8,1")]
    [InlineData(7, "0,2,4,6,8")]
    [InlineData(100, "0,20,40,60,80,100")]
    [InlineData(83_000, "0,20000,40000,60000,80000,100000")]
    [InlineData(0.35, "0,0.1,0.2,0.3,0.4")]
    public void A_linear_axis_has_round_steps_and_room_for_the_largest(double max, string ticks)
    {
        var axis = Axis.Linear(max);
        Assert.Equal(ticks, string.Join(',', axis.Ticks.Select(t => Math.Round(t, 6).ToString(System.Globalization.CultureInfo.InvariantCulture))));
        Assert.InRange(axis.Place(max), 0, 1);
        Assert.Equal((0, 1), (axis.Place(-1), axis.Place(axis.To * 2)));
    }

    [Fact]
    public void A_logarithmic_axis_has_the_powers_of_ten_around_its_values()
    {
        var axis = Axis.Logarithmic(0.4, 1_000);
        Assert.Equal([0.1, 1, 10, 100, 1_000], axis.Ticks.Select(t => Math.Round(t, 6)));
        Assert.Equal(0.5, axis.Place(10), 6);
        Assert.Equal(0, axis.Place(0));
    }

    [Fact]
    public void What_the_system_says_of_this_process_can_be_read()
    {
        Assert.Equal(42, Proc.Find(["Name: x", "VmRSS:\t   42 kB"], "VmRSS:"));
        Assert.Equal(0, Proc.Find(["Name: x"], "VmRSS:"));
        Assert.True(Proc.ResidentBytes(Environment.ProcessId) > 1 << 20);
        Assert.True(Proc.ProportionalBytes(Environment.ProcessId) > 1 << 20);
        Assert.Contains(Environment.ProcessId, Proc.WithChildren(Environment.ProcessId));
        Assert.Equal((0, 0, TimeSpan.Zero), (Proc.ResidentBytes(int.MaxValue), Proc.WrittenBytes(int.MaxValue), Proc.Cpu(int.MaxValue)));
    }

    private static RunResult NewResult()
    {
        var result = new RunResult
        {
            At = DateTimeOffset.UnixEpoch,
            Machine = new Machine("a processor", 2, 24_000, "Linux", ".NET", true, "Release"),
            Options = new LoadOptions { Postgres = "Password=secret" },
        };
        result.Phases.Add(new Phase("closed loop", null, 2, 1_000, 100, 1, 2, 3, 4, 0, 0, 300, 100, 1.2, 0.5, 900));
        result.Phases.Add(new Phase("open loop", 500, 2, 500, 50, 1, 2, 3, 4, 0, 0, 300, 0, 1.2, 0.5, null));
        for (var i = 0; i < 4; i++)
        {
            result.Samples.Add(new Sample(i / 2, 5 + i, 1_000 - i, 100, i == 3 ? null : 1, 2, 4, 300 + i, 100, 20, 1.1));
        }

        result.Figures.Add(new Figure("durable events per second", 1_000, "events/s", 900, 2_000));
        result.Curves.Add(new Curve("over records", "records", "events/s", [new CurvePoint(10, 5), new CurvePoint(1_000, 4)]));
        result.Notes.Add("a note & more");
        result.Failures.Add("<failed>");
        return result;
    }

    [GeneratedRegex("https?:|src=|@import|url\\(|<script|<link")]
    private static partial Regex Outside();
}
