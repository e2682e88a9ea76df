using Google.Protobuf;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Schema;
using Roster.Core.Workflows;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Catalog;

/// <content>Lists (LST).</content>
public sealed partial class TenantOwner
{
    /// <summary>Saves a list.</summary>
    /// <param name="request">The list.</param>
    /// <param name="jobs">Plans the job that computes it for every record (LST-05); its document is in the commit of the list. Called under the owner's lock.</param>
    public List SaveList(SaveListRequest request, Func<ListChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(jobs);
        var wanted = request.List ?? throw RosterException.Invalid("list", string.Empty, "The list is missing.");
        if (!Names.IsId(wanted.Id))
        {
            throw RosterException.Invalid("list.id", wanted.Id, "A list id has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        lock (_gate)
        {
            var isKnown = _lists.TryGetValue(wanted.Id, out var present);
            CheckListChange(wanted, present);
            if (IsSentAgain(request.RequestId, present?.Document.RequestId) && wanted.Revision == present!.Document.Revision - 1
                && wanted.DisplayName == present.Document.List.DisplayName && Equals(wanted.Criteria, present.Document.List.Criteria))
            {
                // The same save, sent again because its answer was lost.
                return present.ToWire(0);
            }

            CheckRevision("List", wanted.Id, request.Force ? present?.Document.Revision ?? 0 : wanted.Revision, present?.Document.Revision ?? 0);
            var entry = isKnown ? present!.Copy() : new ListEntry(new ListDocument
            {
                Number = _lists.Count == 0 ? 1 : _lists.Values.Max(l => l.Document.Number) + 1,
                CreatedAt = Now,
            });
            var needsRebuild = wanted.Criteria is not null && !wanted.Criteria.Equals(present?.Document.List.Criteria);
            entry.Document.List = new List { Id = wanted.Id, DisplayName = wanted.DisplayName, ObjectType = wanted.ObjectType, Criteria = wanted.Criteria?.Clone() };
            entry.Document.Revision++;
            entry.Document.RequestId = request.RequestId;
            CheckList(entry);
            StoreList(entry, needsRebuild, jobs);
            return entry.ToWire(0);
        }
    }

    private static void CheckListChange(List wanted, ListEntry? present)
    {
        if (present is null)
        {
            return;
        }

        if (!present.IsLive)
        {
            throw new RosterException(RosterError.FailedPrecondition, $"List '{wanted.Id}' was deleted; its id stays with its history. Choose another id.");
        }

        if (present.Document.List.ObjectType != wanted.ObjectType)
        {
            throw RosterException.Invalid("list.object_type", wanted.ObjectType, $"List '{wanted.Id}' is for {present.Document.List.ObjectType}; the object type never changes.");
        }

        if (present.IsActive != wanted.Criteria is not null)
        {
            throw RosterException.Invalid("list.criteria", wanted.Id, $"List '{wanted.Id}' is {(present.IsActive ? "active" : "static")}; a list never changes between the two.");
        }
    }

    private void CheckList(ListEntry entry)
    {
        var criteria = WorkflowMapping.ToCore(entry.Document.List.Criteria);
        var schema = criteria is null
            ? _catalog.Schema
            : WithNames(_catalog.Schema, entry.Document.List.ObjectType, DefinitionWalk.EventTypes(criteria), DefinitionWalk.Subscriptions(criteria), DefinitionWalk.Labels(criteria));
        if (criteria is not null && ListReferences.FindCircle(entry.Id, criteria, list => WorkflowMapping.ToCore(_lists.GetValueOrDefault(list)?.Document.List.Criteria)) is { } circle)
        {
            throw RosterException.Invalid("list.criteria", entry.Id, $"Lists refer to each other in a circle: {circle} (LST-04).");
        }

        entry.Compile(Scope(schema), out var problems);
        if (problems.Any(p => p.IsError))
        {
            throw Broken($"List '{entry.Id}' cannot be saved", problems);
        }

        ChangeSchema(present => criteria is null
            ? present
            : WithNames(present, entry.Document.List.ObjectType, DefinitionWalk.EventTypes(criteria), DefinitionWalk.Subscriptions(criteria), DefinitionWalk.Labels(criteria)));
    }

    /// <summary>Reads a list; the count of its members is the caller's to fill.</summary>
    public List GetList(string id, Func<int, long> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        lock (_gate)
        {
            var entry = FindList(id);
            return entry.ToWire(members(entry.Document.Number));
        }
    }

    /// <summary>The list as turns see it.</summary>
    public CompiledList GetCompiledList(string id)
    {
        lock (_gate)
        {
            return _catalog.FindList(FindList(id).Document.Number)!;
        }
    }

    /// <summary>Lists lists.</summary>
    public ListListsResponse ListLists(ListListsRequest request, Func<int, long> members)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(members);
        var order = DefinitionOrder.Read(request.OrderBy, request.PageToken, request.PageSize);
        lock (_gate)
        {
            var wanted = _lists.Values
                .Where(l => l.IsLive && (request.ObjectType.Length == 0 || l.Document.List.ObjectType == request.ObjectType))
                .Where(l => !request.HasActive || request.Active == (l.Document.List.Criteria is not null))
                .Where(l => DefinitionOrder.HasText(request.Text, l.Id, l.Document.List.DisplayName));
            var (found, next) = order.Page(wanted, l => l.Id, l => l.Document.List.DisplayName, l => l.Document.UpdatedAt);
            return new ListListsResponse { Lists = { found.Select(l => l.ToWire(members(l.Document.Number))) }, NextPageToken = next };
        }
    }

    /// <summary>Deletes a list (LST-06); its document stays for its number and its history.</summary>
    /// <param name="id">Which.</param>
    /// <param name="jobs">Plans the job that takes its members off; its document is in the same commit. Called under the owner's lock.</param>
    public void DeleteList(string id, Func<ListChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        lock (_gate)
        {
            var entry = FindList(id).Copy();
            var users = _workflows.Values
                .Where(w => w.IsLive && w.Newest is { } newest && ListReferences.IsHeldBy(id, (WorkflowState)(int)w.Document.State, WorkflowMapping.ToCore(newest)))
                .Select(w => $"workflow '{w.Id}'")
                .Concat(_lists.Values.Where(l => l.IsLive && l.IsActive && DefinitionWalk.Lists(WorkflowMapping.ToCore(l.Document.List.Criteria)!).Contains(id)).Select(l => $"list '{l.Id}'"));
            if (users.FirstOrDefault() is { } user)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"List '{id}' is used by {user}: take that away first (LST-06).");
            }

            entry.Document.Deleted = true;
            StoreList(entry, needsRebuild: false, jobs);
        }
    }

    private void StoreList(ListEntry entry, bool needsRebuild, Func<ListChange, IReadOnlyList<StoredDocument>> jobs)
    {
        entry.Document.UpdatedAt = Now;
        var change = new ListChange(
            entry.Id, entry.Document.Number, entry.Document.Revision, needsRebuild, new Timestamp(Now), entry.IsLive ? entry.Compile(Scope(_catalog.Schema, isStored: true)) : null);
        Commit([new StoredDocument(Number, DocumentKinds.List, entry.Id, entry.Document.ToByteArray()), .. jobs(change)]);
        _lists[entry.Id] = entry;
        Publish(_catalog.Schema);
    }

    private ListEntry FindList(string id) => _lists.GetValueOrDefault(id) is { IsLive: true } entry
        ? entry
        : throw new RosterException(RosterError.NotFound, $"There is no list '{Core.Refusal.Cut(id)}'.");
}
