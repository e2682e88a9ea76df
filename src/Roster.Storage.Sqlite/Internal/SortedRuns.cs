namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Pairs that arrive in any order and are read in order: a few sorted arrays of doubling length and a short unsorted tail. No object
/// per pair, and adding costs little more than the copy. Pairs are never removed: whoever reads asks whether they still hold. Runs end at a
/// length that leaves them out of the heap for large objects, which is not compacted.
/// </summary>
/// <remarks>Guarded by the store's lock. Arrays never change once they are in a run, so a reader may go on without the lock.</remarks>
internal sealed class SortedRuns
{
    private const int TailMax = 1024;
    private const int RunMax = 4096;
    private readonly List<(long First, long Second)[]> _runs = [];
    private (long First, long Second)[] _tail = new (long, long)[64];
    private int _tailCount;

    public void Add(long first, long second)
    {
        if (_tailCount == TailMax)
        {
            Seal();
        }
        else if (_tailCount == _tail.Length)
        {
            Array.Resize(ref _tail, _tail.Length * 2);
        }

        _tail[_tailCount++] = (first, second);
    }

    public void AddAll(SortedRuns other)
    {
        _runs.AddRange(other._runs);
        for (var i = 0; i < other._tailCount; i++)
        {
            Add(other._tail[i].First, other._tail[i].Second);
        }
    }

    /// <summary>Adds the runs, the tail sorted as one of them, to a list of runs to be read.</summary>
    public void AddRunsTo(List<(long First, long Second)[]> runs)
    {
        runs.AddRange(_runs);
        if (_tailCount > 0)
        {
            var tail = _tail.AsSpan(0, _tailCount).ToArray();
            Array.Sort(tail);
            runs.Add(tail);
        }
    }

    private void Seal()
    {
        var run = _tail.AsSpan(0, _tailCount).ToArray();
        Array.Sort(run);
        _tailCount = 0;
        while (_runs.Count > 0 && _runs[^1].Length <= run.Length && run.Length < RunMax)
        {
            run = Merge(_runs[^1], run);
            _runs.RemoveAt(_runs.Count - 1);
        }

        _runs.Add(run);
    }

    private static (long First, long Second)[] Merge((long First, long Second)[] left, (long First, long Second)[] right)
    {
        var merged = new (long First, long Second)[left.Length + right.Length];
        var (l, r) = (0, 0);
        for (var i = 0; i < merged.Length; i++)
        {
            merged[i] = r == right.Length || (l < left.Length && left[l].CompareTo(right[r]) <= 0) ? left[l++] : right[r++];
        }

        return merged;
    }
}

/// <summary>Reads several sorted runs as one, without repetitions.</summary>
internal sealed class RunReader
{
    // All runs that are not at their end but the one that is read: runs seldom overlap, so it is read on without asking the others.
    private readonly PriorityQueue<((long First, long Second)[] Run, int At), (long First, long Second)> _others = new();
    private (long First, long Second)[] _run = [];
    private int _at;

    /// <summary>Begins above a pair.</summary>
    public RunReader(List<(long First, long Second)[]> runs, (long First, long Second) after)
    {
        foreach (var run in runs)
        {
            var at = run.Length == 0 || run[^1].CompareTo(after) <= 0 ? run.Length : Array.BinarySearch(run, after);
            if (at < 0)
            {
                at = ~at;
            }

            while (at < run.Length && run[at] == after)
            {
                at++;
            }

            if (at < run.Length)
            {
                _others.Enqueue((run, at), run[at]);
            }
        }

        TakeNextRun();
    }

    public bool TryPeek(out (long First, long Second) pair)
    {
        var isThere = _at < _run.Length;
        pair = isThere ? _run[_at] : default;
        return isThere;
    }

    /// <summary>Goes to the next pair that differs.</summary>
    public void Advance()
    {
        if (!TryPeek(out var last))
        {
            return;
        }

        do
        {
            if (++_at == _run.Length)
            {
                TakeNextRun();
            }
            else if (_others.TryPeek(out _, out var first) && first.CompareTo(_run[_at]) < 0)
            {
                (_run, _at) = _others.EnqueueDequeue((_run, _at), _run[_at]);
            }
        }
        while (TryPeek(out var pair) && pair == last);
    }

    private void TakeNextRun() => (_run, _at) = _others.TryDequeue(out var next, out _) ? next : ([], 0);
}
