using System.Collections.Concurrent;
using Google.Protobuf;
using Roster.Core;
using Roster.Core.Hashing;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Operations;

/// <summary>
/// Long-running jobs over many records, each in a turn of its own, in chunks that yield to live events. A job is a document that says how
/// far it is, so that it goes on where it stopped; each item carries the job's id, so a chunk that is done again after a crash enrolls
/// nobody twice (ENR-02).
/// </summary>
public sealed partial class Jobs : IAsyncDisposable
{
    /// <summary>Most records of one request.</summary>
    public const int RecordsMax = 100_000;

    private const int ChunkMax = 500;

    private readonly ConcurrentDictionary<(int Tenant, string Id), OperationDocument> _jobs = new();
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private readonly IJobHost _host;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Creates the jobs of a host.</summary>
    public Jobs(IJobHost host) => _host = host;

    /// <summary>Goes on with the jobs that were at work when the process ended.</summary>
    public void Resume(IEnumerable<StoredDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        foreach (var stored in documents.Where(d => d.Kind == DocumentKinds.Operation && d.Content is not null))
        {
            Adopt(_host.TenantOf(stored.Tenant), OperationDocument.Parser.ParseFrom(stored.Content));
        }
    }

    /// <summary>
    /// Compares the zone database with the one of the last start; when it is another one, a job per tenant computes pending due instants
    /// again (DLY-18).
    /// </summary>
    /// <param name="documents">The documents of the store.</param>
    /// <param name="version">Version of the zone database of this process.</param>
    public async Task FollowZonesAsync(IEnumerable<StoredDocument> documents, string version)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentNullException.ThrowIfNull(version);
        var all = documents.ToList();
        var former = all.Find(d => d.Kind == DocumentKinds.Zones)?.Content is { } content ? System.Text.Encoding.UTF8.GetString(content) : string.Empty;
        if (former == version)
        {
            return;
        }

        foreach (var tenant in all.Where(d => d.Kind == DocumentKinds.Tenant && former.Length > 0).Select(d => d.Tenant).Distinct())
        {
            await StartAsync(_host.TenantOf(tenant), New(JobKinds.ZonesChanged, $"zones-{StableHash.Hash128(version).High:x16}", string.Empty, string.Empty)).ConfigureAwait(false);
        }

        await _host.CommitAsync([new StoredDocument(0, DocumentKinds.Zones, DocumentKinds.Zones, System.Text.Encoding.UTF8.GetBytes(version))]).ConfigureAwait(false);
    }

    /// <summary>Starts a bulk enrollment, or returns the one that the request started before (TRG-12).</summary>
    public ValueTask<Operation> BulkEnrollAsync(TenantOwner owner, BulkEnrollRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        if (request.Refs.Count == 0 && request.ListId.Length == 0)
        {
            throw RosterException.Invalid("refs", "0", $"A bulk enrollment has 1 to {RecordsMax} records, or a list.");
        }

        return BulkAsync(owner, JobKinds.BulkEnroll, request.WorkflowId, request.ListId, request.Refs, request.RequestId);
    }

    /// <summary>Starts a bulk unenrollment, or returns the one that the request started before (UNE-03).</summary>
    public ValueTask<Operation> BulkUnenrollAsync(TenantOwner owner, BulkUnenrollRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return BulkAsync(owner, JobKinds.BulkUnenroll, request.WorkflowId, request.ListId, request.Refs, request.RequestId);
    }

    private ValueTask<Operation> BulkAsync(TenantOwner owner, string kind, string workflowId, string listId, IReadOnlyCollection<RecordRef> refs, string requestId)
    {
        if (requestId.Length is 0 or > 100)
        {
            throw RosterException.Invalid("request_id", requestId, "request_id is required and has at most 100 bytes.");
        }

        if (refs.Count > RecordsMax || (refs.Count > 0 && listId.Length > 0))
        {
            throw RosterException.Invalid("refs", $"{refs.Count}", $"A bulk request has at most {RecordsMax} records, or a list, and not both.");
        }

        if (owner.FindWorkflowNumber(workflowId) == 0)
        {
            throw new RosterException(RosterError.NotFound, $"There is no workflow '{Core.Refusal.Cut(workflowId)}'.");
        }

        if (listId.Length > 0)
        {
            owner.GetCompiledList(listId);
        }

        var job = New(kind, $"bulk-{StableHash.Hash128(requestId).High:x16}", workflowId, listId);
        job.RequestId = requestId;
        job.Refs.AddRange(refs);
        job.Operation.Total = refs.Count;
        return StartAsync(owner, job);
    }

    /// <summary>A job over all records that a workflow or list concerns.</summary>
    public OperationDocument New(string kind, string id, string workflowId, string listId) => new()
    {
        WorkflowId = workflowId,
        ListId = listId,
        Operation = new Operation
        {
            Id = id,
            Kind = kind,
            State = Operation.Types.State.Running,
            CreatedAt = ValueMapping.ToWire(Now),
            WorkflowId = workflowId,
            ListId = listId,
        },
    };

    /// <summary>Starts a job, or returns the one of the same id that was started before.</summary>
    public async ValueTask<Operation> StartAsync(TenantOwner owner, OperationDocument job)
    {
        if (!_jobs.TryAdd((owner.Number, job.Operation.Id), job))
        {
            return Get(owner, job.Operation.Id);
        }

        try
        {
            await StoreAsync(owner, job).ConfigureAwait(false);
        }
        catch
        {
            // It did not begin: the same request may begin it later.
            _jobs.TryRemove((owner.Number, job.Operation.Id), out _);
            throw;
        }

        Run(owner, job);
        return Copy(job);
    }

    /// <summary>Takes over a job whose document is durable already; returns it as it is now.</summary>
    internal Operation Adopt(TenantOwner owner, OperationDocument job)
    {
        var answer = Copy(job);
        if (_jobs.TryAdd((owner.Number, job.Operation.Id), job) && job.Operation.State == Operation.Types.State.Running)
        {
            Run(owner, job);
        }

        return answer;
    }

    /// <summary>Completes when no job is at work.</summary>
    public async Task IdleAsync(CancellationToken cancellationToken)
    {
        while (_running.Keys.ToArray() is { Length: > 0 } running)
        {
            await Task.WhenAll(running).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a job.</summary>
    public Operation Get(TenantOwner owner, string id) => Copy(Find(owner, id));

    /// <summary>Lists jobs, newest first.</summary>
    public ListOperationsResponse List(TenantOwner owner, ListOperationsRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        var size = request.PageSize is 0 ? 100 : Math.Clamp(request.PageSize, 1, 1_000);
        var all = _jobs.Where(j => j.Key.Tenant == owner.Number).Select(j => Copy(j.Value))
            .Where(o => request.WorkflowId.Length == 0 || o.WorkflowId == request.WorkflowId)
            .OrderByDescending(o => o.CreatedAt.Seconds).ThenBy(o => o.Id, StringComparer.Ordinal).ToList();
        var start = request.PageToken.Length == 0 ? 0 : all.FindIndex(o => o.Id == request.PageToken) + 1;
        var response = new ListOperationsResponse { Operations = { all.Skip(start).Take(size) } };
        response.NextPageToken = start + size < all.Count ? all[start + size - 1].Id : string.Empty;
        return response;
    }

    /// <summary>Asks a job to stop.</summary>
    public async ValueTask<Operation> CancelAsync(TenantOwner owner, string id)
    {
        var job = Find(owner, id);
        lock (job)
        {
            job.CancelRequested = true;
        }

        await StoreAsync(owner, job).ConfigureAwait(false);
        return Copy(job);
    }

    /// <summary>Stops; jobs go on at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running.Keys).ConfigureAwait(false);
        _stop.Dispose();
    }

    private Timestamp Now => new(_host.Clock.GetUtcNow().ToUnixTimeMilliseconds());

    private void Run(TenantOwner owner, OperationDocument job)
    {
        var task = Task.Run(() => RunAsync(owner, job));
        _running[task] = true;
        _ = task.ContinueWith(done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task RunAsync(TenantOwner owner, OperationDocument job)
    {
        try
        {
            while (await TryAsync(() => job.Refs.Count > 0 ? RunRefsAsync(owner, job) : RunScanAsync(owner, job)).ConfigureAwait(false))
            {
                await TryAsync(() => StoreAsync(owner, job)).ConfigureAwait(false);
            }

            await TryAsync(() => StoreAsync(owner, job)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        catch (RosterException failure)
        {
            if (failure.Error == RosterError.Unavailable)
            {
                return;
            }

            lock (job)
            {
                job.Operation.Error = failure.Message;
                End(job, Operation.Types.State.Failed);
            }

            await StoreAsync(owner, job).ConfigureAwait(false);
        }
    }

    private async Task TryAsync(Func<Task> work) => await TryAsync(async () =>
    {
        await work().ConfigureAwait(false);
        return true;
    }).ConfigureAwait(false);

    /// <summary>An overloaded engine or a full disk stops no job: it waits and goes on. Items done twice are duplicates (ENR-02).</summary>
    private async Task<T> TryAsync<T>(Func<Task<T>> work)
    {
        while (true)
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is StoreFullException or RosterException { Error: RosterError.Overloaded })
            {
                await _host.PauseAsync(_stop.Token).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Whether the job is over: all done, or asked to stop.</summary>
    private bool IsOver(OperationDocument job, bool isDone)
    {
        if (!job.CancelRequested && !isDone)
        {
            return false;
        }

        End(job, job.CancelRequested && !isDone ? Operation.Types.State.Cancelled : Operation.Types.State.Succeeded);
        return true;
    }

    private static void Count(Operation operation, string name)
    {
        var count = operation.Counts.FirstOrDefault(c => c.Name == name);
        if (count is null)
        {
            operation.Counts.Add(count = new OperationCount { Name = name });
        }

        count.Count++;
    }

    private void End(OperationDocument job, Operation.Types.State state)
    {
        job.Operation.State = state;
        job.Operation.EndedAt = ValueMapping.ToWire(Now);
    }

    private OperationDocument Find(TenantOwner owner, string id) => _jobs.TryGetValue((owner.Number, id), out var job)
        ? job
        : throw new RosterException(RosterError.NotFound, $"There is no operation '{Core.Refusal.Cut(id)}'.");

    private static Operation Copy(OperationDocument job)
    {
        lock (job)
        {
            return job.Operation.Clone();
        }
    }

    private Task StoreAsync(TenantOwner owner, OperationDocument job) => _host.CommitAsync([ToDocument(owner.Number, job)]);

    internal static StoredDocument ToDocument(int tenant, OperationDocument job)
    {
        lock (job)
        {
            return new StoredDocument(tenant, DocumentKinds.Operation, job.Operation.Id, job.ToByteArray());
        }
    }
}
