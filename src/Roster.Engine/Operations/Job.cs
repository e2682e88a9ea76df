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
    private Operation? _durable;
    private long _version;
    private long _durableVersion;

    /// <param name="tenant">Number of the tenant.</param>
    /// <param name="document">The document.</param>
    /// <param name="refs">The records it names; empty for a scan. Held only while the job is at work.</param>
    public Job(int tenant, OperationDocument document, IReadOnlyList<RecordRef> refs)
    {
        Tenant = tenant;
        Document = document;
        Refs = refs;
        if (!IsRunning)
        {
            SetEnded();
        }
    }

    public int Tenant { get; }

    public OperationDocument Document { get; }

    public string Id => Document.Operation.Id;

    public IReadOnlyList<RecordRef> Refs { get; private set; }

    /// <summary>Reads what a scan is about; null until it begins.</summary>
    public ScanReader? Scan { get; set; }

    /// <summary>Whether it is about records that were named. A scan when not.</summary>
    public bool NamesRecords => Document.Operation.Total > 0;

    public bool IsRunning => Document.Operation.State == Operation.Types.State.Running;

    /// <summary>Completes when its document is durable for the first time; fails when that failed.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Completes when the job has ended, and its document says so.</summary>
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

    /// <summary>Ends it. What it named is not needed any more.</summary>
    public void End(Operation.Types.State state, Timestamp at)
    {
        Document.Operation.State = state;
        Document.Operation.EndedAt = ValueMapping.ToWire(at);
        Document.Refs.Clear();
        Refs = [];
    }

    /// <summary>What makes it durable as it is now. The records it names are written once, with the first document, and removed with the last.</summary>
    public IReadOnlyList<StoredDocument> ToDocuments(bool isFirst)
    {
        var documents = new List<StoredDocument> { new(Tenant, DocumentKinds.Operation, Id, Document.ToByteArray()) };
        if (NamesRecords && isFirst)
        {
            documents.Add(new StoredDocument(Tenant, DocumentKinds.OperationRefs, Id, new OperationRefs { Refs = { Refs } }.ToByteArray()));
        }
        else if (NamesRecords && !IsRunning)
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

    /// <summary>It did not begin.</summary>
    public void Abandon(Exception failure)
    {
        _begun.TrySetException(failure);
        _ = _begun.Task.Exception;
    }
}
