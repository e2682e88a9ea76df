using Roster.Core.Journal;

namespace Roster.Core.Records;

/// <summary>Whether a record with many links is telling them something, leaf by leaf (ENG-15). Stored.</summary>
public enum Spreading
{
    /// <summary>It is not.</summary>
    None = 0,

    /// <summary>It is.</summary>
    Running = 1,

    /// <summary>It is, and what it tells has changed since: it begins anew when it is through.</summary>
    Again = 2,
}

/// <content>What a record keeps of the messages it sends.</content>
public sealed partial class RecordState
{
    /// <summary>Workflows kept of those that led to the record's creation (ACT-23).</summary>
    internal const int ChainMax = 16;

    private readonly List<int> _chain = [];

    /// <summary>Number of the latest message that it sent; messages are numbered from 1.</summary>
    public int LastMessage { get; private set; }

    /// <summary>Whether it is telling its many links something.</summary>
    public Spreading Spreading { get; private set; }

    /// <summary>Hops of what it is telling, or will tell again (ENG-11).</summary>
    internal int SpreadHops { get; private set; }

    /// <summary>Whether what it is telling, or will tell again, fires nothing (ASC-04).</summary>
    internal bool IsSpreadInitial { get; private set; }

    /// <summary>Workflows that led to its creation, the newest last (ACT-23).</summary>
    public IReadOnlyList<int> Chain => _chain;

    /// <summary>Id of the record that it was merged into; empty when it was not (REC-13).</summary>
    public string MergedInto { get; private set; } = string.Empty;

    private void SetChain(in JournalEntry entry)
    {
        _chain.Clear();
        _chain.AddRange(NumberList.Read(entry.Text));
    }
}
