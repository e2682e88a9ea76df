using Google.Protobuf;
using Roster.Core.Hashing;
using Roster.Core.Workflows;
using Roster.Engine.Stores;
using Roster.Storage.V1;

namespace Roster.Engine.Catalog;

/// <content>Changes that carry a request id are done once, however often they are sent (API-03).</content>
public sealed partial class TenantOwner
{
    /// <summary>Request ids of changes that are remembered with their answers; of more, the oldest are forgotten.</summary>
    public const int RequestsMax = 200;

    private readonly Dictionary<string, RequestDocument> _requests = new(StringComparer.Ordinal);
    private PendingRequest? _pending;

    /// <summary>Does a change, or gives the answer that the same request got the first time. That answer is in the commit of the change.</summary>
    /// <param name="requestId">The id; empty for none: then it is done.</param>
    /// <param name="request">The request, for what it asks.</param>
    /// <param name="answerOf">The answer, from what is about to be committed.</param>
    /// <param name="change">Does it.</param>
    /// <exception cref="RosterException">The id is too long, or was that of another request; or what the change throws.</exception>
    internal T Once<T>(string requestId, IMessage request, Func<PlannedChange, T> answerOf, Func<T> change)
        where T : class, IMessage<T>, new()
    {
        if (requestId.Length == 0)
        {
            return change();
        }

        lock (_gate)
        {
            if (FindAnswer<T>(requestId, request) is { } first)
            {
                return first;
            }

            _pending = new PendingRequest(requestId, HashOf(request), answerOf);
            try
            {
                return change();
            }
            finally
            {
                _pending = null;
            }
        }
    }

    /// <summary>The answer that a request got the first time; null when it was not sent before.</summary>
    /// <exception cref="RosterException">The id is too long, has control characters, or was that of another request.</exception>
    internal T? FindAnswer<T>(string requestId, IMessage request)
        where T : class, IMessage<T>, new()
    {
        if (requestId.Length > RequestIdMax || requestId.Any(char.IsControl))
        {
            // Control characters: not every store takes them in a key.
            throw RosterException.Invalid("request_id", requestId, $"A request id has at most {RequestIdMax} characters, and no control characters.");
        }

        lock (_gate)
        {
            if (!_requests.TryGetValue(requestId, out var known))
            {
                return null;
            }

            if (!known.Content.Span.SequenceEqual(HashOf(request).Span))
            {
                throw RosterException.Invalid("request_id", requestId, "This request id was that of another request; each request has an id of its own (API-03).");
            }

            var answer = new T();
            answer.MergeFrom(known.Answer);
            return answer;
        }
    }

    /// <summary>Warnings of the change that is about to be committed.</summary>
    private void Warn(IReadOnlyList<WorkflowProblem> problems)
    {
        if (_pending is { } pending)
        {
            _pending = pending with { Problems = problems };
        }
    }

    /// <summary>Commits the definition that a request is about, with what is remembered of the request. The lock is taken.</summary>
    private void Commit(IReadOnlyList<StoredDocument> documents)
    {
        if (_pending is not { } pending)
        {
            _commit(documents);
            return;
        }

        var answer = pending.AnswerOf(new PlannedChange(documents, pending.Problems));
        var request = new RequestDocument
        {
            Number = _requests.Count == 0 ? 1 : _requests.Values.Max(r => r.Number) + 1,
            Content = pending.Content,
            Answer = answer.ToByteString(),
        };
        var old = _requests.OrderBy(r => r.Value.Number).SkipLast(RequestsMax - 1).Select(r => r.Key).ToList();
        _commit(
        [
            .. documents,
            new StoredDocument(Number, DocumentKinds.Request, pending.Id, request.ToByteArray()),
            .. old.Select(id => new StoredDocument(Number, DocumentKinds.Request, id, null)),
        ]);
        old.ForEach(id => _requests.Remove(id));
        _requests[pending.Id] = request;
        _pending = null;
    }

    /// <summary>Tells requests from each other: 16 bytes.</summary>
    internal static ByteString HashOf(IMessage request)
    {
        var hash = StableHash.Hash128([.. System.Text.Encoding.UTF8.GetBytes(request.Descriptor.FullName), 0, .. request.ToByteArray()]);
        var bytes = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, hash.High);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), hash.Low);
        return ByteString.CopyFrom(bytes);
    }

    /// <summary>A request under way. Guarded by the lock.</summary>
    private sealed record PendingRequest(string Id, ByteString Content, Func<PlannedChange, IMessage> AnswerOf)
    {
        public IReadOnlyList<WorkflowProblem> Problems { get; init; } = [];
    }
}
