using System.Net;
using System.Net.Sockets;

namespace Roster.Storage.Postgres.Tests;

/// <summary>When a connection is cut.</summary>
public enum Cut
{
    /// <summary>The server never gets the COMMIT.</summary>
    BeforeServer,

    /// <summary>The server commits; its answer is lost.</summary>
    AfterServer,

    /// <summary>The client loses its connection, and the server gets the COMMIT when the client is already back and asks what became of it.</summary>
    WhileClientAsksAgain,
}

/// <summary>A way to a server over loopback that cuts the connection of the next COMMIT, as armed.</summary>
public sealed class CommitProxy : IAsyncDisposable
{
    /// <summary>The message that ends a transaction, as Npgsql sends it: type, length, text.</summary>
    private static readonly byte[] Commit = [(byte)'Q', 0, 0, 0, 11, .. "COMMIT\0"u8];
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connections = [];
    private readonly Lock _gate = new();
    private readonly Task _accepting;
    private Cut? _armed;
    private TaskCompletionSource? _asked;
    private int _cuts;

    public CommitProxy(string socket)
    {
        _socket = socket;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Done after the server has committed and before the client loses its connection.</summary>
    public Func<Task> BeforeReset { get; set; } = () => Task.CompletedTask;

    /// <summary>Connections that were cut.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>The same server and database by way of this proxy.</summary>
    public string Through(string connectionString) => new Npgsql.NpgsqlConnectionStringBuilder(connectionString)
    {
        Host = "127.0.0.1",
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        SslMode = Npgsql.SslMode.Disable,
    }.ConnectionString;

    /// <summary>Cuts the connection of the next COMMIT.</summary>
    public void Arm(Cut cut)
    {
        lock (_gate)
        {
            _asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _armed = cut;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (client)
        {
            try
            {
                await server.ConnectAsync(new UnixDomainSocketEndPoint(_socket));
                var isMuted = new Mute();
                var answers = AnswerAsync(server, client, isMuted);
                await RequestAsync(client, server, isMuted);
                server.Shutdown(SocketShutdown.Send);
                await answers;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One side is gone; so is the other when this returns.
            }
        }
    }

    private async Task RequestAsync(Socket client, Socket server, Mute isMuted)
    {
        var buffer = new byte[64 * 1024];
        while (await client.ReceiveAsync(buffer, _stop.Token) is > 0 and var length)
        {
            if (Take(buffer.AsSpan(0, length)) is { } cut)
            {
                isMuted.IsSet = true;
                if (cut != Cut.AfterServer)
                {
                    Reset(client);
                }

                if (cut == Cut.WhileClientAsksAgain)
                {
                    await _asked!.Task.WaitAsync(_stop.Token);
                }

                if (cut != Cut.BeforeServer)
                {
                    await server.SendAsync(buffer.AsMemory(0, length), _stop.Token);

                    // Its answer: the transaction is over then.
                    await isMuted.Answered.Task.WaitAsync(_stop.Token);
                    await BeforeReset();
                    Reset(client);
                }

                return;
            }

            // Sent as a whole: the server may take no part of it before.
            await server.SendAsync(buffer.AsMemory(0, length), _stop.Token);
        }
    }

    private async Task AnswerAsync(Socket server, Socket client, Mute isMuted)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await server.ReceiveAsync(buffer, _stop.Token) is > 0 and var length)
            {
                if (isMuted.IsSet)
                {
                    isMuted.Answered.TrySetResult();
                }
                else
                {
                    await client.SendAsync(buffer.AsMemory(0, length), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone.
        }

        isMuted.Answered.TrySetResult();
    }

    private Cut? Take(ReadOnlySpan<byte> sent)
    {
        lock (_gate)
        {
            if (_armed is { } cut && sent.IndexOf(Commit) >= 0)
            {
                _armed = null;
                Interlocked.Increment(ref _cuts);
                return cut;
            }

            if (sent.IndexOf("FOR UPDATE"u8) >= 0 && _armed is null)
            {
                _asked?.TrySetResult();
            }

            return null;
        }
    }

    private static void Reset(Socket client)
    {
        client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.Close();
    }

    private sealed class Mute
    {
        public volatile bool IsSet;

        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
