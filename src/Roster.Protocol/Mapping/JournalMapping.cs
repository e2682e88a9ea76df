using Roster.Core.Journal;
using Roster.Core.Values;
using Wire = Roster.V1.JournalEntry;

namespace Roster.Protocol.Mapping;

/// <summary>Journal entries as readers see them: names in place of numbers.</summary>
public static class JournalMapping
{
    /// <summary>Whether an entry is shown; bookkeeping is not.</summary>
    public static bool IsShown(EntryKind kind) => kind is < EntryKind.PropertyTouched or (> EntryKind.RecurrenceSet and < EntryKind.MessagesSent);

    /// <summary>Maps an entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="objectType">Number of the record's object type.</param>
    /// <param name="recordId">Id of the record.</param>
    /// <param name="at">Turn time.</param>
    /// <param name="position">Position of the turn.</param>
    /// <param name="names">Names.</param>
    public static Wire ToWire(in JournalEntry entry, int objectType, string recordId, Core.Timestamp at, long position, IJournalNames names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var type = names.Schema.ObjectType(objectType);
        var wire = new Wire
        {
            Kind = (Wire.Types.Kind)(int)entry.Kind,
            Ref = new V1.RecordRef { ObjectType = type.Name, RecordId = recordId },
            At = ValueMapping.ToWire(at),
            Position = position,
            Version = entry.Version,
            EnrollmentNumber = entry.Enrollment,
            ExecutionIndex = entry.Execution,
            OccurredAt = ValueMapping.ToWire(entry.Kind == EntryKind.StepFinished ? Core.Timestamp.None : entry.OccurredAt),
            Source = entry.Source ?? string.Empty,
        };
        if (entry.Workflow != 0)
        {
            wire.WorkflowId = names.WorkflowId(entry.Workflow);
            wire.StepId = entry.Step == 0 ? string.Empty : names.StepId(entry.Workflow, entry.Step);
        }

        foreach (var field in entry.Fields ?? [])
        {
            // A leading dot tells properties of the record from fields of a task (Core.Workflows.TaskMarks).
            wire.Properties.Add(ValueMapping.ToWire(field.Name.StartsWith(Core.Workflows.TaskMarks.Property) && entry.Kind == EntryKind.EffectRequested ? field with { Name = field.Name[1..] } : field));
        }

        if (entry.Kind is EntryKind.EmailEngaged or EntryKind.EmailEdited)
        {
            wire.Name = entry.Kind == EntryKind.EmailEngaged ? ApiName(((EmailSignal)entry.Code).ToString()) : string.Empty;
            return wire;
        }

        AddByKind(wire, entry, names, type);
        return wire;
    }

    private static void AddByKind(Wire wire, in JournalEntry entry, IJournalNames names, Core.Schema.ObjectTypeDefinition type)
    {
        switch (entry.Kind)
        {
            case EntryKind.EventReceived:
                wire.Type = names.Schema.EventTypeName(entry.Subject);
                wire.EventId = entry.Text ?? string.Empty;
                wire.Clamped = entry.Flag;
                break;
            case EntryKind.CommandReceived:
                AddCommand(wire, entry, names);
                wire.EventId = entry.Text ?? string.Empty;
                break;
            case EntryKind.PropertyChanged:
            case EntryKind.PropertyLate:
                wire.Name = type.Find(entry.Subject)?.Name ?? $"#{entry.Subject}";
                wire.Value = ValueMapping.ToWire(entry.Value);
                break;
            case EntryKind.EnrollmentRefused:
            case EntryKind.Enrolled:
                wire.Decision = (V1.Decision.Types.Code)entry.Code;
                wire.EventId = entry.Text ?? string.Empty;
                wire.Type = ((TriggerKind)entry.Subject).ToString().ToLowerInvariant();
                wire.Detail = DetailOf(entry, names);
                break;
            case EntryKind.StepEntered:
                wire.DueAt = ValueMapping.ToWire(entry.DueAt);
                wire.Result = entry.Code == (int)Core.Records.StepPhase.Window ? ResultName(StepResult.Rescheduled) : string.Empty;
                break;
            case EntryKind.StepHeld or EntryKind.StepRescheduled or EntryKind.EffectBlocked:
                wire.DueAt = ValueMapping.ToWire(entry.DueAt);
                break;
            case EntryKind.StepFinished:
                wire.Result = ResultName(entry.Result);
                wire.Name = entry.Text ?? string.Empty;
                wire.Detail = entry.Source ?? string.Empty;
                wire.Source = string.Empty;
                break;
            case EntryKind.EffectRequested:
                wire.Name = entry.Text ?? string.Empty;
                wire.DueAt = ValueMapping.ToWire(entry.DueAt);
                break;
            case EntryKind.EffectCompleted or EntryKind.DeadLetterClosed:
                wire.Result = ResultName(entry.Result);
                wire.Detail = string.Join(": ", new[] { entry.Text, entry.Source }.Where(t => !string.IsNullOrEmpty(t)));
                wire.Source = string.Empty;
                break;
            case EntryKind.GoalMet:
                wire.Name = entry.Text ?? string.Empty;
                wire.Counted = entry.Flag;
                break;
            case EntryKind.EnrollmentEnded:
                wire.EndReason = (V1.Enrollment.Types.EndReason)entry.Code;
                wire.Detail = DetailOf(entry, names);
                break;
            case EntryKind.ListJoined:
            case EntryKind.ListLeft:
                wire.Name = names.ListId(entry.Subject);
                break;
            case EntryKind.Associated:
            case EntryKind.Dissociated:
            case EntryKind.CopiesCut:
            case EntryKind.MessageReceived:
            case EntryKind.MessageReturned:
            case EntryKind.RecordMerged:
            case EntryKind.RecordAbsorbed:
                AddOther(wire, entry, names);
                break;
            case EntryKind.RecordCreated:
            case EntryKind.LoopGuard:
            case EntryKind.EffectWithdrawn:
            case EntryKind.RecordDeleted:
            case EntryKind.RecordRestored:
            case EntryKind.RecordErased:
                break;
            default:
                throw new InvalidOperationException($"Journal entry kind {entry.Kind} is not shown.");
        }
    }

    private static void AddOther(Wire wire, in JournalEntry entry, IJournalNames names)
    {
        wire.Other = new V1.RecordRef { ObjectType = names.Schema.ObjectType(entry.Subject).Name, RecordId = entry.Text ?? string.Empty };
        wire.Source = string.Empty;
        if (entry.Kind is EntryKind.MessageReceived or EntryKind.MessageReturned)
        {
            wire.Type = ApiName(((Core.Turns.MessageKind)entry.Code).ToString()).ToLowerInvariant();
            wire.Detail = entry.Kind == EntryKind.MessageReturned ? ApiName(((Core.RefusalReason)entry.Number).ToString()) : string.Empty;
            wire.ExecutionIndex = 0;
        }
        else if (entry.Kind is not (EntryKind.RecordMerged or EntryKind.RecordAbsorbed))
        {
            wire.Name = names.Schema.LabelName(entry.Code);
        }
    }

    private static void AddCommand(Wire wire, in JournalEntry entry, IJournalNames names)
    {
        var command = (CommandKind)entry.Subject;
        wire.Type = ApiName(command.ToString()).ToLowerInvariant();
        if (command is CommandKind.AddToList or CommandKind.RemoveFromList)
        {
            // The target of the command is a list, not a workflow.
            wire.WorkflowId = string.Empty;
            wire.Name = names.ListId(entry.Workflow);
        }
    }

    /// <summary>The list, goal, event type or workflow that decided; empty for none.</summary>
    public static string DetailOf(in JournalEntry entry, IJournalNames names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var number = (int)entry.Number;
        if (number == 0)
        {
            return string.Empty;
        }

        return entry.Kind switch
        {
            EntryKind.EnrollmentEnded when entry.EndReason == EndReason.Suppressed => names.ListId(number),
            EntryKind.EnrollmentEnded when entry.EndReason == EndReason.GoalMet => names.GoalId(entry.Workflow, number),
            EntryKind.EnrollmentEnded => names.WorkflowId(number),
            EntryKind.EnrollmentRefused when entry.Decision == Decision.Suppressed => names.ListId(number),
            EntryKind.EnrollmentRefused when entry.Decision == Decision.GoalAlreadyMet => names.GoalId(entry.Workflow, number),
            EntryKind.Enrolled when entry.Subject == (int)TriggerKind.Event => names.Schema.EventTypeName(number),
            EntryKind.Enrolled when entry.Subject == (int)TriggerKind.Workflow => names.WorkflowId(number),
            _ => string.Empty,
        };
    }

    /// <summary>The API name of a result (HIS-03): <c>SKIPPED_OFF</c>.</summary>
    public static string ResultName(StepResult result) => ApiName(result.ToString());

    /// <summary>The API name of a code: <c>AlreadyActive</c> becomes <c>ALREADY_ACTIVE</c>.</summary>
    public static string ApiName(string name) => Core.ApiNames.Of(name);
}
