using Roster.Engine.Hosting;

namespace Roster.Embedded.Tests;

/// <summary>Who reads events waits while many are undecided.</summary>
public sealed class BacklogTests
{
    [Fact]
    public void There_is_room_until_the_maximum_waits_and_again_when_fewer_do()
    {
        var backlog = new Backlog(max: 10);
        Assert.True(backlog.WhenRoom().IsCompleted);
        backlog.Add(9);
        Assert.True(backlog.WhenRoom().IsCompleted);
        backlog.Add(20);
        var (first, second) = (backlog.WhenRoom(), backlog.WhenRoom());
        backlog.Remove(19);
        Assert.False(first.IsCompleted);
        Assert.False(second.IsCompleted);
        backlog.Remove(1);
        Assert.True(first.IsCompleted);
        Assert.True(second.IsCompleted);
        Assert.Equal(9, backlog.Count);
    }

    [Fact]
    public async Task Nobody_waits_for_ever_whoever_comes_first()
    {
        var backlog = new Backlog(max: 1);
        for (var round = 0; round < 2_000; round++)
        {
            backlog.Add(1);
            var removing = Task.Run(() => backlog.Remove(1), TestContext.Current.CancellationToken);
            await backlog.WhenRoom().WaitAsync(TestContext.Current.CancellationToken);
            await removing;
        }

        Assert.Equal(0, backlog.Count);
    }
}
