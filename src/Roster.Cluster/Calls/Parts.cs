using System.Globalization;
using Roster.Engine.Hosting;

namespace Roster.Cluster.Calls;

/// <summary>Parts of the records.</summary>
internal static class Parts
{
    /// <summary>How many there are.</summary>
    public const int Count = EngineHost.TimerParts;

    /// <summary>The part of a record by its number.</summary>
    public static int Of(long recordNumber) => EngineHost.PartOf(recordNumber);

    /// <summary>The part of the record that a task is of; null for a key that is none.</summary>
    public static int? OfTask(string key)
    {
        var parts = key.Split('/');
        return parts.Length == 5 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? Of(number) : null;
    }

    /// <summary>How much a part wants to be at a silo: the same at every silo.</summary>
    public static ulong Score(int part, string silo) => Core.Hashing.StableHash.Hash128(string.Create(CultureInfo.InvariantCulture, $"{part}@{silo}")).Low;
}
