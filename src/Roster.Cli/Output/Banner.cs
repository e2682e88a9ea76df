using System.Reflection;

namespace Roster.Cli.Output;

/// <summary>What this program was built from.</summary>
internal static class Banner
{
    /// <summary><c>partial</c> or <c>full</c>.</summary>
    public static string Feed { get; } = typeof(Banner).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(metadata => metadata.Key == "PackageFeed")?.Value ?? "unknown";

    public static string Version { get; } = typeof(Banner).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    public static string HostAndFeed(string host = "embedded") => Feed == "partial"
        ? $"{Version}, host {host}, package feed partial (run `eng/probe-feed` to look for the full one)"
        : $"{Version}, host {host}, package feed {Feed}";
}

/// <summary>Small texts.</summary>
internal static class ProtoText
{
    public static string Lower(Enum value) => value.ToString().ToLowerInvariant();
}
