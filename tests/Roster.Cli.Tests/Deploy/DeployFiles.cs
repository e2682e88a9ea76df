using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Roster.Cli.Tests.Deploy;

/// <summary>The files of <c>deploy/</c>, read as what they are.</summary>
internal static partial class DeployFiles
{
    public static string Root { get; } = Find();

    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>All files with one of the endings.</summary>
    public static IEnumerable<string> All(params string[] endings) => Directory.EnumerateFiles(Path.Combine(Root, "deploy"), "*", SearchOption.AllDirectories)
        .Where(file => endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)))
        .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
        .Order(StringComparer.Ordinal);

    /// <summary>The documents of a YAML file; merge keys are resolved.</summary>
    public static IReadOnlyList<Node> Yaml(string path)
    {
        var parser = new MergingParser(new Parser(new StringReader(Text(path))));
        var deserializer = new DeserializerBuilder().Build();
        parser.Consume<YamlDotNet.Core.Events.StreamStart>();
        var documents = new List<Node>();
        while (parser.Accept<YamlDotNet.Core.Events.DocumentStart>(out _))
        {
            documents.Add(new Node(deserializer.Deserialize(parser)));
        }

        return documents;
    }

    /// <summary>The document of a kind in the Kubernetes manifests.</summary>
    public static Node Manifest(string kind, string name) => Manifests().Single(m => m["kind"].Text == kind && m["metadata"]["name"].Text == name);

    /// <summary>All documents that are applied, those of front doors apart among them.</summary>
    public static IEnumerable<Node> Manifests() =>
        Yaml("deploy/kubernetes/kustomization.yaml")[0]["resources"].Items.SelectMany(file => Yaml($"deploy/kubernetes/{file.Text}")).Concat(Yaml("deploy/kubernetes-doors/doors.yaml"));

    /// <summary>An instruction of the container file, with its continuation lines.</summary>
    public static IEnumerable<string> Instructions(string name) => Continued().Replace(Text("deploy/container/Containerfile"), " ").Split('\n')
        .Where(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Select(line => line[(name.Length + 1)..].Trim());

    /// <summary>The value of a key of the unit.</summary>
    public static string Unit(string key) => Text("deploy/systemd/roster.service").Split('\n').Single(line => line.StartsWith(key + "=", StringComparison.Ordinal))[(key.Length + 1)..];

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside of the repository.");
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();
}

/// <summary>A part of a YAML document. What is not there is empty, so that a test can say what it misses.</summary>
internal sealed class Node(object? value)
{
    public bool Exists => value is not null;

    public string Text => value as string ?? string.Empty;

    public int Number => int.Parse(Text, System.Globalization.CultureInfo.InvariantCulture);

    public IEnumerable<Node> Items => (value as List<object?> ?? []).Select(item => new Node(item));

    public IEnumerable<KeyValuePair<string, Node>> Fields => (value as Dictionary<object, object?> ?? []).Select(pair => KeyValuePair.Create((string)pair.Key, new Node(pair.Value)));

    public Node this[string key] => new(value is Dictionary<object, object?> fields && fields.TryGetValue(key, out var found) ? found : null);
}
