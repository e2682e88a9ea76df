using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster webhook</c>: endpoints that workflows call (ACT-60).</summary>
internal static class WebhookCommand
{
    private static readonly Argument<string?> Id = new("ENDPOINT") { Description = "Id of the endpoint. Without: lists all.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Url = new("--url") { Description = "Registers the endpoint, or changes where it is.", HelpName = "URL" };
    private static readonly Option<string[]> Header = new("--header") { Description = "A header of every request, `Name: value`; again for more. Without: those that are there stay.", HelpName = "HEADER" };
    private static readonly Option<int> Concurrency = new("--concurrency") { Description = "Requests at once; 0 for 8." };
    private static readonly Option<bool> Rotate = new("--rotate") { Description = "Makes a new secret; the one before stays in force beside it." };
    private static readonly Option<bool> DropFormer = new("--drop-former") { Description = "Ends a rotation: the former secret signs no more." };
    private static readonly Option<bool> Delete = new("--delete") { Description = "Deletes the endpoint." };

    public static Command Create(CliConsole console)
    {
        var command = new Command("webhook", "Shows, registers and changes the endpoints that webhooks are sent to.") { Id, Url, Header, Concurrency, Rotate, DropFormer, Delete };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var id = result.GetValue(Id) ?? "";
        var asked = (result.GetValue(Url) is null ? 0 : 1) + (result.GetValue(Rotate) ? 1 : 0) + (result.GetValue(DropFormer) ? 1 : 0) + (result.GetValue(Delete) ? 1 : 0);
        if (asked > 1 || (asked == 1 && id.Length == 0))
        {
            throw new CliException("Name the endpoint and one of --url, --rotate, --drop-former and --delete.");
        }

        using var client = ConnectionOptions.Connect(result);
        if (result.GetValue(Url) is { } url)
        {
            var endpoint = new WebhookEndpoint { Id = id, Url = url, ConcurrencyMax = result.GetValue(Concurrency), Headers = { (result.GetValue(Header) ?? []).Select(ReadHeader) } };
            var saved = await client.Tenants.SaveWebhookEndpointAsync(new SaveWebhookEndpointRequest { Endpoint = endpoint }, cancellationToken: cancellationToken);
            await TellAsync(console, $"Endpoint {id} is at {saved.Endpoint.Url}.", saved.Secret);
        }
        else if (result.GetValue(Rotate) || result.GetValue(DropFormer))
        {
            var request = new RotateWebhookSecretRequest { EndpointId = id, DropFormer = result.GetValue(DropFormer) };
            var rotated = await client.Tenants.RotateWebhookSecretAsync(request, cancellationToken: cancellationToken);
            await TellAsync(console, request.DropFormer ? $"One secret of endpoint {id} is in force." : $"Endpoint {id} has a new secret; the former one signs too until --drop-former.", rotated.Secret);
        }
        else if (result.GetValue(Delete))
        {
            await client.Tenants.DeleteWebhookEndpointAsync(new DeleteWebhookEndpointRequest { EndpointId = id }, cancellationToken: cancellationToken);
            await TellAsync(console, $"Endpoint {id} is deleted.", "");
        }
        else
        {
            var table = Show.Table("endpoint", "url", "headers", "at once", "secrets", "");
            var all = await client.Tenants.ListWebhookEndpointsAsync(new ListWebhookEndpointsRequest(), cancellationToken: cancellationToken);
            foreach (var endpoint in all.Endpoints.Where(e => id.Length == 0 || e.Id == id))
            {
                table.Row(
                    endpoint.Id,
                    endpoint.Url,
                    string.Join(", ", endpoint.Headers.Select(h => h.Name)),
                    endpoint.ConcurrencyMax.ToString(CultureInfo.InvariantCulture),
                    endpoint.Secrets.ToString(CultureInfo.InvariantCulture),
                    endpoint.BreakerOpen ? "does not answer" : "");
            }

            console.Out.Write(table);
        }

        return ExitCode.Success;
    }

    private static async Task TellAsync(CliConsole console, string sentence, string secret)
    {
        await console.Plain.WriteLineAsync(sentence);
        if (secret.Length > 0)
        {
            await console.Plain.WriteLineAsync($"Secret (base64, shown this once): {secret}");
        }
    }

    private static Field ReadHeader(string header)
    {
        var colon = header.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            ? new Field { Name = header[..colon].Trim(), Text = header[(colon + 1)..].Trim() }
            : throw new CliException($"The header `{header}` is not like `Name: value`.");
    }
}
