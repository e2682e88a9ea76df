using System.Collections.Frozen;
using Roster.Core;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Workflows;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;
using PublishPolicy = Roster.Core.Workflows.PublishPolicy;

namespace Roster.Engine.Catalog;

/// <summary>A workflow with its draft and versions, as one document. Changed by copy; the owner holds the latest.</summary>
internal sealed class WorkflowEntry
{
    private readonly Dictionary<string, int> _stepNumbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _goalNumbers = new(StringComparer.Ordinal);
    private (Core.Schema.TenantSettings Settings, ObjectTypeDefinition? Type) _compiledFor;
    private CompiledWorkflow? _newest;
    private CompiledWorkflow[] _older = [];

    public WorkflowEntry(WorkflowDocument document)
    {
        Document = document;
        foreach (var step in document.Steps)
        {
            _stepNumbers[step] = _stepNumbers.Count + 1;
        }

        foreach (var goal in document.Goals)
        {
            _goalNumbers[goal] = _goalNumbers.Count + 1;
        }
    }

    public WorkflowDocument Document { get; }

    public string Id => Document.Draft.Id;

    public bool IsLive => !Document.Deleted;

    /// <summary>Whether it is a sequence: a workflow whose versions are those of a sequence.</summary>
    public bool IsSequence => Document.Sequences.Count > 0;

    /// <summary>Whether the newest version of a sequence, or one that enrollments may still run, is owned by a user (SEQ-01).</summary>
    public bool IsOwnedBy(string user) => Document.Sequences.Any(s => s.Owner == user);

    /// <summary>A sequence, or a version of it, with the output fields filled.</summary>
    public Sequence ToSequence(int version = 0)
    {
        var wire = Document.Sequences[(version == 0 ? Document.Sequences.Count : version) - 1].Clone();
        wire.Revision = Document.Revision;
        wire.Version = version == 0 ? Document.Sequences.Count : version;
        wire.CreatedAt = ValueMapping.ToWire(new Timestamp(Document.CreatedAt));
        wire.UpdatedAt = ValueMapping.ToWire(new Timestamp(Document.UpdatedAt));
        return wire;
    }

    /// <summary>Adds a version of a sequence. What a workflow has too is kept as of a workflow, so that it is one for all who ask.</summary>
    public void AddSequence(Sequence sequence)
    {
        Document.Draft = new Workflow { Id = sequence.Id, DisplayName = sequence.DisplayName, ObjectType = SequenceLowering.ObjectType };
        Document.Versions.Add(Document.Draft.Clone());
        Document.Sequences.Add(sequence.Clone());
        Document.Revision++;
    }

    /// <summary>Checks and compiles a sequence as its next version.</summary>
    public CompiledWorkflow? CompileSequence(Sequence sequence, DefinitionScope scope, out IReadOnlyList<WorkflowProblem> problems) =>
        Compile(SequenceLowering.ToWorkflow(SequenceMapping.ToCore(sequence)), Document.Sequences.Count + 1, scope, out problems);

    /// <summary>The newest version; null when never published.</summary>
    public Workflow? Newest => Document.Versions.Count == 0 ? null : Document.Versions[^1];

    /// <summary>Name of a step number, also of one that is gone.</summary>
    public string StepId(int number) => number >= 1 && number <= Document.Steps.Count ? Document.Steps[number - 1] : $"#{number}";

    /// <summary>Name of a goal number, also of one that is gone.</summary>
    public string GoalId(int number) => number >= 1 && number <= Document.Goals.Count ? Document.Goals[number - 1] : $"#{number}";

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

    /// <summary>Number of a goal id; a new one is added to the document.</summary>
    public int GoalNumber(string id)
    {
        if (!_goalNumbers.TryGetValue(id, out var number))
        {
            Document.Goals.Add(id);
            number = Document.Goals.Count;
            _goalNumbers[id] = number;
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

    /// <summary>How other definitions see it.</summary>
    public WorkflowInfo ToInfo(TenantSchema schema)
    {
        var draft = WorkflowMapping.ToCore(Document.Draft);
        return new WorkflowInfo(Id, Document.Number, schema.FindObjectType(draft.ObjectType)?.Number ?? 0, [.. Document.Goals], DefinitionWalk.EnrollsIn(draft), IsSequence);
    }

    /// <summary>Compiles the newest version; null when there is none.</summary>
    /// <exception cref="InvalidOperationException">A stored version does not compile any more: a bug.</exception>
    public CompiledWorkflow? CompileNewest(DefinitionScope scope)
    {
        CompileAll(scope);
        return _newest;
    }

    /// <summary>Older versions that enrollments may be pinned to (EDT-11).</summary>
    public IEnumerable<CompiledWorkflow> CompileOlder(DefinitionScope scope)
    {
        CompileAll(scope);
        return _older;
    }

    /// <summary>Checks and compiles a definition as it would be published.</summary>
    public CompiledWorkflow? Compile(Workflow workflow, int version, DefinitionScope scope, out IReadOnlyList<WorkflowProblem> problems) =>
        Compile(WorkflowMapping.ToCore(workflow), version, scope, out problems);

    private CompiledWorkflow? Compile(WorkflowDefinition definition, int version, DefinitionScope scope, out IReadOnlyList<WorkflowProblem> problems)
    {
        var identity = new WorkflowIdentity(definition.Id, Document.Number, version, (WorkflowState)(int)Document.State, new Timestamp(Document.CreatedAt));
        return WorkflowCompiler.Compile(definition, identity, scope, StepNumber, GoalNumber, out problems);
    }

    /// <summary>
    /// Compiles once: an entry never changes, and numbers of lists, workflows, properties and event types never do; only settings and the
    /// object type are looked at again.
    /// </summary>
    private void CompileAll(DefinitionScope scope)
    {
        var key = (scope.Schema.Settings, scope.Schema.FindObjectType(Document.Draft.ObjectType));
        if (Document.Versions.Count == 0 || !IsLive || _compiledFor == key)
        {
            return;
        }

        var definitions = Enumerable.Range(1, Document.Versions.Count).Select(DefinitionOf).ToList();
        _newest = CompileStored(Document.Versions.Count, scope);
        _newest.SetFormer(FormerSteps.Of(definitions, definitions[^1], StepNumber));
        _older = definitions[^1].PublishPolicy == PublishPolicy.Pinned
            ? [.. Enumerable.Range(1, Document.Versions.Count - 1).Select(v => CompileStored(v, scope))]
            : [];
        _compiledFor = key;
    }

    private WorkflowDefinition DefinitionOf(int version) =>
        IsSequence ? SequenceLowering.ToWorkflow(SequenceMapping.ToCore(Document.Sequences[version - 1])) : WorkflowMapping.ToCore(Document.Versions[version - 1]);

    private CompiledWorkflow CompileStored(int version, DefinitionScope scope) =>
        Compile(DefinitionOf(version), version, scope, out var problems)
        ?? throw new InvalidOperationException($"Version {version} of workflow '{Id}' was published but does not compile: {problems[0].Path}: {problems[0].Message}");
}
