namespace Roster.Architecture.Tests;

/// <summary>The direction of references, and what every project has.</summary>
public sealed class ProjectTests
{
    /// <summary>What a project may refer to. The transport projects stand in for the family of packages of the same shape.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Roster.Core"] = [],
        ["Roster.Protocol"] = ["Roster.Core"],
        ["Roster.Engine"] = ["Roster.Protocol", "Roster.Core"],
        ["Roster.Embedded"] = ["Roster.Engine"],
        ["Roster.Cluster"] = ["Roster.Engine"],
        ["Roster.Storage.Sqlite"] = ["Roster.Engine"],
        ["Roster.Storage.Postgres"] = ["Roster.Engine"],
        ["Roster.Grpc"] = [],
        ["Roster.Grpc.AspNetCore"] = ["Roster.Grpc"],
        ["Roster.Protocol.Services"] = ["Roster.Protocol", "Roster.Grpc"],
        ["Roster.Server"] = ["Roster.Embedded", "Roster.Cluster", "Roster.Storage.Sqlite", "Roster.Storage.Postgres", "Roster.Protocol.Services", "Roster.Grpc", "Roster.Grpc.AspNetCore", "Roster.Engine"],
        ["Roster.Client"] = ["Roster.Protocol.Services", "Roster.Grpc"],
        ["Roster.Import"] = ["Roster.Protocol", "Roster.Core"],
        ["Roster.Cli"] = ["Roster.Server", "Roster.Client", "Roster.Import"],
    };

    public static TheoryData<string> SourceProjects() => [.. Repository.Projects("src").Select(Repository.Relative).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void A_project_refers_only_to_what_lies_below_it(string path)
    {
        var project = Path.Combine(Repository.Root, path);
        Assert.True(Allowed.TryGetValue(Repository.Name(project), out var allowed), $"{path} has no place in the order of projects: add it to this test.");
        Assert.Empty(Repository.References(project).Except(allowed));
    }

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void A_project_has_a_lock_file_for_the_partial_feed(string path)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, path))!;
        Assert.True(File.Exists(Path.Combine(folder, "packages.partial.lock.json")), $"{path} has no packages.partial.lock.json.");
    }

    [Fact]
    public void Every_test_project_has_a_lock_file_for_the_partial_feed()
    {
        var without = Repository.Projects("tests").Where(p => !File.Exists(Path.Combine(Path.GetDirectoryName(p)!, "packages.partial.lock.json")));
        Assert.Empty(without.Select(Repository.Relative));
    }

    [Fact]
    public void No_project_is_named_like_Orleans() =>
        Assert.DoesNotContain(Repository.Projects("."), p => Repository.Name(p).StartsWith("Orleans.", StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void Core_refers_to_NodaTime_and_nothing_else()
    {
        var core = Repository.Projects("src").Single(p => Repository.Name(p) == "Roster.Core");
        Assert.Equal(["NodaTime"], Repository.Packages(core));
        Assert.Empty(Repository.References(core));
        Assert.Equal(
            ["NodaTime"],
            typeof(Roster.Core.Timestamp).Assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(a => !a.StartsWith("System.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("N:System.IO")]
    [InlineData("N:System.Net")]
    [InlineData("N:System.Threading")]
    [InlineData("N:System.Threading.Tasks")]
    [InlineData("T:System.Random")]
    [InlineData("T:System.TimeProvider")]
    [InlineData("T:System.Diagnostics.Stopwatch")]
    [InlineData("T:System.Environment")]
    [InlineData("T:System.HashCode")]
    [InlineData("M:System.Guid.NewGuid")]
    [InlineData("P:System.Globalization.CultureInfo.CurrentCulture")]
    public void Core_bans_clock_chance_io_and_threads(string symbol) =>
        Assert.Contains(
            File.ReadLines(Path.Combine(Repository.Root, "eng", "BannedSymbols.Roster.Core.txt")).Concat(File.ReadLines(Path.Combine(Repository.Root, "eng", "BannedSymbols.txt"))),
            line => line.Split(';')[0] == symbol);

    [Fact]
    public void No_source_silences_the_ban()
    {
        var silent = Repository.Sources("src/Roster.Core").Where(f => File.ReadAllText(f).Contains("RS0030", StringComparison.Ordinal));
        Assert.Empty(silent.Select(Repository.Relative));
    }
}
