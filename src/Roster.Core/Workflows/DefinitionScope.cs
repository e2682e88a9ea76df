using System.Collections.Frozen;
using Roster.Core.Schema;

namespace Roster.Core.Workflows;

/// <summary>A list as definitions refer to it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">Stands for it in states and journals.</param>
/// <param name="ObjectType">Number of the object type of its members.</param>
/// <param name="IsActive">Computed from criteria, not changed by hand.</param>
public sealed record ListInfo(string Id, int Number, int ObjectType, bool IsActive);

/// <summary>A workflow as definitions refer to it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">Stands for it in states and journals.</param>
/// <param name="ObjectType">Number of its object type.</param>
/// <param name="Goals">Ids of its goals; goal n has index n - 1. Ids of goals that are gone keep their place.</param>
/// <param name="EnrollsIn">Ids of the workflows that its steps enroll in.</param>
/// <param name="IsSequence">Whether it is a sequence, which other steps name.</param>
public sealed record WorkflowInfo(string Id, int Number, int ObjectType, IReadOnlyList<string> Goals, IReadOnlyList<string> EnrollsIn, bool IsSequence = false);

/// <summary>What a definition may refer to: the schema, lists and other workflows. Immutable.</summary>
public sealed class DefinitionScope
{
    private readonly FrozenDictionary<string, ListInfo> _lists;
    private readonly FrozenDictionary<string, WorkflowInfo> _workflows;
    private readonly FrozenSet<string> _endpoints;

    /// <summary>Creates a scope.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="lists">The lists.</param>
    /// <param name="workflows">The workflows.</param>
    /// <param name="endpoints">Ids of webhook endpoints; null for none.</param>
    public DefinitionScope(TenantSchema schema, IEnumerable<ListInfo> lists, IEnumerable<WorkflowInfo> workflows, IEnumerable<string>? endpoints = null)
    {
        Schema = schema;
        _lists = lists.ToFrozenDictionary(l => l.Id, StringComparer.Ordinal);
        _workflows = workflows.ToFrozenDictionary(w => w.Id, StringComparer.Ordinal);
        _endpoints = (endpoints ?? []).ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>The schema.</summary>
    public TenantSchema Schema { get; }

    /// <summary>The list of that id, or null.</summary>
    public ListInfo? FindList(string id) => _lists.GetValueOrDefault(id);

    /// <summary>Whether there is a webhook endpoint of that id.</summary>
    public bool HasEndpoint(string id) => _endpoints.Contains(id);

    /// <summary>The workflow of that id, or null.</summary>
    public WorkflowInfo? FindWorkflow(string id) => _workflows.GetValueOrDefault(id) is { IsSequence: false } workflow ? workflow : null;

    /// <summary>The sequence of that id, or null.</summary>
    public WorkflowInfo? FindSequence(string id) => _workflows.GetValueOrDefault(id) is { IsSequence: true } sequence ? sequence : null;
}
