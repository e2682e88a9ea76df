using System.Globalization;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Steps of sequences: the delay before each, e-mails, tasks, pauses, containers (SEQ-05 to SEQ-09, SEQ-15).</content>
public sealed partial class Turn
{
    private const string ThreadOutput = "thread_id";
    private const string MessageOutput = "message_id";
    private const string SubjectField = "subject";
    private const string BodyField = "body";

    /// <summary>Runs one step of a sequence, once the delay before it is over. As <see cref="Enter"/>.</summary>
    private int? EnterSequenceStep(CompiledWorkflow steps, CompiledSequence sequence, in EnrollmentState enrollment, CompiledStep step, int execution, bool isEntered)
    {
        if (step is CompiledWait wait)
        {
            // It waits for the task of the step before it, at once.
            return EnterWait(steps, enrollment, wait, execution);
        }

        if (isEntered ? enrollment.DueAt > _now || IsAsking(enrollment) : DelayStep(steps, sequence, enrollment, step, execution))
        {
            return null;
        }

        if (step is CompiledEmail email)
        {
            return EnterEmail(steps, sequence, enrollment, email, execution, isEntered);
        }

        if (step is CompiledPause)
        {
            MoveStep(steps, enrollment, step, execution, Timestamp.None, StepPhase.Wait, isEntered);
            return null;
        }

        if (!isEntered)
        {
            Entered(steps, enrollment, step, execution, Timestamp.None);
        }

        switch (step)
        {
            case CompiledAdaptive adaptive:
                return Choose(steps, enrollment, adaptive, execution);
            case CompiledFinish:
                Finished(steps, enrollment, step, execution, StepResult.Success);
                return 0;
            default:
                RunBuiltIn(steps, enrollment, step, execution);
                return step.Next;
        }
    }

    /// <summary>Whether an e-mail has asked its inbox for an instant and has no answer.</summary>
    private static bool IsAsking(in EnrollmentState enrollment) => enrollment.Phase == StepPhase.Slot && enrollment.DueAt.IsNone;

    /// <summary>Enters a step that is not due yet; false when it is.</summary>
    private bool DelayStep(CompiledWorkflow steps, CompiledSequence sequence, in EnrollmentState enrollment, CompiledStep step, int execution)
    {
        var due = DueOfStep(steps, sequence, enrollment, step);
        if (due <= _now)
        {
            return false;
        }

        Entered(steps, enrollment, step, execution, due, StepPhase.Anchor);
        return true;
    }

    /// <summary>
    /// The first step runs at once, or at the chosen start; by hand it ignores send window and task minute (SEQ-05). All others run after
    /// their delay (SEQ-07), e-mails within the window, tasks at their minute (SEQ-08).
    /// </summary>
    private Timestamp DueOfStep(CompiledWorkflow steps, CompiledSequence sequence, in EnrollmentState enrollment, CompiledStep step)
    {
        var zone = sequence.ZoneOf(_state, _catalog.FindInbox(sequence.Owner));
        var facts = SequenceFacts.Of(enrollment.EventProperties);
        var isFirst = enrollment.Execution == 0;
        var delayMs = isFirst || step.Lead is not { } lead ? 0 : DelayOf(steps, enrollment, step, lead);
        var due = isFirst && facts.StartAt > _now ? facts.StartAt : sequence.Calendar.After(_now, delayMs, zone, _catalog.Business);
        if (isFirst && facts.IsByHand)
        {
            return due;
        }

        return step switch
        {
            CompiledEmail => sequence.Calendar.NextOpening(due, zone, _catalog.Business),
            CompiledCreate => sequence.Calendar.TaskInstant(due, delayMs, zone, _catalog.Business),
            _ => due,
        };
    }

    /// <summary>A delay with a least and a greatest value is one of those between by hash, in whole days when both are (SEQ-07).</summary>
    private long DelayOf(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, SequenceDelayDefinition lead)
    {
        if (lead.MinMs == lead.MaxMs)
        {
            return lead.MinMs;
        }

        var unit = lead.MinMs % DayMs == 0 && lead.MaxMs % DayMs == 0 ? DayMs : 1;
        var key = string.Create(CultureInfo.InvariantCulture, $"{_catalog.TenantId}/{steps.Identity.Id}/{step.Id}/{_state.Id}/{enrollment.Number}/delay");
        return lead.MinMs + (long)(StableHash.Hash128(key).High % (ulong)(((lead.MaxMs - lead.MinMs) / unit) + 1)) * unit;
    }

    /// <summary>An e-mail goes out inside the window, at an instant that its inbox granted (SEQ-08, SEQ-15).</summary>
    private int? EnterEmail(CompiledWorkflow steps, CompiledSequence sequence, in EnrollmentState enrollment, CompiledEmail email, int execution, bool isEntered)
    {
        var facts = SequenceFacts.Of(enrollment.EventProperties);
        var inbox = _catalog.FindInbox(sequence.Owner);
        var isFirst = email.Number == (facts.FirstStep == 0 ? steps.FirstStep : facts.FirstStep);
        var opens = isFirst && facts.IsByHand ? _now : sequence.Calendar.NextOpening(_now, sequence.ZoneOf(_state, inbox), _catalog.Business);
        var isGranted = isEntered && enrollment.Phase == StepPhase.Slot;
        if (opens > _now)
        {
            if (isGranted)
            {
                // The instant lies outside the window.
                ReturnSlot(sequence, enrollment);
            }

            MoveStep(steps, enrollment, email, execution, opens, StepPhase.Anchor, isEntered);
            return null;
        }

        if (!isGranted)
        {
            MoveStep(steps, enrollment, email, execution, Timestamp.None, StepPhase.Slot, isEntered);
            Send(SlotMessage(MessageKind.SlotRequest, sequence, enrollment, email.Number, execution));
            return null;
        }

        Write(JournalEntry.EffectRequested(
            steps.Number, steps.Version, enrollment.Number, email.Number, execution, email.Queue, waits: true, _now.PlusMs(email.TimeoutMs),
            ContentOf(steps, sequence, enrollment, email, inbox)));
        _requested.Add((enrollment.Number, email.Number, execution));
        return null;
    }

    private RecordMessage SlotMessage(MessageKind kind, CompiledSequence sequence, in EnrollmentState enrollment, int email, int execution) =>
        new(kind, _index.Types.Inbox, sequence.Owner)
        {
            Workflow = enrollment.Workflow,
            Step = email,
            Subject = EmailSlot,
            Fields =
            [
                new NamedValue(EnrollmentField, Value.OfNumber(enrollment.Number)),
                new NamedValue(ExecutionField, Value.OfNumber(execution)),
                new NamedValue(BulkField, Value.OfBool(SequenceFacts.Of(enrollment.EventProperties).IsBulk)),
            ],
        };

    /// <summary>An instant that was granted and is not used: somebody else may have it (SEQ-15).</summary>
    private void ReturnSlot(CompiledSequence sequence, in EnrollmentState enrollment) =>
        Send(SlotMessage(MessageKind.SlotRelease, sequence, enrollment, enrollment.Step, enrollment.Execution) with { OccurredAt = enrollment.DueAt });

    /// <summary>An enrollment ends that waits for the instant it was granted. That of a deleted sequence runs out by itself.</summary>
    private void ReturnSlot(in EnrollmentState enrollment)
    {
        if (enrollment.Phase == StepPhase.Slot && !enrollment.DueAt.IsNone && _catalog.FindWorkflow(enrollment.Workflow) is { } newest
            && StepsOf(newest, enrollment).Settings.Sequence is { } sequence && _catalog.FindInbox(sequence.Owner) is not null)
        {
            ReturnSlot(sequence, enrollment);
        }
    }

    private void MoveStep(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, int execution, Timestamp at, StepPhase phase, bool isEntered)
    {
        if (isEntered)
        {
            Write(JournalEntry.StepRescheduled(steps.Number, steps.Version, enrollment.Number, step.Number, execution, at, phase));
        }
        else
        {
            Entered(steps, enrollment, step, execution, at, phase);
        }
    }

    /// <summary>What the worker who sends it gets: receiver, sender, content with its tokens replaced, thread (SEQ-06, SEQ-14).</summary>
    private NamedValue[] ContentOf(CompiledWorkflow steps, CompiledSequence sequence, in EnrollmentState enrollment, CompiledEmail email, InboxInfo? inbox)
    {
        var variant = email.Variants[0];
        if (email.Variants.Length > 1)
        {
            // By contact and step, so that it is the same for good (SEQ-06).
            var hash = StableHash.Hash128($"{_catalog.TenantId}/{steps.Identity.Id}/{email.Id}/{_state.Id}").High;
            variant = email.Variants[(int)(hash % (ulong)email.Variants.Length)];
        }

        var context = Context(steps, enrollment);
        var (subject, body) = (_state.FindOutput(enrollment.Number, email.Number, SubjectField), _state.FindOutput(enrollment.Number, email.Number, BodyField));
        var fields = new List<NamedValue>();
        Add("to", ValueOf(sequence.Address.Number));
        Add("from", Value.OfText(inbox?.Address ?? string.Empty));
        Add("user", Value.OfText(sequence.Owner));
        Add(SubjectField, subject.IsUnknown ? variant.Subject.Read(context) : subject);
        Add(BodyField, body.IsUnknown ? variant.Body.Read(context) : body);
        Add("template", Value.OfText(variant.Template));
        Add("variant", Value.OfText(variant.Name));
        if (email.SameThread)
        {
            foreach (ref readonly var outputs in _state.Outputs)
            {
                // The latest one counts: they are in the order in which they came.
                if (outputs.Enrollment == enrollment.Number && outputs.Step != email.Number && NamedValues.Find(outputs.Values, ThreadOutput) is { IsUnknown: false } thread)
                {
                    fields.RemoveAll(f => f.Name is ThreadOutput or "in_reply_to");
                    Add(ThreadOutput, thread);
                    Add("in_reply_to", NamedValues.Find(outputs.Values, MessageOutput));
                }
            }
        }

        return [.. fields];

        void Add(string name, in Value value)
        {
            if (!value.IsUnknown)
            {
                fields.Add(new NamedValue(name, value));
            }
        }
    }

    /// <summary>Clicks before opens before neither, of one e-mail or of all of the enrollment so far (SEQ-06).</summary>
    private int? Choose(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledAdaptive adaptive, int execution)
    {
        var signals = 0;
        foreach (ref readonly var mark in _state.EmailMarks)
        {
            signals |= mark.Workflow == steps.Number && mark.Enrollment == enrollment.Number && (adaptive.Of == 0 || mark.Step == adaptive.Of) ? mark.Latest : 0;
        }

        var (branch, next) = (signals & (1 << (int)EmailSignal.Clicked)) != 0 ? (CompiledAdaptive.ClickedBranch, adaptive.ClickedNext)
            : (signals & (1 << (int)EmailSignal.Opened)) != 0 ? (CompiledAdaptive.OpenedBranch, adaptive.OpenedNext)
            : (0, adaptive.Default);
        Finished(steps, enrollment, adaptive, execution, StepResult.Success, branch, branch == 0 ? "otherwise" : adaptive.BranchNames[branch - 1]);
        return next;
    }

    /// <summary>Takes part in sequences by steps of workflows (ACT-51): it is done when queued, as with workflows (ACT-50).</summary>
    private void ChangeSequence(CompiledWorkflow steps, CompiledOtherSequence other)
    {
        if (other.Enrolls)
        {
            _queued.Enrolls.Add(new Request(other.Sequence, TriggerKind.Workflow, steps.Number));
            return;
        }

        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.IsSequence(enrollment.Workflow) && (other.Sequence == 0 || other.Sequence == enrollment.Workflow))
            {
                _queued.Unenrolls.Add(new Request(enrollment.Workflow, TriggerKind.Workflow, steps.Number));
            }
        }
    }
}
