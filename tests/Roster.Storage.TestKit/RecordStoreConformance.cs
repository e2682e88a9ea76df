using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.TestKit;

/// <summary>
/// The contract of <see cref="IRecordStore"/> as tests. A fixture per store inherits it and says how a fresh one is opened; every
/// sentence of the port that a caller may rely on is a fact here, by topic in the partial files.
/// </summary>
public abstract partial class RecordStoreConformance : IAsyncLifetime
{
    private long _nextNumber;

    /// <summary>The store under test; fresh for every fact.</summary>
    protected IRecordStore Store { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected TestBatch Batch { get; } = new();

    /// <summary>Opens a store with nothing in it.</summary>
    protected abstract ValueTask<IRecordStore> OpenAsync();

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected TestRecord NewRecord(string id, int tenant = 1) => new(new RecordKey(tenant, 1, id), ++_nextNumber);

    protected async Task<LoadedRecord> LoadAsync(RecordKey key)
    {
        var results = new List<LoadedRecord>();
        await Store.LoadAsync([key], results, Cancel);
        return Assert.Single(results);
    }

    /// <summary>Some of everything, in several commits.</summary>
    protected async Task<TestRecord[]> FillAsync()
    {
        var records = Enumerable.Range(1, 20).Select(i => NewRecord($"record-{i:00}", tenant: 1 + (i % 2))).ToArray();
        foreach (var record in records)
        {
            var id = new EffectId(record.Number, 1, 1, 1);
            await Batch.Turn(record, TurnPart.Set(1, "a"), TurnPart.Due(1000 + (record.Number % 5)), TurnPart.Add(id, "mail", 1, 2), TurnPart.Concerns(1))
                .Count(new CounterKey(record.Key.Tenant, 1, 1, CounterKind.Enrolled, 0, 0), 1)
                .Document(1, "workflow", $"w{record.Number % 3}", [(byte)record.Number])
                .CommitAsync(Store);
        }

        foreach (var record in records)
        {
            Batch.Turn(record, TurnPart.Events((int)record.Number * 100, 45), TurnPart.Concerns(2));
            if (record.Number % 4 == 0)
            {
                Batch.Turn(record, TurnPart.Remove(new EffectId(record.Number, 1, 1, 1)), TurnPart.Due(5000));
            }
        }

        await Batch.CommitAsync(Store);
        return records;
    }

    protected Task<string> DumpAsync() => StoreDump.ReadAsync(Store, [1, 2], [1, 2, 3]);
}
