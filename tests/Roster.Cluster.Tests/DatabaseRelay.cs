using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Roster.Cluster.Tests;

/// <summary>Stands between one silo and its database, and can be cut.</summary>
internal sealed class DatabaseRelay : IAsyncDisposable
{
    private readonly NpgsqlConnectionStringBuilder _database;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _open = [];
    private readonly Task _accepting;
    private bool _isCut;

    public DatabaseRelay(string connectionString)
    {
        _database = new NpgsqlConnectionStringBuilder(connectionString);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.ConnectionString;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>The way to the database through here.</summary>
    public string ConnectionString { get; }

    /// <summary>Resets all connections, and every new one until <see cref="Heal"/>.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _isCut = true;
            foreach (var socket in _open)
            {
                Reset(socket);
            }

            _open.Clear();
        }
    }

    public void Heal()
    {
        lock (_gate)
        {
            _isCut = false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Cut();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private static void Reset(Socket socket)
    {
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = RelayAsync(client);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test ends.
        }
    }

    private async Task RelayAsync(Socket client)
    {
        var isSocketFile = Path.IsPathRooted(_database.Host);
        var server = isSocketFile ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (!Keep(client) || !Keep(server))
            {
                return;
            }

            EndPoint database = isSocketFile ? new UnixDomainSocketEndPoint(Path.Combine(_database.Host!, $".s.PGSQL.{_database.Port}")) : new DnsEndPoint(_database.Host!, _database.Port);
            await server.ConnectAsync(database, _stop.Token);
            await Task.WhenAny(CopyAsync(client, server), CopyAsync(server, client));
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or one side is gone.
        }
        finally
        {
            Drop(client);
            Drop(server);
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var count)
            {
                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
                }
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or one side is gone.
        }
    }

    private bool Keep(Socket socket)
    {
        lock (_gate)
        {
            if (!_isCut)
            {
                _open.Add(socket);
            }

            return !_isCut;
        }
    }

    private void Drop(Socket socket)
    {
        lock (_gate)
        {
            _open.Remove(socket);
        }

        Reset(socket);
    }
}
