using System.Collections.Frozen;
using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Turns;

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

    internal CompiledWorkflow(WorkflowIdentity identity, ObjectTypeDefinition objectType, DateTimeZone zone, CompiledSettings settings, CompiledStep[] steps, int firstStep, bool hasLoops)
    {
        Identity = identity;
        ObjectType = objectType;
        Zone = zone;
        Settings = settings;
        FirstStep = firstStep;
        HasLoops = hasLoops;
        _steps = new CompiledStep?[steps.Length == 0 ? 1 : steps.Max(s => s.Number) + 1];
        foreach (var step in steps)
        {
            _steps[step.Number] = step;
        }

        AllCriteria = [.. settings.AllCriteria, .. steps.SelectMany(s => s.AllCriteria)];
        NeedsHistory = AllCriteria.Any(c => c.NeedsHistory);
        NeedsEvents = [.. AllCriteria.SelectMany(c => c.NeedsEvents).Concat(steps.OfType<CompiledWait>().SelectMany(w => w.LookbackTypes)).Distinct().Order()];
        NeedsCopies = AllCriteria.Any(c => c.NeedsCopies) || settings.ReadFromAssociated.Length > 0;
        NeedsWhole = AllCriteria.Any(c => c.NeedsWhole);
        HasOnlyExitGoals = Array.TrueForAll(settings.Goals, g => g.IsExit);
    }

    /// <summary>Id, number, version, state.</summary>
    public WorkflowIdentity Identity { get; }

    /// <summary>Number in states and journals.</summary>
    public int Number => Identity.Number;

    /// <summary>The version.</summary>
    public int Version => Identity.Version;

    /// <summary>Whether it is a sequence (section 20 of the rules).</summary>
    public bool IsSequence => Settings.Sequence is not null;

    /// <summary>Of a sequence: the user who owns it (SEQ-01); null for a workflow.</summary>
    public string? SequenceOwner => Settings.Sequence?.Owner;

    /// <summary>Whether it considers triggers (TRG-04).</summary>
    public bool IsEnrolling => Identity.State is WorkflowState.On or WorkflowState.Paused;

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

    /// <summary>Event types of which it reads single occurrences.</summary>
    public IReadOnlyList<int> NeedsEvents { get; }

    /// <summary>Whether it reads copies of associated records.</summary>
    public bool NeedsCopies { get; }

    /// <summary>Whether one of its criteria looks at something that is not a property, so that the whole state before a round is needed.</summary>
    public bool NeedsWhole { get; }

    /// <summary>Where enrollments in steps that are gone go on: number of the step, 0 for the end (EDT-09).</summary>
    public FrozenDictionary<int, int> Moved => Former.Moved;

    /// <summary>What all versions mean for enrollments that are still in one of them.</summary>
    public FormerSteps Former { get; private set; } = FormerSteps.None;

    /// <summary>Says what all versions mean for this one. Called once, before the workflow is shared.</summary>
    public void SetFormer(FormerSteps former) => Former = former;

    /// <summary>Steps in the order of the definition.</summary>
    public IEnumerable<(int Number, string Id, string Kind, IReadOnlyList<string> Branches)> Steps =>
        _steps.Where(s => s is not null).OrderBy(s => s!.Order).Select(s => (s!.Number, s.Id, s.Kind, s.BranchNames));

    /// <summary>Goals with their numbers.</summary>
    public IEnumerable<(int Number, string Id)> GoalIds => Settings.Goals.Select(g => (g.Number, g.Id));

    /// <summary>The schedule of its runs, when it has one that is not relative to a date of each record (SCH-01).</summary>
    public RunSchedule? RunSchedule => Settings.Start.Schedule?.Runs;

    /// <summary>Whether its windows allow an action at some instant of the next 400 days (WIN-08).</summary>
    public bool HasOpening(Timestamp from) => Settings.Windows?.HasOpening(from) ?? true;

    /// <summary>Whether the latest missed run is made up (SCH-05).</summary>
    private bool MakesUpMissedRun => Settings.Start.Schedule is not { SkipMissed: true } && Settings.CatchUp != CatchUp.Skip;

    /// <summary>Whether an instant of its schedule that is due counts, or was missed and is not made up (SCH-05).</summary>
    /// <param name="due">The instant.</param>
    /// <param name="now">The clock.</param>
    /// <param name="lateMs">What is later than this was missed.</param>
    public bool Runs(Timestamp due, Timestamp now, long lateMs) => MakesUpMissedRun || now.Ms - due.Ms <= lateMs;

    /// <summary>The run of its schedule that is due: of several, which were missed, only the latest, or none (SCH-05).</summary>
    /// <param name="after">The latest run that was handled, or when the workflow was turned on; not included.</param>
    /// <param name="now">The clock; included.</param>
    /// <param name="handled">Up to where runs are handled then; none when nothing is due.</param>
    /// <returns>The instant of the run to start; none when there is none to start.</returns>
    public Timestamp DueRun(Timestamp after, Timestamp now, out Timestamp handled)
    {
        handled = RunSchedule?.LatestIn(after, now) ?? Timestamp.None;
        return !handled.IsNone && Runs(handled, now, Calendars.RunSchedule.LateMs) ? handled : Timestamp.None;
    }

    /// <summary>Whether a job that considers existing records makes sense (TRG-08).</summary>
    public bool CanEnrollExisting => Settings.Start.Kind is StartKind.Filter or StartKind.DateAnchor && Settings.Start.Criteria is not null;

    /// <summary>Whether criteria depend on the clock, so that each record must be armed (TRG-09).</summary>
    public bool DependsOnTime => AllCriteria.Any(c => c.DependsOnTime) || Settings.Start.Schedule?.Dates is not null;

    /// <summary>Criteria of the start: whom a scheduled run or the job of existing records would consider (ENR-02); null for everybody.</summary>
    public Criteria? StartCriteria => Settings.Start.Criteria;

    /// <summary>Whether a step of it concerns other records. Each enrollment of a sequence does: the inbox grants it.</summary>
    internal bool SendsMessages => IsSequence || _steps.Any(s => s is CompiledCreate or CompiledLink or CompiledSetAssociated);

    /// <summary>Event types that its waits look at.</summary>
    internal IEnumerable<int> WaitedFor => _steps.OfType<CompiledWait>().SelectMany(w => w.Events).Select(e => e.EventType);

    /// <summary>Properties of associated records that data sources read; property 0 for one that reads none (ASC-06).</summary>
    internal (int ObjectType, int Property)[] ReadFromAssociated => Settings.ReadFromAssociated;

    internal CompiledSettings Settings { get; }

    internal CompiledStart Start => Settings.Start;

    internal CompiledGoal[] Goals => Settings.Goals;

    /// <summary>Whether meeting any goal ends the enrollment, so that none is only counted (GOAL-02).</summary>
    internal bool HasOnlyExitGoals { get; }

    internal IReadOnlyList<Criteria> AllCriteria { get; }

    /// <summary>How often the task of a step is tried (ERR-06).</summary>
    public RetryPolicy RetryOf(int step) => (Find(step) as CompiledWorker)?.Retry ?? RetryPolicy.Default;

    /// <summary>How long a worker may hold the task of a step, in milliseconds (ERR-08); 0 for what the worker asks for.</summary>
    public long LeaseMsOf(int step) => (Find(step) as CompiledWorker)?.LeaseMs ?? 0;

    /// <summary>The queue of a step's tasks; empty when the step has none.</summary>
    public string QueueOf(int step) => (Find(step) as CompiledWorker)?.Queue ?? string.Empty;

    internal CompiledStep? Find(int step) => (uint)step < (uint)_steps.Length ? _steps[step] : null;
}

/// <summary>Everything of a version but its steps.</summary>
internal sealed record CompiledSettings(CompiledStart Start, CompiledGoal[] Goals)
{
    /// <summary>Numbers of suppression lists (SUP-01).</summary>
    public int[] SuppressionLists { get; init; } = [];

    /// <summary>Unenrollment triggers (SUP-05); null for none.</summary>
    public Criteria? UnenrollWhen { get; init; }

    /// <summary>UNE-01.</summary>
    public bool UnenrollIfNotMeeting { get; init; }

    /// <summary>Kick-out of all (UNE-05).</summary>
    public bool UnenrollFromAll { get; init; }

    /// <summary>Kick-out of these (UNE-05).</summary>
    public int[] UnenrollFrom { get; init; } = [];

    /// <summary>Execution windows (WIN-01); null for always.</summary>
    public ExecutionWindows? Windows { get; init; }

    public CatchUp CatchUp { get; init; } = CatchUp.Run;

    public long CatchUpGraceMs { get; init; }

    public long CatchUpSpreadMs { get; init; }

    public PublishPolicy PublishPolicy { get; init; } = PublishPolicy.Live;

    public bool EnrollOnMerge { get; init; }

    public bool AllowExternalCrm { get; init; }

    /// <summary>Whether a step reads properties of the enrolling event (ACT-07).</summary>
    public bool ReadsEventProperties { get; init; }

    /// <summary>What data sources read (ASC-06).</summary>
    public (int ObjectType, int Property)[] ReadFromAssociated { get; init; } = [];

    /// <summary>What makes it a sequence; null for a workflow.</summary>
    public CompiledSequence? Sequence { get; init; }

    /// <summary>Numbers of steps whose outputs a later step reads (ACT-05).</summary>
    public FrozenSet<int> ReadOutputs { get; init; } = FrozenSet<int>.Empty;

    public IEnumerable<Criteria> AllCriteria => Start.AllCriteria.Concat(Goals.Select(g => g.Criteria)).Concat(UnenrollWhen is null ? [] : [UnenrollWhen]);
}

internal sealed record CompiledStart(StartKind Kind, Criteria? Criteria, bool FireOnCreate, CompiledEventTrigger[] Events, bool Reenroll, Criteria[] ReenrollWhen)
{
    public CompiledSchedule? Schedule { get; init; }

    public CompiledAnchor? Anchor { get; init; }

    public IEnumerable<Criteria> AllCriteria => (Criteria is null ? [] : new[] { Criteria }).Concat(ReenrollWhen).Concat(Events.Where(e => e.OnlyIf is not null).Select(e => e.OnlyIf!));

    /// <summary>Criteria whose change may start a consideration.</summary>
    public IEnumerable<Criteria> Triggers => Kind is not (StartKind.Filter or StartKind.DateAnchor) || Criteria is null ? [] : Reenroll ? ReenrollWhen.Prepend(Criteria) : [Criteria];
}

/// <summary>Runs by the calendar, or dates of each record.</summary>
internal sealed record CompiledSchedule(RunSchedule? Runs, DateSchedule? Dates, int DateProperty, bool SkipMissed);

/// <summary>A date anchor (SCH-06).</summary>
internal sealed record CompiledAnchor(LocalDate? Date, int Property, bool RecurAnnually, int FirstOffsetDays, int LastOffsetDays);

internal sealed record CompiledEventTrigger(int EventType, EventFilter[] Where, Criteria? OnlyIf, bool AllowNewRecord)
{
    /// <summary>In words, for explanations (HIS-07).</summary>
    public required string Text { get; init; }

    /// <summary>For changes of one property: its number, so that others need not be looked at; 0 for any (TRG-21).</summary>
    public int OnlyProperty { get; init; }

    public bool Fires(in Occurred occurred, Timestamp at)
    {
        if (occurred.EventType != EventType)
        {
            return false;
        }

        foreach (var filter in Where)
        {
            if (!filter.Accepts(occurred.Properties, occurred.OccurredAt, at))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Something that event triggers and waits look at: an event, or a change that is one too (TRG-21, TRG-22, TRG-25, TRG-27).</summary>
/// <param name="EventType">Number of the event type.</param>
/// <param name="OccurredAt">When it occurred.</param>
/// <param name="Properties">Its properties.</param>
/// <param name="IsEvent">Whether it is the event of the input.</param>
/// <param name="Sequence">Its place among the changes of the turn (ENG-06).</param>
/// <param name="Subject">For a changed property: its number.</param>
internal readonly record struct Occurred(int EventType, Timestamp OccurredAt, Journal.NamedValue[] Properties, bool IsEvent, int Sequence, int Subject = 0);

internal sealed record CompiledGoal(int Number, string Id, Criteria Criteria, bool IsExit, bool CountsAll)
{
    public ulong Bit => 1UL << (Number - 1);
}
