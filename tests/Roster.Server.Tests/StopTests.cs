using Roster.Client;
using Roster.Storage.Sqlite;

namespace Roster.Server.Tests;

/// <summary>What a stop leaves behind.</summary>
public sealed class StopTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(20, false)]
    [InlineData(0, true)]
    public async Task A_stop_leaves_no_log_to_replay_unless_it_has_no_time(int drainSeconds, bool leavesLog)
    {
        var folder = Directory.CreateTempSubdirectory("roster-stop-").FullName;
        try
        {
            var options = new ServerOptions { DataFolder = folder, GrpcPort = 0, HttpPort = 0, DrainSecondsMax = drainSeconds };
            await using (var server = await RosterServer.StartAsync(options, cancellationToken: Cancel))
            {
                using var client = new RosterClient(new RosterClientOptions { Address = server.GrpcAddress });
                await client.Ingest.IngestAsync(new V1.IngestRequest { Events = { TestEvents.New("e1") } }, cancellationToken: Cancel);
            }

            await using var store = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = folder }, Cancel);
            Assert.Equal(leavesLog, (await store.CheckpointAsync(Cancel)).Rows > 0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
