namespace Roster.Simulator.Cases;

/// <summary>
/// Random small worlds through the turn of Core and through the naive interpreter. Many more:
/// <c>dotnet run -c Release -- --cases 100000 --seed 1</c>.
/// </summary>
public sealed class CaseTests
{
    private const int PerBlock = 200;

    public static TheoryData<int> Blocks() => [.. Enumerable.Range(0, 10)];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Core_and_the_naive_interpreter_tell_the_same_story(int block)
    {
        for (var seed = (block * PerBlock) + 1; seed <= (block + 1) * PerBlock; seed++)
        {
            if (CaseRun.Of(CaseGenerator.Of(seed)).Found is not null)
            {
                Assert.Fail(CaseSweep.Report(seed));
            }
        }
    }
}
