using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Output;
using Roster.Engine.Access;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Cli.Commands;

/// <summary><c>roster key</c>: who may call, and what for.</summary>
internal static class KeyCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The client that the credential is for. Two at a time may have the same name." };
    private static readonly Argument<string> Id = new("ID") { Description = "Id of the credential; `roster key list` shows them." };
    private static readonly Option<string[]> Rights = new("--right")
    {
        Description = "What it may do: view, edit, publish, operate, sensitive, ingest, work, admin, server. Several times, or with commas.",
        Required = true,
    };

    private static readonly Option<string[]> Types = new("--object-type") { Description = "Confines it to records, workflows and lists of this object type. Several times. Default: all." };
    private static readonly Option<string?> Expires = new("--expires") { Description = "When it ends: an instant such as `2027-01-01T00:00:00Z`, or a number of days such as `90d`. Default: never.", HelpName = "TIME" };
    private static readonly Option<string?> CertificateFile = new("--for-certificate") { Description = "Instead of a key: this client certificate (PEM; its private key is not needed).", HelpName = "FILE" };
    private static readonly Option<string?> CertificateName = new("--for-certificate-name")
    {
        Description = "Instead of a key: client certificates of `tls_client_ca` with this DNS name or URI.",
        HelpName = "NAME",
    };

    private static readonly Option<string?> Of = new("--of") { Description = "Of this tenant; for those with the right `server`. Default: one's own.", HelpName = "TENANT" };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command Create(CliConsole console)
    {
        var create = new Command("create", "Makes a credential and prints its key, which nobody can show again.") { Name, Rights, Types, Expires, CertificateFile, CertificateName, Of, Json };
        create.SetActionSafely(console, (result, cancellationToken) => CreateAsync(result, console, cancellationToken));
        var list = new Command("list", "Shows the credentials of the tenant, without keys.") { Of, Json };
        list.SetActionSafely(console, (result, cancellationToken) => ListAsync(result, console, cancellationToken));
        var revoke = new Command("revoke", "Ends a credential at once.") { Id, Of };
        revoke.SetActionSafely(console, (result, cancellationToken) => RevokeAsync(result, console, cancellationToken));
        var who = new Command("who", "Says as whom the server sees you.") { Json };
        who.SetActionSafely(console, (result, cancellationToken) => WhoAsync(result, console, cancellationToken));
        var generate = new Command("generate", "Makes a key for the setting `admin_key_sha256`, without a server.");
        generate.SetActionSafely(console, (_, _) => GenerateAsync(console));
        return new Command("key", "Credentials: API keys and client certificates.") { create, list, revoke, who, generate };
    }

    private static async Task<int> CreateAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var wanted = new Credential
        {
            Name = result.GetValue(Name)!,
            ObjectTypes = { result.GetValue(Types) ?? [] },
            CertificateName = result.GetValue(CertificateName) ?? string.Empty,
            ExpiresAt = ReadTime(result.GetValue(Expires), TimeProvider.System),
        };
        wanted.Rights.AddRange(ReadRights(result.GetValue(Rights) ?? []));
        if (result.GetValue(CertificateFile) is { } file)
        {
            wanted.CertificateSha256 = HashOf(file);
        }

        using var client = ConnectionOptions.Connect(result);
        var answer = await client.Access.CreateCredentialAsync(
            new CreateCredentialRequest { Credential = wanted, Tenant = result.GetValue(Of) ?? string.Empty }, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(answer));
            return ExitCode.Success;
        }

        await console.Plain.WriteLineAsync($"credential {answer.Credential.Id} for {answer.Credential.Name} of tenant {answer.Credential.Tenant}: {Text(answer.Credential.Rights)}");
        if (answer.Key.Length > 0)
        {
            await console.Plain.WriteLineAsync(answer.Key);
        }

        return ExitCode.Success;
    }

    private static async Task<int> ListAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var table = Show.Table("id", "name", "kind", "rights", "object types", "made", "expires");
        var request = new ListCredentialsRequest { Tenant = result.GetValue(Of) ?? string.Empty, PageSize = 1_000 };
        do
        {
            var page = await client.Access.ListCredentialsAsync(request, cancellationToken: cancellationToken);
            foreach (var credential in page.Credentials)
            {
                if (result.GetValue(Json))
                {
                    await console.Plain.WriteLineAsync(JsonOutput.Line(credential));
                }

                table.Row(
                    credential.Id, credential.Name, KindOf(credential), Text(credential.Rights), string.Join(", ", credential.ObjectTypes), Show.Time(credential.CreatedAt), Show.Time(credential.ExpiresAt));
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        if (!result.GetValue(Json))
        {
            console.Out.Write(table);
        }

        return ExitCode.Success;
    }

    private static async Task<int> RevokeAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var revoked = await client.Access.RevokeCredentialAsync(
            new RevokeCredentialRequest { CredentialId = result.GetValue(Id)!, Tenant = result.GetValue(Of) ?? string.Empty }, cancellationToken: cancellationToken);
        await console.Plain.WriteLineAsync($"credential {revoked.Id} of {revoked.Name} is revoked");
        return ExitCode.Success;
    }

    private static async Task<int> WhoAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var caller = await client.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: cancellationToken);
        await console.Plain.WriteLineAsync(result.GetValue(Json)
            ? JsonOutput.Whole(caller)
            : caller.Credential is { } credential
                ? $"{credential.Name} of tenant {caller.Tenant}, credential {credential.Id}: {Text(credential.Rights)}"
                : $"tenant {caller.Tenant}, with all rights");
        return ExitCode.Success;
    }

    private static async Task<int> GenerateAsync(CliConsole console)
    {
        var key = ApiKey.New(ApiKey.NewId());
        await console.Plain.WriteLineAsync($"key               {key}");
        await console.Plain.WriteLineAsync($"admin_key_sha256  {Convert.ToHexStringLower(ApiKey.Hash(key))}");
        return ExitCode.Success;
    }

    private static IEnumerable<Right> ReadRights(IEnumerable<string> texts)
    {
        foreach (var text in texts.SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
        {
            yield return System.Enum.TryParse<Right>(text, ignoreCase: true, out var right) && right != Right.Unspecified && System.Enum.IsDefined(right) && !char.IsDigit(text[0])
                ? right
                : throw new CliException($"--right `{text}` is none of {Text(System.Enum.GetValues<Right>().Where(known => known != Right.Unspecified))}.");
        }
    }

    /// <summary>An instant, or days from now.</summary>
    internal static Timestamp? ReadTime(string? text, TimeProvider clock)
    {
        if (text is null)
        {
            return null;
        }

        if (text.EndsWith('d') && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is > 0 and <= 36_500)
        {
            return Timestamp.FromDateTimeOffset(clock.GetUtcNow().AddDays(days));
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Timestamp.FromDateTimeOffset(time)
            : throw new CliException($"--expires `{text}` is neither an instant such as 2027-01-01T00:00:00Z nor a number of days such as 90d.");
    }

    private static string HashOf(string file)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
            return Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span));
        }
        catch (CryptographicException error)
        {
            throw new CliException($"--for-certificate {file}: {error.Message}");
        }
    }

    private static string KindOf(Credential credential) =>
        credential.CertificateSha256.Length > 0 ? $"certificate {credential.CertificateSha256[..12]}..."
        : credential.CertificateName.Length > 0 ? $"certificate of {credential.CertificateName}"
        : "key";

    private static string Text(IEnumerable<Right> rights) => string.Join(", ", rights.Select(right => right.ToString().ToLowerInvariant()));
}
