using Roster.Core.Workflows;

namespace Roster.Core.Sequences;

/// <summary>
/// A sequence is a workflow that enrolls by name only and whose enrollments finish on the steps of their version (SEQ-14). This makes the
/// definition of that workflow: nested steps follow each other in one list.
/// </summary>
public static class SequenceLowering
{
    private const string DefaultAddress = "email";
    private const string DefaultSubscription = "one_to_one";
    private const string DefaultQueue = "sequence_email";
    private const int DefaultTaskMinute = 480;

    /// <summary>The object type of those who are enrolled: contacts.</summary>
    public const string ObjectType = "contact";

    /// <summary>The object type of the actors that count what inboxes send (SEQ-15). One record per user who has an inbox.</summary>
    public const string InboxType = "sequence_inbox";

    /// <summary>Makes the workflow.</summary>
    public static WorkflowDefinition ToWorkflow(SequenceDefinition sequence)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        var steps = new List<StepDefinition>();
        var paths = new List<string>();
        Add(sequence.Steps, string.Empty, "steps", steps, paths);
        return new WorkflowDefinition(
            sequence.Id, ObjectType, new StartDefinition(StartKind.Manual, null, true, [], false, []), [], steps, steps.Count == 0 ? string.Empty : steps[0].Id, string.Empty)
        {
            PublishPolicy = PublishPolicy.Pinned,
            Sequence = new SequenceSettingsDefinition(sequence.Owner, paths)
            {
                AddressProperty = OrDefault(sequence.AddressProperty, DefaultAddress),
                Subscription = OrDefault(sequence.Subscription, DefaultSubscription),
                Queue = OrDefault(sequence.Queue, DefaultQueue),
                Calendar = new SequenceCalendar(sequence.EligibleDays, sequence.WindowStart, sequence.WindowEnd ?? 1_440, sequence.TaskMinute ?? DefaultTaskMinute),
                TimeZoneProperty = sequence.TimeZoneProperty,
                OnReply = sequence.OnReply == EngagementScope.None ? EngagementScope.Contact : sequence.OnReply,
                OnMeeting = sequence.OnMeeting == EngagementScope.None ? EngagementScope.Contact : sequence.OnMeeting,
            },
        };
    }

    private static string OrDefault(string given, string fallback) => given.Length > 0 ? given : fallback;

    /// <summary>Adds steps that follow each other, and then go on at <paramref name="after"/>. Returns the id of the first, or that one.</summary>
    private static string Add(IReadOnlyList<SequenceStepDefinition> from, string after, string path, List<StepDefinition> steps, List<string> paths)
    {
        for (var i = 0; i < from.Count; i++)
        {
            var next = i + 1 < from.Count ? from[i + 1].Id : after;
            var place = steps.Count;
            steps.Add(null!);
            paths.Add($"{path}[{i}]");
            steps[place] = ToStep(from[i], next, paths[place], steps, paths) with { Lead = from[i].Delay };
        }

        return from.Count == 0 ? after : from[0].Id;
    }

    private static StepDefinition ToStep(SequenceStepDefinition step, string next, string path, List<StepDefinition> steps, List<string> paths)
    {
        switch (step)
        {
            case SequenceEmailDefinition email:
                return new SequenceEmailStepDefinition(email.Id, next, email);
            case SequenceTaskDefinition task:
                return new CreateTaskStepDefinition(task.Id, next, task.Title, task.Body, null, task.Wait) { Kind = task.Kind == SequenceTaskKind.None ? SequenceTaskKind.ToDo : task.Kind };
            case SequencePauseDefinition:
                return new SequencePauseStepDefinition(step.Id, next);
            case SequenceFinishDefinition:
                return new SequenceFinishStepDefinition(step.Id, string.Empty);
            case SequenceAdaptiveDefinition adaptive:
                var otherwise = Add(adaptive.Otherwise, next, $"{path}.adaptive.otherwise", steps, paths);
                var opened = adaptive.Opened is null ? otherwise : Add(adaptive.Opened, next, $"{path}.adaptive.opened", steps, paths);
                var clicked = adaptive.Clicked is null ? opened : Add(adaptive.Clicked, next, $"{path}.adaptive.clicked", steps, paths);
                return new SequenceAdaptiveStepDefinition(step.Id, string.Empty, adaptive.Of, clicked, opened, otherwise);
            default:
                return new IncompleteStepDefinition(step.Id, next);
        }
    }
}

/// <summary>What makes a workflow a sequence. Steps and times are where those of a workflow are.</summary>
/// <param name="Owner">The user who owns it (SEQ-01).</param>
/// <param name="StepPaths">Where each step is in the definition of the sequence, for what is said of it.</param>
public sealed record SequenceSettingsDefinition(string Owner, IReadOnlyList<string> StepPaths)
{
    /// <summary>The property that has the address.</summary>
    public required string AddressProperty { get; init; }

    /// <summary>The subscription whose consent is looked at.</summary>
    public required string Subscription { get; init; }

    /// <summary>The queue that e-mails go to.</summary>
    public required string Queue { get; init; }

    /// <summary>Days, send window, task minute.</summary>
    public required SequenceCalendar Calendar { get; init; }

    /// <summary>The property that has the contact's zone; empty for the sender's.</summary>
    public required string TimeZoneProperty { get; init; }

    /// <summary>SEQ-10, SEQ-13.</summary>
    public EngagementScope OnReply { get; init; }

    /// <summary>SEQ-11, SEQ-13.</summary>
    public EngagementScope OnMeeting { get; init; }
}

/// <summary>An e-mail of a sequence.</summary>
public sealed record SequenceEmailStepDefinition(string Id, string Next, SequenceEmailDefinition Email) : StepDefinition(Id, Next);

/// <summary>A pause of a sequence.</summary>
public sealed record SequencePauseStepDefinition(string Id, string Next) : StepDefinition(Id, Next);

/// <summary>The end of a sequence.</summary>
public sealed record SequenceFinishStepDefinition(string Id, string Next) : StepDefinition(Id, Next);

/// <summary>A container of a sequence: three ways on.</summary>
public sealed record SequenceAdaptiveStepDefinition(string Id, string Next, string Of, string ClickedNext, string OpenedNext, string OtherwiseNext) : StepDefinition(Id, Next);
