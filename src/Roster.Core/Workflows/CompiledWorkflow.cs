using System.Collections.Frozen;
using NodaTime;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <summary>Switch positions of a published workflow (EDT-01). Numbers equal those of <c>roster.v1.Workflow.State</c>.</summary>
public enum WorkflowState
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Never been on.</summary>
    Draft = 1,

    /// <summary>Enrolls and runs.</summary>
    On = 2,

    /// <summary>Enrolls nobody; actions are skipped.</summary>
    Off = 3,

    /// <summary>Enrolls; no step runs.</summary>
    Paused = 4,
}

/// <summary>What identifies a workflow in the catalog.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">Stands for it in states and journals; per tenant, never reused.</param>
/// <param name="Version">The version in force.</param>
/// <param name="State">Its switch.</param>
/// <param name="CreatedAt">Creation time: workflows go in this order (ENG-05).</param>
public sealed record WorkflowIdentity(string Id, int Number, int Version, WorkflowState State, Timestamp CreatedAt);

/// <summary>A published version, ready to run. Immutable; shared by all turns.</summary>
public sealed class CompiledWorkflow
{
    private readonly CompiledStep?[] _steps;

    internal CompiledWorkflow(
        WorkflowIdentity identity, ObjectTypeDefinition objectType, DateTimeZone zone, CompiledStart start, CompiledGoal[] goals, CompiledStep[] steps, int firstStep, bool hasLoops)
    {
        Identity = identity;
        ObjectType = objectType;
        Zone = zone;
        Start = start;
        Goals = goals;
        FirstStep = firstStep;
        HasLoops = hasLoops;
        _steps = new CompiledStep?[steps.Length == 0 ? 1 : steps.Max(s => s.Number) + 1];
        foreach (var step in steps)
        {
            _steps[step.Number] = step;
        }

        NeedsHistory = start.NeedsHistory || goals.Any(g => g.Criteria.NeedsHistory) || steps.Any(s => s.NeedsHistory);
    }

    /// <summary>Id, number, version, state.</summary>
    public WorkflowIdentity Identity { get; }

    /// <summary>Number in states and journals.</summary>
    public int Number => Identity.Number;

    /// <summary>The version.</summary>
    public int Version => Identity.Version;

    /// <summary>Object type of its records.</summary>
    public ObjectTypeDefinition ObjectType { get; }

    /// <summary>Zone of days (DLY-19).</summary>
    public DateTimeZone Zone { get; }

    /// <summary>Number of the first step.</summary>
    public int FirstStep { get; }

    /// <summary>Whether the graph has a loop, so that runs of steps must be counted (ENG-10).</summary>
    public bool HasLoops { get; }

    /// <summary>Whether one of its criteria looks at former values.</summary>
    public bool NeedsHistory { get; }

    /// <summary>Where enrollments in steps that are gone go on: number of the step, 0 for the end (EDT-09).</summary>
    public FrozenDictionary<int, int> Moved { get; private set; } = FrozenDictionary<int, int>.Empty;

    /// <summary>Says where enrollments in removed steps go on. Called once, before the workflow is shared.</summary>
    public void SetMoved(FrozenDictionary<int, int> moved) => Moved = moved;

    /// <summary>Steps in the order of the definition.</summary>
    public IEnumerable<(int Number, string Id, string Kind, IReadOnlyList<string> Branches)> Steps =>
        _steps.Where(s => s is not null).OrderBy(s => s!.Order).Select(s => (s!.Number, s.Id, s.Kind, s.BranchNames));

    /// <summary>Ids of the goals.</summary>
    public IReadOnlyList<string> GoalIds => [.. Goals.Select(g => g.Id)];

    /// <summary>Numbers of the event types that may enroll.</summary>
    public IEnumerable<int> EventTypes => Start.Events.Select(e => e.EventType);

    /// <summary>Numbers of the properties whose change may enroll.</summary>
    public IEnumerable<int> TriggerProperties =>
        (Start.Criteria?.Properties ?? []).Concat(Start.Reenroll ? Start.ReenrollWhen.SelectMany(c => c.Properties) : []).Distinct();

    internal CompiledStart Start { get; }

    internal CompiledGoal[] Goals { get; }

    internal CompiledStep? Find(int step) => (uint)step < (uint)_steps.Length ? _steps[step] : null;
}

internal sealed record CompiledStart(StartKind Kind, Criteria? Criteria, bool FireOnCreate, CompiledEventTrigger[] Events, bool Reenroll, Criteria[] ReenrollWhen)
{
    public bool NeedsHistory { get; } =
        Criteria?.NeedsHistory == true || ReenrollWhen.Any(c => c.NeedsHistory) || Events.Any(e => e.OnlyIf?.NeedsHistory == true);
}

internal sealed record CompiledEventTrigger(int EventType, EventFilter[] Where, Criteria? OnlyIf, bool AllowNewRecord)
{
    public bool Fires(int eventType, ReadOnlySpan<NamedValue> properties)
    {
        if (eventType != EventType)
        {
            return false;
        }

        foreach (var filter in Where)
        {
            if (!filter.Accepts(properties))
            {
                return false;
            }
        }

        return true;
    }
}

internal sealed record CompiledGoal(string Id, Criteria Criteria);

internal abstract record CompiledStep(int Number, string Id, int Order, int Next)
{
    public abstract string Kind { get; }

    public virtual bool NeedsHistory => false;

    public virtual IReadOnlyList<string> BranchNames => [];
}

internal sealed record CompiledDelay(int Number, string Id, int Order, int Next, int Amount, DelayUnit Unit) : CompiledStep(Number, Id, Order, Next)
{
    private const long MinuteMs = 60_000;

    public override string Kind => "delay";

    /// <summary>When a delay that begins now is over (DLY-02, DLY-03, DLY-04).</summary>
    public Timestamp DueAt(Timestamp now, DateTimeZone zone) => Unit switch
    {
        DelayUnit.Minutes => now.PlusMs(Amount * MinuteMs),
        DelayUnit.Hours => now.PlusMs(Amount * 60 * MinuteMs),
        DelayUnit.Days => PlusDays(now, Amount, zone),
        DelayUnit.Weeks => PlusDays(now, Amount * 7, zone),
        _ => throw new InvalidOperationException($"Delay unit {Unit} has no meaning; the compiler should have refused it."),
    };

    private static Timestamp PlusDays(Timestamp now, int days, DateTimeZone zone)
    {
        var local = now.ToInstant().InZone(zone).LocalDateTime.PlusDays(days);
        return Timestamp.FromInstant(zone.ResolveLocal(local, SkippedOrFirst).ToInstant());
    }

    /// <summary>A skipped local time is the first instant after the gap; one that occurs twice is its first occurrence (DLY-04).</summary>
    private static readonly NodaTime.TimeZones.ZoneLocalMappingResolver SkippedOrFirst =
        NodaTime.TimeZones.Resolvers.CreateMappingResolver(
            NodaTime.TimeZones.Resolvers.ReturnEarlier, NodaTime.TimeZones.Resolvers.ReturnStartOfIntervalAfter);
}

internal sealed record CompiledBranch(int Number, string Id, int Order, CompiledIf[] Branches, int Default) : CompiledStep(Number, Id, Order, Default)
{
    public override string Kind => "branch";

    public override bool NeedsHistory => Branches.Any(b => b.Criteria.NeedsHistory);

    public override IReadOnlyList<string> BranchNames => [.. Branches.Select(b => b.Name)];
}

internal sealed record CompiledIf(string Name, Criteria Criteria, int Next);

internal sealed record CompiledSetProperty(int Number, string Id, int Order, int Next, PropertyDefinition Property, Value Value, string Source) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "set_property";
}

internal sealed record CompiledWorker(
    int Number, string Id, int Order, int Next, string Queue, NamedValue[] Fields, PropertyDefinition[] Properties, bool Wait, long TimeoutMs) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "worker";
}
