using System.Text.Json;

namespace Roster.LoadTests.Reporting;

/// <summary>The result for machines.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public static string Write(RunResult result) => JsonSerializer.Serialize(result, Options) + "\n";
}
