using Google.Protobuf;
using Roster.Core;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Operations;

/// <content>Jobs that go on after they were cancelled or have failed.</content>
public sealed partial class Jobs
{
    /// <summary>
    /// Has a job that was cancelled or has failed go on where it stopped. One that is at work stays as it is; a request to stop that it has not followed yet is withdrawn.
    /// </summary>
    /// <exception cref="RosterException">
    /// There is no such operation; it has succeeded, what it was about is gone, or the records that it names are not kept any more.
    /// </exception>
    public async ValueTask<Operation> ResumeAsync(TenantOwner owner, string id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        var job = Find(owner, id);
        if (await TryKeepRunningAsync(job).ConfigureAwait(false))
        {
            return job.Durable!;
        }

        await job.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
        var refs = await ReadRefsAsync(owner, job, cancellationToken).ConfigureAwait(false);
        var resumed = job.ToResumed(refs);
        if (!RemoveEnded(job) || !_jobs.TryUpdate((job.Tenant, id), resumed, job))
        {
            // Somebody else has it go on, or it was too old and is being removed.
            var other = Find(owner, id);
            await other.Resumed.ConfigureAwait(false);
            return other.Durable!;
        }

        try
        {
            if (job.NamesRecords && !job.KeepsRefs)
            {
                throw NotKept(job);
            }

            await StoreAsync(resumed, isFirst: false).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // It stays ended, and can be told again.
            _jobs[(job.Tenant, id)] = job;
            AddEnded(job.Tenant, id);
            resumed.Abandon(failure);
            throw;
        }

        resumed.SetResumed();
        var answer = resumed.Durable!;
        Run(resumed);
        return answer;
    }

    /// <summary>Whether a job is at work; then it goes on even if it had been asked to stop.</summary>
    private async ValueTask<bool> TryKeepRunningAsync(Job job)
    {
        bool wasAskedToStop;
        lock (job)
        {
            if (!job.IsRunning)
            {
                return false;
            }

            wasAskedToStop = job.Document.CancelRequested;
            job.Document.CancelRequested = false;
        }

        await job.Resumed.ConfigureAwait(false);
        if (wasAskedToStop)
        {
            await StoreAsync(job, isFirst: false).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>The records that an ended job names; none for a scan. Refuses what cannot go on.</summary>
    private async ValueTask<IReadOnlyList<RecordRef>> ReadRefsAsync(TenantOwner owner, Job job, CancellationToken cancellationToken)
    {
        var operation = job.Document.Operation;
        if (operation.State == Operation.Types.State.Succeeded)
        {
            throw new RosterException(RosterError.FailedPrecondition, $"Operation '{job.Id}' has succeeded: there is nothing left to do.");
        }

        if (job.Document.WorkflowId.Length > 0 && operation.Kind != JobKinds.DeleteWorkflow && !owner.IsDefined(job.Document.WorkflowId))
        {
            throw new RosterException(RosterError.FailedPrecondition, $"Operation '{job.Id}' cannot go on: there is no workflow '{Core.Refusal.Cut(job.Document.WorkflowId)}' any more.");
        }

        if (job.Document.ListId.Length > 0 && operation.Kind != JobKinds.DeleteList && owner.Catalog.FindList(owner.NumberOfList(job.Document.ListId)) is null)
        {
            throw new RosterException(RosterError.FailedPrecondition, $"Operation '{job.Id}' cannot go on: there is no list '{Core.Refusal.Cut(job.Document.ListId)}' any more.");
        }

        if (!job.NamesRecords)
        {
            return [];
        }

        var documents = job.KeepsRefs ? await _host.Store.ReadDocumentsAsync(cancellationToken).ConfigureAwait(false) : [];
        var named = documents.FirstOrDefault(d => d.Tenant == job.Tenant && d.Kind == DocumentKinds.OperationRefs && d.Id == job.Id && d.Content is not null);
        return named?.Content is { } content
            ? OperationRefs.Parser.ParseFrom(content).Refs
            : throw NotKept(job);
    }

    private static RosterException NotKept(Job job) => new(
        RosterError.FailedPrecondition,
        $"Operation '{job.Id}' cannot go on: the records that it names are not kept any more. Of cancelled and failed operations the newest {ResumableMax} that name records are.");

    private void AddEnded(int tenant, string id)
    {
        var ended = EndedOf(tenant);
        lock (ended)
        {
            ended.AddLast(id);
        }
    }

    /// <summary>What the store says of a job is newer than this one.</summary>
    private void Forget(Job? job)
    {
        if (job is not null)
        {
            RemoveEnded(job);
            _jobs.TryRemove((job.Tenant, job.Id), out _);
        }
    }

    /// <summary>Takes a job from those that have ended; false when it is not one of them any more.</summary>
    private bool RemoveEnded(Job job)
    {
        var ended = EndedOf(job.Tenant);
        lock (ended)
        {
            return ended.Remove(job.Id);
        }
    }
}
