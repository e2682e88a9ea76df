using Roster.Core;
using Roster.Engine.Stores;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres;

/// <content>What processes that share a journal must know of each other.</content>
public sealed partial class PostgresRecordStore
{
    /// <inheritdoc/>
    public async ValueTask<StoreStatus> ReadStatusAsync(CancellationToken cancellationToken)
    {
        const string Sql = "SELECT position, records, timers, effects FROM owners WHERE owner = $1";
        if (_self is null)
        {
            return Status;
        }

        var rows = await ListAsync(
            Sql,
            reader => new StoreStatus(reader.GetInt64(0), reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)) { JournalBegin = JournalBegin },
            cancellationToken,
            () => Of(Owner)).ConfigureAwait(false);
        return rows[0];
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<int, long>> ReadVersionsAsync(CancellationToken cancellationToken)
    {
        if (_self is null)
        {
            return new Dictionary<int, long>();
        }

        var rows = await ListAsync("SELECT tenant, version FROM catalogs", reader => (Tenant: reader.GetInt32(0), Version: reader.GetInt64(1)), cancellationToken).ConfigureAwait(false);
        return rows.ToDictionary(row => row.Tenant, row => row.Version);
    }

    /// <summary>
    /// Takes the right to commit from another process that shares the journal, for good. When this returns, nothing that it had not committed will ever be.
    /// </summary>
    /// <param name="name">Its <see cref="PostgresStoreOptions.SharedAs"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether it had that right until now.</returns>
    public ValueTask<bool> FenceAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);

        // A commit of it that is under way holds the row, and ends first.
        return RunAsync(
            async (connection, token) =>
            {
                var command = Command(connection, "DELETE FROM owners WHERE name = $1", Of(name));
                await using var disposed = command.ConfigureAwait(false);
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false) > 0;
            },
            cancellationToken);
    }
}
