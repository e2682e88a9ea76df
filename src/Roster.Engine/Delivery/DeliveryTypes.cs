using System.Net.Http.Headers;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Engine.Catalog;
using Roster.Engine.Effects;
using Roster.Engine.Turns;

namespace Roster.Engine.Delivery;

/// <summary>A task that the engine carries out itself: one attempt of it.</summary>
/// <param name="Owner">Its tenant.</param>
/// <param name="Leased">The effect.</param>
/// <param name="Task">What is to be done.</param>
/// <param name="Key">Its key, the same for every attempt (ACT-03).</param>
public sealed record Delivery(TenantOwner Owner, LeasedEffect Leased, TaskContent Task, string Key);

/// <summary>What became of an attempt.</summary>
/// <param name="Result"><see cref="StepResult.Success"/> or <see cref="StepResult.Failed"/>.</param>
/// <param name="Code">For failures: the code (HIS-03).</param>
/// <param name="Text">For failures: what happened.</param>
public sealed record DeliveryOutcome(StepResult Result, string Code = "", string Text = "")
{
    /// <summary>Outputs for later steps.</summary>
    public NamedValue[] Outputs { get; init; } = [];

    /// <summary>Whether it is worth another attempt (ERR-04).</summary>
    public bool IsRetryable { get; init; }

    /// <summary>What the receiver asked to wait at least, in milliseconds; 0 for nothing.</summary>
    public long RetryAfterMs { get; init; }

    /// <summary>Whether the receiver did not answer as one that works: the circuit breaker counts it.</summary>
    public bool IsReceiverDown { get; init; }
}

/// <summary>Carries out the tasks of one queue.</summary>
public interface IDeliverer
{
    /// <summary>Attempts at once in one queue, from 1.</summary>
    int ConcurrencyMax { get; }

    /// <summary>Attempts per second of the tenant, from 1; 0 for no limit.</summary>
    int PerSecond { get; }

    /// <summary>Makes one attempt. What it throws counts as an attempt that failed retryably.</summary>
    Task<DeliveryOutcome> DeliverAsync(Delivery delivery, CancellationToken cancellationToken);
}

/// <summary>What the host does for deliveries.</summary>
public interface IDeliveryHost
{
    /// <summary>The engine's clock.</summary>
    TimeProvider Clock { get; }

    /// <summary>Open effects.</summary>
    Outbox Outbox { get; }

    /// <summary>Who carries out the tasks of a queue; null when nobody does here.</summary>
    IDeliverer? FindDeliverer(TenantOwner owner, string queue);

    /// <summary>The tenant of a number.</summary>
    TenantOwner Tenant(int number);

    /// <summary>The key of a task.</summary>
    string KeyOf(TenantOwner owner, LeasedEffect leased, TaskContent task);

    /// <summary>Reports what became of an attempt. Returns when it is durable, or when the task waits for its next attempt.</summary>
    Task ReportAsync(Delivery delivery, DeliveryOutcome outcome);

    /// <summary>Waits before something is tried again that found the engine overloaded or failed: real time, not the engine's.</summary>
    Task PauseAsync(CancellationToken cancellationToken);
}

/// <summary>A request as it is sent.</summary>
/// <param name="Method">The method.</param>
/// <param name="Url">The URL.</param>
/// <param name="Headers">Headers.</param>
/// <param name="Body">The JSON body; null for none.</param>
public sealed record WebhookRequest(HttpMethod Method, Uri Url, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[]? Body)
{
    /// <summary>How long it may take to connect (ERR-05).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the answer may take, from the connection on (ERR-05).</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes of a JSON answer that are read.</summary>
    public int AnswerBytesMax { get; init; } = 65_536;
}

/// <summary>An answer, or why there is none.</summary>
/// <param name="Status">The HTTP status; 0 when there was no answer.</param>
/// <param name="Error">Without an answer: what happened.</param>
public sealed record WebhookAnswer(int Status, string Error = "")
{
    /// <summary>The header <c>Retry-After</c>.</summary>
    public RetryConditionHeaderValue? RetryAfter { get; init; }

    /// <summary>The JSON body; null when the answer has none.</summary>
    public byte[]? Json { get; init; }

    /// <summary>Whether the JSON body has more bytes than are read.</summary>
    public bool IsTooLarge { get; init; }
}

/// <summary>Sends requests.</summary>
public interface IWebhookTransport : IAsyncDisposable
{
    /// <summary>Checks a URL when an endpoint is registered: what is wrong with it, or null.</summary>
    Task<string?> CheckAsync(string url, CancellationToken cancellationToken);

    /// <summary>Sends one request. Follows no redirect. Throws only when cancelled.</summary>
    Task<WebhookAnswer> SendAsync(WebhookRequest request, CancellationToken cancellationToken);
}
