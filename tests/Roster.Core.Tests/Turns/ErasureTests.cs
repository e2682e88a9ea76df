using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Erasure of a record (REC-17). What it means for others and for what is stored is tested on the embedded host.</summary>
public sealed class ErasureTests
{
    [Fact]
    public void REC_17_An_erasure_ends_the_enrollments_withdraws_the_tasks_and_leaves_nothing()
    {
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t", timeout: TimeSpan.FromHours(1))));
        world.Event("clicked", ("stage", "lead"), ("name", "Ada Lovelace"));
        world.AddToList("vip");
        world.Enroll("w");
        Assert.Equal(TurnStatus.Applied, world.Erase().Status);
        Assert.Equal(["Erased"], world.Ends("w"));
        Assert.Equal(
            [EntryKind.EffectWithdrawn, EntryKind.EffectCompleted, EntryKind.ListLeft],
            world.Last.Select(e => e.Kind).Where(k => k is EntryKind.EffectWithdrawn or EntryKind.EffectCompleted or EntryKind.ListLeft));
        var state = world.State;
        Assert.Equal((GoneKind.Erased, "ada", 0, true), (state.Gone, state.Id, state.PropertyCount, state.NextDueAt.IsNone));
        Assert.Equal(TurnStatus.Applied, world.FinishErasure().Status);
        Assert.Equal((true, string.Empty, 7L), (world.State.IsIdErased, world.State.Id, world.State.Number));
        Assert.Equal(TurnStatus.Nothing, world.FinishErasure().Status);
    }

    [Fact]
    public void REC_17_Every_later_input_is_refused_and_erasing_twice_is_the_same_as_once()
    {
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days)));
        world.Event("clicked", World.Start, "e", false, [], ("stage", "lead"));
        world.Erase("r1");
        foreach (var _ in new[] { "told", "finished" })
        {
            TurnResult[] results = [world.Event("clicked", World.Start, "e", false, []), world.Set("stage", "a"), world.Enroll("w"), world.AddToList("vip"), world.Delete(), world.Restore()];
            Assert.All(results, r => Assert.Equal((TurnStatus.Refused, RefusalReason.RecordGone), (r.Status, r.Refusal!.Reason)));
            Assert.Equal([TurnStatus.Duplicate, TurnStatus.Duplicate], new[] { world.Erase("r1").Status, world.Erase("r2").Status });
            Assert.Equal(TurnStatus.Nothing, world.Refresh(string.Empty).Status);
            world.FinishErasure();
        }
    }

    [Fact]
    public void REC_17_A_record_that_never_was_is_erased_ahead()
    {
        var world = new World();
        Assert.Equal(TurnStatus.Applied, world.Erase().Status);
        Assert.Empty(world.Entries(EntryKind.RecordCreated));
        Assert.Equal(TurnStatus.Refused, world.Set("stage", "a").Status);
        world.FinishErasure();
        Assert.Equal(world.Head, world.ReplayEmptied());
    }

    [Fact]
    public void REC_16_REC_17_A_deleted_record_is_erased_too()
    {
        var world = new World();
        world.Set("stage", "a");
        world.Delete();
        Assert.Equal(TurnStatus.Applied, world.Erase().Status);
        Assert.Equal(TurnStatus.Refused, world.Restore().Status);
        Assert.Equal(GoneKind.Erased, world.State.Gone);
    }

    [Fact]
    public void REC_17_Only_an_erased_record_loses_its_id()
    {
        var world = new World();
        Assert.Equal(TurnStatus.Nothing, world.FinishErasure().Status);
        world.Set("stage", "a");
        Assert.Equal(TurnStatus.Nothing, world.FinishErasure().Status);
        Assert.Equal("ada", world.State.Id);
    }
}
