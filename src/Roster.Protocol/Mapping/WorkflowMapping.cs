using Google.Protobuf.WellKnownTypes;
using Roster.Core.Filters;
using Roster.Core.Workflows;
using Roster.V1;

namespace Roster.Protocol.Mapping;

/// <summary>Definitions from the public contract to Core. It changes shape only; what a definition means is decided by the compiler.</summary>
public static class WorkflowMapping
{
    /// <summary>Maps a definition.</summary>
    public static WorkflowDefinition ToCore(Workflow workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return new WorkflowDefinition(
            workflow.Id,
            workflow.ObjectType,
            ToCore(workflow.Start),
            [.. workflow.Goals.Select(g => new GoalDefinition(g.Id, ToCore(g.Criteria)))],
            [.. workflow.Steps.Select(ToCore)],
            workflow.FirstStep,
            workflow.TimeZone);
    }

    /// <summary>Maps a problem.</summary>
    public static DefinitionProblem ToWire(WorkflowProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return new DefinitionProblem
        {
            Severity = problem.IsError ? DefinitionProblem.Types.Severity.Error : DefinitionProblem.Types.Severity.Warning,
            Path = problem.Path,
            Code = problem.Code,
            Value = problem.Value,
            Message = problem.Message,
        };
    }

    private static StartDefinition? ToCore(Start? start) => start is null
        ? null
        : new StartDefinition(
            (StartKind)(int)start.KindCase,
            ToCore(start.Filter?.Criteria),
            start.Filter is not { HasFireOnCreate: true } || start.Filter.FireOnCreate,
            [.. (start.Event?.AnyOf ?? []).Select(ToCore)],
            start.Reenroll,
            [.. start.ReenrollWhen.Select(c => ToCore(c)!)]);

    private static EventTriggerDefinition ToCore(EventTrigger trigger) => new(
        trigger.EventType,
        [.. trigger.Where.Select(ToCore)],
        ToCore(trigger.OnlyIf),
        trigger.HasAllowNewRecord ? trigger.AllowNewRecord : null);

    private static CriteriaDefinition? ToCore(V1.Criteria? criteria) => criteria is null
        ? null
        : new CriteriaDefinition([.. criteria.AnyOf.Select(g => (IReadOnlyList<FilterDefinition>)[.. g.AllOf.Select(ToCore)])]);

    private static FilterDefinition ToCore(Filter filter) =>
        new(filter.Property, (Operator)(int)filter.Operator, [.. filter.Values], filter.IncludeUnknown, filter.TimeZone);

    private static StepDefinition ToCore(Step step) => step.KindCase switch
    {
        Step.KindOneofCase.Delay => new DelayStepDefinition(step.Id, step.Next, step.Delay.HasAmount ? step.Delay.Amount : null, (DelayUnit)(int)step.Delay.Unit),
        Step.KindOneofCase.Branch => new BranchStepDefinition(
            step.Id, step.Next, [.. step.Branch.Branches.Select(b => new IfBranchDefinition(b.Name, ToCore(b.Criteria), b.Next))], step.Branch.DefaultNext),
        Step.KindOneofCase.SetProperty => new SetPropertyStepDefinition(step.Id, step.Next, step.SetProperty.Property, step.SetProperty.Value, step.SetProperty.Clear),
        Step.KindOneofCase.Worker => ToCore(step, step.Worker),
        _ => new IncompleteStepDefinition(step.Id, step.Next),
    };

    private static WorkerStepDefinition ToCore(Step step, WorkerAction worker) => new(
        step.Id,
        step.Next,
        worker.Queue,
        [.. worker.Fields.Select(f => KeyValuePair.Create(f.Name, f.Text))],
        [.. worker.Properties],
        !worker.HasWait || worker.Wait,
        ToTimeSpan(worker.Timeout));

    private static TimeSpan? ToTimeSpan(Duration? duration) => duration is null
        ? null
        : duration.Seconds is < -1_000_000_000 or > 1_000_000_000 ? TimeSpan.MaxValue : duration.ToTimeSpan();
}
