using Roster.Core;
using Roster.Core.Catalog;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Operations;

/// <summary>
/// Changes of definitions with the jobs that follow them. The change and the documents of its jobs are one commit, so a crash leaves
/// both or neither; a job begins once it is durable.
/// </summary>
public sealed class DefinitionChanges
{
    private readonly Jobs _jobs;

    /// <summary>Creates the changes of a host.</summary>
    public DefinitionChanges(Jobs jobs) => _jobs = jobs;

    /// <summary>Publishes a draft (EDT-06, TRG-08, TRG-09).</summary>
    public PublishWorkflowResponse Publish(TenantOwner owner, PublishWorkflowRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return owner.Once(
            request.RequestId,
            request,
            done => new PublishWorkflowResponse { Workflow = done.Workflow, Problems = { done.Warnings }, Operations = { done.Operations } },
            () =>
            {
                List<OperationDocument> planned = [];
                var response = owner.Publish(request, change => ToDocuments(owner, planned = After(owner, change, request.EnrollExisting)));
                response.Operations.AddRange(Begin(owner, planned));
                return response;
            });
    }

    /// <summary>Switches a workflow (EDT-01).</summary>
    public Workflow SetState(TenantOwner owner, SetWorkflowStateRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return owner.Once(request.RequestId, request, done => done.Workflow, () =>
        {
            List<OperationDocument> planned = [];
            var workflow = owner.SetState(request, change => ToDocuments(owner, planned = After(owner, change, request.EnrollExisting)));
            Begin(owner, planned);
            return workflow;
        });
    }

    /// <summary>Does what has come to its instant: a run of a schedule, or a workflow that turns itself off (EDT-01, SCH-05).</summary>
    public void TakeScheduled(TenantOwner owner, string workflowId, Timestamp now)
    {
        ArgumentNullException.ThrowIfNull(owner);
        List<OperationDocument> planned = [];
        owner.TakeScheduled(workflowId, now, change => ToDocuments(owner, planned = After(owner, change, enrollsExisting: false)));
        Begin(owner, planned);
    }

    /// <summary>Deletes a workflow; a job ends its enrollments (UNE-04).</summary>
    public Operation DeleteWorkflow(TenantOwner owner, DeleteWorkflowRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return owner.Once(request.RequestId, request, done => done.Operations.Single(), () =>
        {
            List<OperationDocument> planned = [];
            owner.Delete(request, change => ToDocuments(owner, planned = [_jobs.New(JobKinds.DeleteWorkflow, $"delete-workflow-{change.Number}", change.Id, string.Empty)]));
            return Begin(owner, planned)[0];
        });
    }

    /// <summary>Deletes a sequence; a job ends its enrollments (SEQ-17).</summary>
    public Operation DeleteSequence(TenantOwner owner, DeleteSequenceRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return owner.Once(request.RequestId, request, done => done.Operations.Single(), () =>
        {
            List<OperationDocument> planned = [];
            owner.DeleteSequence(request, change => ToDocuments(owner, planned = [_jobs.New(JobKinds.DeleteWorkflow, $"delete-sequence-{change.Number}", change.Id, string.Empty)]));
            return Begin(owner, planned)[0];
        });
    }

    /// <summary>Removes the inbox of a user; jobs give the contacts who are enrolled in the user's sequences a turn, which ends that (SEQ-01).</summary>
    public DeleteInboxResponse DeleteInbox(TenantOwner owner, DeleteInboxRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return owner.Once(request.RequestId, request, done => new DeleteInboxResponse { Operations = { done.Operations } }, () =>
        {
            List<OperationDocument> planned = [];
            owner.DeleteInbox(
                request.User, changes => ToDocuments(owner, planned = [.. changes.Select(change => _jobs.New(JobKinds.Refresh, IdOf("sender", change), change.Id, string.Empty))]));
            return new DeleteInboxResponse { Operations = { Begin(owner, planned) } };
        });
    }

    /// <summary>Moves active enrollments to the newest version by a job (EDT-11).</summary>
    public Operation MoveEnrollments(TenantOwner owner, MoveEnrollmentsRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return owner.Once(request.RequestId, request, done => done.Operations.Single(), () =>
        {
            List<OperationDocument> planned = [];
            owner.MoveEnrollments(request, change =>
            {
                var job = _jobs.New(JobKinds.Refresh, IdOf("move", change), change.Id, string.Empty);
                job.MovesPinned = true;
                return ToDocuments(owner, planned = [job]);
            });
            return Begin(owner, planned)[0];
        });
    }

    /// <summary>Saves a list; when its criteria are new, a job computes it for every record (LST-05). Members are the caller's to count.</summary>
    public SaveListResponse SaveList(TenantOwner owner, SaveListRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        List<OperationDocument> planned = [];
        var list = owner.SaveList(request, change => ToDocuments(owner, planned = After(owner, change)));
        return new SaveListResponse { List = list, Operation = Begin(owner, planned).LastOrDefault() };
    }

    /// <summary>Deletes a list; a job takes its members off (LST-06).</summary>
    public Operation DeleteList(TenantOwner owner, DeleteListRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return owner.Once(request.RequestId, request, done => done.Operations.Single(), () =>
        {
            List<OperationDocument> planned = [];
            owner.DeleteList(request.ListId, change => ToDocuments(owner, planned = [_jobs.New(JobKinds.DeleteList, $"delete-list-{change.Number}", string.Empty, change.Id)]));
            return Begin(owner, planned)[0];
        });
    }

    /// <summary>The jobs that follow a publish, a switch or an instant of a schedule.</summary>
    private List<OperationDocument> After(TenantOwner owner, WorkflowChange change, bool enrollsExisting)
    {
        if (change.Newest is not { } newest)
        {
            return [];
        }

        var jobs = new List<OperationDocument>();
        if (!change.Run.IsNone)
        {
            jobs.Add(_jobs.New(JobKinds.ScheduledRun, $"run-{change.Number}-{change.Run.Ms}", change.Id, string.Empty));
            return jobs;
        }

        AddCopies(jobs, owner, CopyPlan.Of(newest), $"{change.Number}.{change.Change}", change.Id, string.Empty);
        var copies = jobs.Select(j => j.Operation.Id).ToList();
        var arms = newest is { DependsOnTime: true, IsEnrolling: true };
        if (change.Touches || arms)
        {
            var job = _jobs.New(JobKinds.Refresh, IdOf("refresh", change), change.Id, string.Empty);
            job.ArmsSince = arms ? change.At.Ms : 0;
            jobs.Add(job);
        }

        if (enrollsExisting && newest is { CanEnrollExisting: true, IsEnrolling: true })
        {
            jobs.Add(_jobs.New(JobKinds.EnrollExisting, IdOf("existing", change), change.Id, string.Empty));
        }

        return InOrder(jobs, copies);
    }

    /// <summary>
    /// Copies that a new definition needs and that nobody kept until now are sent first (ASC-04); those that are told on before those that tell
    /// them (ASC-03).
    /// </summary>
    private void AddCopies(List<OperationDocument> jobs, TenantOwner owner, CopyPlan needed, string suffix, string workflowId, string listId)
    {
        var types = owner.Catalog.Copies.FindAdded(needed).Select(p => p.Owner).Distinct().ToList();
        string IdOf(int type) => $"copies-{suffix}-{type}";
        foreach (var type in types)
        {
            var job = _jobs.New(JobKinds.SendCopies, IdOf(type), workflowId, listId);
            job.ObjectType = owner.Schema.ObjectType(type).Name;
            job.Follows.AddRange(needed.Through.Where(t => t.Via == type && types.Contains(t.Owner)).Select(t => IdOf(t.Owner)));
            jobs.Add(job);
        }
    }

    /// <summary>The other jobs look at what those copies say.</summary>
    private static List<OperationDocument> InOrder(List<OperationDocument> jobs, List<string> copies)
    {
        foreach (var job in jobs.Where(j => j.Operation.Kind != JobKinds.SendCopies))
        {
            job.Follows.AddRange(copies);
        }

        return jobs;
    }

    private List<OperationDocument> After(TenantOwner owner, ListChange change)
    {
        if (!change.NeedsRebuild || change.Compiled is null)
        {
            return [];
        }

        var job = _jobs.New(JobKinds.ListRebuild, $"list-{change.Number}-{change.Revision}", string.Empty, change.Id);
        job.ArmsSince = change.At.Ms;
        var jobs = new List<OperationDocument>();
        AddCopies(jobs, owner, CopyPlan.Of(change.Compiled), $"list-{change.Number}-{change.Revision}", string.Empty, change.Id);
        var copies = jobs.Select(j => j.Operation.Id).ToList();
        jobs.Add(job);
        return InOrder(jobs, copies);
    }

    /// <summary>The dot tells these ids from older ones, which were numbered by what was in memory.</summary>
    private static string IdOf(string prefix, WorkflowChange change) => $"{prefix}-{change.Number}.{change.Change}";

    private static List<StoredDocument> ToDocuments(TenantOwner owner, List<OperationDocument> planned) => [.. planned.Select(job => Jobs.ToDocument(owner.Number, job))];

    private List<Operation> Begin(TenantOwner owner, List<OperationDocument> planned) => [.. planned.Select(job => _jobs.Adopt(owner, job))];
}
