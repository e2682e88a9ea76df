using Roster.Core;

namespace Roster.Storage.TestKit;

/// <summary>A record as the tests know it: what its latest turn left.</summary>
public sealed class TestRecord(RecordKey key, long number)
{
    public RecordKey Key { get; } = key;

    public long Number { get; } = number;

    /// <summary>Turn id of the latest turn; 0 before the first.</summary>
    public ulong TurnId { get; set; }

    /// <summary>Packed head after the latest turn.</summary>
    public byte[] Head { get; set; } = [];

    /// <summary>A copy that goes its own way.</summary>
    public TestRecord Fork() => new(Key, Number) { TurnId = TurnId, Head = Head };
}
