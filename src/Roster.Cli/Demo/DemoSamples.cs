using System.Reflection;

namespace Roster.Cli.Demo;

/// <summary>The files of <c>samples/</c> that are part of the program, so that the demo runs wherever it is installed.</summary>
internal static class DemoSamples
{
    /// <summary>The samples that the month of the demo is made for.</summary>
    public static readonly IReadOnlyList<string> Month = ["big-customers", "ebook-download", "lead-nurturing", "onboarding", "trial"];

    private static readonly string[] Files = ["workflow.json", "events.jsonl", "expect.json"];

    /// <summary>The text of a file of a sample.</summary>
    public static async Task<string> ReadAsync(string sample, string file, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream($"samples/{sample}/{file}")!);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    /// <summary>Writes the files of a sample into a folder of its name, and returns that folder.</summary>
    public static async Task<string> UnpackAsync(string sample, string into, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(into, sample)).FullName;
        foreach (var file in Files)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, file), await ReadAsync(sample, file, cancellationToken), cancellationToken);
        }

        return folder;
    }
}
