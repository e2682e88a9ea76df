using Roster.Core;
using Roster.Core.Turns;
using Roster.Embedded.Internal;
using Roster.Engine.Messages;
using Roster.Engine.Operations;

namespace Roster.Embedded;

/// <content>What messages between records need of the host (ENG-15).</content>
public sealed partial class EmbeddedEngine
{
    /// <inheritdoc/>
    object IMessageHost.Mark() => _shards.Select(s => s.Failures).ToArray();

    /// <inheritdoc/>
    Task<TurnResult> IMessageHost.DeliverAsync(RecordKey receiver, MessageInput input, object mark)
    {
        var hash = KeyHash.Of(receiver);
        var shard = KeyHash.VirtualShard(hash) % _shards.Length;
        var item = new TurnItem(receiver.Tenant, receiver, hash, 0, _ => input) { NotBefore = input.Message.At, FailuresExpected = ((int[])mark)[shard] };
        _shards[shard].Post(item);
        return item.Task;
    }

    /// <inheritdoc/>
    Task IJobHost.WhenDeliveredAsync(int tenant, CancellationToken cancellationToken) => _messages.WhenDeliveredAsync(tenant).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    Task<TurnResult> IMessageHost.ReturnAsync(long sender, MessageReturnedInput input)
    {
        var item = new TurnItem(0, default, default, sender, _ => input) { NotBefore = input.Message.At };
        _shards[KeyHash.VirtualShard(sender) % _shards.Length].Post(item);
        return item.Task;
    }
}
