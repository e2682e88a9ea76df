using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Cluster.Calls;

/// <summary>Due instants on their way between silos: record number and milliseconds, by turns.</summary>
internal static class Timers
{
    public static long[] ToWire(IEnumerable<TimerEntry> timers) => [.. timers.SelectMany(t => new[] { t.RecordNumber, t.DueAt.Ms })];

    public static TimerEntry[] FromWire(long[] wire)
    {
        var timers = new TimerEntry[wire.Length / 2];
        for (var i = 0; i < timers.Length; i++)
        {
            timers[i] = new TimerEntry(new Timestamp(wire[(2 * i) + 1]), wire[2 * i]);
        }

        return timers;
    }
}
