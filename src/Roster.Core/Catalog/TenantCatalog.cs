using System.Collections.Immutable;
using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Core.Catalog;

/// <summary>
/// An immutable snapshot of a tenant's schema and published workflows, indexed by what can trigger them: a turn looks candidates up
/// and never scans all workflows.
/// </summary>
public sealed class TenantCatalog
{
    private readonly Dictionary<int, CompiledWorkflow> _byNumber;
    private readonly ObjectTypeCatalog[] _byType;

    /// <summary>Creates a snapshot.</summary>
    /// <param name="tenant">Number of the tenant.</param>
    /// <param name="tenantId">Name of the tenant.</param>
    /// <param name="version">Rises with every change.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="workflows">Published workflows, in any order.</param>
    public TenantCatalog(int tenant, string tenantId, long version, TenantSchema schema, IEnumerable<CompiledWorkflow> workflows)
    {
        Tenant = tenant;
        TenantId = tenantId;
        Version = version;
        Schema = schema;
        Workflows = [.. workflows.OrderBy(w => w.Identity.CreatedAt).ThenBy(w => w.Identity.Id, StringComparer.Ordinal)];
        _byNumber = Workflows.ToDictionary(w => w.Number);
        _byType = [.. schema.ObjectTypes.Select(type => new ObjectTypeCatalog(type, Workflows, schema.EventTypes.Length))];
    }

    /// <summary>Number of the tenant.</summary>
    public int Tenant { get; }

    /// <summary>Name of the tenant.</summary>
    public string TenantId { get; }

    /// <summary>Rises with every change.</summary>
    public long Version { get; }

    /// <summary>The schema.</summary>
    public TenantSchema Schema { get; }

    /// <summary>Published workflows by ascending creation time, then id (ENG-05).</summary>
    public ImmutableArray<CompiledWorkflow> Workflows { get; }

    /// <summary>The published workflow of that number, or null.</summary>
    public CompiledWorkflow? FindWorkflow(int number) => _byNumber.GetValueOrDefault(number);

    internal ObjectTypeCatalog For(int objectType) => _byType[objectType - 1];
}

/// <summary>Candidates of one object type. Candidates are indexes into <see cref="TenantCatalog.Workflows"/>, so that their order is ENG-05's.</summary>
internal sealed class ObjectTypeCatalog
{
    private static readonly int[] None = [];
    private readonly int[][] _byProperty;
    private readonly int[][] _byEvent;

    public ObjectTypeCatalog(ObjectTypeDefinition type, ImmutableArray<CompiledWorkflow> workflows, int eventTypes)
    {
        var byProperty = new List<int>?[type.PropertyNumbersEnd];
        var byEvent = new List<int>?[eventTypes + 1];
        for (var i = 0; i < workflows.Length; i++)
        {
            var workflow = workflows[i];
            if (workflow.ObjectType.Number != type.Number || workflow.Identity.State is not (WorkflowState.On or WorkflowState.Paused))
            {
                continue;
            }

            foreach (var property in workflow.TriggerProperties)
            {
                (byProperty[property] ??= []).Add(i);
            }

            foreach (var eventType in workflow.EventTypes.Distinct())
            {
                (byEvent[eventType] ??= []).Add(i);
            }
        }

        _byProperty = [.. byProperty.Select(l => l?.ToArray() ?? None)];
        _byEvent = [.. byEvent.Select(l => l?.ToArray() ?? None)];
    }

    /// <summary>Workflows whose start looks at a property.</summary>
    public ReadOnlySpan<int> ByProperty(int property) => (uint)property < (uint)_byProperty.Length ? _byProperty[property] : None;

    /// <summary>Workflows that an event may start.</summary>
    public ReadOnlySpan<int> ByEvent(int eventType) => (uint)eventType < (uint)_byEvent.Length ? _byEvent[eventType] : None;
}
