using Grpc.Core;
using Roster.Client;
using Roster.V1;

namespace Roster.Server.Tests;

/// <summary>An ingest stream in the hand of a test, message by message.</summary>
public sealed class TestStream : IAsyncDisposable
{
    private readonly AsyncDuplexStreamingCall<StreamRequest, StreamResponse> _call;
    private readonly CancellationToken _cancel;
    private readonly Queue<BatchAck> _unread = new();

    private TestStream(AsyncDuplexStreamingCall<StreamRequest, StreamResponse> call, CancellationToken cancel)
    {
        _call = call;
        _cancel = cancel;
    }

    public Welcome Welcome { get; private set; } = null!;

    public ulong DurableThrough { get; private set; }

    public List<BatchAck> Acknowledged { get; } = [];

    public bool IsDraining { get; private set; }

    public static async Task<TestStream> OpenAsync(RosterClient client, CancellationToken cancel)
    {
        var stream = new TestStream(client.Ingest.Stream(cancellationToken: cancel), cancel);
        await stream._call.RequestStream.WriteAsync(new StreamRequest { Hello = new Hello { Client = "test" } }, cancel);
        Assert.True(await stream._call.ResponseStream.MoveNext(cancel));
        stream.Welcome = stream._call.ResponseStream.Current.Welcome;
        return stream;
    }

    public Task SendAsync(ulong sequence, params string[] ids) => SendAsync(new Batch { Sequence = sequence, Events = { ids.Select(id => TestEvents.New(id)) } });

    public Task SendAsync(Batch batch) => _call.RequestStream.WriteAsync(new StreamRequest { Batch = batch }, _cancel);

    public async Task<BatchAck> NextAckAsync()
    {
        while (_unread.Count == 0)
        {
            Assert.True(await ReadAsync(), "The stream has ended.");
        }

        return _unread.Dequeue();
    }

    public async Task WaitForDrainAsync()
    {
        while (!IsDraining)
        {
            Assert.True(await ReadAsync(), "The stream has ended.");
        }
    }

    /// <summary>Half-closes and reads to the end, which must be OK.</summary>
    public async Task EndAsync()
    {
        await _call.RequestStream.CompleteAsync();
        await ReadToEndAsync();
    }

    public async Task ReadToEndAsync()
    {
        while (await ReadAsync())
        {
        }
    }

    public ValueTask DisposeAsync()
    {
        _call.Dispose();
        return default;
    }

    private async Task<bool> ReadAsync()
    {
        if (!await _call.ResponseStream.MoveNext(_cancel))
        {
            return false;
        }

        var response = _call.ResponseStream.Current;
        IsDraining |= response.Drain is not null;
        foreach (var ack in response.Acks?.Batches ?? [])
        {
            _unread.Enqueue(ack);
            Acknowledged.Add(ack);
        }

        DurableThrough = response.Acks?.DurableThrough ?? DurableThrough;
        return true;
    }
}
