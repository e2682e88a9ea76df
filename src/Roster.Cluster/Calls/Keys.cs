using System.Text;
using Roster.Core;
using Roster.V1;

namespace Roster.Cluster.Calls;

/// <summary>
/// Keys of grains. They begin with a letter: grain storage and reminders keep keys that look like numbers or GUIDs in the same rows as real ones.
/// </summary>
internal static class Keys
{
    public const string Conductor = "conductor";

    public static string Timers(int part) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"t{part}");

    /// <summary>A reference that no record can have is not refused here but where it is read.</summary>
    public static string Record(string tenant, RecordRef reference) => Record(tenant, reference.ObjectType, reference.RecordId);

    public static string Record(string tenant, string objectType, string id) =>
        objectType.Length <= 50 && id.Length <= RecordKey.IdBytesMax && Encoding.UTF8.GetByteCount(id) <= RecordKey.IdBytesMax ? $"r{tenant}/{objectType}/{id}" : $"r{tenant}//";

    /// <summary>The record of a record's key.</summary>
    public static RecordRef RecordOf(string key)
    {
        var type = key.IndexOf('/', StringComparison.Ordinal) + 1;
        var id = key.IndexOf('/', type) + 1;
        return new RecordRef { ObjectType = key[type..(id - 1)], RecordId = key[id..] };
    }

    public static string Workflow(string tenant, string id) => $"w{tenant}/{(id.Length <= 100 ? id : string.Empty)}";

    /// <summary>The tenant of a key of a record or workflow; names of tenants have no slash.</summary>
    public static string TenantOf(string key) => key[1..key.IndexOf('/', StringComparison.Ordinal)];
}
