using System.Net.Sockets;
using Npgsql;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Internal;

/// <summary>What a failure of a statement means for the one who sent it.</summary>
internal enum FailureKind
{
    /// <summary>Nothing that trying again would mend.</summary>
    Fatal,

    /// <summary>The server cannot be reached, restarts, or takes no more connections: the connection is of no use any more.</summary>
    Unavailable,

    /// <summary>The transaction was undone because of another one; the same may succeed.</summary>
    Undone,

    /// <summary>The server ran out of disk or memory.</summary>
    Full,

    /// <summary>Stored bytes are not what was written.</summary>
    Corrupt,
}

/// <summary>The one place that knows SQL states.</summary>
internal static class Failures
{
    public static FailureKind KindOf(Exception failure) => failure switch
    {
        PostgresException refused => KindOf(refused.SqlState),
        StoreCorruptException => FailureKind.Corrupt,
        NpgsqlOperationInProgressException => FailureKind.Fatal,
        NpgsqlException or IOException or SocketException or TimeoutException => FailureKind.Unavailable,
        _ => FailureKind.Fatal,
    };

    public static FailureKind KindOf(string state) => state switch
    {
        // Too many connections; the server stops, crashed or starts; a session was ended.
        "53300" or "57P01" or "57P02" or "57P03" or "57P05" or "25P03" => FailureKind.Unavailable,

        // Serialization failure, deadlock, lock not available, cancelled by a timeout of the server.
        "40001" or "40P01" or "55P03" or "57014" => FailureKind.Undone,
        "XX001" or "XX002" => FailureKind.Corrupt,
        ['0', '8', ..] => FailureKind.Unavailable,
        ['5', '3', ..] => FailureKind.Full,
        _ => FailureKind.Fatal,
    };
}
