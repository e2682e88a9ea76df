using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Values;
using Wire = Roster.V1.JournalEntry;

namespace Roster.Protocol.Mapping;

/// <summary>Journal entries as readers see them: names in place of numbers.</summary>
public static class JournalMapping
{
    /// <summary>Whether an entry is shown; bookkeeping is not.</summary>
    public static bool IsShown(EntryKind kind) => kind is not (EntryKind.PropertyTouched or EntryKind.EventIdsForgotten or EntryKind.StepMoved);

    /// <summary>Maps an entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="objectType">Number of the record's object type.</param>
    /// <param name="recordId">Id of the record.</param>
    /// <param name="at">Turn time.</param>
    /// <param name="position">Position of the turn.</param>
    /// <param name="catalog">Names.</param>
    /// <param name="stepId">Name of a step of a workflow, also of one that is gone.</param>
    public static Wire ToWire(
        in JournalEntry entry, int objectType, string recordId, Core.Timestamp at, long position, TenantCatalog catalog, Func<int, int, string> stepId)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(stepId);
        var type = catalog.Schema.ObjectType(objectType);
        var wire = new Wire
        {
            Kind = (Wire.Types.Kind)(int)entry.Kind,
            Ref = new V1.RecordRef { ObjectType = type.Name, RecordId = recordId },
            At = ValueMapping.ToWire(at),
            Position = position,
            Version = entry.Version,
            EnrollmentNumber = entry.Enrollment,
            ExecutionIndex = entry.Execution,
            OccurredAt = ValueMapping.ToWire(entry.OccurredAt),
            Source = entry.Source ?? string.Empty,
        };
        if (entry.Workflow != 0)
        {
            wire.WorkflowId = catalog.FindWorkflow(entry.Workflow)?.Identity.Id ?? $"#{entry.Workflow}";
            wire.StepId = entry.Step == 0 ? string.Empty : stepId(entry.Workflow, entry.Step);
        }

        foreach (var field in entry.Fields ?? [])
        {
            // A leading dot tells properties of the record from fixed fields of a task (Turn.TaskFields).
            wire.Properties.Add(ValueMapping.ToWire(field.Name.StartsWith('.') && entry.Kind == EntryKind.EffectRequested ? field with { Name = field.Name[1..] } : field));
        }

        AddByKind(wire, entry, catalog, type);
        return wire;
    }

    private static void AddByKind(Wire wire, in JournalEntry entry, TenantCatalog catalog, Core.Schema.ObjectTypeDefinition type)
    {
        switch (entry.Kind)
        {
            case EntryKind.EventReceived:
                wire.Type = catalog.Schema.EventTypeName(entry.Subject);
                wire.EventId = entry.Text ?? string.Empty;
                wire.Clamped = entry.Flag;
                break;
            case EntryKind.CommandReceived:
                wire.Type = entry.Subject == (int)CommandKind.Enroll ? "enroll" : "unenroll";
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
                wire.Type = ((TriggerKind)entry.Subject).ToString().ToLowerInvariant();
                break;
            case EntryKind.StepEntered:
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
            case EntryKind.EffectCompleted:
                wire.Result = ResultName(entry.Result);
                wire.Detail = string.Join(": ", new[] { entry.Text, entry.Source }.Where(t => !string.IsNullOrEmpty(t)));
                wire.Source = string.Empty;
                break;
            case EntryKind.GoalMet:
                wire.Name = entry.Text ?? string.Empty;
                break;
            case EntryKind.EnrollmentEnded:
                wire.EndReason = (V1.Enrollment.Types.EndReason)entry.Code;
                break;
            case EntryKind.RecordCreated:
            case EntryKind.LoopGuard:
                break;
            default:
                throw new InvalidOperationException($"Journal entry kind {entry.Kind} is not shown.");
        }
    }

    /// <summary>The API name of a result (HIS-03): <c>SKIPPED_OFF</c>.</summary>
    public static string ResultName(StepResult result) => ApiName(result.ToString());

    /// <summary>The API name of a code: <c>AlreadyActive</c> becomes <c>ALREADY_ACTIVE</c>.</summary>
    public static string ApiName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{c}" : char.ToUpperInvariant(c).ToString()));
    }
}
