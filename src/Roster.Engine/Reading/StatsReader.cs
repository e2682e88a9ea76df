using Roster.Core.Journal;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.V1;
using Decision = Roster.Core.Journal.Decision;

namespace Roster.Engine.Reading;

/// <summary>Counters of a workflow as readers see them: all versions together (MET-02).</summary>
public static class StatsReader
{
    /// <summary>Makes the funnel.</summary>
    public static WorkflowStats Read(string workflowId, int number, TenantOwner owner, IEnumerable<KeyValuePair<CounterKey, long>> counters)
    {
        ArgumentNullException.ThrowIfNull(owner);
        var sums = counters.Where(c => c.Key.Workflow == number)
            .GroupBy(c => (c.Key.Kind, c.Key.Step, c.Key.Code))
            .ToDictionary(g => g.Key, g => g.Sum(c => c.Value));
        var workflow = owner.Catalog.FindWorkflow(number);
        var stats = new WorkflowStats
        {
            WorkflowId = workflowId,
            Enrolled = Sum(CounterKind.Enrolled, 0),
            RecordsEnrolled = Sum(CounterKind.RecordsEnrolled, 0),
            Completed = sums.GetValueOrDefault((CounterKind.Ended, 0, (int)EndReason.Completed)),
        };
        stats.Active = stats.Enrolled - Sum(CounterKind.Ended, 0);
        stats.Unenrolled.AddRange(Named(CounterKind.Ended, 0, c => ((EndReason)c).ToString()).Where(n => n.Name != "COMPLETED"));
        stats.Refused.AddRange(Named(CounterKind.Refused, 0, c => ((Decision)c).ToString()));
        if (workflow is not null)
        {
            stats.Goals.AddRange(workflow.GoalIds.Select((id, i) => new NamedCount { Name = id, Count = sums.GetValueOrDefault((CounterKind.GoalMet, 0, i + 1)) }));
            stats.Steps.AddRange(workflow.Steps.Select(ReadStep));
        }

        return stats;

        long Sum(CounterKind kind, int step) => sums.Where(s => s.Key.Kind == kind && s.Key.Step == step).Sum(s => s.Value);

        IEnumerable<NamedCount> Named(CounterKind kind, int step, Func<int, string> name) => sums
            .Where(s => s.Key.Kind == kind && s.Key.Step == step)
            .OrderBy(s => s.Key.Code)
            .Select(s => new NamedCount { Name = JournalMapping.ApiName(name(s.Key.Code)), Count = s.Value });

        StepStats ReadStep((int Number, string Id, string Kind, IReadOnlyList<string> Branches) step)
        {
            var entered = Sum(CounterKind.StepEntered, step.Number);
            var finished = Sum(CounterKind.StepFinished, step.Number);
            var succeeded = sums.GetValueOrDefault((CounterKind.StepFinished, step.Number, (int)StepResult.Success));
            var failed = sums.GetValueOrDefault((CounterKind.StepFinished, step.Number, (int)StepResult.Failed));
            var wire = new StepStats
            {
                StepId = step.Id,
                Kind = step.Kind,
                Entered = entered,
                Waiting = entered - finished - Sum(CounterKind.StepAbandoned, step.Number),
                Succeeded = succeeded,
                Failed = failed,
                Skipped = finished - succeeded - failed,
            };
            if (step.Kind == "branch")
            {
                wire.Branches.AddRange(step.Branches.Select((name, i) => new NamedCount { Name = name, Count = sums.GetValueOrDefault((CounterKind.BranchTaken, step.Number, i + 1)) }));
                wire.Branches.Add(new NamedCount { Name = "default", Count = sums.GetValueOrDefault((CounterKind.BranchTaken, step.Number, 0)) });
            }

            return wire;
        }
    }
}
