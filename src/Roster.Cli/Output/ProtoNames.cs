using System.Collections.Concurrent;
using System.Reflection;
using Google.Protobuf.Reflection;

namespace Roster.Cli.Output;

/// <summary>Names of enum values as the protos write them.</summary>
internal static class ProtoNames
{
    private static readonly ConcurrentDictionary<Enum, string> Names = new();

    public static string Of(Enum value) => Names.GetOrAdd(value, static member =>
        member.GetType().GetField(member.ToString())?.GetCustomAttribute<OriginalNameAttribute>()?.Name ?? member.ToString());

    /// <summary>The value of a name; false for one that is none, and for the one that stands for nothing.</summary>
    public static bool TryParse<T>(string name, out T value)
        where T : struct, Enum
    {
        value = Enum.GetValues<T>().FirstOrDefault(v => Of(v) == name);
        return !value.Equals(default(T));
    }
}
