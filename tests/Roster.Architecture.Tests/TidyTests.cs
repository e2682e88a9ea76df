using System.Text.RegularExpressions;

namespace Roster.Architecture.Tests;

/// <summary>What no compiler says.</summary>
public sealed partial class TidyTests
{
    /// <summary>Lower it when the longest method gets shorter; never raise it.</summary>
    private const int MethodLinesMax = 80;

    [Fact]
    public void No_method_is_longer_than_the_ratchet()
    {
        var tooLong = Repository.Sources("src").SelectMany(file => Methods(file).Where(m => m.Lines > MethodLinesMax).Select(m => $"{Repository.Relative(file)}:{m.Line} {m.Name} has {m.Lines} lines"));
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Methods_are_found()
    {
        var file = Repository.Sources("src/Roster.Core").Single(f => f.EndsWith("Turn.Run.cs", StringComparison.Ordinal));
        Assert.Contains(Methods(file), m => m.Name == "EnterBranch" && m.Lines is > 10 and < 40);
    }

    [Fact]
    public void No_debug_marks_are_left_over()
    {
        var left = Repository.Sources("src").Concat(Repository.Sources("tests"))
            .Where(f => !f.EndsWith("TidyTests.cs", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (file, line, number: i + 1)))
            .Where(l => DebugMark().IsMatch(l.line))
            .Select(l => $"{Repository.Relative(l.file)}:{l.number}: {l.line.Trim()}");
        Assert.Empty(left);
    }

    [Fact]
    public void An_id_of_a_log_event_is_used_once()
    {
        var ids = Repository.Sources("src").SelectMany(file => EventId().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToList();
        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(id => id).Where(same => same.Count() > 1).Select(same => same.Key));
        var documented = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations.md"));
        Assert.All(ids, id => Assert.Contains(id, documented, StringComparison.Ordinal));
    }

    [Fact]
    public void No_test_sleeps()
    {
        var sleeps = Repository.Sources("tests").Where(f => !f.EndsWith("TidyTests.cs", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (file, line, number: i + 1)))
            .Where(l => l.line.Contains("Thread.Sleep", StringComparison.Ordinal))
            .Select(l => $"{Repository.Relative(l.file)}:{l.number}");
        Assert.Empty(sleeps);
    }

    /// <summary>Methods by indentation: a member begins at four spaces (eight in nested types) and its body ends at the brace of the same column.</summary>
    private static IEnumerable<(string Name, int Line, int Lines)> Methods(string file)
    {
        var lines = File.ReadAllLines(file);
        for (var i = 0; i + 1 < lines.Length; i++)
        {
            var head = MethodHead().Match(lines[i]);
            if (!head.Success)
            {
                continue;
            }

            var indent = head.Groups["indent"].Value;
            var open = Array.FindIndex(lines, i, line => line == indent + "{" || line.TrimEnd().EndsWith(';'));
            if (open < 0 || lines[open] != indent + "{")
            {
                continue;
            }

            var close = Array.FindIndex(lines, open, line => line == indent + "}");
            yield return (head.Groups["name"].Value, i + 1, close - i + 1);
        }
    }

    [GeneratedRegex(@"\[LoggerMessage\(EventId = (\d+)")]
    private static partial Regex EventId();

    [GeneratedRegex(@"^(?<indent> {4}| {8})(?!.*\b(?:class|struct|record|interface|delegate) )(?:(?:public|private|protected|internal|static|async|override|sealed|virtual|unsafe|readonly|ref|extern|partial) )+(?:[\w<>\[\]?,.() ]+ )?(?<name>\w+)(?:<[\w, ]+>)?\(")]
    private static partial Regex MethodHead();

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK|NOCOMMIT)\b|Console\.WriteLine\(""(DEBUG|debug)|Debugger\.(Break|Launch)|\.Skip\s*=\s*""""")]
    private static partial Regex DebugMark();
}
