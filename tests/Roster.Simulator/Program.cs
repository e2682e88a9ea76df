using System.Diagnostics;
using System.Globalization;
using Roster.Simulator;
using Roster.Simulator.Cases;
using Roster.Simulator.Linked;
using Xunit.Runner.InProc.SystemConsole;

if (args.Contains("--cases"))
{
    return CaseSweep.Run(Option("--cases", 1_000), Option("--seed", 1), Console.Out);
}

if (!args.Contains("--seeds"))
{
    return await ConsoleRunner.Run(args);
}

var first = Option("--first", 1);
var count = Option("--seeds", 1_000);
var isLinkedOnly = args.Contains("--linked");
var failing = new List<int>();
var watch = Stopwatch.StartNew();
for (var seed = first; seed < first + count; seed++)
{
    try
    {
        // Records that are linked, without a model: the longer run, so of every tenth seed.
        if (seed % 10 == 0 || isLinkedOnly)
        {
            await LinkedSimulation.RunAsync(seed, CancellationToken.None);
        }

        if (isLinkedOnly)
        {
            continue;
        }

        var hash = await Simulation.RunAsync(seed, CancellationToken.None);
        var again = await Simulation.RunAsync(seed, CancellationToken.None);
        if (hash != again)
        {
            throw new InvalidOperationException($"Seed {seed} gave {hash:x16}, then {again:x16}.");
        }
    }
    catch (InvalidOperationException failure)
    {
        failing.Add(seed);
        Console.WriteLine(failing.Count <= Option("--show", 3) ? failure.Message : $"Seed {seed} fails.");
    }
}

Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture, $"{count} seeds from {first}, each twice: {failing.Count} failing, {count / watch.Elapsed.TotalSeconds:0} seeds/s.{(failing.Count == 0 ? "" : " Failing: " + string.Join(' ', failing))}"));
return failing.Count == 0 ? 0 : 1;

int Option(string name, int otherwise)
{
    var at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;
}
