using Npgsql;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Internal;

/// <summary>What a server must be like before anything is acknowledged over it. Asked on every new connection that commits.</summary>
internal static class ServerCheck
{
    /// <summary>15: older ones were never tried.</summary>
    private const int VersionMin = 150_000;

    private const string Sql =
        "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')";

    /// <exception cref="StoreRefusedException">A setting is not safe; the message names it.</exception>
    public static async Task CheckAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(Sql, connection);
        await using var disposed = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var closed = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reader.GetInt32(0) < VersionMin)
        {
            throw new StoreRefusedException($"PostgreSQL {connection.ServerVersion} is too old; Roster needs 15 or later.");
        }

        if (reader.GetBoolean(1))
        {
            throw new StoreRefusedException("This PostgreSQL server is a standby, which takes no writes. Connect to the primary.");
        }

        CheckSetting("fsync", reader.GetString(2), mustBeOn: true);
        CheckSetting("full_page_writes", reader.GetString(3), mustBeOn: true);
        CheckSetting("synchronous_commit", reader.GetString(4), mustBeOn: false);
    }

    /// <summary>Any level of <c>synchronous_commit</c> but <c>off</c> waits for the disk.</summary>
    private static void CheckSetting(string name, string value, bool mustBeOn)
    {
        if (mustBeOn ? value != "on" : value == "off")
        {
            throw new StoreRefusedException(
                $"The PostgreSQL setting `{name}` is `{value}`: a crash could lose what was acknowledged. Set `{name} = on` for the server, the database and the role that Roster connects as.");
        }
    }
}
