using System.Globalization;
using Roster.Core.Journal;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;

namespace Roster.Engine.Delivery;

/// <summary>Sends the webhooks of one endpoint (ACT-60, ERR-04, ERR-05, ERR-09).</summary>
public sealed class WebhookDeliverer(TenantOwner owner, string endpoint, IWebhookTransport transport, TimeProvider clock) : IDeliverer
{
    /// <inheritdoc/>
    public int ConcurrencyMax => owner.FindEndpoint(endpoint)?.ConcurrencyMax ?? 1;

    /// <inheritdoc/>
    public int PerSecond => owner.Schema.Settings.WebhooksPerSecond;

    /// <inheritdoc/>
    public async Task<DeliveryOutcome> DeliverAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        if (owner.FindEndpoint(endpoint) is not { } target)
        {
            return new DeliveryOutcome(StepResult.Failed, FailureCodes.NameOf(FailureCode.Internal), $"There is no webhook endpoint '{endpoint}' any more.");
        }

        var answer = await transport.SendAsync(ToRequest(delivery, target), cancellationToken).ConfigureAwait(false);
        return answer.Status switch
        {
            0 => new DeliveryOutcome(StepResult.Failed, Name(FailureCode.Exhausted), answer.Error) { IsRetryable = true, IsReceiverDown = true },
            >= 200 and < 300 when answer.IsTooLarge => new DeliveryOutcome(
                StepResult.Failed, Name(FailureCode.OutputTooLarge), $"The answer has more than {owner.Schema.Settings.OutputsBytesMax} bytes (setting outputs_bytes_max)."),
            >= 200 and < 300 => new DeliveryOutcome(StepResult.Success) { Outputs = WebhookContent.ReadOutputs(answer.Status, answer.Json) },
            429 => Retryable(answer),
            >= 500 => Retryable(answer) with { IsReceiverDown = true },
            >= 400 => new DeliveryOutcome(StepResult.Failed, Name(FailureCode.Http4xx), $"HTTP {answer.Status}"),
            _ => new DeliveryOutcome(StepResult.Failed, Name(FailureCode.Http3xx), $"HTTP {answer.Status}: redirects are not followed."),
        };
    }

    private DeliveryOutcome Retryable(WebhookAnswer answer)
    {
        var after = answer.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.GetUtcNow(),
            _ => TimeSpan.Zero,
        };
        return new DeliveryOutcome(StepResult.Failed, Name(FailureCode.Exhausted), $"HTTP {answer.Status}")
        {
            IsRetryable = true,
            RetryAfterMs = Math.Max(0, (long)Math.Min(after.TotalMilliseconds, TimeSpan.FromDays(3_650).TotalMilliseconds)),
        };
    }

    private WebhookRequest ToRequest(Delivery delivery, Endpoint target)
    {
        var (method, path) = ("POST", string.Empty);
        var headers = new List<KeyValuePair<string, string>>(target.Headers);
        foreach (var part in delivery.Task.Request)
        {
            if (part.Name[0] == TaskMarks.Request)
            {
                (method, path) = (part.Name[1..], part.Value.ToString());
            }
            else if (!headers.Exists(h => string.Equals(h.Key, part.Name[1..], StringComparison.OrdinalIgnoreCase)))
            {
                headers.Add(KeyValuePair.Create(part.Name[1..], part.Value.ToString()));
            }
        }

        var hasBody = method is not ("GET" or "DELETE");
        var body = hasBody ? WebhookContent.Write(owner, delivery.Task, delivery.Key) : null;
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        headers.Add(KeyValuePair.Create(WebhookSigner.KeyHeader, delivery.Key));
        headers.Add(KeyValuePair.Create(WebhookSigner.IdempotencyHeader, delivery.Key));
        headers.Add(KeyValuePair.Create(WebhookSigner.TimestampHeader, timestamp));
        headers.Add(KeyValuePair.Create(WebhookSigner.SignatureHeader, WebhookSigner.Sign(target.Secrets, timestamp, body)));
        var settings = owner.Schema.Settings;
        return new WebhookRequest(HttpMethod.Parse(method), WebhookUrl.Join(target.Url, path), headers, body)
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(settings.WebhookConnectTimeoutMs),
            ResponseTimeout = TimeSpan.FromMilliseconds(settings.WebhookResponseTimeoutMs),
            AnswerBytesMax = settings.OutputsBytesMax,
        };
    }

    private static string Name(FailureCode code) => FailureCodes.NameOf(code);
}
