using System.Globalization;

namespace Roster.LoadTests.Measuring;

/// <summary>What the operating system says of processes.</summary>
/// <param name="ResidentBytes">Memory of the server.</param>
/// <param name="DatabaseBytes">Memory of the database, where one was started for the run; what its processes share is counted once.</param>
/// <param name="Cpu">Processor time of the server and of that database.</param>
/// <param name="WrittenBytes">Bytes that they had written to disk.</param>
/// <param name="GeneratorCpu">Processor time of this process.</param>
internal readonly record struct Usage(long ResidentBytes, long DatabaseBytes, TimeSpan Cpu, long WrittenBytes, TimeSpan GeneratorCpu);

/// <summary>Processor time, memory and bytes written of one process, from <c>/proc</c>.</summary>
internal static class Proc
{
    private const string Folder = "/proc";

    /// <summary>Ticks of <c>/proc/PID/stat</c> per second: fixed at 100 for programs on Linux.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>Bytes that the process had written to disk, buffers that are written later counted; 0 when it is gone or not ours.</summary>
    public static long WrittenBytes(int process) => Read(process, "io", "write_bytes:");

    /// <summary>Resident bytes; 0 when it is gone.</summary>
    public static long ResidentBytes(int process) => Read(process, "status", "VmRSS:") * 1024;

    /// <summary>Resident bytes, of shared pages its part only; 0 when it is gone or not ours.</summary>
    public static long ProportionalBytes(int process) => Read(process, "smaps_rollup", "Pss:") * 1024;

    /// <summary>Processor time; none when it is gone.</summary>
    public static TimeSpan Cpu(int process) => Fields(process) is { } fields
        ? TimeSpan.FromSeconds((ParseLong(fields[11]) + ParseLong(fields[12])) / TicksPerSecond)
        : TimeSpan.Zero;

    /// <summary>The process and its children, not their children.</summary>
    public static IEnumerable<int> WithChildren(int process) =>
        Directory.EnumerateDirectories(Folder)
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id == process || (id > 0 && Fields(id) is { } fields && fields[1] == process.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The value after a name in the lines of a file such as <c>/proc/PID/status</c>; 0 when there is none.</summary>
    public static long Find(IEnumerable<string> lines, string name) =>
        lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? ParseLong(line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[0])
            : 0;

    private static long Read(int process, string file, string name)
    {
        try
        {
            return Find(File.ReadLines($"{Folder}/{process}/{file}"), name);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Fields of <c>/proc/PID/stat</c> from the state on: the name before them may contain anything.</summary>
    private static string[]? Fields(int process)
    {
        try
        {
            var stat = File.ReadAllText($"{Folder}/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long ParseLong(string text) => long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}
