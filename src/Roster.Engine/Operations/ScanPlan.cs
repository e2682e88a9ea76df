using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Storage.V1;

namespace Roster.Engine.Operations;

/// <summary>What a scan does with one record: whether it concerns it, whether it needs a turn, and which.</summary>
internal sealed class ScanPlan
{
    private readonly TenantOwner _owner;
    private readonly OperationDocument _job;
    private readonly Timestamp _now;
    private readonly TenantCatalog _catalog;
    private readonly CompiledWorkflow? _workflow;
    private readonly int _workflowNumber;
    private readonly CompiledList? _list;
    private readonly int _listNumber;
    private readonly int _objectType;

    public ScanPlan(TenantOwner owner, OperationDocument job, Timestamp now)
    {
        _owner = owner;
        _job = job;
        _now = now;
        _catalog = owner.Catalog;
        _workflowNumber = job.WorkflowId.Length == 0 ? 0 : owner.NumberOfWorkflow(job.WorkflowId);
        _workflow = _catalog.FindWorkflow(_workflowNumber);
        _listNumber = job.ListId.Length == 0 ? 0 : owner.NumberOfList(job.ListId);
        _list = _catalog.FindList(_listNumber);
        _objectType = job.ObjectType.Length == 0 ? 0 : _catalog.Schema.FindObjectType(job.ObjectType)?.Number ?? 0;
    }

    private string Kind => _job.Operation.Kind;

    /// <summary>Whether there is nothing to do for anybody: the workflow is gone, off, or has no criteria.</summary>
    public bool IsEmpty => Kind switch
    {
        JobKinds.EnrollExisting => _workflow is not { IsEnrolling: true, CanEnrollExisting: true },
        JobKinds.ScheduledRun => _workflow is not { IsEnrolling: true },
        JobKinds.ListRebuild => _list?.Criteria is null,
        _ => false,
    };

    /// <summary>Whether a record is one of those that the job is about.</summary>
    public bool Concerns(RecordState state) => state.Tenant == _owner.Number && state.IsLive && Kind switch
    {
        JobKinds.BulkEnroll or JobKinds.BulkUnenroll when _listNumber != 0 => state.IsMember(_listNumber),
        JobKinds.BulkUnenroll or JobKinds.DeleteWorkflow => state.FindActive(_workflowNumber) >= 0,
        JobKinds.DeleteList => state.IsMember(_listNumber),
        JobKinds.ZonesChanged => state.Enrollments.Length > 0,
        JobKinds.SendCopies => state.ObjectType == _objectType,
        JobKinds.ListRebuild => state.ObjectType == _list!.Info.ObjectType,
        _ => state.ObjectType == _workflow?.ObjectType.Number,
    };

    /// <summary>Judges a read of the state (ENR-02).</summary>
    public async ValueTask<bool> NeedsTurnAsync(RecordState state, IRecordStore store, CancellationToken cancellationToken)
    {
        switch (Kind)
        {
            case JobKinds.EnrollExisting:
                if (state.TryGetSummary(_workflowNumber, out var summary) && summary.TimesEnrolled > 0)
                {
                    return false;
                }

                return await MeetsAsync(state, _workflow!.StartCriteria, store, cancellationToken).ConfigureAwait(false);
            case JobKinds.ScheduledRun:
                return await MeetsAsync(state, _workflow!.StartCriteria, store, cancellationToken).ConfigureAwait(false);
            case JobKinds.ListRebuild:
                return await MeetsAsync(state, _list!.Criteria, store, cancellationToken).ConfigureAwait(false) != state.IsMember(_listNumber) || _list.Criteria!.DependsOnTime;
            case JobKinds.SendCopies:
                return state.AssociationCount > 0;
            case JobKinds.Refresh:
                return NeedsRefresh(state);
            default:
                return true;
        }
    }

    /// <summary>The input, made again from the state as it is when its turn comes.</summary>
    public TurnInput? ToInput(RecordState state) => Kind switch
    {
        JobKinds.EnrollExisting => Enroll(TriggerKind.Existing),
        JobKinds.ScheduledRun => Enroll(TriggerKind.Schedule),
        JobKinds.BulkEnroll => Enroll(TriggerKind.Bulk),
        JobKinds.BulkUnenroll => new CommandInput(CommandKind.Unenroll, _workflowNumber, _job.Operation.Id, Jobs.CallerOf(_job)),
        JobKinds.ListRebuild or JobKinds.DeleteList => new RefreshInput(0, _listNumber, _list?.Criteria?.DependsOnTime == true ? new Timestamp(_job.ArmsSince) : Timestamp.None, movesPinned: false),
        JobKinds.Refresh => new RefreshInput(_workflowNumber, 0, new Timestamp(_job.ArmsSince), _job.MovesPinned),
        JobKinds.DeleteWorkflow => new RefreshInput(0, 0, Timestamp.None, movesPinned: false),
        JobKinds.SendCopies => new RefreshInput(0, 0, Timestamp.None, movesPinned: false) { SendsCopies = true },
        JobKinds.ZonesChanged => new RefreshInput(0, 0, Timestamp.None, movesPinned: false) { RecomputesDelays = true },
        _ => throw new InvalidOperationException($"Job kind {Kind} is not known."),
    };

    /// <summary>Gives a state the sections that criteria look at.</summary>
    public static async ValueTask LoadSectionsAsync(RecordState state, Criteria criteria, IRecordStore store, CancellationToken cancellationToken) =>
        await LoadSectionsAsync(state, criteria.NeedsHistory, criteria.NeedsEvents, criteria.NeedsCopies, store, cancellationToken).ConfigureAwait(false);

    /// <summary>Gives a state the sections of former values, of occurrences of event types, and of copies of associated records; false when one is not there any more.</summary>
    public static async ValueTask<bool> LoadSectionsAsync(
        RecordState state, bool needsHistory, IReadOnlyList<int> needsEvents, bool needsCopies, IRecordStore store, CancellationToken cancellationToken)
    {
        var areAllThere = true;
        foreach (var section in state.Sections)
        {
            var isWanted = (section.Kind == SectionKind.PropertyHistory && needsHistory)
                || (section.Kind == SectionKind.EventHistory && needsEvents.Contains(section.Subject))
                || (section.Kind == SectionKind.Copies && needsCopies);
            if (!isWanted)
            {
                continue;
            }

            if (await store.LoadSectionAsync(state.Number, section.Index, cancellationToken).ConfigureAwait(false) is { } content)
            {
                state.AddSection(section.Index, content);
            }
            else
            {
                areAllThere = false;
            }
        }

        return areAllThere;
    }

    private CommandInput Enroll(TriggerKind trigger) => new(CommandKind.Enroll, _workflowNumber, _job.Operation.Id, Jobs.CallerOf(_job), trigger);

    private async ValueTask<bool> MeetsAsync(RecordState state, Criteria? criteria, IRecordStore store, CancellationToken cancellationToken)
    {
        if (criteria is null)
        {
            return true;
        }

        await LoadSectionsAsync(state, criteria, store, cancellationToken).ConfigureAwait(false);
        return criteria.Accepts(new Judging(state, _now));
    }

    private bool NeedsRefresh(RecordState state)
    {
        if (_job.ArmsSince != 0 && _workflow!.DependsOnTime)
        {
            return true;
        }

        return state.FindActive(_workflowNumber) >= 0
            || (state.TryGetSummary(_workflowNumber, out var summary) && summary.LastEnd == EndReason.Completed && _workflow!.GoalIds.Any());
    }
}
