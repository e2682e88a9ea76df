using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Roster.Cli.Json;

namespace Roster.Cli.Simulate;

/// <summary>A value that is not as expected.</summary>
/// <param name="Path">Where in the expectation, such as <c>workflows.welcome.enrolled</c>.</param>
/// <param name="Expected">As JSON.</param>
/// <param name="Actual">As JSON, or why there is none.</param>
internal sealed record Difference(string Path, string Expected, string Actual)
{
    public override string ToString() => $"{Path}: expected {Expected}, actual {Actual}";
}

/// <summary>
/// What a simulation is expected to do: <c>--expect</c>. Only what is named is compared; a name that did not occur counts 0, and a list is
/// compared whole and in order.
/// </summary>
internal sealed class Expectation
{
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly JsonElement _root;

    private Expectation(JsonElement root, string file)
    {
        _root = root;
        File = file;
    }

    public string File { get; }

    /// <summary>Values that are compared.</summary>
    public int Values { get; private set; }

    /// <summary>Reads an expectation of a run of certain workflows.</summary>
    /// <exception cref="CliException">There is no such file, it is not JSON, or it names what does not exist: one sentence per problem.</exception>
    public static async Task<Expectation> ReadAsync(string file, IReadOnlyList<SimulatedWorkflow> workflows, CancellationToken cancellationToken) =>
        System.IO.File.Exists(file)
            ? Parse(await System.IO.File.ReadAllTextAsync(file, cancellationToken), file, workflows)
            : throw new CliException($"There is no file `{file}`; --write-expect makes one.");

    /// <summary>Reads the text of an expectation.</summary>
    /// <exception cref="CliException">It is not JSON, or names what does not exist: one sentence per problem.</exception>
    public static Expectation Parse(string json, string file, IReadOnlyList<SimulatedWorkflow> workflows)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Lenient);
            var problems = new ExpectationCheck(workflows).Find(document.RootElement);
            return problems.Count == 0
                ? new Expectation(document.RootElement.Clone(), file)
                : throw new CliException([.. problems.Select(problem => $"{file}: {problem}")]);
        }
        catch (JsonException error)
        {
            var line = (error.LineNumber ?? 0) + 1;
            var column = (error.BytePositionInLine ?? 0) + 1;
            var message = error.Message.Split(" LineNumber:", 2)[0];
            throw new CliException(string.Create(CultureInfo.InvariantCulture, $"{file}:{line}:{column}: this is not JSON: {message}"));
        }
    }

    /// <summary>The expectation that a run meets, with everything in it.</summary>
    public static JsonObject Of(SimulationFold fold, IReadOnlyList<SimulatedWorkflow> workflows) => new()
    {
        ["workflows"] = new JsonObject(workflows.Select(workflow => KeyValuePair.Create(workflow.Id, (JsonNode?)Of(fold.Workflow(workflow.Id))))),
        ["records"] = OfRecords(fold, workflows),
    };

    /// <summary>The records that were considered, by name, with what each workflow did with them.</summary>
    public static JsonObject OfRecords(SimulationFold fold, IReadOnlyList<SimulatedWorkflow> workflows)
    {
        var records = new JsonObject();
        foreach (var name in fold.RecordNames.Order(StringComparer.Ordinal))
        {
            var tallies = fold.Record(name)!;
            if (tallies.Count > 0)
            {
                records.Add(name, new JsonObject(workflows
                    .Where(workflow => tallies.ContainsKey(workflow.Id))
                    .Select(workflow => KeyValuePair.Create(workflow.Id, (JsonNode?)Of(tallies[workflow.Id])))));
            }
        }

        return records;
    }

    /// <summary>What one workflow did, as an expectation of it.</summary>
    public static JsonObject Of(WorkflowTally tally) => WithoutEmpty(
        ("considered", tally.Considered),
        ("enrolled", tally.Enrolled),
        ("active", tally.Active),
        ("refused", Counts(tally.Refused)),
        ("goals", Counts(tally.Goals)),
        ("ended", Counts(tally.Ended)),
        ("steps", Counts(tally.Steps)),
        ("sent", Counts(tally.Sent)));

    /// <summary>Compares a run with what is expected.</summary>
    public IReadOnlyList<Difference> Compare(SimulationFold fold, IReadOnlyList<SimulatedWorkflow> workflows)
    {
        var differences = new List<Difference>();
        var actual = Of(fold, workflows);
        Values = 0;
        foreach (var part in _root.EnumerateObject())
        {
            foreach (var item in part.Value.EnumerateObject())
            {
                var path = $"{part.Name}.{item.Name}";
                if (part.Name == "records" && fold.Record(item.Name) is null)
                {
                    Values++;
                    differences.Add(new Difference(path, "a record", $"no such record.{NearestName.Hint(item.Name, fold.RecordNames)}"));
                }
                else
                {
                    Compare(item.Value, actual[part.Name]?[item.Name], path, differences);
                }
            }
        }

        return differences;
    }

    private void Compare(JsonElement expected, JsonNode? actual, string path, List<Difference> differences)
    {
        if (expected.ValueKind == JsonValueKind.Object)
        {
            foreach (var item in expected.EnumerateObject())
            {
                Compare(item.Value, actual?[item.Name], $"{path}.{item.Name}", differences);
            }

            return;
        }

        Values++;
        var wanted = JsonText.OnOneLine(JsonNode.Parse(expected.GetRawText(), documentOptions: Lenient)!);
        var found = actual is not null ? JsonText.OnOneLine(actual) : expected.ValueKind == JsonValueKind.Array ? "[]" : "0";
        if (wanted != found)
        {
            differences.Add(new Difference(path, wanted, found));
        }
    }

    private static JsonObject Of(RecordTally tally) => WithoutEmpty(
        ("enrolled", tally.Enrolled),
        ("active", tally.Active),
        ("refused", Counts(tally.Refused)),
        ("goals", List(tally.Goals)),
        ("ended", List(tally.Ended)),
        ("steps", List(tally.Steps)),
        ("sent", List(tally.Sent)));

    private static JsonObject Counts(IEnumerable<KeyValuePair<string, long>> counts) =>
        new(counts.Select(count => KeyValuePair.Create(count.Key, (JsonNode?)count.Value)));

    private static JsonArray List(IEnumerable<string> names) => [.. names.Select(name => (JsonNode?)name)];

    private static JsonObject WithoutEmpty(params IEnumerable<(string Name, JsonNode Value)> fields) => new(fields
        .Where(field => field.Value is not (JsonObject { Count: 0 } or JsonArray { Count: 0 }))
        .Select(field => KeyValuePair.Create(field.Name, (JsonNode?)field.Value)));
}
