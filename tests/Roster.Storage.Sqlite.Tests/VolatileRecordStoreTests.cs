using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>The contract of the store, kept by the one in memory. Here, beside the store that is compared with it.</summary>
public sealed class VolatileRecordStoreTests : RecordStoreConformance
{
    protected override ValueTask<IRecordStore> OpenAsync() => new(new VolatileRecordStore());
}
