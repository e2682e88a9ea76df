using Google.Protobuf;
using Roster.Core;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Operations;

/// <summary>A job in memory. Its document is changed and read under the lock of this object; readers see what of it is durable.</summary>
internal sealed class Job
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _resumed;
    private Operation? _durable;
    private long _version;
    private long _durableVersion;

    /// <param name="tenant">Number of the tenant.</param>
    /// <param name="document">The document.</param>
    /// <param name="refs">The records it names; empty for a scan. Held only while the job is at work.</param>
    /// <param name="keepsRefs">Whether the store has the records it names, though it has ended.</param>
    public Job(int tenant, OperationDocument document, IReadOnlyList<RecordRef> refs, bool keepsRefs = false)
    {
        Tenant = tenant;
        Document = document;
        Refs = refs;
        KeepsRefs = keepsRefs;
        if (!IsRunning)
        {
            SetEnded();
        }
    }

    public int Tenant { get; }

    public OperationDocument Document { get; }

    public string Id => Document.Operation.Id;

    public IReadOnlyList<RecordRef> Refs { get; private set; }

    /// <summary>Whether it has ended and the store still has the records it names: it was cancelled or has failed, and can go on.</summary>
    public bool KeepsRefs { get; set; }

    /// <summary>Reads what a scan is about; null until it begins.</summary>
    public ScanReader? Scan { get; set; }

    /// <summary>Whether it is about records that were named. A scan when not.</summary>
    public bool NamesRecords => Document.Operation.Total > 0;

    public bool IsRunning => Document.Operation.State == Operation.Types.State.Running;

    /// <summary>Completes when its document is durable for the first time; fails when that failed.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Completes when the job has ended, its document says so, and it is one of those that ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The job has ended.</summary>
    public void SetEnded() => _ended.TrySetResult();

    /// <summary>The operation as of its newest commit; null before the first.</summary>
    public Operation? Durable
    {
        get
        {
            lock (this)
            {
                return _durable?.Clone();
            }
        }
    }

    /// <summary>Ends it. What it named is not held in memory any more.</summary>
    public void End(Operation.Types.State state, Timestamp at)
    {
        Document.Operation.State = state;
        Document.Operation.EndedAt = ValueMapping.ToWire(at);
        KeepsRefs = NamesRecords && state != Operation.Types.State.Succeeded;
        Document.Refs.Clear();
        Refs = [];
    }

    /// <summary>Completes when it is durable that it goes on after its end; fails when that failed. Completed for one that never ended before.</summary>
    public Task Resumed => _resumed?.Task ?? Task.CompletedTask;

    /// <summary>The same job as it goes on after its end. Until that is durable, readers see the end.</summary>
    /// <param name="refs">The records it names; empty for a scan.</param>
    public Job ToResumed(IReadOnlyList<RecordRef> refs)
    {
        var document = Document.Clone();
        document.CancelRequested = false;
        document.Resumed++;
        document.Operation.State = Operation.Types.State.Running;
        document.Operation.EndedAt = null;
        document.Operation.Error = string.Empty;
        var resumed = new Job(Tenant, document, refs) { _resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) };
        resumed._durable = Durable;
        resumed._begun.TrySetResult();
        return resumed;
    }

    /// <summary>That it goes on is durable.</summary>
    public void SetResumed() => _resumed!.TrySetResult();

    /// <summary>What makes it durable as it is now. The records it names are written once, with the first document, and removed when it succeeds.</summary>
    public IReadOnlyList<StoredDocument> ToDocuments(bool isFirst)
    {
        var documents = new List<StoredDocument> { new(Tenant, DocumentKinds.Operation, Id, Document.ToByteArray()) };
        if (NamesRecords && isFirst)
        {
            documents.Add(new StoredDocument(Tenant, DocumentKinds.OperationRefs, Id, new OperationRefs { Refs = { Refs } }.ToByteArray()));
        }
        else if (NamesRecords && !IsRunning && !KeepsRefs)
        {
            documents.Add(new StoredDocument(Tenant, DocumentKinds.OperationRefs, Id, null));
        }

        return documents;
    }

    /// <summary>A version of it is about to be written; commits may end in another order than they are told here.</summary>
    public (long Version, Operation Operation) Writing() => (++_version, Document.Operation.Clone());

    /// <summary>That version is durable.</summary>
    public void Written(long version, Operation operation)
    {
        lock (this)
        {
            if (version > _durableVersion)
            {
                (_durable, _durableVersion) = (operation, version);
            }
        }

        _begun.TrySetResult();
    }

    /// <summary>It did not begin, or did not go on.</summary>
    public void Abandon(Exception failure)
    {
        var waited = _resumed ?? _begun;
        waited.TrySetException(failure);
        _ = waited.Task.Exception;
    }
}
