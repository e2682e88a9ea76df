using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <content>
/// Sequences. The inbox of the sender answers as it would, on a copy that nobody keeps; a pause is lifted and a task done as soon as something waits for it. Nobody opens or
/// clicks, so a container goes by choice, or on as for those who did neither.
/// </content>
public sealed partial class WorkflowTester
{
    private const string Clicked = "clicked";
    private const string Opened = "opened";
    private const string Otherwise = "otherwise";
    private const string RecordOutput = "record_id";
    private const long ContactNumber = 1;
    private const long InboxNumber = 2;

    private readonly RecordState _inbox = new();
    private readonly Dictionary<string, string> _ways = new(StringComparer.Ordinal);
    private int _inboxType;
    private int _messages;

    /// <summary>Walks through a sequence.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="sequence">The sequence that it means.</param>
    /// <param name="record">The contact to begin with, or null for one without values. It is not changed.</param>
    /// <param name="inbox">The counts of the sender's inbox, or null for one that sent nothing. They are not changed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<TestWorkflowResponse> RunAsync(TestSequenceRequest request, Sequence sequence, RecordState? record, RecordState? inbox, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(sequence);
        var chosen = sequence.Clone();
        foreach (var choice in request.Choices)
        {
            Choose(chosen, choice);
        }

        _catalog = _owner.CatalogFor(chosen, out var compiled, out var problems);
        _workflow = compiled ?? throw Broken("sequence", problems);
        await LoadAsync(_state, record, new RecordKey(_owner.Number, _workflow.ObjectType.Number, "test"), ContactNumber, cancellationToken).ConfigureAwait(false);
        if (_catalog.Schema.FindObjectType(SequenceLowering.InboxType) is { } type)
        {
            _inboxType = type.Number;
            await LoadAsync(_inbox, inbox, new RecordKey(_owner.Number, type.Number, chosen.Owner), InboxNumber, cancellationToken).ConfigureAwait(false);
        }

        var facts = new SequenceFacts(request.User.Length > 0 ? request.User : chosen.Owner) { IsByHand = request.ByHand, FirstStep = FirstStep(request.FirstStep) };
        return Walk(request.Start, request.Properties, new CommandInput(CommandKind.Enroll, _workflow.Number, "test", facts.User) { Facts = facts });
    }

    private int FirstStep(string id)
    {
        var number = _workflow.Steps.FirstOrDefault(s => s.Id == id).Number;
        return id.Length == 0 || number > 0 ? number : throw RosterException.Invalid("first_step", id, $"The sequence has no step '{Core.Refusal.Cut(id)}'.");
    }

    /// <summary>A chosen way changes places with the one of those who did neither: all steps stay, for what names them.</summary>
    private void Choose(Sequence sequence, TestChoice choice)
    {
        var container = Containers(sequence.Steps).FirstOrDefault(s => s.Id == choice.StepId)?.Adaptive
            ?? throw RosterException.Invalid("choices.step_id", choice.StepId, $"There is no container '{Core.Refusal.Cut(choice.StepId)}'.");
        switch (choice.Branch)
        {
            case Clicked when container.Clicked is not null:
                (container.Clicked, container.Otherwise) = (container.Otherwise ?? new SequenceSteps(), container.Clicked);
                break;
            case Clicked or Opened when container.Opened is not null:
                (container.Opened, container.Otherwise) = (container.Otherwise ?? new SequenceSteps(), container.Opened);
                break;
            case Clicked or Opened or Otherwise or "":
                break;
            default:
                throw RosterException.Invalid("choices.branch", choice.Branch, $"The ways of container '{choice.StepId}' are {Clicked}, {Opened} and {Otherwise}.");
        }

        _ways[choice.StepId] = choice.Branch.Length == 0 ? Otherwise : choice.Branch;
    }

    private static IEnumerable<SequenceStep> Containers(IEnumerable<SequenceStep> steps) => steps
        .Where(s => s.Adaptive is not null)
        .SelectMany(s => new[] { s.Adaptive.Clicked, s.Adaptive.Opened, s.Adaptive.Otherwise }.SelectMany(way => Containers(way?.Steps ?? [])).Prepend(s));

    /// <summary>What the contact has sent to the inbox is answered at once, until nothing more is sent.</summary>
    private void AskInbox()
    {
        var sent = new Queue<RecordMessage>(_turn.Messages.ToArray().Where(IsForInbox));
        while (_inboxType != 0 && sent.TryDequeue(out var message))
        {
            _turn.Decide(_inbox, new MessageInput(message, ContactNumber, ++_messages), _catalog, _now, ++_turnId);
            foreach (var answer in _turn.Messages.ToArray())
            {
                Decide(new MessageInput(answer, InboxNumber, ++_messages));
                foreach (var next in _turn.Messages.ToArray().Where(IsForInbox))
                {
                    sent.Enqueue(next);
                }
            }
        }
    }

    private bool IsForInbox(RecordMessage message) => message.ToType == _inboxType && message.ToId == _inbox.Id;

    /// <summary>What lifts the pause, or completes the task, that the contact waits for; null when it waits for neither.</summary>
    private TurnInput? Release()
    {
        var index = _state.FindEnrollment(_enrollment);
        if (_inboxType == 0 || index < 0 || _state.Enrollments[index] is not { Phase: StepPhase.Wait, Step: var step })
        {
            return null;
        }

        var task = _workflow.Steps.FirstOrDefault(s => WorkflowCompiler.WaitOf(s.Id) == StepId(step));
        if (task.Number == 0)
        {
            return new CommandInput(CommandKind.LiftPause, _workflow.Number, $"test-{_turnId}", "test");
        }

        return new MessageInput(
            new RecordMessage(MessageKind.Occurred, _workflow.ObjectType.Number, _state.Id)
            {
                FromType = _catalog.Schema.FindObjectType(StandardObjectTypes.Task)?.Number ?? 0,
                FromId = _state.FindOutput(_enrollment, task.Number, RecordOutput).ToString(),
                Subject = _catalog.Schema.FindEventType(StandardEventTypes.TaskCompleted),
                OccurredAt = _now,
                Fields = [new NamedValue("task", _state.FindOutput(_enrollment, task.Number, RecordOutput))],
                Source = "test",
            },
            InboxNumber,
            ++_messages);
    }
}
