using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Hosting;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Tests;

/// <summary>
/// Processes that share a store, without what brings calls to the right one: every call may come to any of them. Whoever has no duties tells the one that
/// has them, or nobody.
/// </summary>
internal sealed class SharedHosts : IAsyncDisposable
{
    private readonly List<Host> _hosts = [];
    private readonly List<PostgresRecordStore> _stores = [];

    private SharedHosts()
    {
    }

    public ManualClock Clock { get; } = new(EngineHarness.Start);

    public required string Database { get; init; }

    /// <summary>Whether notices are lost.</summary>
    public bool IsDeaf { get; set; }

    public EngineHost this[int index] => _hosts[index];

    public PostgresRecordStore Store(int index) => _stores[index];

    /// <summary>Starts some; the first has the duties.</summary>
    public static async Task<SharedHosts> StartAsync(int count)
    {
        var hosts = new SharedHosts { Database = await Databases.CreateAsync() };
        for (var i = 0; i < count; i++)
        {
            await hosts.AddAsync();
        }

        await hosts[0].TakeDutiesAsync(TestContext.Current.CancellationToken);
        return hosts;
    }

    public async Task<EngineHost> AddAsync()
    {
        var token = TestContext.Current.CancellationToken;
        var store = await PostgresRecordStore.OpenAsync(new PostgresStoreOptions { ConnectionString = Database, SharedAs = $"host{_stores.Count}" }, token);
        _stores.Add(store);
        var host = await Host.StartAsync(this, store, token);
        _hosts.Add(host);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }
    }

    private void Tell(DurableNotice notice)
    {
        if (!IsDeaf)
        {
            _hosts.FirstOrDefault(h => h.HasDuties)?.Hear(notice);
        }
    }

    private sealed class Host : EngineHost
    {
        private readonly SharedHosts _all;

        private Host(SharedHosts all, IRecordStore store, IReadOnlyList<StoredDocument> documents)
            : base(new HostOptions(), store, all.Clock, documents) => _all = all;

        protected override string HostName => "test";

        public static async Task<Host> StartAsync(SharedHosts all, IRecordStore store, CancellationToken token)
        {
            var documents = await store.ReadDocumentsAsync(token);
            var host = new Host(all, store, documents);
            await host.StartAsync(documents, token);
            return host;
        }

        protected override void Tell(DurableNotice notice) => _all.Tell(notice);
    }
}
