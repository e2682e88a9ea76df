namespace Roster.Core.Workflows;

/// <summary>Queues of tasks that the engine carries out itself. Their names are none that a definition can give to a queue of workers. Stored.</summary>
public static class TaskQueues
{
    /// <summary>What the name of a queue begins with that workers do not lease from.</summary>
    public const char Own = '!';

    /// <summary>E-mails that the engine sends (ACT-12, ACT-13).</summary>
    public const string Mail = "!mail";

    private const string WebhookPrefix = "!webhook/";

    /// <summary>The queue of the requests to an endpoint (ACT-60).</summary>
    public static string OfWebhook(string endpoint) => WebhookPrefix + endpoint;

    /// <summary>The endpoint that a queue is for; null when it is for none.</summary>
    public static string? EndpointOf(string queue)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return queue.StartsWith(WebhookPrefix, StringComparison.Ordinal) ? queue[WebhookPrefix.Length..] : null;
    }
}
