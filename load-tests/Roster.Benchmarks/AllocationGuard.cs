using System.Reflection;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace Roster.Benchmarks;

/// <summary>
/// Compares the bytes that each benchmark allocates per call with the committed numbers of <c>allocations.json</c>. Nothing is timed: the
/// runtime counts what the thread allocates, each call does the same work on the same data, and all code is compiled once, so the numbers are
/// the same in every run.
/// </summary>
internal static class AllocationGuard
{
    private const int WarmupCalls = 2_000;
    private const int Calls = 2_000;
    private const int Rounds = 3;
    private const string UpdateCommand = "dotnet run -c Release --project load-tests/Roster.Benchmarks -- allocations --update";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    private static string CommittedFile => Path.Combine(
        typeof(AllocationGuard).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!,
        "load-tests", "Roster.Benchmarks", "allocations.json");

    /// <returns>0 when no benchmark allocates more than committed.</returns>
    public static int Check()
    {
        var committed = JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllText(CommittedFile))!;
        var measured = Measure();
        var (more, less) = (0, 0);
        foreach (var (name, bytes) in measured)
        {
            var known = committed.TryGetValue(name, out var limit);
            var verdict = !known ? "NO COMMITTED NUMBER" : bytes > limit ? $"MORE than the committed {limit:N0}" : bytes < limit ? $"less than the committed {limit:N0}" : string.Empty;
            more += !known || bytes > limit ? 1 : 0;
            less += known && bytes < limit ? 1 : 0;
            Console.WriteLine($"{name,-40} {bytes,8:N0} bytes  {verdict}");
        }

        foreach (var name in committed.Keys.Except(measured.Keys).Order(StringComparer.Ordinal))
        {
            Console.WriteLine($"{name,-40} is committed but there is no such benchmark");
            more++;
        }

        if (more > 0)
        {
            Console.WriteLine($"{more} numbers do not hold. Find the allocation; where it has a reason, run '{UpdateCommand}' and give the reason in the commit.");
        }
        else if (less > 0)
        {
            Console.WriteLine($"{less} numbers are lower now. Keep the gain: run '{UpdateCommand}' and commit the file.");
        }

        return more == 0 ? 0 : 1;
    }

    /// <summary>Writes what is measured now as the committed numbers.</summary>
    public static int Update()
    {
        File.WriteAllText(CommittedFile, JsonSerializer.Serialize(Measure(), Readable) + "\n");
        Console.WriteLine($"Wrote {CommittedFile}.");
        return 0;
    }

    private static SortedDictionary<string, long> Measure()
    {
        var measured = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var type in typeof(AllocationGuard).Assembly.GetExportedTypes().Where(t => Benchmarks(t).Any()))
        {
            var instance = Activator.CreateInstance(type)!;
            foreach (var method in Benchmarks(type))
            {
                measured.Add($"{type.Name}.{method.Name}", Measure(Compile(instance, method)));
            }
        }

        return measured;
    }

    /// <summary>Bytes per call. The least of the rounds counts: buffers that grow once are not of the call.</summary>
    private static long Measure(Action<int> calls)
    {
        calls(WarmupCalls);
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            calls(Calls);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        // What is left over after whole calls is a fraction of a byte per call.
        return least / Calls;
    }

    /// <summary>A loop over calls of the method, without boxes for what it returns.</summary>
    private static Action<int> Compile(object instance, MethodInfo method) =>
        (Action<int>)typeof(AllocationGuard).GetMethod(nameof(Loop), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(method.ReturnType).Invoke(null, [instance, method])!;

    private static Action<int> Loop<T>(object instance, MethodInfo method)
    {
        var call = method.CreateDelegate<Func<T>>(instance);
        return count =>
        {
            for (var i = 0; i < count; i++)
            {
                call();
            }
        };
    }

    private static IEnumerable<MethodInfo> Benchmarks(Type type) => type.GetMethods().Where(m => m.GetCustomAttribute<BenchmarkAttribute>() is not null);
}
