using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Turns;

namespace Roster.Core.Tests.Properties;

/// <summary>What holds for all workflows and inputs. A failure names its seed: run it alone to see it again.</summary>
public sealed class InvariantTests
{
    private const int SeedsPerCase = 14;
    private const int InputsPerSeed = 60;

    public static TheoryData<int> Blocks() => [.. Enumerable.Range(0, 24)];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S32_S36_Replay_gives_the_live_state_byte_for_byte_and_a_second_run_the_same(int block) => ForEachSeed(block, (seed, runs) =>
    {
        Run(runs);
        Assert.Equal(runs.World.Head, runs.World.Replay());
        var again = new RandomRuns(seed);
        Run(again);
        Assert.Equal(runs.World.Head, again.World.Head);
    });

    [Theory]
    [MemberData(nameof(Blocks))]
    public void REC_17_S45_Whatever_a_record_did_its_emptied_journal_gives_the_erased_state(int block) => ForEachSeed(block, (_, runs) =>
    {
        Run(runs);
        var opened = runs.World.Entries(EntryKind.EffectRequested).Count();
        Assert.Equal(TurnStatus.Applied, runs.World.Erase().Status);
        Assert.Equal(opened, runs.World.Entries(EntryKind.EffectCompleted).Count());
        Assert.Equal(TurnStatus.Applied, runs.World.FinishErasure().Status);
        Assert.Equal(runs.World.Head, runs.World.ReplayEmptied());
        Assert.True(runs.World.Head.Length < 64);
    });

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S40_Loading_what_was_packed_and_packing_it_again_is_a_fixed_point(int block) => ForEachSeed(block, (_, runs) =>
    {
        Run(runs);
        if (runs.World.Head.Length > 0)
        {
            var state = new RecordState();
            state.Load(runs.World.Head);
            Assert.Equal(runs.World.Head, runs.World.Pack(state));
        }
    });

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S9_S12_At_most_one_enrollment_per_workflow_is_active_and_every_one_ends_at_most_once(int block) => ForEachSeed(block, (_, runs) => Run(runs, () =>
    {
        var state = runs.World.State;
        var active = state.Enrollments.ToArray();
        Assert.Equal(active.Length, active.Select(e => e.Workflow).Distinct().Count());
        Assert.Equal(active.Select(e => e.Number).Order(), active.Select(e => e.Number));
        var begun = runs.World.Entries(EntryKind.Enrolled).Select(e => e.Enrollment).ToArray();
        var ended = runs.World.Entries(EntryKind.EnrollmentEnded).Select(e => e.Enrollment).ToArray();
        Assert.Equal(Enumerable.Range(1, begun.Length), begun);
        Assert.Equal(begun.Except(ended).Order(), active.Select(e => e.Number));
        Assert.Equal(ended.Length, ended.Distinct().Count());
    }));

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S21_Every_active_enrollment_waits_for_something_and_timers_are_a_function_of_the_state(int block) => ForEachSeed(block, (_, runs) => Run(runs, () =>
    {
        var state = runs.World.State;
        var due = new List<Timestamp>();
        foreach (var enrollment in state.Enrollments)
        {
            Assert.NotEqual(StepPhase.Ready, enrollment.Phase);
            if (enrollment.Phase is StepPhase.Delay or StepPhase.Window or StepPhase.Anchor || !enrollment.DueAt.IsNone)
            {
                Assert.True(enrollment.DueAt > state.LastTurnAt);
                due.Add(enrollment.DueAt);
            }
            else if (enrollment.Phase == StepPhase.Effect)
            {
                Assert.True(state.FindEffect(enrollment.Number, enrollment.Step, enrollment.Execution) >= 0);
            }
            else
            {
                Assert.True(enrollment.Phase is StepPhase.Wait or StepPhase.Held);
            }
        }

        foreach (var effect in state.OpenEffects)
        {
            due.Add(effect.TimesOutAt);
        }

        due.AddRange(state.Summaries.ToArray().Select(s => s.RecurrenceAt).Append(state.FlipAt).Where(at => !at.IsNone));
        Assert.All(due, at => Assert.True(at > state.LastTurnAt));
        Assert.Equal(due.Count == 0 ? Timestamp.None : due.Min(), state.NextDueAt);
    }));

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S14_S24_A_step_run_has_one_key_and_a_task_is_completed_at_most_once(int block) => ForEachSeed(block, (_, runs) => Run(runs, () =>
    {
        var requested = runs.World.Entries(EntryKind.EffectRequested).Select(e => (e.Enrollment, e.Step, e.Execution)).ToList();
        var completed = runs.World.Entries(EntryKind.EffectCompleted).Select(e => (e.Enrollment, e.Step, e.Execution)).ToList();
        Assert.Equal(requested.Count, requested.Distinct().Count());
        Assert.Equal(completed.Count, completed.Distinct().Count());
        Assert.Empty(completed.Except(requested));
        Assert.Equal(requested.Count - completed.Count, runs.World.State.OpenEffects.Length);
    }));

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S3_S8_The_same_input_twice_changes_nothing(int block) => ForEachSeed(block, (_, runs) =>
    {
        runs.PublishAll();
        for (var i = 0; i < InputsPerSeed; i++)
        {
            runs.Input();
            runs.World.Restore();
            var input = new EventInput($"twice{i}", 1, Timestamp.None, "src", [], [runs.World.Write("stage", $"{i}")], false);
            Assert.Equal(TurnStatus.Applied, runs.World.Run(input).Status);
            var head = runs.World.Head;
            Assert.Equal(TurnStatus.Duplicate, runs.World.Run(input).Status);
            Assert.Equal(TurnStatus.Nothing, runs.World.RunOne(TimerInput.Instance).Status);
            Assert.Equal(head, runs.World.Head);
        }
    });

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S22_S16_Turn_times_never_fall_and_loop_guards_bound_every_turn(int block) => ForEachSeed(block, (_, runs) =>
    {
        Run(runs);
        var last = Timestamp.None;
        var settings = runs.World.Schema.Settings;
        foreach (var (at, _, entries) in runs.World.Journal)
        {
            Assert.True(at >= last);
            last = at;
            foreach (var steps in entries.Where(e => e.Kind == EntryKind.StepEntered).GroupBy(e => e.Enrollment))
            {
                Assert.True(steps.Count() <= settings.StepsPerTurnMax);
            }
        }
    });

    [Theory]
    [MemberData(nameof(Blocks))]
    public void S21_EDT_06_What_a_record_waits_for_is_a_function_of_state_and_catalog(int block) => ForEachSeed(block, (_, runs) => Run(runs, () =>
    {
        // What was switched or published since the last turn has its effect in the first; then there is nothing left to do.
        runs.World.Refresh(string.Empty);
        var head = runs.World.Head;
        Assert.Equal(TurnStatus.Nothing, runs.World.Refresh(string.Empty).Status);
        Assert.Equal(head, runs.World.Head);
    }));

    [Theory]
    [MemberData(nameof(Blocks))]
    public void ENG_14_One_turn_leaves_nothing_behind_for_the_next_but_the_state(int block) => ForEachSeed(block, (seed, runs) =>
    {
        Run(runs);
        var forgetful = new RandomRuns(seed).Forgetful();
        Run(forgetful);
        Assert.Equal(runs.World.Head, forgetful.World.Head);
    });

    [Theory]
    [MemberData(nameof(Blocks))]
    public void UNE_08_GOAL_09_Nothing_runs_after_the_end_and_no_goal_counts_twice(int block) => ForEachSeed(block, (_, runs) =>
    {
        Run(runs);
        var ended = new HashSet<int>();
        var counted = new HashSet<(int, int)>();
        foreach (var entry in runs.World.Journal.SelectMany(t => t.Entries))
        {
            switch (entry.Kind)
            {
                case EntryKind.EnrollmentEnded:
                    Assert.True(ended.Add(entry.Enrollment));
                    break;
                case EntryKind.StepEntered or EntryKind.StepFinished or EntryKind.EffectRequested or EntryKind.StepHeld or EntryKind.StepRescheduled or EntryKind.StepMoved:
                    Assert.DoesNotContain(entry.Enrollment, ended);
                    break;
                case EntryKind.GoalMet when entry.Flag:
                    Assert.True(counted.Add((entry.Workflow, entry.Subject)));
                    break;
                default:
                    break;
            }
        }
    });

    [Fact]
    public void The_random_runs_reach_every_kind_of_entry_phase_end_and_decision()
    {
        var kinds = new HashSet<EntryKind>();
        var phases = new HashSet<StepPhase>();
        var ends = new HashSet<EndReason>();
        var decisions = new HashSet<Decision>();
        for (var seed = 0; seed < 150; seed++)
        {
            var runs = new RandomRuns(seed);
            Run(runs, () => phases.UnionWith(runs.World.State.Enrollments.ToArray().Select(e => e.Phase)));
            foreach (var entry in runs.World.Journal.SelectMany(t => t.Entries))
            {
                kinds.Add(entry.Kind);
                _ = entry.Kind switch
                {
                    EntryKind.EnrollmentEnded => ends.Add(entry.EndReason),
                    EntryKind.Enrolled or EntryKind.EnrollmentRefused => decisions.Add(entry.Decision),
                    _ => false,
                };
            }
        }

        // What needs other records, or failures that no definition can ask for, or comes later. Erasure has its own runs, and so have sequences,
        // whose inboxes are other records.
        EntryKind[] notHere = [EntryKind.None, EntryKind.RecordErased, EntryKind.RecordMerged, EntryKind.RecordAbsorbed, EntryKind.EventIdsForgotten];
        Assert.Empty(Enum.GetValues<EntryKind>().Where(k => k <= EntryKind.RecordAbsorbed).Except(notHere).Except(kinds));
        Assert.Empty(Enum.GetValues<StepPhase>().Except([StepPhase.Ready, StepPhase.Slot]).Except(phases));
        Assert.Empty(Enum.GetValues<EndReason>().Where(r => r <= EndReason.WorkflowDeleted).Except([EndReason.None, EndReason.ActionFailed, EndReason.Merged, EndReason.Erased, EndReason.WorkflowDeleted]).Except(ends));
        Assert.Empty(Enum.GetValues<Decision>().Where(d => d <= Decision.Enrolled).Except([Decision.None, Decision.RecordGone, Decision.TypeMismatch, Decision.SourceNotAllowed, Decision.MergeOff, Decision.EvaluationFailed]).Except(decisions));
    }

    [Fact]
    public void Packed_numbers_round_trip_through_writer_and_reader()
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var value = random.NextInt64() >> random.Next(64) << random.Next(8);
            var writer = new PackedWriter(1);
            writer.SIntAlways(3, value);
            writer.UInt(4, (ulong)value);
            writer.Fixed64(5, (ulong)value);
            var message = writer.BeginMessage(6);
            writer.Text(1, new string('x', random.Next(300)));
            var end = writer.Length;
            writer.EndMessage(message);
            Assert.True(writer.Length >= end);
            var reader = new PackedReader(writer.Written);
            while (reader.Next(out var field))
            {
                switch (field)
                {
                    case 3: Assert.Equal(value, reader.SInt()); break;
                    case 4: Assert.Equal((ulong)value, reader.UInt()); break;
                    case 5: Assert.Equal((ulong)value, reader.Fixed64()); break;
                    default: reader.Skip(); break;
                }
            }
        }
    }

    private static void ForEachSeed(int block, Action<int, RandomRuns> check)
    {
        for (var seed = block * SeedsPerCase; seed < (block + 1) * SeedsPerCase; seed++)
        {
            try
            {
                check(seed, new RandomRuns(seed));
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {seed}: {failure.Message}", failure);
            }
        }
    }

    private static void Run(RandomRuns runs, Action? after = null)
    {
        runs.PublishAll();
        for (var i = 0; i < InputsPerSeed; i++)
        {
            runs.Input();
            if (after is not null && i % 10 == 9 && runs.World.Head.Length > 0)
            {
                after();
            }
        }
    }
}
