using Roster.Core.Filters;

namespace Roster.Core.Workflows;

/// <summary>A definition as written by a user, before it is checked and compiled. Mirrors <c>roster.v1.Workflow</c>.</summary>
public sealed record WorkflowDefinition(
    string Id,
    string ObjectType,
    StartDefinition? Start,
    IReadOnlyList<GoalDefinition> Goals,
    IReadOnlyList<StepDefinition> Steps,
    string FirstStep,
    string TimeZone);

/// <summary>How records enroll.</summary>
public sealed record StartDefinition(StartKind Kind, CriteriaDefinition? Criteria, bool FireOnCreate, IReadOnlyList<EventTriggerDefinition> Events, bool Reenroll, IReadOnlyList<CriteriaDefinition> ReenrollWhen);

/// <summary>Start kinds (TRG-03).</summary>
public enum StartKind
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Criteria become true.</summary>
    Filter = 1,

    /// <summary>An event.</summary>
    Event = 2,

    /// <summary>By hand only.</summary>
    Manual = 3,
}

/// <summary>An event that enrolls.</summary>
public sealed record EventTriggerDefinition(string EventType, IReadOnlyList<FilterDefinition> Where, CriteriaDefinition? OnlyIf, bool? AllowNewRecord);

/// <summary>A condition: OR of AND groups.</summary>
public sealed record CriteriaDefinition(IReadOnlyList<IReadOnlyList<FilterDefinition>> AnyOf);

/// <summary>One test.</summary>
public sealed record FilterDefinition(string Property, Operator Operator, IReadOnlyList<string> Values, bool IncludeUnknown, string TimeZone);

/// <summary>A goal.</summary>
public sealed record GoalDefinition(string Id, CriteriaDefinition? Criteria);

/// <summary>A step.</summary>
public abstract record StepDefinition(string Id, string Next);

/// <summary>A step without a kind: incomplete.</summary>
public sealed record IncompleteStepDefinition(string Id, string Next) : StepDefinition(Id, Next);

/// <summary>A delay.</summary>
public sealed record DelayStepDefinition(string Id, string Next, int? Amount, DelayUnit Unit) : StepDefinition(Id, Next);

/// <summary>Units of delays. Numbers equal those of <c>roster.v1.Delay.Unit</c>.</summary>
public enum DelayUnit
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Elapsed minutes.</summary>
    Minutes = 1,

    /// <summary>Elapsed hours.</summary>
    Hours = 2,

    /// <summary>Calendar days.</summary>
    Days = 3,

    /// <summary>Calendar weeks.</summary>
    Weeks = 4,
}

/// <summary>An if/then branch.</summary>
public sealed record BranchStepDefinition(string Id, string Next, IReadOnlyList<IfBranchDefinition> Branches, string DefaultNext) : StepDefinition(Id, Next);

/// <summary>One way out of a branch.</summary>
public sealed record IfBranchDefinition(string Name, CriteriaDefinition? Criteria, string Next);

/// <summary>Writes a property.</summary>
public sealed record SetPropertyStepDefinition(string Id, string Next, string Property, string Value, bool Clear) : StepDefinition(Id, Next);

/// <summary>Hands a task to a worker.</summary>
public sealed record WorkerStepDefinition(
    string Id, string Next, string Queue, IReadOnlyList<KeyValuePair<string, string>> Fields, IReadOnlyList<string> Properties, bool Wait, TimeSpan? Timeout) : StepDefinition(Id, Next);

/// <summary>Something wrong, or doubtful, with a definition.</summary>
/// <param name="IsError">Refused at publish; false is a warning.</param>
/// <param name="Path">Where, as a JSON path.</param>
/// <param name="Code">What kind of problem; stable.</param>
/// <param name="Value">The value in question.</param>
/// <param name="Message">One sentence.</param>
public sealed record WorkflowProblem(bool IsError, string Path, string Code, string Value, string Message);
