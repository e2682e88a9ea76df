namespace Roster.Engine.Catalog;

/// <summary>A version that several threads hear of, in any order. Thread-safe.</summary>
internal sealed class RisingVersion
{
    private long _value;

    /// <summary>The latest one heard of; 0 at first.</summary>
    public long Value
    {
        get => Interlocked.Read(ref _value);
        set => Interlocked.Exchange(ref _value, value);
    }

    /// <summary>Takes a version, unless a later one is known.</summary>
    public void RaiseTo(long version)
    {
        var known = Value;
        while (known < version && Interlocked.CompareExchange(ref _value, version, known) is var seen && seen != known)
        {
            known = seen;
        }
    }
}
