using Google.Protobuf.WellKnownTypes;
using Roster.Engine;

namespace Roster.Server.Work;

/// <summary>For how long tasks are leased.</summary>
internal static class LeaseTime
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Min = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Max = TimeSpan.FromHours(1);

    /// <summary>Reads a lease time; 60 s when there is none.</summary>
    public static TimeSpan Read(string path, Duration? duration)
    {
        if (duration is null || (duration.Seconds == 0 && duration.Nanos == 0))
        {
            return Default;
        }

        var time = TimeSpan.FromSeconds(Math.Clamp(duration.Seconds, 0, 1_000_000)) + TimeSpan.FromMilliseconds(duration.Nanos / 1_000_000);
        return time >= Min && time <= Max
            ? time
            : throw RosterException.Invalid(path, duration.ToString(), $"`{path}` is {time.TotalSeconds:0.###} s; it must be from 5 s to 1 h.");
    }
}
