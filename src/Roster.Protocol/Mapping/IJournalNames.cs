using Roster.Core.Schema;

namespace Roster.Protocol.Mapping;

/// <summary>Names behind the numbers of the journal, also of what is gone.</summary>
public interface IJournalNames
{
    /// <summary>The schema.</summary>
    TenantSchema Schema { get; }

    /// <summary>Id of a workflow.</summary>
    string WorkflowId(int workflow);

    /// <summary>Id of a step.</summary>
    string StepId(int workflow, int step);

    /// <summary>Id of a goal.</summary>
    string GoalId(int workflow, int goal);

    /// <summary>Id of a list.</summary>
    string ListId(int list);
}
