using Roster.Embedded;
using Roster.Engine;
using Roster.V1;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>The engine over this store, opened again and again.</summary>
public sealed class EmbeddedOverSqliteTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Record_numbers_grow_by_the_number_of_records_and_not_from_start_to_start()
    {
        // A number is a sequence times 256 plus a shard: a store that takes numbers for sequences runs out of them after a few restarts.
        const int Starts = 12;
        var clock = new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        for (var start = 0; start < Starts; start++)
        {
            await using var store = await _folder.OpenAsync();
            await using var engine = await EmbeddedEngine.StartAsync(new EmbeddedOptions(), store, clock, Cancel);
            var results = await engine.IngestAsync("acme", [new Event { EventId = "e", ObjectType = "contact", RecordId = $"r{start}" }], Cancel);
            Assert.Empty(results);
        }

        await using var last = await _folder.OpenAsync();
        var records = await last.ScanRecordsAsync(0, 100, Cancel);
        Assert.Equal(Starts, records.Count);
        Assert.True(records[^1].Number < Starts * 2L * 65_536 * 256, $"The highest record number is {records[^1].Number}.");
    }
}
