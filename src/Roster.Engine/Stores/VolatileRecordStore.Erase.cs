namespace Roster.Engine.Stores;

/// <content>Erasure.</content>
public sealed partial class VolatileRecordStore
{
    /// <inheritdoc/>
    public ValueTask EraseAsync(Erasure erasure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var indexes = erasure.Turns.Select(IndexOf).ToArray();
            for (var i = 0; i < indexes.Length; i++)
            {
                var turn = _journal[indexes[i]];
                _journal[indexes[i]] = turn with { Bytes = [.. turn.Bytes.AsSpan(0, turn.SkeletonLength), .. erasure.Turns[i].Payload.Span] };
            }

            if (erasure.Key is { } key && _numbers.Remove(key.From, out var number))
            {
                _numbers.Add(key.To, number);
            }
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask ScrubAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return default;
    }

    private int IndexOf(RewrittenTurn rewritten)
    {
        var index = IndexOfFirstAbove(rewritten.Position - 1);
        if (index == _journal.Count || _journal[index].Position != rewritten.Position)
        {
            throw new ArgumentException($"There is no turn at position {rewritten.Position}.");
        }

        var turn = _journal[index];
        return rewritten.Payload.Length <= turn.Bytes.Length - turn.SkeletonLength
            ? index
            : throw new ArgumentException($"The payload for the turn at position {rewritten.Position} is longer than the one that it replaces.");
    }
}
