namespace Roster.Storage.Postgres.Internal;

/// <summary>What the row of the owner says, beside its number and epoch.</summary>
/// <param name="Batch">Number of the last batch of this epoch that was committed; 0 for none.</param>
/// <param name="Position">Position of the newest turn; 0 for none.</param>
/// <param name="NextPosition">Position that the next turn gets.</param>
/// <param name="Records">Records.</param>
/// <param name="Timers">Records that wait for an instant.</param>
/// <param name="Effects">Open effects.</param>
internal readonly record struct OwnerRow(long Batch, long Position, long NextPosition, long Records, long Timers, long Effects);

/// <summary>The row of a process that shares the journal with others.</summary>
/// <param name="Owner">Number of the row.</param>
/// <param name="Epoch">Its epoch: that of its one life.</param>
internal sealed record SharedOwner(int Owner, long Epoch);
