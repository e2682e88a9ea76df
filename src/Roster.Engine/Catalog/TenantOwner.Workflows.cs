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

/// <content>Workflows: drafts, versions, switches (EDT).</content>
public sealed partial class TenantOwner
{
    /// <summary>Saves a draft (EDT-02).</summary>
    public Workflow Save(SaveWorkflowRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var wanted = request.Workflow ?? throw RosterException.Invalid("workflow", string.Empty, "The workflow is missing.");
        if (!Names.IsId(wanted.Id))
        {
            throw RosterException.Invalid("workflow.id", wanted.Id, "A workflow id has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        lock (_gate)
        {
            var isKnown = _workflows.TryGetValue(wanted.Id, out var present);
            if (isKnown && present!.IsSequence)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"'{wanted.Id}' is the id of a sequence; choose another id for the workflow.");
            }

            if (isKnown && !present!.IsLive)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"Workflow '{wanted.Id}' was deleted; its id stays with its history. Choose another id.");
            }

            if (IsSentAgain(request.RequestId, present?.Document.RequestId) && wanted.Revision == present!.Document.Revision - 1 && wanted.Equals(present.Document.Draft))
            {
                // The same save, sent again because its answer was lost.
                return present.ToWire();
            }

            CheckRevision("Workflow", wanted.Id, request.Force ? present?.Document.Revision ?? 0 : wanted.Revision, present?.Document.Revision ?? 0);
            if (isKnown && present!.Document.Draft.ObjectType != wanted.ObjectType)
            {
                throw RosterException.Invalid("workflow.object_type", wanted.ObjectType, $"Workflow '{wanted.Id}' is for {present.Document.Draft.ObjectType}; the object type never changes (TRG-01).");
            }

            CheckExternalIds(wanted);
            var max = _catalog.Schema.Settings.WorkflowsMax;
            if (!isKnown && _workflows.Values.Count(w => w is { IsLive: true, IsSequence: false }) >= max)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"The tenant has {max} workflows already (setting workflows_max).");
            }

            var entry = isKnown ? present!.Copy() : new WorkflowEntry(new WorkflowDocument
            {
                Number = _workflows.Count == 0 ? 1 : _workflows.Values.Max(w => w.Document.Number) + 1,
                CreatedAt = Now,
                State = Workflow.Types.State.Draft,
            });
            entry.Document.Draft = ToDraft(wanted, present);
            entry.Document.Revision++;
            entry.Document.RequestId = request.RequestId;
            KeepRevision(entry);
            return Store(entry).ToWire();
        }
    }

    /// <summary>Whether a request is the one that saved what is there.</summary>
    /// <exception cref="RosterException">The id is too long.</exception>
    private static bool IsSentAgain(string requestId, string? saved) => requestId.Length <= RequestIdMax
        ? requestId.Length > 0 && requestId == saved
        : throw RosterException.Invalid("request_id", requestId, $"A request id has at most {RequestIdMax} characters.");

    private const int RequestIdMax = 128;

    /// <summary>Old revisions of the draft stay readable (HIS-04).</summary>
    private static void KeepRevision(WorkflowEntry entry)
    {
        var saved = entry.Document.Draft.Clone();
        saved.Revision = entry.Document.Revision;
        entry.Document.Revisions.Add(saved);
        while (entry.Document.Revisions.Count > RevisionsMax)
        {
            entry.Document.Revisions.RemoveAt(0);
        }
    }

    private const int RevisionsMax = 200;

    /// <summary>Changing the start kind in a draft removes its triggers (TRG-01): re-enrollment triggers of the former kind do not stay behind.</summary>
    private static Workflow ToDraft(Workflow wanted, WorkflowEntry? present)
    {
        var draft = wanted.Clone();
        var former = present?.Document.Draft.Start;
        if (former is not null && draft.Start is not null && former.KindCase != draft.Start.KindCase && former.ReenrollWhen.Equals(draft.Start.ReenrollWhen))
        {
            draft.Start.ReenrollWhen.Clear();
        }

        return draft;
    }

    /// <summary>Checks a definition.</summary>
    public IReadOnlyList<WorkflowProblem> Validate(Workflow? workflow)
    {
        if (workflow is null)
        {
            throw RosterException.Invalid("workflow", string.Empty, "The workflow is missing.");
        }

        lock (_gate)
        {
            new WorkflowEntry(new WorkflowDocument { Draft = workflow, State = Workflow.Types.State.Draft })
                .Compile(workflow, 1, ScopeWith(workflow, WithNames(_catalog.Schema, workflow)), out var problems);
            return problems;
        }
    }

    /// <summary>The scope in which a workflow is checked: it may name itself.</summary>
    private DefinitionScope ScopeWith(Workflow workflow, TenantSchema schema)
    {
        var scope = Scope(schema);
        if (scope.FindWorkflow(workflow.Id) is not null || !Names.IsId(workflow.Id))
        {
            return scope;
        }

        var draft = WorkflowMapping.ToCore(workflow);
        var self = new WorkflowInfo(workflow.Id, 0, schema.FindObjectType(workflow.ObjectType)?.Number ?? 0, [.. draft.Goals.Select(g => g.Id)], DefinitionWalk.EnrollsIn(draft));
        return new DefinitionScope(
            schema,
            _lists.Values.Where(l => l.IsLive).Select(l => l.ToInfo(schema)),
            _workflows.Values.Where(w => w.IsLive).Select(w => w.ToInfo(schema)).Append(self),
            _endpoints.Values.Where(e => !e.Deleted).Select(e => e.Id));
    }

    /// <summary>Reads a draft, a version, or a saved revision of the draft (HIS-04).</summary>
    public Workflow Get(GetWorkflowRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Revision == 0)
        {
            return Get(request.WorkflowId, request.Version);
        }

        lock (_gate)
        {
            var entry = Find(request.WorkflowId);
            return entry.Document.Revisions.FirstOrDefault(r => r.Revision == request.Revision)?.Clone()
                ?? throw new RosterException(RosterError.NotFound, $"Workflow '{entry.Id}' has no saved revision {request.Revision}; kept are {string.Join(", ", entry.Document.Revisions.TakeLast(20).Select(r => r.Revision))}.");
        }
    }

    /// <summary>Reads a draft or version.</summary>
    public Workflow Get(string id, int version)
    {
        lock (_gate)
        {
            var entry = Find(id);
            if (version < 0 || version > entry.Document.Versions.Count)
            {
                throw new RosterException(RosterError.NotFound, $"Workflow '{id}' has versions 1 to {entry.Document.Versions.Count}, not {version}.");
            }

            return entry.ToWire(version);
        }
    }

    /// <summary>Compiles a version of a workflow, or its draft with -1, for explaining; null with problems when it does not compile.</summary>
    public CompiledWorkflow? CompileFor(string id, int version, out IReadOnlyList<WorkflowProblem> problems)
    {
        lock (_gate)
        {
            if (FindSequenceNumber(id) != 0)
            {
                problems = [];
                return _catalog.FindVersion(FindSequenceNumber(id), version);
            }

            var entry = Find(id);
            var isDraft = version < 0 || (version == 0 && entry.Newest is null);
            var wanted = isDraft ? entry.Document.Draft : version == 0 ? entry.Newest! : Get(id, version);
            var schema = WithNames(_catalog.Schema, wanted);
            return entry.Copy().Compile(wanted, isDraft ? 0 : version == 0 ? entry.Document.Versions.Count : version, Scope(schema), out problems);
        }
    }

    /// <summary>A catalog in which a definition is on and alone, for a walk that leaves no trace (HIS-05).</summary>
    public TenantCatalog CatalogFor(Workflow workflow, out CompiledWorkflow? compiled, out IReadOnlyList<WorkflowProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        lock (_gate)
        {
            var schema = WithNames(_catalog.Schema, workflow);
            var document = new WorkflowDocument { Number = 1, Draft = workflow, State = Workflow.Types.State.On, CreatedAt = 1 };
            if (_workflows.TryGetValue(workflow.Id, out var known))
            {
                document.Number = known.Document.Number;
                document.Steps.AddRange(known.Document.Steps);
                document.Goals.AddRange(known.Document.Goals);
            }

            var entry = new WorkflowEntry(document);
            compiled = entry.Compile(workflow, 1, ScopeWith(workflow, schema), out problems);
            return new TenantCatalog(Number, Id, 0, schema, compiled is null ? [] : [compiled], _catalog.Lists);
        }
    }

    /// <summary>Lists drafts.</summary>
    public ListWorkflowsResponse List(ListWorkflowsRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var order = DefinitionOrder.Read(request.OrderBy, request.PageToken, request.PageSize);
        lock (_gate)
        {
            var wanted = _workflows.Values
                .Where(w => w is { IsLive: true, IsSequence: false } && (request.ObjectType.Length == 0 || w.Document.Draft.ObjectType == request.ObjectType))
                .Where(w => request.States.Count == 0 || request.States.Contains(w.Document.State))
                .Where(w => DefinitionOrder.HasText(request.Text, w.Id, w.Document.Draft.DisplayName));
            var (found, next) = order.Page(wanted, w => w.Id, w => w.Document.Draft.DisplayName, w => w.Document.UpdatedAt);
            return new ListWorkflowsResponse { Workflows = { found.Select(w => w.ToWire()) }, NextPageToken = next };
        }
    }

    /// <summary>Finds workflows by ids of another system (API-01).</summary>
    public MapWorkflowIdsResponse MapIds(MapWorkflowIdsRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Names.IsName(request.System))
        {
            throw RosterException.Invalid("system", request.System, "A system has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        if (request.Ids.Count > MappedIdsMax)
        {
            throw RosterException.Invalid("ids", $"{request.Ids.Count}", $"A request maps at most {MappedIdsMax} ids; none stands for all.");
        }

        var ids = request.Ids.ToHashSet(StringComparer.Ordinal);
        var response = new MapWorkflowIdsResponse();
        lock (_gate)
        {
            foreach (var entry in _workflows.Values.Where(w => w is { IsLive: true, IsSequence: false }))
            {
                var found = entry.Document.Draft.ExternalIds.FirstOrDefault(e => e.System == request.System && (ids.Count == 0 || ids.Contains(e.Id)));
                if (found is not null)
                {
                    response.Mappings.Add(new WorkflowIdMapping { WorkflowId = entry.Id, Id = found.Id, ExternalIds = { entry.Document.Draft.ExternalIds.Select(e => e.Clone()) } });
                }
            }
        }

        return response;
    }

    private const int MappedIdsMax = 1_000;
    private const int ExternalIdsMax = 10;

    /// <summary>Ids of other systems are well formed, and each is of one workflow only. The lock is taken.</summary>
    private void CheckExternalIds(Workflow wanted)
    {
        if (wanted.ExternalIds.Count > ExternalIdsMax)
        {
            throw RosterException.Invalid("workflow.external_ids", $"{wanted.ExternalIds.Count}", $"A workflow has at most {ExternalIdsMax} ids of other systems.");
        }

        for (var i = 0; i < wanted.ExternalIds.Count; i++)
        {
            var external = wanted.ExternalIds[i];
            if (!Names.IsName(external.System) || external.Id.Length is 0 or > Names.LengthMax)
            {
                throw RosterException.Invalid($"workflow.external_ids[{i}]", $"{external.System}/{external.Id}", "A system has 1 to 100 characters of a-z, 0-9, _, - and '.'; its id has 1 to 100.");
            }

            if (_workflows.Values.FirstOrDefault(w => w.IsLive && w.Id != wanted.Id && w.Document.Draft.ExternalIds.Contains(external)) is { } other)
            {
                throw RosterException.Invalid($"workflow.external_ids[{i}]", $"{external.System}/{external.Id}", $"Workflow '{other.Id}' has this id already.");
            }
        }
    }

    /// <summary>Publishes the draft.</summary>
    /// <param name="request">Which.</param>
    /// <param name="jobs">Plans the jobs that follow; their documents are in the commit of the version. Called under the owner's lock.</param>
    public PublishWorkflowResponse Publish(PublishWorkflowRequest request, Func<WorkflowChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(jobs);
        lock (_gate)
        {
            var entry = Find(request.WorkflowId).Copy();
            CheckRevision("Workflow", entry.Id, request.Revision == 0 ? entry.Document.Revision : request.Revision, entry.Document.Revision);
            var former = entry.Newest;
            var problems = Publish(entry);
            Warn(problems);
            var touches = ComesIntoForce(entry, former, isSwitched: false);
            return new PublishWorkflowResponse
            {
                Workflow = Store(entry, ChangeOf(entry, touches), jobs).ToWire(),
                Problems = { problems.Select(WorkflowMapping.ToWire) },
            };
        }
    }

    /// <summary>Switches a workflow (EDT-01).</summary>
    /// <param name="request">Which, and to what.</param>
    /// <param name="jobs">Plans the jobs that follow; their documents are in the commit of the switch. Called under the owner's lock.</param>
    public Workflow SetState(SetWorkflowStateRequest request, Func<WorkflowChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(jobs);
        if (request.State is not (Workflow.Types.State.On or Workflow.Types.State.Off or Workflow.Types.State.Paused))
        {
            throw RosterException.Invalid("state", $"{request.State}", "The state is ON, OFF or PAUSED.");
        }

        lock (_gate)
        {
            var entry = Find(request.WorkflowId).Copy();
            var present = entry.Document.State;
            if (!StateChanges.IsAllowed((WorkflowState)(int)present, (WorkflowState)(int)request.State))
            {
                throw new RosterException(
                    RosterError.FailedPrecondition,
                    $"Workflow '{entry.Id}' is {JournalMapping.ApiName(present.ToString())}; it cannot be switched to {JournalMapping.ApiName(request.State.ToString())} (EDT-01).");
            }

            var former = entry.Newest;
            if (entry.Document.Versions.Count == 0)
            {
                Publish(entry);
            }
            else if (request.State == Workflow.Types.State.On)
            {
                CheckReferences(entry);
            }

            entry.Document.State = request.State;
            var touches = ComesIntoForce(entry, former, isSwitched: present != request.State);
            if (present is not (Workflow.Types.State.On or Workflow.Types.State.Paused))
            {
                // Runs that fell due while it was off are lost (SCH-05).
                entry.Document.ScheduledAt = Now;
            }

            return Store(entry, ChangeOf(entry, touches), jobs).ToWire();
        }
    }

    /// <summary>A list or workflow that a version names may have been deleted while it was off.</summary>
    private void CheckReferences(WorkflowEntry entry)
    {
        if (entry.Copy().Compile(entry.Newest!, entry.Document.Versions.Count, Scope(_catalog.Schema), out var problems) is null)
        {
            throw Broken($"Workflow '{entry.Id}' cannot be switched on", problems);
        }
    }

    /// <summary>Notes that a version or state comes into force now; whether active enrollments must hear of it (EDT-06).</summary>
    private bool ComesIntoForce(WorkflowEntry entry, Workflow? former, bool isSwitched)
    {
        entry.Document.InForceSince = Now;
        return former is not null && (isSwitched || !Shape(former).Equals(Shape(entry.Newest!)));
    }

    /// <summary>The change as the jobs that follow it are planned on: compiled as turns will see it, before it is durable.</summary>
    private WorkflowChange ChangeOf(WorkflowEntry entry, bool touches)
    {
        entry.Document.Changes++;
        var newest = entry.CompileNewest(Scope(_catalog.Schema, isStored: true, entry));
        return new WorkflowChange(entry.Id, entry.Document.Number, entry.Document.Changes, newest, touches, new Timestamp(Now));
    }

    /// <summary>A version without what touches no active enrollment: texts, and triggers unless leaving depends on them (EDT-06, EDT-12).</summary>
    private static Workflow Shape(Workflow workflow)
    {
        var shape = workflow.Clone();
        shape.DisplayName = string.Empty;
        shape.Description = string.Empty;
        if (shape.Start is { } start && !shape.UnenrollIfNotMeeting && start.DateAnchor is null)
        {
            shape.Start = null;
        }

        foreach (var step in shape.Steps)
        {
            step.DisplayName = string.Empty;
        }

        foreach (var goal in shape.Goals)
        {
            goal.DisplayName = string.Empty;
        }

        return shape;
    }

    /// <summary>Deletes a workflow; its document stays for its number and its history (UNE-04).</summary>
    /// <param name="request">Which.</param>
    /// <param name="jobs">Plans the job that ends its enrollments; its document is in the same commit. Called under the owner's lock.</param>
    public void Delete(DeleteWorkflowRequest request, Func<WorkflowChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(jobs);
        lock (_gate)
        {
            var entry = Find(request.WorkflowId).Copy();
            CheckRevision("Workflow", entry.Id, request.Revision == 0 ? entry.Document.Revision : request.Revision, entry.Document.Revision);
            if (UsersOfWorkflow(entry.Id).FirstOrDefault() is { } user)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"Workflow '{entry.Id}' is named by {user}: take that away first.");
            }

            entry.Document.Deleted = true;
            entry.Document.State = Workflow.Types.State.Off;
            Store(entry, ChangeOf(entry, touches: true), jobs);
        }
    }

    /// <summary>Asks for active enrollments to be moved to the newest version (EDT-11): only a job follows, the workflow stays as it is.</summary>
    /// <param name="request">Which.</param>
    /// <param name="jobs">Plans the job; its document is in the commit of its number. Called under the owner's lock.</param>
    public void MoveEnrollments(MoveEnrollmentsRequest request, Func<WorkflowChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(jobs);
        lock (_gate)
        {
            var entry = Find(request.WorkflowId).Copy();
            Put(entry, jobs(ChangeOf(entry, touches: true)));
        }
    }

    private IEnumerable<string> UsersOfWorkflow(string id) => _workflows.Values
        .Where(w => w.IsLive && w.Id != id && w.Newest is { } newest && DefinitionWalk.Workflows(WorkflowMapping.ToCore(newest)).Contains(id))
        .Select(w => $"workflow '{w.Id}'")
        .Concat(_lists.Values.Where(l => l.IsLive && l.IsActive && DefinitionWalk.Workflows(WorkflowMapping.ToCore(l.Document.List.Criteria)!).Contains(id)).Select(l => $"list '{l.Id}'"));

    private IReadOnlyList<WorkflowProblem> Publish(WorkflowEntry entry)
    {
        var draft = entry.Document.Draft;
        var schema = WithNames(_catalog.Schema, draft);
        if (entry.Compile(draft, entry.Document.Versions.Count + 1, Scope(schema), out var problems) is not { } compiled)
        {
            throw Broken($"Workflow '{entry.Id}' cannot be published", problems);
        }

        if (!compiled.HasOpening(new Timestamp(Now)))
        {
            throw new RosterException(RosterError.FailedPrecondition, $"Workflow '{entry.Id}' cannot be published: executionWindows: no instant is allowed in the next 400 days (WIN-08).");
        }

        ChangeSchema(present => WithNames(present, draft));
        entry.Document.Versions.Add(draft.Clone());
        entry.Document.Revision++;
        return problems;
    }

    private static TenantSchema WithNames(TenantSchema schema, Workflow workflow) => WithNames(schema, WorkflowMapping.ToCore(workflow));

    private static TenantSchema WithNames(TenantSchema schema, WorkflowDefinition definition)
    {
        schema = WithNames(schema, definition.ObjectType, DefinitionWalk.EventTypes(definition), DefinitionWalk.Subscriptions(definition), DefinitionWalk.Labels(definition));
        return WithTaskProperties(schema, definition);
    }

    private WorkflowEntry Store(WorkflowEntry entry)
    {
        entry.Document.UpdatedAt = Now;
        return Put(entry, []);
    }

    /// <summary>A change and the documents of the jobs that follow it are one commit: a crash leaves both or neither.</summary>
    private WorkflowEntry Store(WorkflowEntry entry, WorkflowChange change, Func<WorkflowChange, IReadOnlyList<StoredDocument>> jobs)
    {
        entry.Document.UpdatedAt = Now;
        return Put(entry, jobs(change));
    }

    private WorkflowEntry Put(WorkflowEntry entry, IReadOnlyList<StoredDocument> more)
    {
        Commit([new StoredDocument(Number, DocumentKinds.Workflow, entry.Id, entry.Document.ToByteArray()), .. more]);
        _workflows[entry.Id] = entry;
        Publish(_catalog.Schema);
        return entry;
    }

    private WorkflowEntry Find(string id) => _workflows.GetValueOrDefault(id) is { IsLive: true, IsSequence: false } entry
        ? entry
        : throw new RosterException(RosterError.NotFound, $"There is no workflow '{Core.Refusal.Cut(id)}'.", new Core.Refusal(RefusalReason.UnknownWorkflow, "workflow_id", Core.Refusal.Cut(id), $"There is no workflow '{Core.Refusal.Cut(id)}'."));

    /// <summary>The earliest instant at which a schedule runs or a workflow turns itself off; none when there is none.</summary>
    public (Timestamp At, string WorkflowId) NextScheduled()
    {
        lock (_gate)
        {
            var next = (At: Timestamp.None, WorkflowId: string.Empty);
            foreach (var entry in _workflows.Values.Where(w => w.IsLive && w.Document.State is Workflow.Types.State.On or Workflow.Types.State.Paused))
            {
                foreach (var at in Instants(entry))
                {
                    next = !at.IsNone && (next.At.IsNone || at < next.At) ? (at, entry.Id) : next;
                }
            }

            return next;
        }
    }

    private Timestamp[] Instants(WorkflowEntry entry)
    {
        var turnOff = entry.Newest?.TurnOffAt is { } wire && ValueMapping.TryRead(wire, out var off) && off.Ms > entry.Document.InForceSince ? off : Timestamp.None;
        var runs = _catalog.FindWorkflow(entry.Document.Number)?.RunSchedule;
        return [turnOff, runs?.NextAfter(new Timestamp(Math.Max(1, entry.Document.ScheduledAt))) ?? Timestamp.None];
    }

    /// <summary>
    /// A schedule has come to its instant: notes it together with the document of the job that runs it, so that it runs once. Of several
    /// missed runs only the latest is made up, or none (SCH-05). Or a workflow turns itself off (EDT-01), as a switch would.
    /// </summary>
    /// <param name="id">The workflow.</param>
    /// <param name="now">The clock.</param>
    /// <param name="jobs">Plans the jobs that follow; their documents are in the same commit. Called under the owner's lock.</param>
    public void TakeScheduled(string id, Timestamp now, Func<WorkflowChange, IReadOnlyList<StoredDocument>> jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        lock (_gate)
        {
            var entry = Find(id).Copy();
            if (Instants(entry)[0] is { IsNone: false } off && off <= now)
            {
                entry.Document.State = Workflow.Types.State.Off;
                var touches = ComesIntoForce(entry, entry.Newest, isSwitched: true);
                Store(entry, ChangeOf(entry, touches), jobs);
                return;
            }

            var after = new Timestamp(Math.Max(1, entry.Document.ScheduledAt));
            var run = _catalog.FindWorkflow(entry.Document.Number)!.DueRun(after, now, out var handled);
            if (handled.IsNone)
            {
                return;
            }

            entry.Document.ScheduledAt = handled.Ms;
            if (run.IsNone)
            {
                Store(entry);
                return;
            }

            Store(entry, ChangeOf(entry, touches: false) with { Run = run }, jobs);
        }
    }
}
