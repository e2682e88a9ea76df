using System.Collections.Concurrent;
using System.Reflection;
using Google.Protobuf.Reflection;

namespace Roster.Server.Errors;

/// <summary>Names of enum values as the proto writes them, such as <c>TOO_LARGE</c>.</summary>
internal static class WireNames
{
    private static readonly ConcurrentDictionary<Enum, string> Names = new();

    /// <summary>The name of a value in its proto.</summary>
    public static string ToWireName(this Enum value) => Names.GetOrAdd(value, static member =>
        member.GetType().GetField(member.ToString())?.GetCustomAttribute<OriginalNameAttribute>()?.Name ?? member.ToString());
}
