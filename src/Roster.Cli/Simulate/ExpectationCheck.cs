using System.Text.Json;
using Roster.Cli.Json;
using Roster.Cli.Output;
using Roster.Core.Workflows;
using Roster.V1;

namespace Roster.Cli.Simulate;

/// <summary>Finds what is wrong with an expectation itself: fields, workflows, steps, goals and codes that do not exist, and values of the wrong kind.</summary>
internal sealed class ExpectationCheck(IReadOnlyList<SimulatedWorkflow> workflows)
{
    private static readonly string[] Parts = ["workflows", "records"];
    private static readonly string[] WorkflowFields = ["considered", "enrolled", "active", "refused", "goals", "ended", "steps", "sent"];
    private static readonly string[] RecordFields = ["enrolled", "active", "refused", "goals", "ended", "steps", "sent"];

    private static readonly string[] DecisionCodes =
        [.. Enum.GetValues<Decision.Types.Code>().Where(code => code is not (Decision.Types.Code.Unspecified or Decision.Types.Code.Enrolled)).Select(code => ProtoNames.Of(code))];

    private static readonly string[] EndReasons =
        [.. Enum.GetValues<Enrollment.Types.EndReason>().Where(reason => reason != Enrollment.Types.EndReason.Unspecified).Select(reason => ProtoNames.Of(reason))];

    private readonly List<JsonProblem> _problems = [];

    /// <summary>All problems; none when the expectation can be compared.</summary>
    public IReadOnlyList<JsonProblem> Find(JsonElement root)
    {
        _problems.Clear();
        foreach (var part in Fields(root, "", "An expectation", Parts))
        {
            if (part.Name == "workflows")
            {
                CheckWorkflows(part.Value, part.Name, WorkflowFields, isRecord: false);
            }
            else
            {
                CheckRecords(part.Value, part.Name);
            }
        }

        return _problems;
    }

    private void CheckRecords(JsonElement records, string path)
    {
        foreach (var (name, value) in Members(records, path))
        {
            try
            {
                RecordName.Parse(name);
            }
            catch (CliException error)
            {
                _problems.Add(new JsonProblem($"{path}.{name}", name, error.Message));
                continue;
            }

            CheckWorkflows(value, $"{path}.{name}", RecordFields, isRecord: true);
        }
    }

    private void CheckWorkflows(JsonElement element, string path, string[] fields, bool isRecord)
    {
        foreach (var (id, value) in Members(element, path))
        {
            var workflow = workflows.FirstOrDefault(known => known.Id == id);
            if (workflow is null)
            {
                var hint = NearestName.Hint(id, workflows.Select(known => known.Id));
                _problems.Add(new JsonProblem($"{path}.{id}", id, $"There is no workflow `{id}` in the files.{hint}"));
                continue;
            }

            foreach (var field in Fields(value, $"{path}.{id}", isRecord ? "What a record did in a workflow" : "A workflow", fields))
            {
                CheckField(field.Name, field.Value, $"{path}.{id}.{field.Name}", workflow.Definition, isRecord);
            }
        }
    }

    private void CheckField(string name, JsonElement value, string path, Workflow workflow, bool isRecord)
    {
        switch (name)
        {
            case "considered" or "enrolled" or "active":
                CheckCount(value, path);
                break;
            case "refused":
                CheckCounts(value, path, "decision", DecisionCodes);
                break;
            case "ended":
                CheckNames(value, path, "end reason", EndReasons, isRecord);
                break;
            case "goals":
                CheckNames(value, path, $"goal of {workflow.Id}", workflow.Goals.Select(goal => goal.Id), isRecord);
                break;
            default:
                CheckNames(value, path, $"step of {workflow.Id}", workflow.Steps.SelectMany(StepNames), isRecord);
                break;
        }
    }

    private void CheckNames(JsonElement value, string path, string kind, IEnumerable<string> known, bool isList)
    {
        if (!isList)
        {
            CheckCounts(value, path, kind, known);
            return;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            _problems.Add(new JsonProblem(path, MessageCheck.Show(value), $"`{MessageCheck.Show(value)}` is not an array of names."));
            return;
        }

        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            CheckName(MessageCheck.Show(item), $"{path}[{index++}]", kind, known);
        }
    }

    private void CheckCounts(JsonElement value, string path, string kind, IEnumerable<string> known)
    {
        foreach (var (name, count) in Members(value, path))
        {
            CheckName(name, $"{path}.{name}", kind, known);
            CheckCount(count, $"{path}.{name}");
        }
    }

    private void CheckName(string name, string path, string kind, IEnumerable<string> known)
    {
        if (!known.Contains(name, StringComparer.Ordinal))
        {
            _problems.Add(new JsonProblem(path, name, $"`{name}` is no {kind}.{NearestName.Hint(name, known)}"));
        }
    }

    private void CheckCount(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var count) || count < 0)
        {
            _problems.Add(new JsonProblem(path, MessageCheck.Show(value), $"`{MessageCheck.Show(value)}` is not a whole number from 0."));
        }
    }

    private IEnumerable<JsonProperty> Fields(JsonElement element, string path, string what, string[] known)
    {
        foreach (var property in Properties(element, path))
        {
            if (known.Contains(property.Name, StringComparer.Ordinal))
            {
                yield return property;
                continue;
            }

            _problems.Add(new JsonProblem(
                path.Length == 0 ? property.Name : $"{path}.{property.Name}",
                property.Name,
                $"{what} has no field `{property.Name}`.{NearestName.Hint(property.Name, known)}"));
        }
    }

    private IEnumerable<(string Name, JsonElement Value)> Members(JsonElement element, string path) =>
        Properties(element, path).Select(property => (property.Name, property.Value));

    private IEnumerable<JsonProperty> Properties(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            _problems.Add(new JsonProblem(path, MessageCheck.Show(element), $"`{MessageCheck.Show(element)}` is not an object."));
            yield break;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            if (seen.Add(property.Name))
            {
                yield return property;
                continue;
            }

            _problems.Add(new JsonProblem(path.Length == 0 ? property.Name : $"{path}.{property.Name}", "", $"`{property.Name}` is given twice."));
        }
    }

    /// <summary>A human step is two: the task, and the wait for it (ACT-25).</summary>
    private static IEnumerable<string> StepNames(Step step) => step.CreateTask is { Wait: true } ? [step.Id, WorkflowCompiler.WaitOf(step.Id)] : [step.Id];
}
