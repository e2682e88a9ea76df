using System.Collections.Frozen;
using Roster.Core;
using Roster.Core.Schema;
using Roster.Core.Workflows;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Catalog;

/// <summary>A workflow with its draft and versions, as one document. Changed by copy; the owner holds the latest.</summary>
internal sealed class WorkflowEntry
{
    private readonly Dictionary<string, int> _stepNumbers = new(StringComparer.Ordinal);

    public WorkflowEntry(WorkflowDocument document)
    {
        Document = document;
        foreach (var step in document.Steps)
        {
            _stepNumbers[step] = _stepNumbers.Count + 1;
        }
    }

    public WorkflowDocument Document { get; }

    public string Id => Document.Draft.Id;

    /// <summary>Name of a step number, also of one that is gone.</summary>
    public string StepId(int number) => number >= 1 && number <= Document.Steps.Count ? Document.Steps[number - 1] : $"#{number}";

    /// <summary>Number of a step id; a new one is added to the document.</summary>
    public int StepNumber(string id)
    {
        if (!_stepNumbers.TryGetValue(id, out var number))
        {
            Document.Steps.Add(id);
            number = Document.Steps.Count;
            _stepNumbers[id] = number;
        }

        return number;
    }

    /// <summary>A copy that may be changed.</summary>
    public WorkflowEntry Copy() => new(Document.Clone());

    /// <summary>The draft, or a version, with the output fields filled.</summary>
    public Workflow ToWire(int version = 0)
    {
        var wire = (version == 0 ? Document.Draft : Document.Versions[version - 1]).Clone();
        wire.Revision = Document.Revision;
        wire.Version = version == 0 ? Document.Versions.Count : version;
        wire.State = Document.State;
        wire.CreatedAt = ValueMapping.ToWire(new Timestamp(Document.CreatedAt));
        wire.UpdatedAt = ValueMapping.ToWire(new Timestamp(Document.UpdatedAt));
        return wire;
    }

    /// <summary>Compiles the newest version; null when there is none.</summary>
    /// <exception cref="InvalidOperationException">A stored version does not compile any more: a bug.</exception>
    public CompiledWorkflow? CompileNewest(TenantSchema schema)
    {
        if (Document.Versions.Count == 0)
        {
            return null;
        }

        var compiled = Compile(Document.Versions[^1], Document.Versions.Count, schema, out var problems);
        if (compiled is null)
        {
            throw new InvalidOperationException($"Version {Document.Versions.Count} of workflow '{Id}' was published but does not compile: {problems[0].Path}: {problems[0].Message}");
        }

        compiled.SetMoved(FindMoved().ToFrozenDictionary());
        return compiled;
    }

    /// <summary>Checks and compiles a definition as it would be published.</summary>
    public CompiledWorkflow? Compile(Workflow workflow, int version, TenantSchema schema, out IReadOnlyList<WorkflowProblem> problems)
    {
        var identity = new WorkflowIdentity(workflow.Id, Document.Number, version, (WorkflowState)(int)Document.State, new Timestamp(Document.CreatedAt));
        return WorkflowCompiler.Compile(WorkflowMapping.ToCore(workflow), identity, schema, StepNumber, out problems);
    }

    /// <summary>For each step that the newest version lacks: the first step after it, by the connections of the version that had it last, that the newest has (EDT-09).</summary>
    private Dictionary<int, int> FindMoved()
    {
        var newest = Document.Versions[^1].Steps.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        var moved = new Dictionary<int, int>();
        for (var v = Document.Versions.Count - 2; v >= 0; v--)
        {
            var steps = Document.Versions[v].Steps.ToDictionary(s => s.Id, StringComparer.Ordinal);
            foreach (var id in steps.Keys.Where(id => !newest.Contains(id)))
            {
                moved.TryAdd(StepNumber(id), Successor(id, steps, newest));
            }
        }

        return moved;
    }

    private int Successor(string id, Dictionary<string, Step> steps, HashSet<string> newest)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (id.Length > 0 && !newest.Contains(id) && seen.Add(id) && steps.TryGetValue(id, out var step))
        {
            id = step.KindCase != Step.KindOneofCase.Branch ? step.Next
                : step.Branch.DefaultNext.Length > 0 ? step.Branch.DefaultNext
                : step.Branch.Branches.Select(b => b.Next).FirstOrDefault(string.Empty);
        }

        return newest.Contains(id) ? StepNumber(id) : 0;
    }
}
