using Google.Protobuf.Collections;
using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Webhooks and custom code (ACT-60, ACT-61).</content>
internal sealed partial class FlowReader
{
    /// <summary>
    /// A call of an endpoint that an operator has registered: addresses, keys and secrets are no part of a definition. Path and query of the address go to the step.
    /// </summary>
    private void ReadWebhook(Node action, Step step)
    {
        var url = action["webhookUrl"].Text() ?? "";
        Webhook.Types.Method? method = action["method"].Word() switch
        {
            "POST" or "" => Webhook.Types.Method.Post,
            "GET" => Webhook.Types.Method.Get,
            "PUT" => Webhook.Types.Method.Put,
            "PATCH" => Webhook.Types.Method.Patch,
            "DELETE" => Webhook.Types.Method.Delete,
            _ => null,
        };
        if (method is not { } known || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0)
        {
            Incomplete(action, step, FindingCode.IncompleteAction, "The method or the address of this webhook has no counterpart.");
            return;
        }

        var webhook = new Webhook { Endpoint = EndpointOf(address), Method = known, Path = address.AbsolutePath == "/" ? "" : address.AbsolutePath };
        step.Webhook = webhook;
        AddQuery(webhook, address.Query);
        foreach (var parameter in action["queryParams"].Items())
        {
            if (!AddInput(webhook.Query, parameter["name"].Text() ?? "", parameter["value"]))
            {
                Incomplete(action, step, FindingCode.IncompleteAction, "A parameter of this webhook has a value that has no counterpart.");
                return;
            }
        }

        var registered = address.GetLeftPart(UriPartial.Authority);
        action["webhookUrl"].Adapted(
            FindingCode.Rewritten, $"Endpoint `{webhook.Endpoint}` has to be registered with the address {registered}: `roster webhook {webhook.Endpoint} --url {registered}`. Path and query are those of the step.");
        if (known is not (Webhook.Types.Method.Get or Webhook.Types.Method.Delete))
        {
            action["type"].Adapted(FindingCode.Rewritten, "The body is that of Roster's webhooks (ACT-60), with the properties that the step lists; HubSpot sends all of the record.");
        }

        if (action["authSettings"].Exists)
        {
            action["authSettings"].Unsupported(FindingCode.NoCounterpart, "A key belongs in a header of the endpoint, where it is not shown again; calls are signed as ERR-04 says.");
        }
    }

    private static string EndpointOf(Uri address) => Ids.Slug(address.IsDefaultPort ? address.Host : $"{address.Host}-{address.Port}");

    /// <summary>The query of an address. Braces in it are no tokens.</summary>
    private static void AddQuery(Webhook webhook, string query)
    {
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Replace('+', ' ').Split('=', 2);
            webhook.Query.Add(new Field { Name = Uri.UnescapeDataString(parts[0]), Text = Literal(Uri.UnescapeDataString(parts.Length > 1 ? parts[1] : "")) });
        }
    }

    /// <summary>Code and its inputs. The source is taken as it stands, braces and all: nothing in it is a token.</summary>
    private void ReadCode(Node action, Step step)
    {
        var source = action["sourceCode"].Text() ?? "";
        if (source.Length is 0 or > PartLengthMax)
        {
            Incomplete(action, step, FindingCode.IncompleteAction, $"A source has 1 to {PartLengthMax:N0} characters.");
            return;
        }

        var code = new CustomCode { Queue = "custom-code", Language = action["runtime"].Text() ?? "", Source = source };
        step.CustomCode = code;
        foreach (var input in action["inputFields"].Items())
        {
            var (name, value) = (input["name"].Text() ?? "", input["value"]);
            if (!AddInput(code.Inputs, name, value))
            {
                AddField(code.Inputs, name, value);
                value.Adapted(FindingCode.HandedToWorker, $"Input `{name}` has the source of the value; the worker resolves it.");
            }
        }

        foreach (var (name, reason) in new[] { ("outputFields", "What the worker answers with are the outputs; it finds here which are expected."), ("secretNames", "The worker needs the secrets; a definition has only their names.") })
        {
            if (action[name].Exists)
            {
                AddField(code.Inputs, name, action[name]);
                action[name].Adapted(FindingCode.HandedToWorker, $"{reason} Input `{name}` has them as JSON.");
            }
        }

        action["type"].Adapted(FindingCode.HandedToWorker, "Code of queue `custom-code`: a worker runs it (ACT-61). Roster itself runs no code of users.");
    }

    /// <summary>An input is a property, as a token, or a text. False for any other source.</summary>
    private bool AddInput(RepeatedField<Field> into, string name, Node value)
    {
        var type = value["type"].Word();
        if (type == "OBJECT_PROPERTY")
        {
            var property = Ids.KeepName(value["propertyName"], "property");
            _guess.Property(ObjectType, property);
            AddText(into, name, $"{{{{{property}}}}}");
            value.Adapted(FindingCode.Rewritten, $"`{name}` is a text with the property as its token.");
            return true;
        }

        if (type is not ("STATIC_VALUE" or "") || !value["staticValue"].Exists)
        {
            return false;
        }

        AddField(into, name, value["staticValue"]);
        return true;
    }

    /// <summary>A text whose braces are no tokens (ACT-07).</summary>
    private static string Literal(string text) => text.Replace("{{", "{{{{", StringComparison.Ordinal);
}
