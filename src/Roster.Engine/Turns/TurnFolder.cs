using Roster.Core;
using Roster.Core.Records;
using Roster.Engine.Stores;

namespace Roster.Engine.Turns;

/// <summary>Folds stored turns into a state: recovery, loading from a log, and verification go through here.</summary>
public static class TurnFolder
{
    /// <summary>
    /// Folds one turn. A turn that created its record resets the state first; any other must be the one that follows the state's
    /// latest turn. The turns of an erased record have no ids, texts and values any more: they lead to the state after the erasure all the same,
    /// and those before it are states with the same due instants (REC-17).
    /// </summary>
    /// <exception cref="StoreCorruptException">The turn does not follow the state.</exception>
    public static void Fold(RecordState state, StoredTurn turn)
    {
        ArgumentNullException.ThrowIfNull(state);
        var decoded = TurnDecoder.Decode(turn);
        if (decoded.Info.ExpectedTurnId == 0)
        {
            state.Reset(new RecordKey(decoded.Info.Tenant, decoded.Info.ObjectType, decoded.CreatedId), decoded.Info.RecordNumber);
        }
        else if (state.TurnId != decoded.Info.ExpectedTurnId || state.Number != decoded.Info.RecordNumber)
        {
            throw new StoreCorruptException(
                $"Turn {decoded.Info.TurnId:x16} of record {decoded.Info.RecordNumber} at position {turn.Position} follows turn " +
                $"{decoded.Info.ExpectedTurnId:x16}, but the state of record {state.Number} is at {state.TurnId:x16}.");
        }

        state.BeginTurn(decoded.Info.At, decoded.Info.TurnId);
        foreach (ref readonly var entry in decoded.Entries.AsSpan())
        {
            state.Apply(entry);
        }

        state.EndTurn();
    }
}
