using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Actions that leave the engine: webhooks, messages, custom code (ACT-12 to ACT-15, ACT-60, ACT-61), and consent (ACT-42).</content>
public sealed partial class WorkflowCompiler
{
    private const int FieldsMax = 100;
    private const int FieldLengthMax = 10_000;
    private const int HeadersMax = 50;
    private const int PathLengthMax = 2_000;
    private const int PartLengthMax = 100_000;
    private const int SubjectLengthMax = 1_000;
    private const int CampaignLengthMax = 200;

    /// <summary>Headers that the engine sets itself, or that would change how a request is read.</summary>
    private static readonly string[] OwnHeaders =
    [
        "connection", "content-length", "content-type", "expect", "host", "idempotency-key", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "webhook-id", "webhook-signature", "webhook-timestamp",
    ];

    private RetryPolicy CompileRetry(RetryDefinition? retry, string path)
    {
        if (retry is null)
        {
            return RetryPolicy.Default;
        }

        var tried = Duration($"{path}.retryFor", retry.RetryFor, TimeSpan.FromDays(3), TimeSpan.Zero, TimeSpan.FromDays(7), "retry_for");
        var first = Duration($"{path}.gapFirst", retry.GapFirst, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), "retry_gap_first");
        var longest = Duration($"{path}.gapMax", retry.GapMax, TimeSpan.FromHours(8), TimeSpan.FromMinutes(1), TimeSpan.FromHours(24), "retry_gap_max");
        return new RetryPolicy((long)tried.TotalMilliseconds, (long)first.TotalMilliseconds, (long)longest.TotalMilliseconds);
    }

    private void CheckFields(IReadOnlyList<KeyValuePair<string, string>> fields, string path)
    {
        Require(fields.Count <= FieldsMax, path, "TOO_MANY_FIELDS", $"{fields.Count}", $"At most {FieldsMax} fields.");
        for (var i = 0; i < fields.Count; i++)
        {
            Require(
                fields[i].Key.Length is > 0 and <= Names.LengthMax && !TaskMarks.Contains(fields[i].Key[0]) && fields[i].Value.Length <= FieldLengthMax,
                $"{path}[{i}]", "BAD_FIELD", fields[i].Key, $"A field has a name of 1 to {Names.LengthMax} characters, not beginning with one of . ! / :, and a text of at most {FieldLengthMax:N0}.");
        }
    }

    private long CompileActionTimeout(TimeSpan? timeout, string path) =>
        (long)Duration($"{path}.timeout", timeout, DefaultTimeout, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30), "action_timeout").TotalMilliseconds;

    /// <summary>In milliseconds; 0 when the action does not say, and what the worker asks for holds.</summary>
    private long CompileLease(TimeSpan? lease, string path) =>
        lease is null ? 0 : (long)Duration($"{path}.leaseFor", lease, TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromHours(1), "lease_for").TotalMilliseconds;

    private CompiledWorker? CompileWebhook(WebhookStepDefinition webhook, int number, int index, int next, string path)
    {
        var hasBody = webhook.Method is not (WebhookMethod.Get or WebhookMethod.Delete);
        Require(_scope.HasEndpoint(webhook.Endpoint), $"{path}.endpoint", webhook.Endpoint.Length == 0 ? "MISSING_FIELD" : "UNKNOWN_ENDPOINT", webhook.Endpoint, $"There is no webhook endpoint '{Refusal.Cut(webhook.Endpoint)}' (ACT-60).");
        Require(Enum.IsDefined(webhook.Method), $"{path}.method", "MISSING_FIELD", $"{(int)webhook.Method}", "A method is POST, PUT, PATCH, GET or DELETE.");
        Require(hasBody || (webhook.Fields.Count == 0 && webhook.Properties.Count == 0), $"{path}.fields", "NO_BODY", $"{webhook.Method}", "GET and DELETE have no body.");
        Require(webhook.Properties.Count <= FieldsMax, $"{path}.properties", "TOO_MANY_FIELDS", $"{webhook.Properties.Count}", $"At most {FieldsMax} properties.");
        CheckFields(webhook.Fields, $"{path}.fields");
        var (fields, texts) = CompileFields(webhook.Fields, $"{path}.fields", "text");
        var method = webhook.Method == WebhookMethod.None ? WebhookMethod.Post : webhook.Method;
        var target = new TaskText($"{TaskMarks.Request}{method.ToString().ToUpperInvariant()}", CompileTarget(webhook, path), Uri.EscapeDataString);
        var sendsEvent = webhook.SendsEvent && hasBody;
        _readsEventProperties |= sendsEvent;
        return new CompiledWorker(
            number, webhook.Id, index, next, TaskQueues.OfWebhook(webhook.Endpoint), fields, FindAll(webhook.Properties, $"{path}.properties"), webhook.Wait, CompileActionTimeout(webhook.Timeout, path), IsMarketing: false)
        {
            KindName = "webhook",
            Texts = [target, .. CompileHeaders(webhook.Headers, $"{path}.headers"), .. texts],
            Retry = CompileRetry(webhook.Retry, $"{path}.retry"),
            SendsEvent = sendsEvent,
        };
    }

    /// <summary>Path and query as one text: what stands for tokens is percent-encoded, so that no value can change the host or add a parameter.</summary>
    private TextValueSource CompileTarget(WebhookStepDefinition webhook, string path)
    {
        Require(
            webhook.Path.Length <= PathLengthMax && webhook.Path.AsSpan().IndexOfAny("?#\\\r\n") < 0,
            $"{path}.path", "BAD_PATH", webhook.Path, $"A path has at most {PathLengthMax:N0} characters and none of ? # \\; parameters belong in query.");
        Require(webhook.Query.Count <= FieldsMax, $"{path}.query", "TOO_MANY_FIELDS", $"{webhook.Query.Count}", $"At most {FieldsMax} parameters.");
        var parts = new List<TextPart>(CompileText(webhook.Path, $"{path}.path").Parts);
        for (var i = 0; i < webhook.Query.Count; i++)
        {
            var (name, text) = (webhook.Query[i].Key, webhook.Query[i].Value);
            Require(name.Length is > 0 and <= Names.LengthMax && text.Length <= FieldLengthMax, $"{path}.query[{i}]", "BAD_FIELD", name, $"A parameter has a name of 1 to {Names.LengthMax} characters and a text of at most {FieldLengthMax:N0}.");
            parts.Add(new TextPart($"{(i == 0 ? '?' : '&')}{Uri.EscapeDataString(name)}=", null));
            parts.AddRange(CompileText(text, $"{path}.query[{i}].text").Parts.Select(p => p.Source is null ? p with { Text = Uri.EscapeDataString(p.Text) } : p));
        }

        return new TextValueSource(parts);
    }

    private IEnumerable<TaskText> CompileHeaders(IReadOnlyList<KeyValuePair<string, string>> headers, string path)
    {
        Require(headers.Count <= HeadersMax, path, "TOO_MANY_FIELDS", $"{headers.Count}", $"At most {HeadersMax} headers.");
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < headers.Count; i++)
        {
            var (name, text) = (headers[i].Key, headers[i].Value);
            Require(IsHeaderName(name) && seen.Add(name), $"{path}[{i}]", "BAD_HEADER", name, "A header has a name of letters, digits and - that no other one has, and that the engine does not set itself.");
            Require(text.Length <= FieldLengthMax, $"{path}[{i}]", "BAD_FIELD", name, $"A header has a text of at most {FieldLengthMax:N0} characters.");
        }

        return headers.Select((h, i) => new TaskText($"{TaskMarks.Header}{h.Key}", CompileText(h.Value, $"{path}[{i}].text"), WithoutControls)).ToList();
    }

    /// <summary>Whether a header may have this name.</summary>
    public static bool IsHeaderName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= Names.LengthMax
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            && !OwnHeaders.Contains(name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>A value in a header, or on a line of a message, cannot begin another one.</summary>
    private static string WithoutControls(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));

    /// <summary>A value in HTML is text, in an attribute too.</summary>
    private static string EscapeHtml(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal);

    private PropertyDefinition[] FindAll(IReadOnlyList<string> names, string path) => [.. names.Select((name, i) => Find(name, $"{path}[{i}]")).OfType<PropertyDefinition>()];

    private CompiledWorker? CompileMessage(MessageStepDefinition message, int number, int index, int next, string path)
    {
        var isEmail = message.Channel is MessageChannel.MarketingEmail or MessageChannel.InternalEmail or MessageChannel.SalesEmail or MessageChannel.Survey;
        Require(Enum.IsDefined(message.Channel) && message.Channel != MessageChannel.None, $"{path}.channel", "MISSING_FIELD", $"{(int)message.Channel}", "A message needs a channel.");
        Require(message.Queue.Length == 0 ? isEmail : Names.IsName(message.Queue), $"{path}.queue", message.Queue.Length == 0 ? "MISSING_FIELD" : "BAD_NAME", message.Queue, "A queue has a name of 1 to 100 characters of a-z, 0-9, _, - and '.'; only e-mails can do without.");
        Require(message.Queue.Length > 0 || message.LeaseFor is null, $"{path}.leaseFor", "NO_QUEUE", $"{message.LeaseFor}", "Only tasks of workers are leased: name their queue, or leave lease_for out.");
        CheckFields(message.Fields, $"{path}.fields");
        var (fields, texts) = CompileFields(message.Fields, $"{path}.fields", "text");
        var channel = new NamedValue($"{TaskMarks.Header}channel", Value.OfText(ApiNames.Of(message.Channel.ToString())));
        return new CompiledWorker(
            number, message.Id, index, next, message.Queue.Length == 0 ? TaskQueues.Mail : message.Queue, [channel, .. fields], [], message.Wait, CompileActionTimeout(message.Timeout, path), message.Channel == MessageChannel.MarketingEmail)
        {
            KindName = "send_message",
            Texts = [.. CompileParts(message, path), .. texts],
            Retry = CompileRetry(message.Retry, $"{path}.retry"),
            Recipients = CompileRecipients(message, path),
            BlockExpiryMs = (long)DefaultTimeout.TotalMilliseconds,
            LeaseMs = CompileLease(message.LeaseFor, path),
        };
    }

    private List<TaskText> CompileParts(MessageStepDefinition message, string path)
    {
        var parts = new List<TaskText>();
        foreach (var (name, text) in message.Parts)
        {
            var at = name == "reply_to" ? $"{path}.replyTo" : $"{path}.{name}";
            var lengthMax = name is "text" or "html" ? PartLengthMax : SubjectLengthMax;
            Require(text.Length <= lengthMax, at, "TOO_LONG", $"{text.Length}", $"At most {lengthMax:N0} characters.");
            Func<string, string>? escape = name switch
            {
                "html" => EscapeHtml,
                "text" => null,
                _ => WithoutControls,
            };
            parts.Add(new TaskText($"{TaskMarks.Header}{name}", CompileText(text, at), escape));
        }

        return parts;
    }

    private CompiledRecipients CompileRecipients(MessageStepDefinition message, string path)
    {
        var (needsConsent, channel, address) = message.Channel switch
        {
            MessageChannel.MarketingEmail or MessageChannel.SalesEmail or MessageChannel.Survey => (true, "email", MessageProperties.Email),
            MessageChannel.Sms => (true, "sms", MessageProperties.Phone),
            MessageChannel.WhatsApp => (true, "whatsapp", MessageProperties.Phone),
            _ => (false, string.Empty, string.Empty),
        };
        Require(message.To.Count <= FieldsMax, $"{path}.to", "TOO_MANY", $"{message.To.Count}", $"At most {FieldsMax}.");
        Require(needsConsent || message.To.Count > 0, $"{path}.to", "MISSING_FIELD", string.Empty, "Whom it goes to must be said (ACT-13).");
        Require(needsConsent || message is { DataSource.Length: 0, AddressProperty.Length: 0, Subscription.Length: 0 }, $"{path}.dataSource", "NOT_FOR_CHANNEL", $"{message.Channel}", "Only a message to a contact has a data source, an address property and a subscription.");
        Require(message.Channel != MessageChannel.MarketingEmail || message.To.Count == 0, $"{path}.to", "NOT_FOR_CHANNEL", $"{message.Channel}", "A marketing e-mail goes to the address of the record (ACT-12).");
        var to = message.To.Select((text, i) => CompileText(text, $"{path}.to[{i}]")).ToArray();
        if (!needsConsent)
        {
            return new CompiledRecipients(to, null, [], NeedsConsent: false);
        }

        var blocks = new List<(CompiledValue, string[])>();
        foreach (var subscription in new[] { channel, message.Subscription }.Where(s => s.Length > 0).Distinct())
        {
            AddBlock(blocks, message, Consents.PropertyOf(subscription), ["UNSUBSCRIBED", "NOT_GRANTED"]);
        }

        if (channel == "email")
        {
            AddBlock(blocks, message, MessageProperties.HardBounced, ["true"]);
        }

        if (message.Channel == MessageChannel.MarketingEmail)
        {
            AddBlock(blocks, message, MessageProperties.MarketingContact, ["false"]);
        }

        return new CompiledRecipients(to, to.Length > 0 ? null : AddressOf(message, address, path), [.. blocks], NeedsConsent: true);
    }

    private CompiledValue? AddressOf(MessageStepDefinition message, string property, string path)
    {
        var name = message.AddressProperty.Length == 0 ? property : message.AddressProperty;
        return message.DataSource.Length == 0
            ? Find(name, $"{path}.addressProperty") is { } found ? new PropertyValueSource(found) : null
            : CompileAssociatedValue(message.DataSource, name, path);
    }

    /// <summary>A property that is not declared keeps nobody from anything.</summary>
    private void AddBlock(List<(CompiledValue, string[])> blocks, MessageStepDefinition message, string property, string[] states)
    {
        if (message.DataSource.Length == 0)
        {
            if (_type.Find(property) is { } own)
            {
                blocks.Add((new PropertyValueSource(own), states));
            }
        }
        else if (_dataSources.GetValueOrDefault(message.DataSource) is { } source && source.ObjectType.Find(property) is { } found)
        {
            _readFromAssociated.Add((source.ObjectType.Number, found.Number));
            blocks.Add((new AssociatedValueSource(source, found), states));
        }
    }

    private CompiledSetProperty? CompileConsent(ConsentStepDefinition consent, int number, int index, int next, string path)
    {
        var count = (consent.Subscription.Length > 0 ? 1 : 0) + (consent.IsMarketingContact is null ? 0 : 1) + (consent.Campaign.Length > 0 ? 1 : 0);
        Require(count == 1, path, "ONE_OF", string.Empty, "A subscription, the marketing status or a campaign, and only one of them (ACT-42).");
        Require((consent.Subscription.Length > 0) == (consent.State.Length > 0), $"{path}.state", "MISSING_FIELD", consent.State, "A subscription gets a state: SUBSCRIBED, UNSUBSCRIBED, GRANTED or NOT_GRANTED.");
        Require(consent.Campaign.Length <= CampaignLengthMax, $"{path}.campaign", "TOO_LONG", consent.Campaign, $"At most {CampaignLengthMax} characters.");
        var (name, value) = consent switch
        {
            { Subscription.Length: > 0 } => (Consents.PropertyOf(consent.Subscription), Value.OfText(consent.State)),
            { IsMarketingContact: { } isMarketing } => (MessageProperties.MarketingContact, Value.OfBool(isMarketing)),
            _ => (MessageProperties.Campaign, Value.OfText(consent.Campaign)),
        };
        if (Find(name, path) is not { } property)
        {
            return null;
        }

        Require(property.Fit(value, out value) == RefusalReason.None, path, "WRONG_TYPE", name, $"Property '{Refusal.Cut(name)}' of {_type.Name} is of type {Upper(property.Type)} and cannot hold it.");
        return new CompiledSetProperty(number, consent.Id, index, next, property, SetMode.Set, value, null, Source) { KindName = "change_consent" };
    }

    private CompiledWorker? CompileCode(CodeStepDefinition code, int number, int index, int next, string path)
    {
        Require(Names.IsName(code.Queue), $"{path}.queue", "BAD_NAME", code.Queue, "A queue has a name of 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        Require(code.Source.Length is > 0 and <= PartLengthMax, $"{path}.source", "MISSING_FIELD", $"{code.Source.Length}", $"Source of 1 to {PartLengthMax:N0} characters is needed (ACT-61).");
        Require(code.Language.Length <= Names.LengthMax, $"{path}.language", "TOO_LONG", code.Language, $"At most {Names.LengthMax} characters.");
        Require(code.Inputs.Count <= Limits.CodeInputsMax, $"{path}.inputs", "TOO_MANY_FIELDS", $"{code.Inputs.Count}", $"At most {Limits.CodeInputsMax} inputs (setting code_inputs_max).");
        CheckFields(code.Inputs, $"{path}.inputs");
        var (fields, texts) = CompileFields(code.Inputs, $"{path}.inputs", "text");
        NamedValue[] request =
        [
            new($"{TaskMarks.Header}language", Value.OfText(code.Language)), new($"{TaskMarks.Header}source", Value.OfText(code.Source)),
            new($"{TaskMarks.Header}time_max_ms", Value.OfNumber(Limits.CodeTimeMaxMs)), new($"{TaskMarks.Header}memory_max_mb", Value.OfNumber(Limits.CodeMemoryMaxMb)),
        ];
        return new CompiledWorker(number, code.Id, index, next, code.Queue, [.. request, .. fields], [], code.Wait, CompileActionTimeout(code.Timeout, path), IsMarketing: false)
        {
            KindName = "custom_code",
            Texts = texts,
            Retry = CompileRetry(code.Retry, $"{path}.retry"),
            BlockExpiryMs = (long)DefaultTimeout.TotalMilliseconds,
            LeaseMs = CompileLease(code.LeaseFor, path),
            OutputLengthMax = Limits.CodeOutputMax,
        };
    }
}
