using Roster.Server;
using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Commands;

/// <summary><c>backup</c>, <c>restore</c> and <c>check</c>.</summary>
public sealed class DataFolderCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-cli-data-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_running_server_is_backed_up_restored_and_checked()
    {
        string backup = Name("backup"), data = Name("data"), restored = Name("restored");
        ulong hash;
        await using (var server = await RosterServer.StartAsync(new ServerOptions { DataFolder = data, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel))
        {
            var address = server.GrpcAddress.ToString();
            var events = Path.Combine(_folder.FullName, "events.jsonl");
            await File.WriteAllLinesAsync(events, Enumerable.Range(0, 50).Select(i => $$"""{"id":"e{{i}}","object":"contact","record":"r{{i % 20}}"}"""), Cancel);
            Assert.Equal(ExitCode.Success, (await CommandRunner.RunAsync("--server", address, "ingest", events, "--declare")).ExitCode);
            var (exitCode, output, error) = await CommandRunner.RunAsync("--server", address, "backup", backup);
            Assert.True(exitCode == ExitCode.Success, error);
            Assert.Contains($"backup in {backup}: 20 records", output.ReplaceLineEndings(" "), StringComparison.Ordinal);

            (exitCode, _, error) = await CommandRunner.RunAsync("--server", address, "backup", backup);
            Assert.Equal(ExitCode.ServerSaidNo, exitCode);
            Assert.Contains("is not empty", error, StringComparison.Ordinal);

            (exitCode, _, error) = await CommandRunner.RunAsync("check", "--data", data);
            Assert.Equal(ExitCode.BadInput, exitCode);
            Assert.Contains($"process {Environment.ProcessId}", error, StringComparison.Ordinal);
            hash = (await server.Engine.VerifyAsync(Cancel)).StateHash;
        }

        Assert.Equal(ExitCode.Success, (await CommandRunner.RunAsync("restore", backup, "--data", restored)).ExitCode);
        foreach (var folder in new[] { data, backup, restored })
        {
            var (exitCode, output, error) = await CommandRunner.RunAsync("check", "--data", folder, "--deep");
            Assert.True(exitCode == ExitCode.Success, error);
            Assert.Contains("20 records, 20 of them replayed", output.ReplaceLineEndings(" "), StringComparison.Ordinal);
            Assert.Contains("no fault found", output, StringComparison.Ordinal);
        }

        await using var again = await RosterServer.StartAsync(new ServerOptions { DataFolder = restored, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel);
        var verified = await again.Engine.VerifyAsync(Cancel);
        Assert.Empty(verified.Differences);
        Assert.Equal(hash, verified.StateHash);
    }

    [Fact]
    public async Task A_folder_without_a_server_is_backed_up_and_damage_is_told_with_its_place()
    {
        string backup = Name("backup"), data = Name("data");
        await using (await RosterServer.StartAsync(new ServerOptions { DataFolder = data, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel))
        {
        }

        Assert.Equal(ExitCode.Success, (await CommandRunner.RunAsync("backup", backup, "--data", data)).ExitCode);
        var (exitCode, _, error) = await CommandRunner.RunAsync("restore", backup, "--data", data);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains($"{data} is not empty", error, StringComparison.Ordinal);
        (exitCode, _, error) = await CommandRunner.RunAsync("backup", Name("none"), "--data", Name("missing"));
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains("there is no data folder", error, StringComparison.Ordinal);

        var tables = Path.Combine(backup, "tables.db");
        var bytes = await File.ReadAllBytesAsync(tables, Cancel);
        bytes[^100] ^= 1;
        await File.WriteAllBytesAsync(tables, bytes, Cancel);
        (exitCode, _, error) = await CommandRunner.RunAsync("restore", backup, "--data", Name("restored"));
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains($"{tables} is missing, damaged", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Name("restored")));
        File.Delete(tables);
        (exitCode, _, error) = await CommandRunner.RunAsync("check", "--data", backup);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains("error tables.db: the file is missing", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_has_tools_of_its_own_says_so()
    {
        await using var server = await RosterServer.StartAsync(
            new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel);
        var (exitCode, _, error) = await CommandRunner.RunAsync("--server", server.GrpcAddress.ToString(), "backup", Name("backup"));
        Assert.Equal(ExitCode.ServerSaidNo, exitCode);
        Assert.Contains("`volatile` is not backed up by Roster", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_path_that_a_server_is_given_is_absolute()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, output, _) = await CommandRunner.RunAsync("--server", server.Server.GrpcAddress.ToString(), "backup", "some-backup");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains(Path.GetFullPath("some-backup"), output.ReplaceLineEndings(string.Empty), StringComparison.Ordinal);
    }

    private string Name(string folder) => Path.Combine(_folder.FullName, folder);
}
