using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Roster.Server;

namespace Roster.Cli.Tests.Deploy;

/// <summary>What <c>deploy/</c> says to the server is what the server knows: settings, commands, ports, times.</summary>
public sealed partial class DeployTests
{
    private const string SomeHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    private static readonly string[] Settings =
        [.. typeof(ServerOptions).GetProperties().Select(p => p.GetCustomAttributes(false).OfType<ConfigurationKeyNameAttribute>().SingleOrDefault()?.Name).OfType<string>()];

    private static readonly ServerOptions Defaults = new();

    public static TheoryData<string> YamlFiles() => [.. DeployFiles.All(".yaml")];

    public static TheoryData<string> AllFiles() => [.. DeployFiles.All(".yaml", ".json", ".md", ".service", ".example", "Containerfile")];

    [Theory]
    [MemberData(nameof(YamlFiles))]
    public void A_file_is_well_formed(string path)
    {
        var documents = DeployFiles.Yaml(path);
        Assert.NotEmpty(documents);
        Assert.All(documents, document => Assert.NotEmpty(document.Fields));
    }

    [Fact]
    public void Every_manifest_is_applied_but_the_example_of_secrets()
    {
        var applied = DeployFiles.Yaml("deploy/kubernetes/kustomization.yaml")[0]["resources"].Items.Select(f => $"deploy/kubernetes/{f.Text}").Order(StringComparer.Ordinal);
        var present = DeployFiles.All(".yaml").Where(f => Path.GetDirectoryName(f) == Path.Combine("deploy", "kubernetes"))
            .Except(["deploy/kubernetes/kustomization.yaml", "deploy/kubernetes/secrets.example.yaml"]);
        Assert.Equal(present, applied);
        Assert.All(DeployFiles.Manifests(), m => Assert.True(m["apiVersion"].Text.Length > 0 && m["kind"].Text.Length > 0 && m["metadata"]["name"].Text.Length > 0));
    }

    [Theory]
    [MemberData(nameof(AllFiles))]
    public void Every_variable_that_a_file_names_is_a_setting_or_one_of_the_tool(string path)
    {
        string[] known =
        [
            .. Settings.Select(s => $"ROSTER__{s.ToUpperInvariant()}"), "ROSTER_SERVER", "ROSTER_TENANT", "ROSTER_API_KEY", "ROSTER_KEY_FILE", "ROSTER_CERTIFICATE", "ROSTER_CA",
            .. Variable().Matches(DeployFiles.Text("deploy/compose/env.example")).Select(m => m.Value), "ROSTER__NAME", "ROSTER_PORT",
        ];
        Assert.Empty(Variable().Matches(DeployFiles.Text(path)).Select(m => m.Value).Except(known));
    }

    [Theory]
    [InlineData("silo-1")]
    [InlineData("silo-2")]
    public void The_settings_of_a_silo_of_the_compose_file_are_taken(string service)
    {
        var settings = Compose(service)["environment"].Fields.ToDictionary(f => f.Key, f => f.Value.Text);
        Take(settings);
        Assert.Equal(settings["ROSTER__SILO_ADDRESS"], Compose(service)["networks"]["inside"]["ipv4_address"].Text);
    }

    [Theory]
    [InlineData("StatefulSet", "roster", null)]
    [InlineData("StatefulSet", "roster", "deploy/kubernetes-doors/silos-patch.yaml")]
    [InlineData("Deployment", "roster-door", null)]
    public void The_settings_of_the_pods_are_taken(string kind, string name, string? patch)
    {
        var container = Container(DeployFiles.Manifest(kind, name));
        var settings = DeployFiles.Manifest("ConfigMap", container["envFrom"].Items.Single()["configMapRef"]["name"].Text)["data"].Fields.ToDictionary(f => f.Key, f => f.Value.Text);
        var changed = patch is null ? new Node(null) : Container(DeployFiles.Yaml(patch)[0]);
        foreach (var variable in container["env"].Items.Concat(changed["env"].Items))
        {
            settings.Add(variable["name"].Text, variable["value"].Exists ? variable["value"].Text : Value(variable["valueFrom"]));
        }

        // What the command line says comes last.
        var arguments = Texts(changed["args"].Exists ? changed["args"] : container["args"]);
        var role = Array.IndexOf(arguments, "--role");
        settings["ROSTER__ROLE"] = role < 0 ? "both" : arguments[role + 1];
        var options = Take(settings);
        Assert.Equal(("cluster", "required"), (options["host"], options["auth"]));
        if (kind == "StatefulSet")
        {
            Assert.Equal("10.0.0.1", options["silo_address"]);
            Assert.True(long.Parse(options["cache_bytes"]!, CultureInfo.InvariantCulture) * 2 <= Bytes(container["resources"]["limits"]["memory"].Text), "The cache has at most half of the memory.");
        }

        foreach (var file in options.Where(o => o.Key is "tls_certificate" or "tls_key"))
        {
            Assert.Contains(container["volumeMounts"].Items, m => file.Value!.StartsWith(m["mountPath"].Text + "/", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Silos_and_front_doors_apart_meet_at_the_gateway()
    {
        var silo = Container(DeployFiles.Yaml("deploy/kubernetes-doors/silos-patch.yaml")[0]);
        var port = silo["env"].Items.Single(v => v["name"].Text == "ROSTER__GATEWAY_PORT")["value"].Text;
        Assert.Equal(port, silo["ports"].Items.Single()["containerPort"].Text);
        Assert.Equal([port], DeployFiles.Manifest("NetworkPolicy", "roster-gateway")["spec"]["ingress"].Items.Single()["ports"].Items.Select(p => p["port"].Text));
        Assert.Equal([port], DeployFiles.Manifest("NetworkPolicy", "roster-door")["spec"]["egress"].Items.Single()["ports"].Items.Select(p => p["port"].Text));
        var door = DeployFiles.Manifest("Deployment", "roster-door")["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"].Text;
        Assert.All(DeployFiles.Yaml("deploy/kubernetes-doors/services-patch.yaml"), service => Assert.Equal(door, service["spec"]["selector"]["app.kubernetes.io/name"].Text));
    }

    [Fact]
    public void Commands_in_the_files_are_commands_of_the_tool()
    {
        var command = DeployFiles.Instructions("HEALTHCHECK").Single();
        var lines = new List<string[]>
        {
            Json(DeployFiles.Instructions("CMD").Single()),
            Json(command[command.IndexOf('[', StringComparison.Ordinal)..])[2..],
            DeployFiles.Unit("ExecStart").Split(' ')[1..],
            Texts(Compose("migrate")["command"]),
            Texts(Silo()["args"]),
            Texts(Container(DeployFiles.Yaml("deploy/kubernetes-doors/silos-patch.yaml")[0])["args"]),
            Texts(Container(DeployFiles.Manifest("Deployment", "roster-door"))["args"]),
            Texts(Container(DeployFiles.Manifest("Job", "roster-migrate"))["args"]),
        };
        lines.AddRange(DeployFiles.Text("deploy/README.md").Split('\n').Select(line => RosterCall().Match(line)).Where(m => m.Success).Select(m => Words(m.Groups[1].Value)));
        Assert.True(lines.Count > 8, "The README has no commands.");
        foreach (var line in lines)
        {
            var parsed = CommandLine.CreateRoot(CliConsole.Capture(TextWriter.Null, TextWriter.Null)).Parse(line);
            Assert.True(parsed.Errors.Count == 0, $"roster {string.Join(' ', line)}: {string.Join(' ', parsed.Errors.Select(e => e.Message))}");
        }
    }

    [Fact]
    public void Ports_agree()
    {
        var (grpc, http, silo) = ($"{Defaults.GrpcPort}", $"{Defaults.HttpPort}", $"{Defaults.SiloPort}");
        Assert.Equal([grpc, http, silo], DeployFiles.Instructions("EXPOSE").Single().Split(' '));
        var settings = DeployFiles.Manifest("ConfigMap", "roster-settings")["data"];
        Assert.Equal((grpc, http, silo), (settings["ROSTER__GRPC_PORT"].Text, settings["ROSTER__HTTP_PORT"].Text, settings["ROSTER__SILO_PORT"].Text));
        var ports = Silo()["ports"].Items.ToDictionary(p => p["name"].Text, p => p["containerPort"].Text);
        Assert.Equal((grpc, http, silo), (ports["grpc"], ports["http"], ports["silo"]));
        foreach (var port in DeployFiles.Manifests().Where(m => m["kind"].Text == "Service").SelectMany(s => s["spec"]["ports"].Items))
        {
            Assert.Equal(ports[port["targetPort"].Text], port["port"].Text);
        }

        Assert.All(new[] { "startupProbe", "readinessProbe", "livenessProbe" }, probe => Assert.Equal("http", Silo()[probe]["httpGet"]["port"].Text));
        var open = DeployFiles.Manifest("NetworkPolicy", "roster")["spec"]["ingress"].Items.SelectMany(rule => rule["ports"].Items).Select(p => p["port"].Text);
        Assert.Equal([grpc, http, silo], open.Order(StringComparer.Ordinal));
        Assert.All(new[] { "silo-1", "silo-2" }, service => Assert.Equal([grpc, http], Compose(service)["ports"].Items.Select(p => p.Text.Split(':')[^1])));
        var targets = DeployFiles.Yaml("deploy/prometheus/prometheus.yaml")[0]["scrape_configs"].Items.Single()["static_configs"].Items.Single()["targets"].Items;
        Assert.Equal([$"silo-1:{http}", $"silo-2:{http}"], targets.Select(t => t.Text));
    }

    [Fact]
    public void A_stop_is_given_longer_than_it_may_take()
    {
        // The streams and the listeners, then the engine or silo: each has this long, and five seconds.
        static int Longest(int drainSeconds) => 2 * (drainSeconds + 5);

        var drain = DeployFiles.Manifest("ConfigMap", "roster-settings")["data"]["ROSTER__DRAIN_SECONDS_MAX"].Number;
        Assert.All(new[] { DeployFiles.Manifest("StatefulSet", "roster"), DeployFiles.Manifest("Deployment", "roster-door") }, pods =>
            Assert.True(pods["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].Number > Container(pods)["lifecycle"]["preStop"]["sleep"]["seconds"].Number + Longest(drain)));
        Assert.All(new[] { "silo-1", "silo-2" }, service =>
            Assert.True(Seconds(Compose(service)["stop_grace_period"].Text) > Longest(Compose(service)["environment"]["ROSTER__DRAIN_SECONDS_MAX"].Number)));
        Assert.True(int.Parse(DeployFiles.Unit("TimeoutStopSec"), CultureInfo.InvariantCulture) > Longest(Defaults.DrainSecondsMax));
    }

    [Fact]
    public void Nobody_is_root_and_every_selector_finds_pods()
    {
        var user = DeployFiles.Instructions("USER").Single().Split(':')[0];
        Assert.True(int.Parse(user, CultureInfo.InvariantCulture) > 0);
        Node[] pods = [DeployFiles.Manifest("StatefulSet", "roster")["spec"]["template"], DeployFiles.Manifest("Deployment", "roster-door")["spec"]["template"]];
        Assert.All(pods, pod => Assert.Equal((user, "true"), (pod["spec"]["securityContext"]["runAsUser"].Text, pod["spec"]["securityContext"]["runAsNonRoot"].Text)));
        Assert.Equal("roster-silos", DeployFiles.Manifest("StatefulSet", "roster")["spec"]["serviceName"].Text);
        var labels = pods.SelectMany(pod => pod["metadata"]["labels"].Fields).Select(l => (l.Key, l.Value.Text)).ToHashSet();
        var selectors = DeployFiles.Manifests().SelectMany(m => new[] { m["spec"]["selector"]["matchLabels"], m["spec"]["podSelector"]["matchLabels"], m["kind"].Text == "Service" ? m["spec"]["selector"] : m["none"] });
        Assert.All(selectors.SelectMany(s => s.Fields), label => Assert.Contains((label.Key, label.Value.Text), labels));
        var targets = DeployFiles.Manifests().Where(m => m["kind"].Text == "HorizontalPodAutoscaler").Select(m => m["spec"]["scaleTargetRef"]);
        Assert.All(targets, target => Assert.True(DeployFiles.Manifest(target["kind"].Text, target["name"].Text).Exists));
        Assert.Contains("kind: Secret", DeployFiles.Text("deploy/kubernetes/secrets.example.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Systemd_understands_the_unit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed.");
        var folder = Directory.CreateTempSubdirectory("roster-unit-").FullName;
        try
        {
            var unit = Path.Combine(folder, "roster.service");
            await File.WriteAllTextAsync(
                unit, DeployFiles.Text("deploy/systemd/roster.service").Replace("/opt/roster/roster", "/bin/true", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            Assert.Equal((0, string.Empty), await RunAsync("systemd-analyze", "verify", "--man=no", unit));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("kubernetes")]
    [InlineData("kubernetes-doors")]
    public async Task Kustomize_puts_the_manifests_together(string folder)
    {
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Any(p => File.Exists(Path.Combine(p, "kubectl"))), "kubectl is not installed.");
        Assert.Equal((0, string.Empty), await RunAsync("kubectl", "kustomize", Path.Combine(DeployFiles.Root, "deploy", folder)));
    }

    /// <summary>Lets the server judge settings as it does at its start; returns them by name.</summary>
    private static Dictionary<string, string?> Take(IEnumerable<KeyValuePair<string, string>> variables)
    {
        var settings = variables.ToDictionary(v => v.Key["ROSTER__".Length..].ToLowerInvariant(), v => (string?)Sample(v.Value));
        try
        {
            ServerOptions.Read(settings);
        }
        catch (ServerOptionsException refused)
        {
            // The files are for a program that was built from the full feed.
            Assert.DoesNotContain(refused.Problems, p => EngineFactory.HasCluster || !p.Contains("without Microsoft Orleans", StringComparison.Ordinal));
        }

        return settings;
    }

    private static string Sample(string value) => Substitution().Replace(value, m => m.Groups[1].Value == "ROSTER_ADMIN_KEY_SHA256" ? SomeHash : "secret");

    private static string Value(Node source)
    {
        if (source["fieldRef"]["fieldPath"].Text == "status.podIP")
        {
            return "10.0.0.1";
        }

        var reference = source["secretKeyRef"];
        var secret = DeployFiles.Yaml("deploy/kubernetes/secrets.example.yaml").Single(s => s["metadata"]["name"].Text == reference["name"].Text);
        Assert.True(secret["stringData"][reference["key"].Text].Exists, $"The example has no {reference["key"].Text} in {reference["name"].Text}.");
        return secret["stringData"][reference["key"].Text].Text;
    }

    private static Node Silo() => Container(DeployFiles.Manifest("StatefulSet", "roster"));

    private static Node Container(Node pods) => pods["spec"]["template"]["spec"]["containers"].Items.Single();

    private static Node Compose(string service) => DeployFiles.Yaml("deploy/compose/compose.yaml")[0]["services"][service];

    private static string[] Texts(Node list) => [.. list.Items.Select(item => item.Text)];

    private static string[] Json(string array) => JsonSerializer.Deserialize<string[]>(array)!;

    private static int Seconds(string duration) => int.Parse(duration.TrimEnd('s'), CultureInfo.InvariantCulture);

    private static long Bytes(string quantity) => long.Parse(quantity[..^2], CultureInfo.InvariantCulture) << (quantity.EndsWith("Gi", StringComparison.Ordinal) ? 30 : 20);

    /// <summary>Words of a shell's line, without comments; quotes hold words together.</summary>
    private static string[] Words(string line) => [.. Word().Matches(line).Select(m => m.Value).TakeWhile(w => w != "#").Select(w => w.Replace("\"", string.Empty, StringComparison.Ordinal))];

    private static async Task<(int ExitCode, string Errors)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await output;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, errors.Trim());
    }

    [GeneratedRegex(@"\bROSTER_+[A-Z][A-Z0-9_]*\b")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\$\{(\w+):\?[^}]*\}")]
    private static partial Regex Substitution();

    [GeneratedRegex(@"^(?:[A-Z_]+=\S+ )*(?:/opt/roster/)?roster ((?!-).*)$")]
    private static partial Regex RosterCall();

    [GeneratedRegex("(?:[^\\s\"]|\"[^\"]*\")+")]
    private static partial Regex Word();
}
