using Roster.Core;
using Roster.Core.Turns;
using Roster.Engine.Messages;
using Roster.Engine.Stores;

namespace Roster.Engine.Tests.Messages;

/// <summary>Order, bounds and failures of delivery, without a host (ENG-15).</summary>
public sealed class MessagePumpTests : IMessageHost
{
    private const int Tenant = 1;

    private readonly VolatileRecordStore _store = new();
    private readonly List<(string Receiver, int Sequence, object Mark, TaskCompletionSource<TurnResult> Done)> _delivered = [];
    private readonly List<MessageReturnedInput> _returned = [];
    private int _marks;
    private long _record;
    private Timestamp _now;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    object IMessageHost.Mark() => ++_marks;

    Task<TurnResult> IMessageHost.DeliverAsync(RecordKey receiver, MessageInput input, object mark)
    {
        var done = new TaskCompletionSource<TurnResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_delivered)
        {
            _delivered.Add((receiver.Id, input.Sequence, mark, done));
        }

        return done.Task;
    }

    Task<TurnResult> IMessageHost.ReturnAsync(long sender, MessageReturnedInput input)
    {
        _returned.Add(input);
        return Task.FromResult(new TurnResult(TurnStatus.Applied));
    }

    private MessagePump Pump() => new(_store, this, _ => Task.CompletedTask);

    /// <summary>A record's first turn, which sends messages to others.</summary>
    private async Task SendAsync(MessagePump? pump, params string[] receivers)
    {
        var batch = new TurnBatch();
        var number = ++_record;
        ref var turn = ref batch.AddTurn();
        turn.RecordNumber = number;
        turn.Tenant = Tenant;
        turn.TurnId = (ulong)number;
        turn.CreatedKey = new RecordKey(Tenant, 1, $"sender-{number}");
        turn.EffectsAdded = (0, receivers.Length);
        batch.EffectsAdded.AddRange(receivers.Select((id, i) => new EffectAdd(
            new EffectId(number, 0, 0, i + 1), Tenant, MessageCodec.Queue, MessageCodec.Pack(new RecordMessage(MessageKind.Copy, 1, id) { At = _now }))));
        batch.Bytes.Raw([1, 1]);
        turn.Skeleton = new ByteRange(0, 1);
        turn.Head = new ByteRange(1, 1);

        await _store.CommitAsync(batch, Cancel);
        pump?.OnDurable(batch);
    }

    /// <summary>Completes when some number of messages was delivered. They are given to the host in the background.</summary>
    private async Task DeliveredAsync(int count)
    {
        while (true)
        {
            Cancel.ThrowIfCancellationRequested();
            lock (_delivered)
            {
                if (_delivered.Count >= count)
                {
                    return;
                }
            }

            await Task.Yield();
        }
    }

    /// <summary>Completes when no more than some number of messages is on its way.</summary>
    private static async Task InFlightAsync(MessagePump pump, int count)
    {
        while (pump.InFlight > count)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private void Answer(int index, TurnStatus status = TurnStatus.Applied) => _delivered[index].Done.SetResult(new TurnResult(status));

    [Fact]
    public async Task MET_17_The_oldest_open_message_is_the_first_that_is_not_delivered()
    {
        await using var pump = Pump();
        _now = new Timestamp(1_000);
        await SendAsync(pump, "a");
        _now = new Timestamp(2_000);
        await SendAsync(pump, "b", "c");
        Assert.Equal(new Timestamp(1_000), pump.OldestOpen(Tenant));
        Answer(1);
        Answer(0);
        while (pump.InFlight > 1)
        {
            await Task.Yield();
        }

        Assert.Equal(new Timestamp(2_000), pump.OldestOpen(Tenant));
        Answer(2);
        await pump.WhenIdleAsync();
        Assert.Equal(Timestamp.None, pump.OldestOpen(Tenant));
        Assert.Equal(Timestamp.None, pump.OldestOpen(Tenant + 1));
    }

    [Fact]
    public async Task ENG_15_All_messages_of_the_last_turn_are_waited_for()
    {
        await using var pump = Pump();
        await SendAsync(pump, "a", "b", "c");
        var delivered = pump.WhenDeliveredAsync(Tenant);
        Answer(0);
        Answer(1);
        await InFlightAsync(pump, 1);
        Assert.False(delivered.IsCompleted);
        await SendAsync(pump, "d");
        Answer(2);
        await delivered.WaitAsync(Cancel);
        Answer(3);
        await pump.WhenIdleAsync().WaitAsync(Cancel);
        Assert.Equal(["a", "b", "c", "d"], _delivered.Select(d => d.Receiver));
    }

    [Fact]
    public async Task ENG_15_After_a_failure_nothing_new_overtakes_and_the_store_says_what_is_left()
    {
        await using var pump = Pump();
        await SendAsync(pump, "a", "b");
        _delivered[0].Done.SetException(new StoreFullException("full"));
        await InFlightAsync(pump, 1);
        await SendAsync(pump, "c");
        Assert.Equal(2, _delivered.Count);
        Answer(1, TurnStatus.Nothing);
        await DeliveredAsync(4);
        Answer(2);
        Answer(3);
        await DeliveredAsync(5);
        Assert.Equal(["a", "b", "a", "b", "c"], _delivered.Select(d => d.Receiver));
        Assert.All(_delivered.Skip(2), d => Assert.NotEqual(_delivered[0].Mark, d.Mark));
    }

    [Fact]
    public async Task ENG_15_What_was_sent_before_a_stop_is_delivered_at_the_next_start()
    {
        await SendAsync(null, "a", "b");
        await using var pump = Pump();
        await pump.StartAsync(Cancel);
        var delivered = pump.WhenDeliveredAsync(Tenant);
        await DeliveredAsync(2);
        Answer(0);
        Answer(1);
        await pump.WhenIdleAsync().WaitAsync(Cancel);
        Assert.True(delivered.IsCompletedSuccessfully);
        Assert.Equal(["a", "b"], _delivered.Select(d => d.Receiver));
    }

    [Fact]
    public async Task A_refused_message_goes_back_to_its_sender()
    {
        await using var pump = Pump();
        await SendAsync(pump, "gone");
        _delivered[0].Done.SetResult(new TurnResult(TurnStatus.Refused, new Refusal(RefusalReason.RecordGone, "", "", "")));
        await pump.WhenIdleAsync().WaitAsync(Cancel);
        Assert.Equal((1, RefusalReason.RecordGone), (_returned.Single().Sequence, _returned.Single().Reason));
    }
}
