using Roster.Embedded.Tests;
using Roster.Engine.Commits;
using Roster.Engine.Stores;

namespace Roster.Engine.Tests.Commits;

public sealed class GroupCommitterTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_one_commit_is_in_flight_the_next_batch_fills()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var gate = new TaskCompletionSource();
        await using var committer = new GroupCommitter(store, _ => { });
        var first = await BeginFirstAsync(committer, store, gate.Task);
        var others = Enumerable.Range(0, 50).Select(i => committer.CommitAsync([Document($"d{i}")])).ToList();
        Assert.All(others, o => Assert.False(o.IsCompleted));
        gate.SetResult();
        await Task.WhenAll([first, .. others]);
        Assert.Equal(2, store.Commits);
        Assert.Equal(51, (await store.ReadDocumentsAsync(Token)).Count);
    }

    [Fact]
    public async Task A_full_disk_fails_those_who_wait_and_the_next_commit_goes_on()
    {
        var store = new FaultStore(new VolatileRecordStore());
        store.FailNext(1);
        await using var committer = new GroupCommitter(store, _ => { });
        committer.Start([]);
        await Assert.ThrowsAsync<StoreFullException>(() => committer.CommitAsync([Document("a")]));
        await committer.CommitAsync([Document("b")]);
        Assert.Equal("b", Assert.Single(await store.ReadDocumentsAsync(Token)).Id);
        Assert.False(committer.HasFailed);
    }

    [Fact]
    public async Task When_another_process_was_quicker_changes_of_definitions_are_refused_and_the_rest_goes_with_the_next_commit()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var gate = new TaskCompletionSource();
        await using var committer = new GroupCommitter(store, _ => { });
        var first = await BeginFirstAsync(committer, store, gate.Task);
        var progress = committer.CommitAsync([Document("progress")]);
        var definition = committer.CommitAsync([Document("definition")], [(1, 7L)]);
        var commits = 0;
        store.Gate = () => ++commits == 1 ? Task.FromException(new StoreConflictException([], [1])) : Task.CompletedTask;
        gate.SetResult();
        await first;
        var conflict = await Assert.ThrowsAsync<StoreConflictException>(() => definition);
        Assert.Equal([1], conflict.Tenants);
        await progress;
        Assert.Equal(1, committer.Conflicts);
        Assert.Equal(["first", "progress"], (await store.ReadDocumentsAsync(Token)).Select(d => d.Id));
        Assert.False(committer.HasFailed);
    }

    [Fact]
    public async Task After_a_fatal_failure_nobody_is_acknowledged_and_nobody_waits_for_ever()
    {
        var store = new FaultStore(new VolatileRecordStore()) { FatalNext = new IOException("fsync") };
        var source = new Source();
        var durable = 0;
        await using var committer = new GroupCommitter(store, _ => durable++);
        committer.Start([source]);
        var first = source.Add();
        committer.Signal();
        await Assert.ThrowsAsync<RosterException>(() => first);
        await Assert.ThrowsAsync<IOException>(() => committer.Failed);
        var second = source.Add();
        committer.Signal();
        await Assert.ThrowsAsync<RosterException>(() => second);
        await Assert.ThrowsAnyAsync<Exception>(() => committer.CommitAsync([Document("a")]));
        Assert.Equal((0, 0, 2), (durable, source.Committed, source.Failures));
    }

    [Fact]
    public async Task Timers_and_outbox_go_on_before_those_who_wait_are_told()
    {
        var order = new List<string>();
        var source = new Source();
        await using var committer = new GroupCommitter(new VolatileRecordStore(), _ => order.Add("durable"));
        committer.Start([source]);
        var done = source.Add(() => order.Add("told"));
        committer.Signal();
        await done;
        Assert.Equal(["durable", "told"], order);
    }

    /// <summary>Starts a committer whose commits wait for a gate. Returns the first one, when it has come to the store.</summary>
    private static async Task<Task> BeginFirstAsync(GroupCommitter committer, FaultStore store, Task gate)
    {
        store.Gate = () => gate;
        committer.Start([]);
        var first = committer.CommitAsync([Document("first")]);
        while (store.Commits == 0)
        {
            await Task.Yield();
        }

        return first;
    }

    private static StoredDocument Document(string id) => new(1, "test", id, [1]);

    private sealed class Source : ICommitSource
    {
        private readonly Lock _gate = new();
        private OpenBatch _open = new();

        public int Committed { get; private set; }

        public int Failures { get; private set; }

        public Task Add(Action? onDone = null)
        {
            var waiter = new Waiter(onDone);
            lock (_gate)
            {
                _open.Turns.Count(new CounterKey(1, 0, 0, CounterKind.Duplicate, 0, 0), 1);
                _open.Waiters.Add(waiter);
            }

            return waiter.Task;
        }

        public OpenBatch? TakeBatch()
        {
            lock (_gate)
            {
                var taken = _open;
                _open = new OpenBatch();
                return taken.IsEmpty ? null : taken;
            }
        }

        public void OnCommitted(OpenBatch batch) => Committed++;

        public void OnFailed(OpenBatch batch, Exception failure)
        {
            Failures++;
            batch.Waiters.ForEach(w => w.OnCommitted(failure));
        }

        public void OnConflict(OpenBatch batch, StoreConflictException conflict) => OnFailed(batch, conflict);
    }

    private sealed class Waiter(Action? onDone) : ICommitWaiter
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Task => _done.Task;

        public void OnCommitted(Exception? failure)
        {
            onDone?.Invoke();
            if (failure is null)
            {
                _done.TrySetResult();
            }
            else
            {
                _done.TrySetException(failure);
            }
        }
    }
}
