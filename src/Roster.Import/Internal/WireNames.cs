using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using Google.Protobuf.Reflection;

namespace Roster.Import.Internal;

/// <summary>Enum values by the names that the contract gives them. Many are HubSpot's own.</summary>
internal static class WireNames
{
    private static readonly ConcurrentDictionary<Type, FrozenDictionary<string, object>> ByName = new();

    /// <summary>The value of a name; false for one that is none, and for the one that stands for nothing.</summary>
    public static bool TryParse<T>(string name, out T value)
        where T : struct, Enum
    {
        var known = ByName.GetOrAdd(typeof(T), static type => type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToFrozenDictionary(field => field.GetCustomAttribute<OriginalNameAttribute>()?.Name ?? field.Name, field => field.GetValue(null)!, StringComparer.Ordinal));
        value = known.TryGetValue(name, out var found) ? (T)found : default;
        return !value.Equals(default(T));
    }
}
