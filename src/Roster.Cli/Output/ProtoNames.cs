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
}
