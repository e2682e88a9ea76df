namespace Roster.Simulator;

/// <summary>A smoke of short seeds. Many more: <c>dotnet run -c Release -- --seeds 10000 --first 1</c>.</summary>
public sealed class SimulationTests
{
    public static TheoryData<int> Blocks() => [.. Enumerable.Range(0, 15)];

    [Theory]
    [MemberData(nameof(Blocks))]
    public async Task ACT_27_ASC_04_ENG_15_Linked_records_agree_with_each_other_at_every_quiet_moment(int block)
    {
        for (var seed = block * 2; seed < (block + 1) * 2; seed++)
        {
            await Linked.LinkedSimulation.RunAsync(seed, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public async Task Engine_and_model_agree_and_a_seed_gives_the_same_twice(int block)
    {
        for (var seed = block * 13; seed < (block + 1) * 13; seed++)
        {
            var first = await Simulation.RunAsync(seed, TestContext.Current.CancellationToken);
            var second = await Simulation.RunAsync(seed, TestContext.Current.CancellationToken);
            Assert.True(first == second, $"Seed {seed} gave {first:x16}, then {second:x16}.");
        }
    }
}
