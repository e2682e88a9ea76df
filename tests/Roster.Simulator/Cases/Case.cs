using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>A small world and what happens to its one record: the same for the engine's rules and for the naive interpreter.</summary>
/// <param name="Start">Clock at the beginning, milliseconds since 1970.</param>
/// <param name="Settings">Settings of the tenant.</param>
/// <param name="Lists">Lists in the order of their creation; active when they have criteria, which name earlier lists only.</param>
/// <param name="Workflows">Workflows in the order of their creation.</param>
/// <param name="Inputs">What happens, in order.</param>
internal sealed record Case(
    long Start, TenantSettings Settings, IReadOnlyList<CaseList> Lists, IReadOnlyList<CaseWorkflow> Workflows, IReadOnlyList<CaseInput> Inputs);

internal sealed record CaseList(string Id, CriteriaDefinition? Criteria);

internal sealed record CaseWorkflow(WorkflowDefinition Definition, WorkflowState State);

internal abstract record CaseInput;

/// <summary>An event; <paramref name="OccurredAt"/> null when it does not say when.</summary>
internal sealed record EventCase(string Id, string Type, long? OccurredAt, IReadOnlyList<CaseValue> Properties, IReadOnlyList<CaseValue> Writes) : CaseInput;

internal sealed record CaseValue(string Name, string Value);

/// <summary>A request by hand about a workflow or a list.</summary>
internal sealed record CommandCase(CommandKind Kind, string Target, string RequestId) : CaseInput;

/// <summary>Time goes by; with <paramref name="IsDown"/> the engine sleeps meanwhile, so that timers fire late.</summary>
internal sealed record ClockCase(long Ms, bool IsDown) : CaseInput;

internal sealed record SwitchCase(string Workflow, WorkflowState State) : CaseInput;

internal sealed record PublishCase(WorkflowDefinition Definition) : CaseInput;

/// <summary>A job gives the record a turn after a publish or a switch.</summary>
internal sealed record RefreshCase(string Workflow) : CaseInput;

/// <summary>A worker reports on an open task, the <paramref name="Pick"/>-th; on one that is not open when it is negative.</summary>
internal sealed record CompleteCase(int Pick, StepResult Result) : CaseInput;

/// <summary>A task that is not completed.</summary>
internal sealed record CaseTask(int Enrollment, string Workflow, string Step, int Execution);

/// <summary>What one turn did, in words, and what the record looks like after it.</summary>
internal sealed record TurnStory(string Input, string Status, IReadOnlyList<string> Lines, IReadOnlyList<string> State);

/// <summary>The object type, properties and event types of all cases.</summary>
internal static class CaseSchema
{
    public const string ObjectType = "contact";

    public const string Text = "text";

    public const string Number = "number";

    public const string Options = "options";

    public const string Date = "date";

    public const string Instant = "instant";

    public static IReadOnlyDictionary<string, string> Properties { get; } = new Dictionary<string, string>
    {
        ["stage"] = Text,
        ["score"] = Number,
        ["tags"] = Options,
        ["day"] = Date,
        ["at"] = Instant,
    };

    public static IReadOnlyList<string> ClientEvents { get; } = ["clicked", "form_submitted"];

    public static IReadOnlyList<string> OwnEvents { get; } =
        ["list_joined", "list_left", "record_created", "workflow_enrolled", "workflow_unenrolled", "workflow_completed", "workflow_goal"];
}
