using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Turns;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

internal abstract record CompiledStep(int Number, string Id, int Order, int Next)
{
    public abstract string Kind { get; }

    /// <summary>Whether execution windows, the off switch and catch-up concern it (WIN-03, EDT-04, DLY-17).</summary>
    public virtual bool IsAction => true;

    /// <summary>In a date-anchored workflow: when it runs (SCH-06).</summary>
    public CompiledOffset? At { get; init; }

    /// <summary>What a failure does (ERR-01, ERR-02).</summary>
    public FailurePolicy OnFailure { get; init; } = FailurePolicy.Continue;

    /// <summary>Where a failure goes with <see cref="FailurePolicy.Branch"/>; 0 for the end.</summary>
    public int ErrorNext { get; init; }

    /// <summary>In a sequence: the delay before it (SEQ-07); null in workflows.</summary>
    public SequenceDelayDefinition? Lead { get; init; }

    public virtual IEnumerable<Criteria> AllCriteria => [];

    public virtual IReadOnlyList<string> BranchNames => [];
}

internal sealed record CompiledOffset(int OffsetDays, LocalTime Time);

/// <summary>A delay. <see cref="Property"/> is the number of the date property, or 0.</summary>
internal sealed record CompiledDelay(int Number, string Id, int Order, int Next, DelayTiming Timing, int Property, bool FollowsProperty, int MissedNext, CompiledZone Zone)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "delay";

    public override bool IsAction => false;
}

/// <summary>A zone: a fixed one, or a property that holds its name, with the fixed one as default (DLY-19).</summary>
internal sealed record CompiledZone(DateTimeZone Default, int Property)
{
    public DateTimeZone Of(Records.RecordState state) =>
        Property != 0 && state.TryGetProperty(Property, isBefore: false, out var view) && view.Value is { Type: PropertyType.String } name
            ? TimeZones.Find(name.Text) ?? Default
            : Default;
}

/// <summary>A wait for events or criteria. <see cref="TimeoutMs"/> 0 is none.</summary>
internal sealed record CompiledWait(int Number, string Id, int Order, int Next, CompiledEventTrigger[] Events, Criteria? Criteria, bool Lookback, long TimeoutMs, int TimeoutNext)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "wait_for";

    public override bool IsAction => false;

    public override IEnumerable<Criteria> AllCriteria => Events.Where(e => e.OnlyIf is not null).Select(e => e.OnlyIf!).Concat(Criteria is null ? [] : [Criteria]);

    public override IReadOnlyList<string> BranchNames => ["met", "timeout"];

    /// <summary>For a human step: number of the step that created the task (ACT-25); 0 otherwise.</summary>
    public int OfTask { get; init; }

    /// <summary>Event types whose occurrences a lookback reads.</summary>
    public IEnumerable<int> LookbackTypes => Lookback ? Events.Select(e => e.EventType) : [];
}

internal sealed record CompiledBranch(int Number, string Id, int Order, CompiledIf[] Branches, int Default) : CompiledStep(Number, Id, Order, Default)
{
    public override string Kind => "branch";

    public override bool IsAction => false;

    public override IEnumerable<Criteria> AllCriteria => Branches.Select(b => b.Criteria);

    public override IReadOnlyList<string> BranchNames => [.. Branches.Select(b => b.Name)];
}

internal sealed record CompiledIf(string Name, Criteria Criteria, int Next);

/// <summary>A branch by value of a property, or of an output.</summary>
internal sealed record CompiledValueBranch(int Number, string Id, int Order, PropertyDefinition? Property, int OutputStep, string OutputName, CompiledCase[] Cases, int Default)
    : CompiledStep(Number, Id, Order, Default)
{
    public override string Kind => "value_branch";

    public override bool IsAction => false;

    public override IReadOnlyList<string> BranchNames => [.. Cases.Select(c => c.Text)];
}

/// <summary>A case: its text, and for a property the text read by the property's type.</summary>
internal sealed record CompiledCase(string Text, Value Value, int Next);

/// <summary>A split: path n is taken below <c>Bounds[n]</c> of 100, or by equal parts when <c>Bounds</c> is empty.</summary>
internal sealed record CompiledSplit(int Number, string Id, int Order, string[] Names, int[] Bounds, int[] Paths, bool Sticky) : CompiledStep(Number, Id, Order, 0)
{
    public override string Kind => "random_split";

    public override bool IsAction => false;

    public override IReadOnlyList<string> BranchNames => Names;
}

internal sealed record CompiledGoTo(int Number, string Id, int Order, int Next) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "go_to";

    public override bool IsAction => false;
}

/// <summary>Writes a property of the record (ACT-20).</summary>
internal sealed record CompiledSetProperty(int Number, string Id, int Order, int Next, PropertyDefinition Property, SetMode Mode, Value Value, CompiledValue? From, string Source)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => KindName;

    /// <summary>Kind of the step in the definition.</summary>
    public string KindName { get; init; } = "set_property";
}

/// <summary>An action that becomes an effect (ACT-02). <see cref="Fields"/> are the same for every record; <see cref="Texts"/> have tokens.</summary>
internal record CompiledWorker(
    int Number, string Id, int Order, int Next, string Queue, NamedValue[] Fields, PropertyDefinition[] Properties, bool Wait, long TimeoutMs, bool IsMarketing)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => KindName;

    /// <summary>Kind of the step in the definition.</summary>
    public string KindName { get; init; } = "worker";

    /// <summary>Fields that are written anew for every task.</summary>
    public TaskText[] Texts { get; init; } = [];

    /// <summary>How often it is tried.</summary>
    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;

    /// <summary>How long a blocked task waits for its callback, in milliseconds (ACT-62).</summary>
    public long BlockExpiryMs { get; init; }

    /// <summary>How long a worker may hold the task, in milliseconds (ERR-08); 0 for what the worker asks for.</summary>
    public long LeaseMs { get; init; }

    /// <summary>Whether the task has the properties of the event that enrolled the record.</summary>
    public bool SendsEvent { get; init; }

    /// <summary>For messages: whom they go to; null for other tasks.</summary>
    public CompiledRecipients? Recipients { get; init; }

    /// <summary>Most characters of the outputs (ACT-61); 0 for no bound but that of ACT-05.</summary>
    public int OutputLengthMax { get; init; }
}

/// <summary>Whom a message goes to (ACT-12 to ACT-15).</summary>
/// <param name="To">Texts that name them; none for <see cref="Address"/>.</param>
/// <param name="Address">The address of the record, or of the one that a data source names.</param>
/// <param name="Blocks">What keeps a message from being sent: a property with one of the states. For records with consent.</param>
/// <param name="NeedsConsent">Whether who gets it has a say; then nobody to send to is <c>SKIPPED_INELIGIBLE</c>, else <c>NO_TARGET</c>.</param>
internal sealed record CompiledRecipients(TextValueSource[] To, CompiledValue? Address, (CompiledValue Property, string[] States)[] Blocks, bool NeedsConsent);

/// <summary>A field of a task with tokens in its text.</summary>
/// <param name="Name">Name of the field.</param>
/// <param name="Text">The text.</param>
/// <param name="Escape">What is done to the values of tokens; null for nothing.</param>
internal sealed record TaskText(string Name, TextValueSource Text, Func<string, string>? Escape = null)
{
    /// <summary>Most characters of all texts of one task together. More fail the action with <c>INVALID_VALUE</c>.</summary>
    public const int LengthMax = 262_144;
}

/// <summary>Enrolls in, or takes out of, another workflow (ACT-50).</summary>
internal sealed record CompiledOtherWorkflow(int Number, string Id, int Order, int Next, int Workflow, bool Enrolls) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => Enrolls ? "enroll_in_workflow" : "unenroll_from_workflow";
}

/// <summary>Adds to, or takes off, a static list (ACT-40, ACT-41).</summary>
internal sealed record CompiledListChange(int Number, string Id, int Order, int Next, int List, bool Adds) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => Adds ? "add_to_list" : "remove_from_list";
}

/// <summary>Computes a value (ACT-64).</summary>
internal sealed record CompiledFormat(int Number, string Id, int Order, int Next, CompiledValue Input, FormatCallDefinition[] Functions, PropertyDefinition? Property, string Source)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "format_data";
}

/// <summary>Assigns one of the users (ACT-26).</summary>
internal sealed record CompiledRotateOwner(int Number, string Id, int Order, int Next, string[] Users, PropertyDefinition Property, bool Overwrite, string Source)
    : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "rotate_owner";
}

/// <summary>Deletes the record at the end of the turn (ACT-28).</summary>
internal sealed record CompiledDeleteRecord(int Number, string Id, int Order, int Next) : CompiledStep(Number, Id, Order, Next)
{
    public override string Kind => "delete_record";
}
