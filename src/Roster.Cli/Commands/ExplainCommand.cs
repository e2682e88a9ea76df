using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.Cli.Simulate;
using Roster.V1;
using Spectre.Console;
using Code = Roster.V1.Decision.Types.Code;

namespace Roster.Cli.Commands;

/// <summary><c>roster explain</c>: whether a record would be enrolled, what stands in the way, and the smallest change that helps.</summary>
internal static class ExplainCommand
{
    private const string Draft = "draft";

    private static readonly Argument<string> Record = new("RECORD") { Description = "Object type and id, such as `contact/ada@example.org`. It need not exist." };
    private static readonly Argument<string> Workflow = new("WORKFLOW") { Description = "Id of the workflow. It need not be on." };
    private static readonly Option<string?> Version = new("--version") { Description = "A version, or `draft`. Default: the newest version, else the draft." };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints the explanation as JSON instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("explain", "Says why a record is enrolled in a workflow or not, and what would change it.") { Record, Workflow, Version, Json };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var request = new ExplainRequest
        {
            Ref = RecordName.Parse(result.GetValue(Record)!),
            WorkflowId = result.GetValue(Workflow)!,
            Version = ParseVersion(result.GetValue(Version)),
        };
        using var client = ConnectionOptions.Connect(result);
        var explanation = await client.Enrollments.ExplainAsync(request, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(explanation));
            return ExitCode.Success;
        }

        new Page(explanation, console).Print();
        return ExitCode.Success;
    }

    private static int ParseVersion(string? text)
    {
        if (text is null)
        {
            return 0;
        }

        if (string.Equals(text, Draft, StringComparison.OrdinalIgnoreCase))
        {
            return -1;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0
            ? version
            : throw new CliException($"--version `{text}` is neither a version, such as 3, nor `{Draft}`.");
    }

    /// <summary>One explanation for people. Sentences are not wrapped in a file or a pipe, so that they can be searched for.</summary>
    private sealed class Page(Explanation explanation, CliConsole console)
    {
        private const int CodeWidth = 34;

        public void Print()
        {
            PrintHeader();
            PrintChecks();
            PrintCriteria();
            PrintPresent();
            PrintChange();
        }

        private void PrintHeader()
        {
            var version = explanation.Version == 0 ? Draft : string.Create(CultureInfo.InvariantCulture, $"version {explanation.Version}");
            var missing = explanation.RecordExists ? "" : " (does not exist)";
            Line($"[bold]{Escape(RecordName.Of(explanation.Ref))}[/]{missing} in [bold]{Escape(explanation.WorkflowId)}[/] ({version}, {Escape(explanation.WorkflowState)}), at {Show.Time(explanation.At)} UTC");
            Line($"by a trigger that fires now: {InWords(explanation.Decision)}");
            Line($"by hand: {InWords(explanation.DecisionByHand)}");
            Line(Escape(explanation.Summary));
        }

        private static string InWords(Code decision) => decision == Code.Enrolled
            ? "[green]enrolled[/]"
            : $"[yellow]not enrolled[/], {Escape(Decisions.Sentence(decision))} [grey]{Escape($"({ProtoNames.Of(decision)})")}[/]";

        private void PrintChecks()
        {
            Title("checks");
            foreach (var check in explanation.Checks)
            {
                Line($"  {Mark(check.Passes)} {Escape(ProtoNames.Of(check.Decision).PadRight(CodeWidth))} {Escape(check.Found)}");
            }
        }

        private void PrintCriteria()
        {
            if (explanation.EventTriggers.Count > 0)
            {
                Title("event triggers");
                foreach (var trigger in explanation.EventTriggers)
                {
                    Line($"  {Escape(trigger)}");
                }
            }

            PrintTree(explanation.EventTriggers.Count > 0 ? "only if" : "criteria", explanation.Criteria);
            PrintTree("unenrollment triggers", explanation.UnenrollWhen);
            foreach (var goal in explanation.Goals)
            {
                PrintTree($"goal {goal.GoalId}{(goal.Exit ? ", ends the enrollment" : "")}{(goal.Counted ? ", counted" : "")}", goal.Criteria);
            }

            for (var i = 0; i < explanation.ReenrollWhen.Count; i++)
            {
                PrintTree(string.Create(CultureInfo.InvariantCulture, $"re-enrollment trigger {i + 1}"), explanation.ReenrollWhen[i]);
            }
        }

        /// <summary>Groups are OR-ed; each leaf has its truth, its test, what the record has, and its place in the definition.</summary>
        private void PrintTree(string title, ExplainedCriteria? criteria)
        {
            if (criteria is null)
            {
                return;
            }

            Title($"{title}: {(criteria.Holds ? "hold" : "do not hold")}");
            var width = criteria.Groups.SelectMany(group => group.Filters).Select(filter => filter.Test.Length).DefaultIfEmpty(0).Max();
            foreach (var group in criteria.Groups)
            {
                Line($"  {Mark(group.Accepts)} {GroupName(group.Match)}");
                foreach (var filter in group.Filters)
                {
                    Line($"    {Mark(filter.Accepts)} {Escape(filter.Test.PadRight(width))}  is {Escape(filter.Actual)}  [grey]{Escape(filter.Path)}[/]");
                }
            }
        }

        private static string GroupName(string match) => match switch
        {
            "NOT_ALL" => "not all of",
            "NOT_ANY" => "none of",
            _ => "all of",
        };

        private void PrintPresent()
        {
            Title("enrollments");
            var times = explanation.History?.TimesEnrolled ?? 0;
            var ended = explanation.History?.LastEndedAt is { } at ? $", last ended {ProtoNames.Of(explanation.History.LastEnd)} at {Show.Time(at)}" : "";
            Line(times == 0 ? "  never enrolled" : $"  enrolled {(times == 1 ? "once" : $"{Show.Count(times)} times")}{ended}");
            if (explanation.Active is { } active)
            {
                var due = active.DueAt is null ? "" : $", goes on at {Show.Time(active.DueAt)}";
                Line(string.Create(CultureInfo.InvariantCulture, $"  active: #{active.Number} since {Show.Time(active.EnrolledAt)}{(active.StepId.Length > 0 ? $", in {Escape(active.StepId)}" : "")}{due}"));
            }

            if (explanation.LastDecision is { } last)
            {
                var by = string.Join(", ", new[] { last.Trigger, last.Detail }.Where(text => text.Length > 0));
                Line(string.Create(
                    CultureInfo.InvariantCulture,
                    $"  latest: {Escape(HistoryText.What(last))} at {Show.Time(last.At)}{(by.Length > 0 ? $" by {Escape(by)}" : "")}, version {last.Version} [grey]journal {last.Position}[/]"));
            }
        }

        private void PrintChange()
        {
            Title(explanation.SmallestChange.Count == 0 ? "nothing that is changed would enroll it" : "the smallest change that would enroll it");
            for (var i = 0; i < explanation.SmallestChange.Count; i++)
            {
                Line(string.Create(CultureInfo.InvariantCulture, $"  {i + 1}. {Escape(explanation.SmallestChange[i])}"));
            }
        }

        private void Title(string text)
        {
            console.Plain.WriteLine();
            Line($"[bold]{Escape(text)}[/]");
        }

        private void Line(string markup)
        {
            if (console.Out.Profile.Capabilities.Ansi)
            {
                console.Out.MarkupLine(markup);
            }
            else
            {
                console.Plain.WriteLine(Markup.Remove(markup));
            }
        }

        private static string Mark(bool passes) => passes ? "[green]✓[/]" : "[red]✗[/]";

        private static string Escape(string text) => Markup.Escape(text);
    }
}
