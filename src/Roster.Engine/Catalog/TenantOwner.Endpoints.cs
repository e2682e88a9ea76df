using System.Collections.Immutable;
using System.Security.Cryptography;
using Google.Protobuf;
using Roster.Core.Schema;
using Roster.Core.Workflows;
using Roster.Engine.Delivery;
using Roster.Engine.Effects;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Catalog;

/// <summary>A webhook endpoint as deliveries see it. Immutable.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Where it is.</param>
/// <param name="Headers">Headers of every request.</param>
/// <param name="Secrets">Secrets in force, oldest first.</param>
/// <param name="ConcurrencyMax">Requests at once.</param>
public sealed record Endpoint(string Id, Uri Url, IReadOnlyList<KeyValuePair<string, string>> Headers, IReadOnlyList<byte[]> Secrets, int ConcurrencyMax);

/// <content>Webhook endpoints (ACT-60, ERR-09) and limits of queues.</content>
public sealed partial class TenantOwner
{
    /// <summary>Most webhook endpoints of a tenant, deleted ones included.</summary>
    public const int EndpointsMax = 1_000;

    /// <summary>Most queues of a tenant that have limits.</summary>
    public const int LimitedQueuesMax = 1_000;

    private const int EndpointHeadersMax = 20;
    private const int EndpointHeaderLengthMax = 2_000;
    private const int DefaultConcurrency = 8;

    private volatile ImmutableSortedDictionary<string, WebhookDocument> _endpoints = ImmutableSortedDictionary.Create<string, WebhookDocument>(StringComparer.Ordinal);
    private volatile ImmutableDictionary<string, QueueLimits> _queueLimits = ImmutableDictionary.Create<string, QueueLimits>(StringComparer.Ordinal);

    /// <summary>The endpoint of that id; null when there is none, or no more.</summary>
    public Endpoint? FindEndpoint(string id) => _endpoints.TryGetValue(id, out var document) && !document.Deleted
        ? new Endpoint(
            id,
            new Uri(document.Url),
            [.. document.Headers.Select(h => KeyValuePair.Create(h.Name, h.Text))],
            [.. document.Secrets.Select(s => s.ToByteArray())],
            document.ConcurrencyMax == 0 ? DefaultConcurrency : document.ConcurrencyMax)
        : null;

    /// <summary>Limits of a queue; none of it for one that has none.</summary>
    public QueueLimits LimitsOf(string queue) => _queueLimits.GetValueOrDefault(queue);

    /// <summary>The endpoints that there are.</summary>
    public IReadOnlyList<WebhookEndpoint> ListEndpoints() => [.. _endpoints.Values.Where(e => !e.Deleted).Select(ToWire)];

    /// <summary>Registers or changes an endpoint. Its URL was checked before.</summary>
    public SaveWebhookEndpointResponse SaveEndpoint(SaveWebhookEndpointRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var wanted = request.Endpoint;
        CheckEndpoint(wanted);
        lock (_gate)
        {
            var present = _endpoints.GetValueOrDefault(wanted.Id);
            if (present is null && _endpoints.Count >= EndpointsMax)
            {
                throw RosterException.Invalid("endpoint.id", wanted.Id, $"A tenant has at most {EndpointsMax} webhook endpoints.");
            }

            var document = present?.Clone() ?? new WebhookDocument { Id = wanted.Id };
            var isNew = present is null || present.Deleted;
            (document.Url, document.ConcurrencyMax, document.Deleted) = (wanted.Url, wanted.ConcurrencyMax, false);
            if (wanted.Headers.Count > 0 || request.ClearHeaders || isNew)
            {
                document.Headers.Clear();
                document.Headers.AddRange(wanted.Headers);
            }

            var secret = isNew ? RandomNumberGenerator.GetBytes(WebhookSigner.SecretBytes) : [];
            if (isNew)
            {
                document.Secrets.Clear();
                document.Secrets.Add(ByteString.CopyFrom(secret));
            }

            Keep(document);
            if (isNew)
            {
                // Workflows may name it from here on.
                Publish(_catalog.Schema);
            }

            return new SaveWebhookEndpointResponse { Endpoint = ToWire(document), Secret = Convert.ToBase64String(secret) };
        }
    }

    /// <summary>Adds a secret, or drops the former one (ERR-09).</summary>
    public RotateWebhookSecretResponse RotateSecret(RotateWebhookSecretRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_gate)
        {
            var document = LiveEndpoint(request.EndpointId).Clone();
            while (document.Secrets.Count > 1)
            {
                document.Secrets.RemoveAt(0);
            }

            var secret = request.DropFormer ? [] : RandomNumberGenerator.GetBytes(WebhookSigner.SecretBytes);
            if (!request.DropFormer)
            {
                document.Secrets.Add(ByteString.CopyFrom(secret));
            }

            Keep(document);
            return new RotateWebhookSecretResponse { Secret = Convert.ToBase64String(secret) };
        }
    }

    /// <summary>Deletes an endpoint; refused while a workflow that is on or paused calls it.</summary>
    public DeleteWebhookEndpointResponse DeleteEndpoint(DeleteWebhookEndpointRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_gate)
        {
            var document = LiveEndpoint(request.EndpointId).Clone();
            var user = _workflows.Values.FirstOrDefault(w =>
                w.IsLive && w.Document.State is Workflow.Types.State.On or Workflow.Types.State.Paused && w.Newest is { } newest
                && DefinitionWalk.Endpoints(WorkflowMapping.ToCore(newest)).Contains(request.EndpointId, StringComparer.Ordinal));
            if (user is not null)
            {
                throw new RosterException(RosterError.FailedPrecondition, $"Webhook endpoint '{request.EndpointId}' is called by workflow '{user.Id}', which is {user.Document.State}.");
            }

            document.Deleted = true;
            document.Headers.Clear();
            document.Secrets.Clear();
            Keep(document);
            Publish(_catalog.Schema);
            return new DeleteWebhookEndpointResponse();
        }
    }

    /// <summary>Sets the limits of a queue of workers.</summary>
    public QueueLimits SetLimits(SetQueueLimitsRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Names.IsName(request.Queue))
        {
            throw RosterException.Invalid("queue", request.Queue, "A queue has a name of 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        if (request.LeasedMax is < 0 or > 100_000 || request.PerS is < 0 or > 100_000)
        {
            throw RosterException.Invalid(request.LeasedMax is < 0 or > 100_000 ? "leased_max" : "per_s", $"{request.LeasedMax}, {request.PerS}", "A limit is 1 to 100,000, or 0 for none.");
        }

        lock (_gate)
        {
            var limits = new QueueLimits(request.LeasedMax, request.PerS);
            if (limits != default && !_queueLimits.ContainsKey(request.Queue) && _queueLimits.Count >= LimitedQueuesMax)
            {
                throw RosterException.Invalid("queue", request.Queue, $"At most {LimitedQueuesMax} queues of a tenant have limits.");
            }

            var document = new QueueDocument { Queue = request.Queue, LeasedMax = request.LeasedMax, PerS = request.PerS };
            _commit([new StoredDocument(Number, DocumentKinds.Queue, request.Queue, limits == default ? null : document.ToByteArray())]);
            _queueLimits = limits == default ? _queueLimits.Remove(request.Queue) : _queueLimits.SetItem(request.Queue, limits);
            return limits;
        }
    }

    private void AddStored(StoredDocument document)
    {
        if (document.Kind == DocumentKinds.Webhook)
        {
            _endpoints = _endpoints.SetItem(document.Id, WebhookDocument.Parser.ParseFrom(document.Content));
        }
        else if (document.Kind == DocumentKinds.Queue)
        {
            var queue = QueueDocument.Parser.ParseFrom(document.Content);
            _queueLimits = _queueLimits.SetItem(document.Id, new QueueLimits(queue.LeasedMax, queue.PerS));
        }
    }

    private static void CheckEndpoint(WebhookEndpoint wanted)
    {
        if (!Names.IsId(wanted.Id))
        {
            throw RosterException.Invalid("endpoint.id", wanted.Id, "An endpoint id has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        if (wanted.ConcurrencyMax is < 0 or > 100)
        {
            throw RosterException.Invalid("endpoint.concurrency_max", $"{wanted.ConcurrencyMax}", "Requests at once are 1 to 100, or 0 for 8.");
        }

        if (wanted.Headers.Count > EndpointHeadersMax)
        {
            throw RosterException.Invalid("endpoint.headers", $"{wanted.Headers.Count}", $"An endpoint has at most {EndpointHeadersMax} headers.");
        }

        for (var i = 0; i < wanted.Headers.Count; i++)
        {
            var header = wanted.Headers[i];
            if (!WorkflowCompiler.IsHeaderName(header.Name) || header.Text.Length > EndpointHeaderLengthMax || header.Text.Any(char.IsControl))
            {
                throw RosterException.Invalid(
                    $"endpoint.headers[{i}]", header.Name, $"A header has a name of letters, digits and - that the engine does not set itself, and a value of at most {EndpointHeaderLengthMax:N0} characters on one line.");
            }
        }
    }

    private WebhookDocument LiveEndpoint(string id) => _endpoints.TryGetValue(id, out var document) && !document.Deleted
        ? document
        : throw new RosterException(RosterError.NotFound, $"There is no webhook endpoint '{Core.Refusal.Cut(id)}'.");

    private void Keep(WebhookDocument document)
    {
        _commit([new StoredDocument(Number, DocumentKinds.Webhook, document.Id, document.ToByteArray())]);
        _endpoints = _endpoints.SetItem(document.Id, document);
    }

    /// <summary>Secrets and values of headers are not shown.</summary>
    private static WebhookEndpoint ToWire(WebhookDocument document) => new()
    {
        Id = document.Id,
        Url = document.Url,
        Headers = { document.Headers.Select(h => new Field { Name = h.Name }) },
        ConcurrencyMax = document.ConcurrencyMax == 0 ? DefaultConcurrency : document.ConcurrencyMax,
        Secrets = document.Secrets.Count,
    };
}
