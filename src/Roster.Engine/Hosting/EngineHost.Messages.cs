using Roster.Core;
using Roster.Core.Turns;
using Roster.Engine.Messages;
using Roster.Engine.Operations;

namespace Roster.Engine.Hosting;

/// <content>What messages between records need of the host (ENG-15).</content>
public abstract partial class EngineHost
{
    /// <inheritdoc/>
    object IMessageHost.Mark() => _shards.Select(s => s.Failures).ToArray();

    /// <inheritdoc/>
    Task<TurnResult> IMessageHost.DeliverAsync(RecordKey receiver, MessageInput input, object mark)
    {
        var hash = KeyHash.Of(receiver);
        var shard = KeyHash.VirtualShard(hash) % _shards.Length;
        var item = new TurnItem(receiver.Tenant, receiver, hash, 0, _ => input) { NotBefore = input.Message.At, FailuresExpected = ((int[])mark)[shard], FailsOnConflict = true };
        _shards[shard].Post(item);
        return input.Message.Kind == MessageKind.SlotAnswer ? TellDecisionAsync(item.Task, input.Message, () => receiver) : item.Task;
    }

    /// <inheritdoc/>
    Task IJobHost.WhenDeliveredAsync(int tenant, CancellationToken cancellationToken) => _messages.WhenDeliveredAsync(tenant).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    Task<TurnResult> IMessageHost.ReturnAsync(long sender, MessageReturnedInput input)
    {
        var tenant = 0;
        var item = new TurnItem(0, default, default, sender, state => Note(state)) { NotBefore = input.Message.At, FailsOnConflict = true };
        _shards[KeyHash.VirtualShard(sender) % _shards.Length].Post(item);
        return input.Message.Kind == MessageKind.SlotRequest ? TellDecisionAsync(item.Task, input.Message, () => new RecordKey(tenant, input.Message.FromType, input.Message.FromId)) : item.Task;

        MessageReturnedInput Note(Core.Records.RecordState state)
        {
            tenant = state.Tenant;
            return input;
        }
    }
}
