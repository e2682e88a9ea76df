namespace Roster.Core;

/// <summary>The key of a record actor: tenant, object type and the id that the client chose.</summary>
/// <param name="Tenant">Number of the tenant.</param>
/// <param name="ObjectType">Number of the object type within the tenant.</param>
/// <param name="Id">The client's id, 1 to 256 bytes of UTF-8, compared by ordinal.</param>
public readonly record struct RecordKey(int Tenant, int ObjectType, string Id)
{
    /// <summary>Most bytes of UTF-8 that an id may have.</summary>
    public const int IdBytesMax = 256;
}
