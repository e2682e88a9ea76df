using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Values;

namespace Roster.Core.Turns;

/// <summary>An input of a turn. One input is one turn (ENG-02).</summary>
public abstract class TurnInput
{
    private protected TurnInput()
    {
    }
}

/// <summary>A write to a property of the record.</summary>
/// <param name="Property">The property.</param>
/// <param name="Value">The value, fitted to its type; unknown clears.</param>
public readonly record struct PropertyWrite(PropertyDefinition Property, Value Value);

/// <summary>A change of a link of the record.</summary>
/// <param name="ObjectType">Number of the type of the other record.</param>
/// <param name="Id">Id of the other record.</param>
/// <param name="Label">Number of the label, or 0 for the link itself.</param>
/// <param name="Removes">Whether the label, or the link, is taken away.</param>
public readonly record struct AssociationWrite(int ObjectType, string Id, int Label, bool Removes);

/// <summary>An event, checked against the schema.</summary>
public sealed class EventInput : TurnInput
{
    /// <summary>Creates an event input.</summary>
    public EventInput(string eventId, int eventType, Timestamp occurredAt, string source, NamedValue[] properties, PropertyWrite[] writes, bool isBaseline)
    {
        EventId = eventId;
        EventType = eventType;
        OccurredAt = occurredAt;
        Source = source;
        Properties = properties;
        Writes = writes;
        IsBaseline = isBaseline;
        IdHash = StableHash.Hash128(eventId);
    }

    /// <summary>The sender's id.</summary>
    public string EventId { get; }

    /// <summary>Hash of the id.</summary>
    public Hash128 IdHash { get; }

    /// <summary>Number of the event type.</summary>
    public int EventType { get; }

    /// <summary>As sent; none when it was not.</summary>
    public Timestamp OccurredAt { get; }

    /// <summary>Who says so.</summary>
    public string Source { get; }

    /// <summary>Properties of the event.</summary>
    public NamedValue[] Properties { get; }

    /// <summary>Writes to the record.</summary>
    public PropertyWrite[] Writes { get; }

    /// <summary>Links that it makes and takes away.</summary>
    public AssociationWrite[] Associations { get; init; } = [];

    /// <summary>Set values but fire nothing (REC-19).</summary>
    public bool IsBaseline { get; }

    /// <summary>Hash of the content as sent, before clamping (REC-08).</summary>
    public uint HashContent(PackedWriter scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        scratch.Clear();
        scratch.Int(1, EventType);
        scratch.Time(2, OccurredAt);
        scratch.Text(3, Source);
        scratch.Bool(4, IsBaseline);
        foreach (ref readonly var property in Properties.AsSpan())
        {
            var start = scratch.BeginMessage(5);
            scratch.Text(1, property.Name);
            property.Value.Pack(scratch);
            scratch.EndMessage(start);
        }

        foreach (ref readonly var write in Writes.AsSpan())
        {
            var start = scratch.BeginMessage(6);
            scratch.Int(1, write.Property.Number);
            write.Value.Pack(scratch);
            scratch.EndMessage(start);
        }

        foreach (ref readonly var link in Associations.AsSpan())
        {
            var start = scratch.BeginMessage(7);
            scratch.Int(1, link.ObjectType);
            scratch.Text(2, link.Id);
            scratch.Int(3, link.Label);
            scratch.Bool(4, link.Removes);
            scratch.EndMessage(start);
        }

        return (uint)StableHash.Hash64(scratch.Written);
    }
}

/// <summary>A request by hand to enroll (TRG-10) or unenroll (UNE-03).</summary>
public sealed class CommandInput : TurnInput
{
    /// <summary>Creates a command input.</summary>
    /// <param name="kind">What is asked.</param>
    /// <param name="target">Number of the workflow or list.</param>
    /// <param name="requestId">The caller's id of the request.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="trigger">For enrollments: what started the consideration.</param>
    public CommandInput(CommandKind kind, int target, string requestId, string caller, TriggerKind trigger = TriggerKind.Manual)
    {
        Kind = kind;
        Target = target;
        Trigger = trigger;
        RequestId = requestId;
        Caller = caller;
        // Request ids and event ids share the window of the record, but are names of different things.
        IdHash = StableHash.Hash128("request/" + requestId);
    }

    /// <summary>What is asked.</summary>
    public CommandKind Kind { get; }

    /// <summary>Number of the workflow or list.</summary>
    public int Target { get; }

    /// <summary>For enrollments: what started the consideration.</summary>
    public TriggerKind Trigger { get; }

    /// <summary>The caller's id of the request.</summary>
    public string RequestId { get; }

    /// <summary>Hash of the request id.</summary>
    public Hash128 IdHash { get; }

    /// <summary>Who asks.</summary>
    public string Caller { get; }

    /// <summary>For merges: id of the record that survives, of the same object type.</summary>
    public string OtherId { get; init; } = string.Empty;

    /// <summary>For enrollments in sequences: how it begins; null for the workflow's owner, at once (SEQ-05).</summary>
    public SequenceFacts? Facts { get; init; }

    /// <summary>For edits of an e-mail: number of its step (SEQ-14).</summary>
    public int Step { get; init; }

    /// <summary>For edits of an e-mail: <c>subject</c> and <c>body</c>, those that replace the step's (SEQ-14).</summary>
    public NamedValue[] Content { get; init; } = [];

    /// <summary>Hash of what is asked.</summary>
    public uint HashContent()
    {
        var hash = StableHash.Hash64((ulong)Kind, (ulong)Target);
        if (Facts is not null || Step != 0)
        {
            foreach (var (name, value) in (Facts?.ToValues() ?? []).Concat(Content))
            {
                hash = StableHash.Hash64(hash, StableHash.Hash128($"{name}={value}").High);
            }

            return (uint)StableHash.Hash64(hash, (ulong)Step);
        }

        return (uint)(OtherId.Length == 0 ? hash : StableHash.Hash64(hash, StableHash.Hash128(OtherId).High));
    }
}

/// <summary>
/// A job gives the record a turn because definitions changed: enrollments adapt, goals and exits are checked again (EDT-06), clock flips
/// are armed (TRG-09), a list is computed again (LST-05). Does nothing when nothing comes of it.
/// </summary>
public sealed class RefreshInput : TurnInput
{
    /// <summary>Creates a refresh input.</summary>
    /// <param name="workflow">Number of the workflow whose goals and exits are checked again; 0 for none.</param>
    /// <param name="list">Number of the list that is computed again; 0 for none.</param>
    /// <param name="armsSince">Since when criteria that depend on the clock are in force; none when they did not change.</param>
    /// <param name="movesPinned">Whether pinned enrollments move to the newest version (EDT-11).</param>
    public RefreshInput(int workflow, int list, Timestamp armsSince, bool movesPinned)
    {
        Workflow = workflow;
        List = list;
        ArmsSince = armsSince;
        MovesPinned = movesPinned;
    }

    /// <summary>Number of the workflow, or 0.</summary>
    public int Workflow { get; }

    /// <summary>Number of the list, or 0.</summary>
    public int List { get; }

    /// <summary>Since when criteria that depend on the clock are in force, or none.</summary>
    public Timestamp ArmsSince { get; }

    /// <summary>Whether pinned enrollments move to the newest version.</summary>
    public bool MovesPinned { get; }

    /// <summary>Whether linked records get first copies of this one, which fire nothing (ASC-04).</summary>
    public bool SendsCopies { get; init; }

    /// <summary>Whether pending due instants are computed again because the rules of zones changed (DLY-18).</summary>
    public bool RecomputesDelays { get; init; }
}

/// <summary>Those linked to an erased record have been told, so its id and its links go too (REC-17). Does nothing on any other record.</summary>
public sealed class FinishErasureInput : TurnInput
{
    /// <summary>The one instance.</summary>
    public static readonly FinishErasureInput Instance = new();

    private FinishErasureInput()
    {
    }
}

/// <summary>
/// Another record was erased that this one may have been linked to before: what it still keeps of it where nobody looks goes too (REC-17).
/// Does nothing on a record that keeps nothing of it.
/// </summary>
/// <param name="objectType">Number of the type of the erased record.</param>
/// <param name="id">Id of the erased record.</param>
public sealed class ForgetInput(int objectType, string id) : TurnInput
{
    /// <summary>Number of the type of the erased record.</summary>
    public int ObjectType { get; } = objectType;

    /// <summary>Id of the erased record.</summary>
    public string Id { get; } = id;
}

/// <summary>The record's earliest timer is due. One timer is one turn (ENG-04).</summary>
public sealed class TimerInput : TurnInput
{
    /// <summary>The one instance.</summary>
    public static readonly TimerInput Instance = new();

    private TimerInput()
    {
    }
}

/// <summary>A worker reports what became of a task.</summary>
public class CompletionInput : TurnInput
{
    /// <summary>Creates a completion input.</summary>
    public CompletionInput(int enrollment, int step, int execution, StepResult result, string failureCode, string failureText, NamedValue[] outputs)
    {
        Enrollment = enrollment;
        Step = step;
        Execution = execution;
        Result = result;
        FailureCode = failureCode;
        FailureText = failureText;
        Outputs = outputs;
    }

    /// <summary>Enrollment number.</summary>
    public int Enrollment { get; }

    /// <summary>Number of the step.</summary>
    public int Step { get; }

    /// <summary>Execution index.</summary>
    public int Execution { get; }

    /// <summary><see cref="StepResult.Success"/>, <see cref="StepResult.Skipped"/> or <see cref="StepResult.Failed"/>.</summary>
    public StepResult Result { get; }

    /// <summary>For failures: the code (HIS-03).</summary>
    public string FailureCode { get; }

    /// <summary>For failures: what happened.</summary>
    public string FailureText { get; }

    /// <summary>Outputs.</summary>
    public NamedValue[] Outputs { get; }
}

/// <summary>A task has failed for good, after attempts that a dead letter tells (ERR-11).</summary>
/// <param name="enrollment">Enrollment number.</param>
/// <param name="step">Number of the step.</param>
/// <param name="execution">Execution index.</param>
/// <param name="failureCode">The code (HIS-03).</param>
/// <param name="failureText">What happened.</param>
/// <param name="outputs">Outputs.</param>
public sealed class FailureInput(int enrollment, int step, int execution, string failureCode, string failureText, NamedValue[] outputs)
    : CompletionInput(enrollment, step, execution, StepResult.Failed, failureCode, failureText, outputs)
{
    /// <summary>The attempts that were made, oldest first, as far as they are known: a dead letter tells them (ERR-11). No part of the journal.</summary>
    public IReadOnlyList<Attempt> Attempts { get; init; } = [];

    /// <summary>How many were made; <see cref="Attempts"/> may be the newest of them.</summary>
    public int AttemptCount { get; init; }
}

/// <summary>One attempt to carry out a task.</summary>
/// <param name="At">When it ended, or began when its end is not known.</param>
/// <param name="Error">What came of it; empty when nobody said.</param>
public readonly record struct Attempt(Timestamp At, string Error);

/// <summary>A dead letter was sent again and done, or is discarded (ERR-11). Does nothing when there is none.</summary>
/// <param name="enrollment">Enrollment number.</param>
/// <param name="step">Number of the step.</param>
/// <param name="execution">Execution index.</param>
/// <param name="result">What came of it; <see cref="StepResult.Cancelled"/> for a discarded one.</param>
/// <param name="caller">Who discards it; empty for one that was sent again.</param>
public sealed class DeadLetterInput(int enrollment, int step, int execution, StepResult result, string caller) : TurnInput
{
    /// <summary>Enrollment number.</summary>
    public int Enrollment { get; } = enrollment;

    /// <summary>Number of the step.</summary>
    public int Step { get; } = step;

    /// <summary>Execution index.</summary>
    public int Execution { get; } = execution;

    /// <summary>What came of it.</summary>
    public StepResult Result { get; } = result;

    /// <summary>Who discards it.</summary>
    public string Caller { get; } = caller;
}

/// <summary>A worker says that a task waits for a callback (ACT-62). Does nothing when the task is not open, or waits already.</summary>
/// <param name="enrollment">Enrollment number.</param>
/// <param name="step">Number of the step.</param>
/// <param name="execution">Execution index.</param>
public sealed class BlockInput(int enrollment, int step, int execution) : TurnInput
{
    /// <summary>Enrollment number.</summary>
    public int Enrollment { get; } = enrollment;

    /// <summary>Number of the step.</summary>
    public int Step { get; } = step;

    /// <summary>Execution index.</summary>
    public int Execution { get; } = execution;
}

/// <summary>
/// The first attempt of a task failed and others follow: the time for retries counts from it, also after a restart (ERR-04, ERR-07). Does nothing when
/// the task is not open, is offered no more, or has such an instant already.
/// </summary>
/// <param name="enrollment">Enrollment number.</param>
/// <param name="step">Number of the step.</param>
/// <param name="execution">Execution index.</param>
/// <param name="firstTriedAt">When the attempt began.</param>
public sealed class RetryInput(int enrollment, int step, int execution, Timestamp firstTriedAt) : TurnInput
{
    /// <summary>Enrollment number.</summary>
    public int Enrollment { get; } = enrollment;

    /// <summary>Number of the step.</summary>
    public int Step { get; } = step;

    /// <summary>Execution index.</summary>
    public int Execution { get; } = execution;

    /// <summary>When the first attempt began.</summary>
    public Timestamp FirstTriedAt { get; } = firstTriedAt;
}
