using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Workflows;
using Roster.Engine.Turns;

namespace Roster.Engine.Delivery;

/// <summary>An e-mail as it is sent.</summary>
/// <param name="MessageId">Local part of its Message-ID: the same for every attempt, so that a receiver can tell a second one.</param>
/// <param name="Key">Key of the task, sent as the header <c>X-Roster-Key</c>: whoever reports opens and bounces names it.</param>
/// <param name="From">Sender; empty for the one in the settings.</param>
/// <param name="ReplyTo">Where answers go; empty for the sender.</param>
/// <param name="To">Receivers.</param>
/// <param name="Subject">Subject.</param>
/// <param name="Text">Plain text; empty for none.</param>
/// <param name="Html">HTML; empty for none.</param>
public sealed record MailMessage(string MessageId, string Key, string From, string ReplyTo, IReadOnlyList<string> To, string Subject, string Text, string Html)
{
    /// <summary>When the step ran: the date of the e-mail, the same for every attempt.</summary>
    public DateTimeOffset RequestedAt { get; init; }
}

/// <summary>What the mail server said.</summary>
/// <param name="IsSent">Whether it took the message.</param>
/// <param name="Error">Why it did not.</param>
public sealed record MailAnswer(bool IsSent, string Error = "")
{
    /// <summary>Whether it may take the message later.</summary>
    public bool IsRetryable { get; init; }

    /// <summary>Whether the server itself could not be reached or used.</summary>
    public bool IsServerDown { get; init; }
}

/// <summary>Hands e-mails to a mail server.</summary>
public interface IMailTransport : IAsyncDisposable
{
    /// <summary>Connections at once, from 1.</summary>
    int ConnectionsMax { get; }

    /// <summary>Sends one e-mail. Throws only when cancelled.</summary>
    Task<MailAnswer> SendAsync(MailMessage message, CancellationToken cancellationToken);
}

/// <summary>Sends the e-mails of a tenant through the server's own mail transport (ACT-12, ACT-13).</summary>
public sealed class MailDeliverer(IMailTransport transport) : IDeliverer
{
    /// <inheritdoc/>
    public int ConcurrencyMax => transport.ConnectionsMax;

    /// <inheritdoc/>
    public int PerSecond => 0;

    /// <inheritdoc/>
    public async Task<DeliveryOutcome> DeliverAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var message = ToMessage(delivery.Task, delivery.Key);
        var answer = await transport.SendAsync(message, cancellationToken).ConfigureAwait(false);
        return answer.IsSent
            ? new DeliveryOutcome(StepResult.Success) { Outputs = [new NamedValue("message_id", Core.Values.Value.OfText(message.MessageId))] }
            : new DeliveryOutcome(StepResult.Failed, FailureCodes.NameOf(answer.IsRetryable ? FailureCode.Exhausted : FailureCode.Worker), answer.Error)
            {
                IsRetryable = answer.IsRetryable,
                IsReceiverDown = answer.IsServerDown,
            };
    }

    private static MailMessage ToMessage(TaskContent task, string key)
    {
        string Part(string name) => task.Request.FirstOrDefault(p => p.Name == TaskMarks.Header + name).Value.ToString();
        var to = task.Request.Where(p => p.Name == TaskMarks.Header + "to").Select(p => p.Value.ToString()).ToList();
        var hash = StableHash.Hash128(key);
        return new MailMessage($"{hash.High:x16}{hash.Low:x16}", key, Part("from"), Part("reply_to"), to, Part("subject"), Part("text"), Part("html"))
        {
            RequestedAt = DateTimeOffset.FromUnixTimeMilliseconds(task.RequestedAt.Ms),
        };
    }
}
