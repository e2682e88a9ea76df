using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Running;
using Roster.Benchmarks;

#if DEBUG
Console.Error.WriteLine("This is a Debug build: its figures mean nothing. Use -c Release.");
return 2;
#else
switch (args)
{
    case ["allocations"]:
        return AllocationGuard.Check();
    case ["allocations", "--update"]:
        return AllocationGuard.Update();
    default:
        BenchmarkSwitcher.FromAssembly(typeof(AllocationGuard).Assembly).Run(args, DefaultConfig.Instance.AddDiagnoser(MemoryDiagnoser.Default));
        return 0;
}
#endif
