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
/// Bulk enrollments: a list of records, each considered in its own turn, in chunks (TRG-12). Each item has a request id made of the
/// job and its index, so a chunk that is done again after a crash enrolls nobody twice (ENR-02).
/// </summary>
public sealed class BulkEnrollments : IAsyncDisposable
{
    /// <summary>Most records of one request.</summary>
    public const int RecordsMax = 100_000;

    private const int ChunkMax = 500;
    private static readonly TimeSpan PauseWhenOverloaded = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(int Tenant, string Id), OperationDocument> _jobs = new();
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private readonly Func<IReadOnlyList<StoredDocument>, Task> _commit;
    private readonly Func<string, EnrollRequest, CancellationToken, ValueTask<EnrollResponse>> _enroll;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Creates the jobs of a host.</summary>
    public BulkEnrollments(
        Func<IReadOnlyList<StoredDocument>, Task> commit, Func<string, EnrollRequest, CancellationToken, ValueTask<EnrollResponse>> enroll, TimeProvider clock)
    {
        _commit = commit;
        _enroll = enroll;
        _clock = clock;
    }

    /// <summary>Goes on with the jobs that were at work when the process ended.</summary>
    public void Resume(IEnumerable<StoredDocument> documents, TenantDirectory tenants)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentNullException.ThrowIfNull(tenants);
        foreach (var stored in documents.Where(d => d.Kind == DocumentKinds.Operation))
        {
            var job = OperationDocument.Parser.ParseFrom(stored.Content);
            _jobs[(stored.Tenant, stored.Id)] = job;
            if (job.Operation.State == Operation.Types.State.Running)
            {
                Run(tenants.Get(stored.Tenant), job);
            }
        }
    }

    /// <summary>Starts a job, or returns the one that the request started before.</summary>
    public async ValueTask<Operation> StartAsync(TenantOwner owner, BulkEnrollRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        if (request.RequestId.Length is 0 or > 100)
        {
            throw RosterException.Invalid("request_id", request.RequestId, "request_id is required and has at most 100 bytes.");
        }

        if (request.Refs.Count is 0 or > RecordsMax)
        {
            throw RosterException.Invalid("refs", $"{request.Refs.Count}", $"A bulk enrollment has 1 to {RecordsMax} records.");
        }

        if (owner.FindWorkflowNumber(request.WorkflowId) == 0)
        {
            throw new RosterException(RosterError.NotFound, $"There is no workflow '{Core.Refusal.Cut(request.WorkflowId)}'.");
        }

        var id = $"bulk-{StableHash.Hash128(request.RequestId).High:x16}";
        var job = new OperationDocument
        {
            RequestId = request.RequestId,
            WorkflowId = request.WorkflowId,
            Refs = { request.Refs },
            Operation = new Operation
            {
                Id = id,
                Kind = "bulk_enroll",
                State = Operation.Types.State.Running,
                Total = request.Refs.Count,
                CreatedAt = ValueMapping.ToWire(Now),
            },
        };
        if (!_jobs.TryAdd((owner.Number, id), job))
        {
            return Get(owner, id);
        }

        try
        {
            await StoreAsync(owner, job).ConfigureAwait(false);
        }
        catch
        {
            // It did not begin: the same request may begin it later.
            _jobs.TryRemove((owner.Number, id), out _);
            throw;
        }

        Run(owner, job);
        return Copy(job);
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

    private Timestamp Now => new(_clock.GetUtcNow().ToUnixTimeMilliseconds());

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
            while (await TryAsync(() => RunChunkAsync(owner, job)).ConfigureAwait(false))
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
                await Task.Delay(PauseWhenOverloaded, _clock, _stop.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> RunChunkAsync(TenantOwner owner, OperationDocument job)
    {
        int from;
        lock (job)
        {
            from = (int)job.Operation.Done;
            if (job.CancelRequested || from >= job.Refs.Count)
            {
                End(job, job.CancelRequested && from < job.Refs.Count ? Operation.Types.State.Cancelled : Operation.Types.State.Succeeded);
                return false;
            }
        }

        var chunk = Math.Min(ChunkMax, job.Refs.Count - from);
        var responses = await Task.WhenAll(Enumerable.Range(from, chunk).Select(i => _enroll(
            owner.Id,
            new EnrollRequest { Ref = job.Refs[i], WorkflowId = job.WorkflowId, RequestId = $"{job.Operation.Id}/{i}", Caller = job.Operation.Id },
            _stop.Token).AsTask())).ConfigureAwait(false);
        lock (job)
        {
            job.Operation.Done += chunk;
            foreach (var response in responses)
            {
                Count(job.Operation, response);
            }
        }

        return true;
    }

    private static void Count(Operation operation, EnrollResponse response)
    {
        var name = response.Result.Code == EventResult.Types.Code.Refused
            ? response.Result.Refusal.Reason.ToString()
            : response.Decision.ToString();
        name = JournalMapping.ApiName(name);
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

    private Task StoreAsync(TenantOwner owner, OperationDocument job)
    {
        byte[] content;
        lock (job)
        {
            content = job.ToByteArray();
        }

        return _commit([new StoredDocument(owner.Number, DocumentKinds.Operation, job.Operation.Id, content)]);
    }
}
