using Roster.Core.Packing;

namespace Roster.Core.Records;

/// <content>
/// How often an enrollment ran its steps (ENG-10, ACT-04). Steps that may come again by the graph, and those with tasks, have counters of
/// their own (<see cref="EnrollmentState.Runs"/>). The others come again only when a publish puts them behind the enrollment: their runs
/// stay packed, a few bytes each, and are read when a step is entered.
/// </content>
public sealed partial class RecordState
{
    /// <summary>How often an enrollment ran a step so far.</summary>
    /// <param name="enrollment">An active enrollment of this state.</param>
    /// <param name="step">Number of the step.</param>
    public int RunsOf(in EnrollmentState enrollment, int step)
    {
        var index = FindRuns(enrollment.Runs, step);
        return index >= 0 ? enrollment.Runs![index].Count : RunsInTrail(enrollment, step, Timestamp.Min);
    }

    /// <summary>How often an enrollment ran a step after an instant not more than 60 minutes before the turn time.</summary>
    /// <param name="enrollment">An active enrollment of this state.</param>
    /// <param name="step">Number of the step.</param>
    /// <param name="since">The instant, excluded.</param>
    public int RunsSince(in EnrollmentState enrollment, int step, Timestamp since)
    {
        var count = RunsInTrail(enrollment, step, since);
        var index = FindRuns(enrollment.Runs, step);
        if (index >= 0)
        {
            foreach (var at in enrollment.Runs![index].Recent)
            {
                count += at > since ? 1 : 0;
            }
        }

        return count;
    }

    private static int FindRuns(StepRuns[]? runs, int step)
    {
        for (var i = 0; runs is not null && i < runs.Length; i++)
        {
            if (runs[i].Step == step)
            {
                return i;
            }
        }

        return -1;
    }

    private int RunsInTrail(in EnrollmentState enrollment, int step, Timestamp since)
    {
        var count = 0;
        var reader = new PackedReader(_data.AsSpan(enrollment.TrailOffset, enrollment.TrailLength));
        while (reader.Position < enrollment.TrailLength)
        {
            var run = (int)reader.Varint();
            var at = enrollment.EnrolledAt.PlusMs((long)reader.Varint());
            count += run == step && at > since ? 1 : 0;
        }

        return count;
    }

    /// <summary>Notes a run: the step, and milliseconds since the enrollment began.</summary>
    private void AddToTrail(ref EnrollmentState enrollment, int step)
    {
        if (enrollment.TrailOffset + enrollment.TrailLength != _dataLength)
        {
            enrollment.TrailOffset = AppendData(_data.AsSpan(enrollment.TrailOffset, enrollment.TrailLength));
        }

        _scratch.Clear();
        _scratch.Varint((ulong)step);
        _scratch.Varint((ulong)(LastTurnAt.Ms - enrollment.EnrolledAt.Ms));
        AppendData(_scratch.Written);
        enrollment.TrailLength += _scratch.Length;
    }

    private StepRuns[] CountRun(StepRuns[]? runs, int step, int execution)
    {
        var index = FindRuns(runs, step);
        if (index < 0)
        {
            return [.. runs ?? [], new StepRuns(step, execution, [LastTurnAt])];
        }

        var since = LastTurnAt.PlusMs(-HourMs);
        runs![index] = new StepRuns(step, execution, [.. runs[index].Recent.Where(at => at > since), LastTurnAt]);
        return runs;
    }
}
