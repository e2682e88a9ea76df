using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
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

    /// <summary>Ended operations that are kept per tenant; of more, the ones that ended first are removed.</summary>
    public const int EndedMax = 1_000;

    /// <summary>Cancelled and failed operations that name records and can go on, per tenant; of more, the records of the ones that ended first are removed.</summary>
    public const int ResumableMax = 10;

    /// <summary>Failures of one chunk in a row after which a job is given up; between them is the pause of the host.</summary>
    internal const int FailuresMax = 100;

    private const int ChunkMax = 500;
    private const int CallerMax = 100;

    private readonly ConcurrentDictionary<(int Tenant, string Id), Job> _jobs = new();
    private readonly ConcurrentDictionary<int, LinkedList<string>> _ended = new();
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private readonly IJobHost _host;
    private readonly SemaphoreSlim _turns = new(1);
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Creates the jobs of a host.</summary>
    public Jobs(IJobHost host) => _host = host;

    /// <summary>Goes on with the jobs that were at work when the process ended.</summary>
    public void Resume(IEnumerable<StoredDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var all = documents.Where(d => d.Kind is DocumentKinds.Operation or DocumentKinds.OperationRefs && d.Content is not null).ToList();
        var refs = all.Where(d => d.Kind == DocumentKinds.OperationRefs).ToDictionary(d => (d.Tenant, d.Id), d => d.Content!);
        var jobs = all.Where(d => d.Kind == DocumentKinds.Operation).Select(d => (d.Tenant, Document: OperationDocument.Parser.ParseFrom(d.Content))).ToList();
        foreach (var (tenant, document) in jobs.OrderBy(j => j.Document.Operation.EndedAt?.ToDateTime()).ThenBy(j => j.Document.Operation.Id, StringComparer.Ordinal))
        {
            // Another process that had the duty in between may have had an ended one go on.
            if (_jobs.TryGetValue((tenant, document.Operation.Id), out var known) && (known.IsRunning || known.Document.Resumed >= document.Resumed))
            {
                continue;
            }

            if (document.Operation.State != Operation.Types.State.Running)
            {
                document.Refs.Clear();
                Forget(known);
                AddEnded(tenant, document.Operation.Id);
                Adopt(tenant, document, [], refs.ContainsKey((tenant, document.Operation.Id)));
                continue;
            }

            Forget(known);
            Adopt(tenant, document, refs.TryGetValue((tenant, document.Operation.Id), out var content) ? OperationRefs.Parser.ParseFrom(content).Refs : document.Refs);
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

        // One commit: a crash between would compute them twice, or never.
        var jobs = all.Where(d => d.Kind == DocumentKinds.Tenant && former.Length > 0)
            .Select(d => (d.Tenant, Document: New(JobKinds.ZonesChanged, $"zones-{StableHash.Hash128(version).High:x16}-{Now.Ms}", string.Empty, string.Empty)))
            .ToList();
        var zones = new StoredDocument(0, DocumentKinds.Zones, DocumentKinds.Zones, System.Text.Encoding.UTF8.GetBytes(version));
        await _host.CommitAsync([zones, .. jobs.Select(j => ToDocument(j.Tenant, j.Document))]).ConfigureAwait(false);
        jobs.ForEach(j => Adopt(j.Tenant, j.Document, []));
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

        return BulkAsync(owner, JobKinds.BulkEnroll, request.WorkflowId, request.ListId, request.Refs, request.RequestId, request.Caller, request);
    }

    /// <summary>Starts a bulk unenrollment, or returns the one that the request started before (UNE-03).</summary>
    public ValueTask<Operation> BulkUnenrollAsync(TenantOwner owner, BulkUnenrollRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        return BulkAsync(owner, JobKinds.BulkUnenroll, request.WorkflowId, request.ListId, request.Refs, request.RequestId, request.Caller, request);
    }

    private ValueTask<Operation> BulkAsync(
        TenantOwner owner, string kind, string workflowId, string listId, IReadOnlyList<RecordRef> refs, string requestId, string caller, IMessage request)
    {
        if (requestId.Length is 0 or > 100)
        {
            throw RosterException.Invalid("request_id", requestId, "request_id is required and has at most 100 bytes.");
        }

        if (caller.Length > CallerMax)
        {
            throw RosterException.Invalid("caller", caller, $"caller has at most {CallerMax} bytes.");
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

        // The same request id for enrolling and unenrolling names two requests.
        var prefix = kind == JobKinds.BulkEnroll ? "bulk" : "bulk-out";
        var job = New(kind, $"{prefix}-{StableHash.Hash128(requestId).High:x16}", workflowId, listId);
        job.RequestId = requestId;
        job.Caller = caller;
        job.Content = TenantOwner.HashOf(request);
        job.Operation.Total = refs.Count;
        return StartAsync(new Job(owner.Number, job, [.. refs]));
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

    /// <summary>Starts a job, or returns the one of the same id that was started before. Either is durable when this returns.</summary>
    private async ValueTask<Operation> StartAsync(Job job)
    {
        var present = _jobs.GetOrAdd((job.Tenant, job.Id), job);
        if (!ReferenceEquals(present, job))
        {
            await present.Begun.ConfigureAwait(false);
            return present.Document.Content.IsEmpty || present.Document.Content == job.Document.Content
                ? present.Durable!
                : throw RosterException.Invalid("request_id", job.Document.RequestId, "This request id was that of another request; each request has an id of its own (API-03).");
        }

        try
        {
            await StoreAsync(job, isFirst: true).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // It did not begin: the same request may begin it later.
            _jobs.TryRemove((job.Tenant, job.Id), out _);
            job.Abandon(failure);
            throw;
        }

        var answer = job.Durable!;
        Run(job);
        return answer;
    }

    /// <summary>Takes over a job over all records whose document is durable already; returns it as it is now.</summary>
    internal Operation Adopt(TenantOwner owner, OperationDocument document) => Adopt(owner.Number, document, []);

    private Operation Adopt(int tenant, OperationDocument document, IReadOnlyList<RecordRef> refs, bool keepsRefs = false)
    {
        var job = new Job(tenant, document, refs, keepsRefs);
        var (version, operation) = job.Writing();
        job.Written(version, operation);
        if (_jobs.TryAdd((tenant, job.Id), job) && job.IsRunning)
        {
            Run(job);
        }

        return operation.Clone();
    }

    /// <summary>Whether a job is at work.</summary>
    public bool IsAtWork => !_running.IsEmpty;

    /// <summary>Completes when no job is at work.</summary>
    public async Task IdleAsync(CancellationToken cancellationToken)
    {
        while (_running.Keys.ToArray() is { Length: > 0 } running)
        {
            await Task.WhenAll(running).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a job, as far as it is durable.</summary>
    public Operation Get(TenantOwner owner, string id) => Find(owner, id).Durable!;

    /// <summary>Reads a job when it has ended, or when nobody wants to wait any more.</summary>
    public async ValueTask<Operation> WaitAsync(TenantOwner owner, string id, CancellationToken enough)
    {
        var job = Find(owner, id);
        await job.Ended.WaitAsync(enough).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return job.Durable!;
    }

    /// <summary>Lists jobs, newest first.</summary>
    public ListOperationsResponse List(TenantOwner owner, ListOperationsRequest request)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        var size = request.PageSize is 0 ? 100 : Math.Clamp(request.PageSize, 1, 1_000);
        var after = ReadToken(request.PageToken);
        var found = _jobs.Where(j => j.Key.Tenant == owner.Number).Select(j => j.Value.Durable).OfType<Operation>()
            .Where(o => request.WorkflowId.Length == 0 || o.WorkflowId == request.WorkflowId)
            .Where(o => (request.States.Count == 0 || request.States.Contains(o.State)) && (request.Kinds.Count == 0 || request.Kinds.Contains(o.Kind)))
            .Where(o => IsAfter(o, after))
            .OrderByDescending(o => o.CreatedAt.Seconds).ThenBy(o => o.Id, StringComparer.Ordinal)
            .Take(size + 1).ToList();
        var response = new ListOperationsResponse { Operations = { found.Take(size) } };
        response.NextPageToken = found.Count > size ? string.Create(CultureInfo.InvariantCulture, $"{found[size - 1].CreatedAt.Seconds}/{found[size - 1].Id}") : string.Empty;
        return response;
    }

    /// <summary>A token names a place in the order and not an operation, which may be removed while pages are read.</summary>
    private static (long CreatedAt, string Id) ReadToken(string token)
    {
        var slash = token.IndexOf('/', StringComparison.Ordinal);
        if (token.Length == 0)
        {
            return (long.MaxValue, string.Empty);
        }

        return slash > 0 && long.TryParse(token.AsSpan(0, slash), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var createdAt)
            ? (createdAt, token[(slash + 1)..])
            : throw RosterException.Invalid("page_token", token, "The token is not one of a page of operations.");
    }

    private static bool IsAfter(Operation operation, (long CreatedAt, string Id) place) => operation.CreatedAt.Seconds < place.CreatedAt
        || (operation.CreatedAt.Seconds == place.CreatedAt && string.CompareOrdinal(operation.Id, place.Id) > 0);

    /// <summary>Asks a job to stop. One that has ended stays as it is.</summary>
    public async ValueTask<Operation> CancelAsync(TenantOwner owner, string id)
    {
        var job = Find(owner, id);
        if (job.Document.Operation.Kind == JobKinds.Erase)
        {
            throw new RosterException(RosterError.FailedPrecondition, "An erasure cannot be cancelled: the record is gone already (REC-17).");
        }

        lock (job)
        {
            if (!job.IsRunning)
            {
                return job.Durable!;
            }

            job.Document.CancelRequested = true;
        }

        await StoreAsync(job, isFirst: false).ConfigureAwait(false);
        return job.Durable!;
    }

    /// <summary>Stops; jobs go on at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running.Keys).ConfigureAwait(false);
        _stop.Dispose();
        _turns.Dispose();
        _erasing.Dispose();
    }

    private Timestamp Now => _host.Clock.Now();

    private void Run(Job job)
    {
        var task = Task.Run(() => RunAsync(job));
        _running[task] = true;
        _ = task.ContinueWith(done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task RunAsync(Job job)
    {
        try
        {
            await WorkAsync(job).ConfigureAwait(false);
            await TryAsync(() => StoreAsync(job, isFirst: false), int.MaxValue).ConfigureAwait(false);
            AddEnded(job.Tenant, job.Id);
            job.SetEnded();
            await KeepNewestAsync(job.Tenant).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsStop(failure))
        {
            // The engine stops: the job goes on at the next start.
            return;
        }
    }

    /// <summary>Waits for the jobs that this one follows, and until what they sent has arrived.</summary>
    private async Task FollowAsync(Job job)
    {
        if (job.Document.Follows.Count == 0)
        {
            return;
        }

        foreach (var id in job.Document.Follows)
        {
            if (_jobs.TryGetValue((job.Tenant, id), out var before))
            {
                await before.Ended.WaitAsync(_stop.Token).ConfigureAwait(false);
            }
        }

        await _host.WhenDeliveredAsync(job.Tenant, _stop.Token).ConfigureAwait(false);
    }

    /// <summary>Whether the engine stops, and nothing is wrong with the job: it goes on at the next start.</summary>
    private bool IsStop(Exception failure) =>
        failure is RosterException { Error: RosterError.Unavailable } || (failure is OperationCanceledException && _stop.IsCancellationRequested);

    /// <summary>Works until the job has ended. Whatever fails, but for a stop of the engine, ends it at once with that as its error.</summary>
    private async Task WorkAsync(Job job)
    {
        try
        {
            var owner = _host.TenantOf(job.Tenant);
            await FollowAsync(job).ConfigureAwait(false);
            if (job.NamesRecords && job.Refs.Count != job.Document.Operation.Total)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"Of the {job.Document.Operation.Total} records of the request {job.Refs.Count} are stored.");
            }

            if (!job.NamesRecords)
            {
                // A scan judges what is stored: what was decided before the change that this job follows must be there.
                await _host.WhenDecidedAsync(_stop.Token).ConfigureAwait(false);
            }

            // An erasure is never given up: what it leaves would stay for good (REC-17).
            var failuresMax = job.Document.Operation.Kind == JobKinds.Erase ? int.MaxValue : FailuresMax;
            await RunChunksAsync(owner, job, failuresMax).ConfigureAwait(false);
        }
        catch (Exception failure) when (!IsStop(failure))
        {
            lock (job)
            {
                job.Document.Operation.Error = failure is RosterException ? failure.Message : $"{failure.GetType().Name}: {failure.Message}";
                End(job, Operation.Types.State.Failed);
            }
        }
    }

    /// <summary>
    /// Works chunk by chunk. How far it is becomes durable while the next chunk is at work: after a crash a chunk or two are done again, which
    /// changes nothing (ENR-02). The steps of an erasure follow each other.
    /// </summary>
    private async Task RunChunksAsync(TenantOwner owner, Job job, int failuresMax)
    {
        var storing = Task.CompletedTask;
        try
        {
            while (await TryAsync(() => RunChunkAsync(owner, job), failuresMax).ConfigureAwait(false))
            {
                await storing.ConfigureAwait(false);
                storing = TryAsync(() => StoreAsync(job, isFirst: false));
                if (job.Document.Operation.Kind == JobKinds.Erase)
                {
                    await storing.ConfigureAwait(false);
                }
            }
        }
        finally
        {
            await storing.ConfigureAwait(false);
        }
    }

    /// <summary>Does a part of the work; false when there is no more.</summary>
    private Task<bool> RunChunkAsync(TenantOwner owner, Job job)
    {
        if (job.Document.Operation.Kind == JobKinds.Erase)
        {
            return RunErasureAsync(job);
        }

        return RunInTurnAsync(() => job.NamesRecords ? RunRefsAsync(owner, job) : RunScanAsync(owner, job));
    }

    /// <summary>
    /// Jobs take turns, a chunk each, and live events go first (EDT-06, TRG-08): however many jobs there are, together they cost ingest no more than one.
    /// </summary>
    private async Task<bool> RunInTurnAsync(Func<Task<bool>> chunk)
    {
        await _turns.WaitAsync(_stop.Token).ConfigureAwait(false);
        try
        {
            await _host.GiveWayAsync(_stop.Token).ConfigureAwait(false);
            return await chunk().ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Waits for a turn by the tenant's rate. Whoever has to wait does not keep the jobs of others waiting meanwhile (LIM-02).</summary>
    private async ValueTask WaitForTurnAsync(TenantOwner owner)
    {
        var waiting = _host.WaitForTurnAsync(owner, _stop.Token).AsTask();
        if (waiting.IsCompleted)
        {
            await waiting.ConfigureAwait(false);
            return;
        }

        _turns.Release();
        try
        {
            await waiting.ConfigureAwait(false);
        }
        finally
        {
            await _turns.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Removes what has ended beyond <see cref="EndedMax"/>. From memory only after its document, so that an id is not taken anew before.</summary>
    private async Task KeepNewestAsync(int tenant)
    {
        List<string> old = [];
        List<Job> forgetful = [];
        var ended = EndedOf(tenant);
        lock (ended)
        {
            while (ended.Count > EndedMax)
            {
                old.Add(ended.First!.Value);
                ended.RemoveFirst();
            }

            forgetful.AddRange(ended.Select(id => _jobs.GetValueOrDefault((tenant, id))).OfType<Job>().Where(j => j.KeepsRefs).SkipLast(ResumableMax));
            forgetful.ForEach(job => job.KeepsRefs = false);
        }

        if (old.Count == 0 && forgetful.Count == 0)
        {
            return;
        }

        var refs = old.Where(id => _jobs.TryGetValue((tenant, id), out var job) && job.KeepsRefs).Concat(forgetful.Select(job => job.Id));
        var documents = old.Select(id => new StoredDocument(tenant, DocumentKinds.Operation, id, null))
            .Concat(refs.Select(id => new StoredDocument(tenant, DocumentKinds.OperationRefs, id, null))).ToList();
        await TryAsync(() => _host.CommitAsync(documents)).ConfigureAwait(false);
        old.ForEach(id => _jobs.TryRemove((tenant, id), out _));
    }

    /// <summary>Ids of a tenant's ended jobs in the order in which they ended. Read and changed under its own lock.</summary>
    private LinkedList<string> EndedOf(int tenant) => _ended.GetOrAdd(tenant, _ => new LinkedList<string>());

    private async Task TryAsync(Func<Task> work, int failuresMax = FailuresMax) => await TryAsync(
        async () =>
        {
            await work().ConfigureAwait(false);
            return true;
        },
        failuresMax).ConfigureAwait(false);

    /// <summary>
    /// An overloaded engine or a full disk stops no job: it waits and goes on. Items done twice are duplicates (ENR-02). Neither does a read that
    /// fails, unless it does so again and again. Anything else is a defect, which would only happen again.
    /// </summary>
    private async Task<T> TryAsync<T>(Func<Task<T>> work, int failuresMax = FailuresMax)
    {
        for (var failures = 0; ;)
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is StoreFullException or RosterException { Error: RosterError.Overloaded })
            {
                await _host.PauseAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (
                !IsStop(failure) && (IsOfTheMoment(failure) || failuresMax == int.MaxValue) && ++failures < failuresMax)
            {
                await _host.PauseAsync(_stop.Token).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Whether a failure may be over the next time: a broken connection, a read that failed, a wait that was given up.</summary>
    private static bool IsOfTheMoment(Exception failure) => failure is IOException or DbException or TimeoutException or OperationCanceledException;

    /// <summary>Whether the job is over: all done, or asked to stop.</summary>
    private bool IsOver(Job job, bool isDone)
    {
        if (!job.Document.CancelRequested && !isDone)
        {
            return false;
        }

        End(job, isDone ? Operation.Types.State.Succeeded : Operation.Types.State.Cancelled);
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

    private void End(Job job, Operation.Types.State state) => job.End(state, Now);

    private Job Find(TenantOwner owner, string id) => _jobs.TryGetValue((owner.Number, id), out var job) && job.Begun.IsCompletedSuccessfully
        ? job
        : throw new RosterException(RosterError.NotFound, $"There is no operation '{Core.Refusal.Cut(id)}'.");

    private async Task StoreAsync(Job job, bool isFirst)
    {
        Task commit;
        long version;
        Operation operation;
        lock (job)
        {
            // Under the lock, so that an older copy is never written after a newer one.
            (version, operation) = job.Writing();
            commit = _host.CommitAsync(job.ToDocuments(isFirst));
        }

        await commit.ConfigureAwait(false);
        job.Written(version, operation);
    }

    /// <summary>Who the journal says asked: the caller of a bulk request, else the job.</summary>
    internal static string CallerOf(OperationDocument job) => job.Caller.Length > 0 ? job.Caller : job.Operation.Id;

    internal static StoredDocument ToDocument(int tenant, OperationDocument job) => new(tenant, DocumentKinds.Operation, job.Operation.Id, job.ToByteArray());
}
