namespace Roster.Engine.Stores;

/// <summary>Rules that a batch must obey whatever the store: checked before anything is written, so that a broken one harms nothing.</summary>
public static class BatchRules
{
    /// <summary>Throws unless the batch is well formed.</summary>
    /// <exception cref="ArgumentException">A turn breaks a rule of <see cref="TurnHeader"/>; nothing was written.</exception>
    public static void Check(TurnBatch batch, bool needsHeads)
    {
        ArgumentNullException.ThrowIfNull(batch);
        foreach (ref readonly var turn in batch.Turns)
        {
            if (Broken(turn, batch, needsHeads) is { } rule)
            {
                throw new ArgumentException($"A turn of record {turn.RecordNumber} cannot be stored: {rule}.", nameof(batch));
            }
        }
    }

    private static string? Broken(in TurnHeader turn, TurnBatch batch, bool needsHeads)
    {
        if (turn.RecordNumber <= 0)
        {
            return "record numbers begin at 1";
        }

        if (turn.TurnId == 0 || turn.TurnId == turn.ExpectedTurnId)
        {
            return "its turn id is 0 or the one that it expects";
        }

        if ((turn.ExpectedTurnId == 0) != (turn.CreatedKey.Id is not null))
        {
            return "the turn that creates a record, and only that one, expects turn id 0 and names the key";
        }

        if (turn.CreatedKey.Id is { Length: 0 })
        {
            return "its key has no id";
        }

        if (turn.CreatedKey.Id is not null && turn.CreatedKey.Tenant != turn.Tenant)
        {
            return "its key is of another tenant";
        }

        if (turn.Skeleton.Length == 0)
        {
            return "it has no skeleton";
        }

        if (needsHeads && turn.Head.Length == 0)
        {
            return "this store needs the head of every turn";
        }

        return IsInside(turn.Skeleton, batch) && IsInside(turn.Payload, batch) && IsInside(turn.Head, batch)
            ? null
            : "a range lies outside of the batch";
    }

    private static bool IsInside(ByteRange range, TurnBatch batch) =>
        range.Start >= 0 && range.Length >= 0 && (long)range.Start + range.Length <= batch.Bytes.Length;
}
