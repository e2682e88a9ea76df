using System.Text.Json;
using System.Text.RegularExpressions;
using Grpc.Core;
using Roster.Client;
using Roster.Server;
using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Deploy;

/// <summary>Alerts and dashboard ask for nothing that a running server does not show.</summary>
public sealed partial class WatchFilesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_metric_and_label_of_alerts_and_dashboard_is_one_that_a_server_shows()
    {
        var shown = await ReadAsync();
        var metrics = Series().Matches(shown).Select(m => m.Groups[1].Value).Append("up").ToHashSet();
        var labels = Label().Matches(shown).Select(m => m.Groups[1].Value).Concat(["instance", "job"]).ToHashSet();
        var expressions = Alerts().Concat(Targets()).ToList();
        Assert.True(expressions.Count > 30, "Alerts or dashboard have no expressions.");
        foreach (var expression in expressions)
        {
            Assert.All(MetricsOf(expression), metric => Assert.True(metrics.Contains(metric), $"No server shows {metric}: {expression}"));
            Assert.All(LabelsOf(expression), label => Assert.True(labels.Contains(label), $"No metric has the label {label}: {expression}"));
        }
    }

    [Fact]
    public void An_expression_is_taken_apart_as_Prometheus_does()
    {
        const string Expression = "histogram_quantile(0.99, sum by (le, a) (rate(b_bucket{c=\"d\", e=~\"f|g\"}[5m]))) > 5e6 and h_total{} / i";
        Assert.Equal(["b_bucket", "h_total", "i"], MetricsOf(Expression));
        Assert.Equal(["a", "c", "e", "le"], LabelsOf(Expression).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Alerts_say_what_they_mean_and_panels_have_places_of_their_own()
    {
        foreach (var rule in Rules())
        {
            Assert.Contains(rule["labels"]["severity"].Text, new[] { "page", "warn" });
            Assert.NotEmpty(rule["annotations"]["summary"].Text);
        }

        using var dashboard = JsonDocument.Parse(DeployFiles.Text("deploy/grafana/roster.json"));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
        var taken = new HashSet<(int, int)>();
        foreach (var place in panels.Select(p => p.GetProperty("gridPos")))
        {
            var (x, y) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32());
            Assert.True(x + place.GetProperty("w").GetInt32() <= 24);
            for (var cell = 0; cell < place.GetProperty("w").GetInt32() * place.GetProperty("h").GetInt32(); cell++)
            {
                Assert.True(taken.Add((x + (cell % place.GetProperty("w").GetInt32()), y + (cell / place.GetProperty("w").GetInt32()))), $"Two panels at {x}, {y}.");
            }
        }
    }

    /// <summary>What a server shows that has had events, calls, a stream and a refusal.</summary>
    private static async Task<string> ReadAsync()
    {
        using var http = new HttpClient();
        await using var engine = await RosterServer.StartAsync(new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel);
        using var client = new RosterClient(new RosterClientOptions { Address = engine.GrpcAddress, Tenant = "acme" });
        await client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New("e1") } }, cancellationToken: Cancel);
        await using var stream = await TestStream.OpenAsync(client, Cancel);
        var text = await http.GetStringAsync(new Uri(engine.HttpAddress, "/metrics"), Cancel);
        await using var full = await TestServer.StartAsync();
        full.Engine.IsFull = true;
        await Assert.ThrowsAsync<RpcException>(async () => await full.Client.Ingest.IngestAsync(new IngestRequest(), cancellationToken: Cancel));
        return text + await http.GetStringAsync(new Uri(full.Server.HttpAddress, "/metrics"), Cancel);
    }

    private static IEnumerable<Node> Rules() => DeployFiles.Yaml("deploy/prometheus/alerts.yaml")[0]["groups"].Items.SelectMany(g => g["rules"].Items);

    private static IEnumerable<string> Alerts() => Rules().Select(rule => rule["expr"].Text);

    private static List<string> Targets()
    {
        using var dashboard = JsonDocument.Parse(DeployFiles.Text("deploy/grafana/roster.json"));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(p => p.TryGetProperty("targets", out _))
            .SelectMany(p => p.GetProperty("targets").EnumerateArray())
            .Select(t => t.GetProperty("expr").GetString()!);
        var variables = dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray()
            .Where(v => v.GetProperty("type").GetString() == "query")
            .Select(v => LabelValues().Replace(v.GetProperty("query").GetProperty("query").GetString()!, "$1{$2=\"\"}"));
        return [.. panels, .. variables];
    }

    private static IEnumerable<string> MetricsOf(string expression) =>
        Name().Matches(Inside().Replace(expression, " ")).Select(m => m.Value).Except(["and", "or", "unless", "by", "without", "on", "ignoring", "bool"]);

    private static IEnumerable<string> LabelsOf(string expression) =>
        Grouping().Matches(expression).SelectMany(m => m.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)).Concat(Matcher().Matches(expression).Select(m => m.Groups[1].Value)).Distinct();

    [GeneratedRegex(@"^([a-z_]+)(?:\{| )", RegexOptions.Multiline)]
    private static partial Regex Series();

    [GeneratedRegex("[{,]([a-z_]+)=\"")]
    private static partial Regex Label();

    /// <summary>What has no names of metrics: selectors, ranges, groupings.</summary>
    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without)\s*\([^)]*\)")]
    private static partial Regex Inside();

    /// <summary>A name that is no function and no number.</summary>
    [GeneratedRegex(@"(?<![\w.])[a-z_][a-z0-9_]*\b(?!\s*\()")]
    private static partial Regex Name();

    [GeneratedRegex(@"\b(?:by|without)\s*\(([^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex("([a-z_]+)\\s*(?:=~|!~|!=|=)\\s*\"")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"label_values\((\w+), (\w+)\)")]
    private static partial Regex LabelValues();
}
