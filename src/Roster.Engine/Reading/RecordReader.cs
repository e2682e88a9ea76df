using Roster.Core.Records;
using Roster.Engine.Catalog;
using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <summary>A packed head as readers see it.</summary>
public static class RecordReader
{
    /// <summary>Reads a record.</summary>
    public static Record Read(RecordState state, TenantOwner owner)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(owner);
        var type = owner.Catalog.Schema.ObjectType(state.ObjectType);
        var record = new Record
        {
            Ref = new RecordRef { ObjectType = type.Name, RecordId = state.Id },
            CreatedAt = ValueMapping.ToWire(state.CreatedAt),
            LastTurnAt = ValueMapping.ToWire(state.LastTurnAt),
        };
        for (var i = 0; i < state.PropertyCount; i++)
        {
            var view = state.PropertyAt(i);
            if (!view.IsUnknown)
            {
                record.Properties.Add(new Property
                {
                    Name = type.Find(view.Number)?.Name ?? $"#{view.Number}",
                    Value = ValueMapping.ToWire(view.Value),
                    OccurredAt = ValueMapping.ToWire(view.OccurredAt),
                    UpdatedAt = ValueMapping.ToWire(view.UpdatedAt),
                    Source = view.Source,
                });
            }
        }

        var sorted = record.Properties.OrderBy(p => p.Name, StringComparer.Ordinal).ToList();
        record.Properties.Clear();
        record.Properties.AddRange(sorted);
        AddEnrollments(record, state, owner);
        AddMemory(record, state, owner);
        return record;
    }

    private static void AddEnrollments(Record record, RecordState state, TenantOwner owner)
    {
        foreach (ref readonly var enrollment in state.Enrollments)
        {
            record.Enrollments.Add(new Enrollment
            {
                WorkflowId = WorkflowId(owner, enrollment.Workflow),
                Version = enrollment.Version,
                Number = enrollment.Number,
                EnrolledAt = ValueMapping.ToWire(enrollment.EnrolledAt),
                StepId = enrollment.Execution == 0 ? string.Empty : owner.StepId(enrollment.Workflow, enrollment.Step),
                DueAt = ValueMapping.ToWire(enrollment.DueAt),
            });
        }

        foreach (ref readonly var summary in state.Summaries)
        {
            record.Summaries.Add(new EnrollmentSummary
            {
                WorkflowId = WorkflowId(owner, summary.Workflow),
                TimesEnrolled = summary.TimesEnrolled,
                Active = state.FindActive(summary.Workflow) >= 0,
                LastEnd = (Enrollment.Types.EndReason)(int)summary.LastEnd,
                LastEndedAt = ValueMapping.ToWire(summary.LastEndedAt),
            });
        }
    }

    private static void AddMemory(Record record, RecordState state, TenantOwner owner)
    {
        record.Deleted = state.Gone == GoneKind.Deleted;
        record.AssociationCount = state.AssociationCount;
        record.MergedInto = state.MergedInto;
        foreach (ref readonly var membership in state.Memberships)
        {
            record.Lists.Add(owner.ListId(membership.List));
        }

        foreach (ref readonly var events in state.EventSummaries)
        {
            record.Events.Add(new EventHistory
            {
                EventType = owner.Schema.EventTypeName(events.Type),
                Count = events.Count,
                FirstAt = ValueMapping.ToWire(events.FirstAt),
                LastAt = ValueMapping.ToWire(events.LastAt),
            });
        }
    }

    private static string WorkflowId(TenantOwner owner, int number) => owner.WorkflowId(number);
}
