using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using JournalEntry = Roster.Core.Journal.JournalEntry;

namespace Roster.Engine.Reading;

/// <summary>
/// Walks a record, real or made up, through a workflow or a sequence on a virtual clock: the same turns as in earnest, on a copy of the state that nobody
/// keeps (HIS-05, HIS-06). Delays are skipped, tasks succeed, branches go by the data or by choice.
/// </summary>
public sealed partial class WorkflowTester
{
    private const int TurnsMax = 5_000;

    private readonly IRecordStore _store;
    private readonly TenantOwner _owner;
    private readonly TimeProvider _clock;
    private readonly Turn _turn = new();
    private readonly RecordState _state = new();
    private readonly TestWorkflowResponse _response = new();
    private TenantCatalog _catalog = null!;
    private CompiledWorkflow _workflow = null!;
    private Timestamp _now;
    private ulong _turnId;
    private int _enrollment;

    /// <summary>Creates a tester; one per walk.</summary>
    public WorkflowTester(IRecordStore store, TenantOwner owner, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _store = store;
        _owner = owner;
        _clock = clock;
    }

    /// <summary>Walks.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="record">The record to begin with, or null for one without values. It is not changed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<TestWorkflowResponse> RunAsync(TestWorkflowRequest request, RecordState? record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Prepare(request);
        await LoadAsync(_state, record, new RecordKey(_owner.Number, _workflow.ObjectType.Number, "test"), ContactNumber, cancellationToken).ConfigureAwait(false);
        return Walk(
            request.Start,
            request.Properties,
            request.Event is null ? new CommandInput(CommandKind.Enroll, _workflow.Number, "test", "test") : Sample(request.Event.Type, request.Event).ToInput(_owner));
    }

    private TestWorkflowResponse Walk(Google.Protobuf.WellKnownTypes.Timestamp? from, IReadOnlyCollection<PropertyValue> properties, TurnInput begin)
    {
        _now = from is not null && ValueMapping.TryRead(from, out var start) ? start : _clock.Now();
        var before = Values();
        if (properties.Count > 0)
        {
            Run((Sample(string.Empty, null) with { EventId = "test-values", Writes = properties, Baseline = true }).ToInput(_owner));
            before = Values();
        }

        Run(begin);
        for (var turns = 0; turns < TurnsMax && _state.FindEnrollment(_enrollment) >= 0 && Next() is { } next; turns++)
        {
            Run(next);
        }

        foreach (var (name, value) in Values().Where(v => !before.TryGetValue(v.Key, out var former) || !former.Equals(v.Value)))
        {
            _response.Changes.Add(new PropertyValue { Name = name, Value = ValueMapping.ToWire(value) });
        }

        return _response;
    }

    private void Prepare(TestWorkflowRequest request)
    {
        var workflow = (request.Workflow ?? _owner.Get(request.WorkflowId, 0)).Clone();
        foreach (var choice in request.Choices)
        {
            Choose(workflow, choice);
        }

        _catalog = _owner.CatalogFor(workflow, out var compiled, out var problems);
        _workflow = compiled ?? throw Broken("workflow", problems);
    }

    private static RosterException Broken(string what, IReadOnlyList<WorkflowProblem> problems) => new(
        RosterError.FailedPrecondition, $"The {what} cannot run: {problems[0].Path}: {problems[0].Message}", problems: [.. problems.Select(WorkflowMapping.ToWire)]);

    /// <summary>A chosen way is a step that always goes there.</summary>
    private static void Choose(Workflow workflow, TestChoice choice)
    {
        var step = workflow.Steps.FirstOrDefault(s => s.Id == choice.StepId) ?? throw RosterException.Invalid("choices.step_id", choice.StepId, $"There is no step '{Core.Refusal.Cut(choice.StepId)}'.");
        var next = step.KindCase switch
        {
            Step.KindOneofCase.Branch => choice.Branch.Length == 0 ? step.Branch.DefaultNext : step.Branch.Branches.FirstOrDefault(b => b.Name == choice.Branch)?.Next,
            Step.KindOneofCase.ValueBranch => choice.Branch.Length == 0 ? step.ValueBranch.DefaultNext : step.ValueBranch.Cases.FirstOrDefault(c => c.Value == choice.Branch)?.Next,
            Step.KindOneofCase.RandomSplit => step.RandomSplit.Paths.FirstOrDefault(p => p.Name == choice.Branch)?.Next,
            _ => null,
        };
        step.Next = next ?? throw RosterException.Invalid("choices.branch", choice.Branch, $"Step '{step.Id}' has no way '{Core.Refusal.Cut(choice.Branch)}'.");
        step.Delay = new Delay { Amount = 0, Unit = Delay.Types.Unit.Minutes };
    }

    /// <summary>Copies a record, or makes one without values.</summary>
    private async Task LoadAsync(RecordState state, RecordState? record, RecordKey key, long number, CancellationToken cancellationToken)
    {
        if (record is null)
        {
            state.Reset(key, number);
            return;
        }

        var writer = new Core.Packing.PackedWriter();
        record.Pack(writer);
        state.Load(writer.Written);
        foreach (var section in record.Sections)
        {
            if (await _store.LoadSectionAsync(record.Number, section.Index, cancellationToken).ConfigureAwait(false) is { } content)
            {
                state.AddSection(section.Index, content);
            }
        }
    }

    private SampleEvent Sample(string type, Event? sample) => new(type, sample, new RecordRef { ObjectType = _workflow.ObjectType.Name, RecordId = _state.Id });

    private Dictionary<string, Core.Values.Value> Values()
    {
        var values = new Dictionary<string, Core.Values.Value>(StringComparer.Ordinal);
        for (var i = 0; i < _state.PropertyCount; i++)
        {
            var view = _state.PropertyAt(i);
            values[_workflow.ObjectType.Find(view.Number)?.Name ?? $"#{view.Number}"] = view.Value;
        }

        return values;
    }

    private void Run(TurnInput input)
    {
        Decide(input);
        AskInbox();
    }

    private void Decide(TurnInput input)
    {
        var result = _turn.Decide(_state, input, _catalog, _now, ++_turnId);
        if (result.Status == TurnStatus.Refused)
        {
            _response.Decision = V1.Decision.Types.Code.RecordGone;
        }

        foreach (ref readonly var entry in _turn.Entries)
        {
            if (entry.Workflow == _workflow.Number)
            {
                Note(entry);
            }
        }
    }

    /// <summary>What happens next to the walker: a task that succeeds, or the next instant.</summary>
    private TurnInput? Next()
    {
        foreach (ref readonly var effect in _state.OpenEffects)
        {
            if (!effect.IsWithdrawn)
            {
                return new CompletionInput(effect.Enrollment, effect.Step, effect.Execution, StepResult.Success, string.Empty, string.Empty, []);
            }
        }

        if (Release() is { } released)
        {
            return released;
        }

        if (_state.NextDueAt.IsNone)
        {
            return null;
        }

        _now = _state.NextDueAt > _now ? _state.NextDueAt : _now;
        return TimerInput.Instance;
    }

    private void Note(in JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.Enrolled when _enrollment == 0:
                _enrollment = entry.Enrollment;
                _response.Decision = V1.Decision.Types.Code.Enrolled;
                break;
            case EntryKind.EnrollmentRefused when _enrollment == 0:
                _response.Decision = (V1.Decision.Types.Code)entry.Code;
                break;
            case EntryKind.StepEntered when entry.Enrollment == _enrollment:
                _response.Steps.Add(new TestStep { StepId = StepId(entry.Step), EnteredAt = ValueMapping.ToWire(_state.LastTurnAt) });
                break;
            case EntryKind.StepFinished when entry.Enrollment == _enrollment && _response.Steps.LastOrDefault(s => s.LeftAt is null) is { } step:
                step.LeftAt = ValueMapping.ToWire(_state.LastTurnAt);
                step.Branch = _ways.GetValueOrDefault(step.StepId) ?? entry.Text ?? string.Empty;
                step.Result = JournalMapping.ResultName(entry.Result);
                break;
            case EntryKind.EnrollmentEnded when entry.Enrollment == _enrollment:
                _response.EndReason = (Enrollment.Types.EndReason)entry.Code;
                break;
            default:
                break;
        }
    }

    private string StepId(int number) => _workflow.Steps.FirstOrDefault(s => s.Number == number).Id ?? string.Empty;

    /// <summary>An event of the walk.</summary>
    private sealed record SampleEvent(string Type, Event? Event, RecordRef Ref)
    {
        public string EventId { get; init; } = "test-event";

        public IReadOnlyCollection<PropertyValue>? Writes { get; init; }

        public bool Baseline { get; init; }

        public EventInput ToInput(TenantOwner owner)
        {
            var wire = new Event { EventId = EventId, ObjectType = Ref.ObjectType, RecordId = Ref.RecordId, Type = Type, Baseline = Baseline };
            wire.Writes.AddRange(Writes ?? (IReadOnlyCollection<PropertyValue>?)Event?.Writes ?? []);
            wire.Properties.AddRange(Baseline ? [] : (IReadOnlyCollection<PropertyValue>?)Event?.Properties ?? []);
            return EventReader.TryRead(wire, owner, out var admitted) is { } refusal ? throw RosterException.Invalid(refusal) : admitted.Input;
        }
    }
}
