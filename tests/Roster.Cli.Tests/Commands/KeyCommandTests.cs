using Roster.Engine.Access;
using Roster.Server;
using Roster.Server.Tests;

namespace Roster.Cli.Tests.Commands;

public sealed class KeyCommandTests
{
    [Fact]
    public async Task A_key_is_made_used_listed_and_revoked()
    {
        var root = ApiKey.New(ApiKey.NewId());
        var folder = Directory.CreateTempSubdirectory("roster-key-").FullName;
        try
        {
            var rootFile = Path.Combine(folder, "root");
            await File.WriteAllTextAsync(rootFile, root + "\n", TestContext.Current.CancellationToken);
            await using var server = await TestServer.StartAsync(options =>
            {
                options.Auth = AuthKind.Required;
                options.AdminKeySha256 = Convert.ToHexString(ApiKey.Hash(root));
            });
            var (exitCode, output, error) = await CommandRunner.RunAsync(
                server, "key", "create", "crm", "--right", "view,ingest", "--of", "acme", "--object-type", "contact", "--expires", "90d", "--key-file", rootFile);
            Assert.True(exitCode == ExitCode.Success, error);
            var lines = output.Trim().Split('\n');
            Assert.Matches("credential [0-9a-f]{16} for crm of tenant acme: view, ingest", lines[0]);
            var keyFile = Path.Combine(folder, "crm");
            await File.WriteAllTextAsync(keyFile, lines[1].Trim(), TestContext.Current.CancellationToken);
            var (_, who, _) = await CommandRunner.RunAsync(server, "key", "who", "--key-file", keyFile);
            Assert.StartsWith("crm of tenant acme, credential", who, StringComparison.Ordinal);
            var (_, list, _) = await CommandRunner.RunAsync(server, "key", "list", "--of", "acme", "--json", "--key-file", rootFile);
            Assert.Contains("\"name\": \"crm\"", list, StringComparison.Ordinal);
            Assert.DoesNotContain(lines[1].Trim(), list, StringComparison.Ordinal);
            Assert.Equal(ExitCode.Success, (await CommandRunner.RunAsync(server, "key", "revoke", lines[0].Split(' ')[1], "--of", "acme", "--key-file", rootFile)).ExitCode);
            var (refused, _, sentence) = await CommandRunner.RunAsync(server, "key", "who", "--key-file", keyFile);
            Assert.Equal(ExitCode.ServerSaidNo, refused);
            Assert.Contains("[UNAUTHENTICATED]", sentence, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_generated_key_fits_its_hash()
    {
        var (_, output, _) = await CommandRunner.RunAsync("key", "generate");
        var words = output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(words[3], Convert.ToHexStringLower(ApiKey.Hash(words[1])));
    }

    [Theory]
    [InlineData("--right", "everything", "is none of view, edit")]
    [InlineData("--right", "1", "is none of view, edit")]
    [InlineData("--expires", "soon", "neither an instant")]
    public async Task What_cannot_be_read_is_told(string option, string value, string expected)
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, _, error) = await CommandRunner.RunAsync([.. new[] { "--server", server.Server.GrpcAddress.ToString(), "key", "create", "crm", "--right", "view" }, option, value]);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
