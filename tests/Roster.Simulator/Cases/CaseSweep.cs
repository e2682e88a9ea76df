using System.Diagnostics;
using System.Globalization;

namespace Roster.Simulator.Cases;

/// <summary>Runs many random cases. A seed is a case: <c>--cases 1 --seed n</c> runs that one alone.</summary>
internal static class CaseSweep
{
    private const int Progress = 10_000;

    /// <summary>Runs cases and prints the first disagreement, made small. Returns the exit code.</summary>
    public static int Run(int count, int first, TextWriter output)
    {
        var watch = Stopwatch.StartNew();
        long turns = 0;
        for (var i = 0; i < count; i++)
        {
            var run = CaseRun.Of(CaseGenerator.Of(first + i));
            turns += run.Stories.Count;
            if (run.Found is not null)
            {
                output.WriteLine(Report(first + i));
                return 1;
            }

            if ((i + 1) % Progress == 0 || i + 1 == count)
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{i + 1} cases, {turns} turns, {(i + 1) / watch.Elapsed.TotalSeconds:0} cases/s"));
            }
        }

        return 0;
    }

    /// <summary>A disagreement in full: the seed, the small case, and both stories.</summary>
    public static string Report(int seed)
    {
        var failing = CaseShrinker.Shrink(CaseGenerator.Of(seed));
        var run = CaseRun.Of(failing);
        var before = string.Join('\n', run.Stories.SkipLast(1).TakeLast(6).Select(s => $"  {s.Input}: {s.Status} {CaseText.Cut(string.Join("; ", s.Lines))}\n        then {CaseText.Cut(string.Join("; ", s.State))}"));
        return $"Seed {seed} disagrees.\n{CaseText.Of(failing)}\nSo far:\n{before}\n{CaseText.Of(run.Found!)}";
    }
}
