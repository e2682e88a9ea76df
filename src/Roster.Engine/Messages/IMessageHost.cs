using Roster.Core;
using Roster.Core.Turns;

namespace Roster.Engine.Messages;

/// <summary>What delivering messages needs of a host.</summary>
public interface IMessageHost
{
    /// <summary>
    /// A mark of the present moment. A message that is delivered with a mark must fail when a commit of its receiver's owner has failed since:
    /// so none overtakes one that was taken back.
    /// </summary>
    object Mark();

    /// <summary>
    /// Gives a message to its receiver. Calls for one receiver are handled in the order in which they are made. Completes when the turn is
    /// durable.
    /// </summary>
    Task<TurnResult> DeliverAsync(RecordKey receiver, MessageInput input, object mark);

    /// <summary>Tells the sender that a message came back.</summary>
    Task<TurnResult> ReturnAsync(long sender, MessageReturnedInput input);
}
