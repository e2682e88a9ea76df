using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Inputs other than events: requests by hand and by jobs, timers, completions.</content>
public sealed partial class Turn
{
    private const long BlockExpiryMs = 7L * 24 * 60 * 60_000;
    private const string TimeoutCode = "TIMEOUT";
    private const string OutputTooLargeCode = "OUTPUT_TOO_LARGE";

    private int _enrollmentOfCommand;

    private TurnResult DecideCommand(CommandInput input)
    {
        if (input.Kind is CommandKind.Restore or CommandKind.Erase)
        {
            return input.Kind == CommandKind.Restore ? Restore(input) : Erase(input);
        }

        if (!_state.Exists && input.Kind is not (CommandKind.Enroll or CommandKind.AddToList))
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        var content = input.HashContent();
        if (Refuse(input.IdHash, content) is { } refused)
        {
            return refused;
        }

        if (BeginTurn() is { } missing)
        {
            return missing;
        }

        _command = input;
        _enrollmentOfCommand = 0;
        CreateIfNew(_now);
        Write(JournalEntry.CommandReceived(input.Kind, input.Target, _now, input.RequestId, input.IdHash, content, input.Caller));
        ForgetOldIds();
        switch (input.Kind)
        {
            case CommandKind.Enroll:
                return EnrollByHand(input);
            case CommandKind.Unenroll:
                return UnenrollByHand(input);
            case CommandKind.AddToList or CommandKind.RemoveFromList:
                // Active lists that look at it follow in phase 4, where what they look at is at hand.
                ChangeMembership(_present, input.Target, input.Kind == CommandKind.AddToList, workflow: 0, step: 0);
                return RunRounds();
            case CommandKind.Delete:
                _isDeleting = true;
                return EndOfTurn();
            case CommandKind.Merge:
                return Merge(input);
            case CommandKind.LiftPause:
                return LiftPause(input);
            case CommandKind.EditEmail:
                return EditEmail(input);
            default:
                throw new InvalidOperationException($"Command {input.Kind} is not known to the turn.");
        }
    }

    private TurnResult EnrollByHand(CommandInput input)
    {
        if (_catalog.FindWorkflow(input.Target) is null)
        {
            Write(JournalEntry.Refused(input.Target, 0, input.Trigger, Decision.WorkflowOff));
            _decision = Decision.WorkflowOff;
        }

        _present.Enrolls.Add(new Request(input.Target, input.Trigger, 0));
        return RunRounds();
    }

    private TurnResult UnenrollByHand(CommandInput input)
    {
        var index = _state.FindActive(input.Target);
        var number = index < 0 ? 0 : _state.Enrollments[index].Number;
        if (number != 0)
        {
            _present.Unenrolls.Add(new Request(input.Target, TriggerKind.Manual, 0));
        }

        return RunRounds() with { Enrollment = number };
    }

    /// <summary>Brings a deleted record back: values, memberships and history, no enrollment (REC-16).</summary>
    private TurnResult Restore(CommandInput input)
    {
        if (!_state.Exists || _state.Gone != GoneKind.Deleted)
        {
            return _state.Gone == GoneKind.Erased ? RefuseGone()!.Value : new TurnResult(TurnStatus.Nothing);
        }

        var content = input.HashContent();
        if ((FindDuplicate(input.IdHash, content) ?? FindMissing() ?? FindMissingOfLists() ?? BeginTurn()) is { } refused)
        {
            return refused;
        }

        Write(JournalEntry.CommandReceived(input.Kind, 0, _now, input.RequestId, input.IdHash, content, input.Caller));
        Write(JournalEntry.RecordRestored());

        // Time went on and lists may have got other criteria meanwhile; what comes of it fires nothing.
        TouchAllLists();
        RecomputeTouched(_present);
        _isCopyStale = true;
        return EndOfTurn();
    }

    /// <summary>Ends every enrollment and marks the record deleted (REC-16). It does not come back by itself (SCH-09).</summary>
    private void Delete()
    {
        EndAll(EndReason.Deleted);
        Write(JournalEntry.RecordDeleted());
        _isCopyStale = true;
    }

    /// <summary>The one timer that is first in the order of ENG-04.</summary>
    private TurnResult DecideTimer()
    {
        var due = _state.NextDueAt;
        if (due.IsNone || due > _now)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        if (BeginTurn() is { } missing)
        {
            return missing;
        }

        ForgetOldIds();
        var (waiting, timeout) = FindFirstDue(due);
        if (timeout >= 0)
        {
            TimeOut(_state.OpenEffects[timeout]);
        }
        else if (waiting >= 0)
        {
            FireStep(_state.Enrollments[waiting], due);
        }
        else if (_state.FlipAt == due)
        {
            _isClockRound = true;
            _flipHandled = due;
        }
        else
        {
            FireRecurrence(due);
        }

        return RunRounds();
    }

    /// <summary>Of all that is due at one instant the first by enrollment number, then step id: the index of an enrollment that waits, or of a task.</summary>
    private (int Waiting, int Timeout) FindFirstDue(Timestamp due)
    {
        var first = (Waiting: -1, Timeout: -1);
        var least = (Enrollment: int.MaxValue, Workflow: 0, Step: 0);
        for (var i = 0; i < _state.Enrollments.Length; i++)
        {
            ref readonly var enrollment = ref _state.Enrollments[i];
            if (enrollment.DueAt == due && enrollment.Number < least.Enrollment)
            {
                least = (enrollment.Number, enrollment.Workflow, enrollment.Step);
                first = (i, -1);
            }
        }

        for (var i = 0; i < _state.OpenEffects.Length; i++)
        {
            var effect = _state.OpenEffects[i];
            var isBefore = effect.Enrollment < least.Enrollment
                || (effect.Enrollment == least.Enrollment && string.CompareOrdinal(StepId(effect.Workflow, effect.Step), StepId(least.Workflow, least.Step)) < 0);
            if (effect.TimesOutAt == due && isBefore)
            {
                least = (effect.Enrollment, effect.Workflow, effect.Step);
                first = (-1, i);
            }
        }

        return first;
    }

    private string StepId(int workflow, int step) => _catalog.FindWorkflow(workflow) is { } newest ? newest.Find(step)?.Id ?? newest.Former.IdOf(step) : string.Empty;

    private void TimeOut(OpenEffect effect)
    {
        if (effect.IsWithdrawn)
        {
            Complete(effect, StepResult.Cancelled, string.Empty, string.Empty, []);
        }
        else
        {
            Complete(effect, StepResult.Failed, TimeoutCode, "No completion came in time.", []);
        }
    }

    private TurnResult DecideCompletion(CompletionInput input)
    {
        var index = _state.FindEffect(input.Enrollment, input.Step, input.Execution);
        if (index < 0)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        if (BeginTurn() is { } missing)
        {
            return missing;
        }

        // What the turn began with may have moved it.
        index = _state.FindEffect(input.Enrollment, input.Step, input.Execution);
        ForgetOldIds();
        var bytes = SizeOf(input.Outputs);
        if (LengthMaxOf(_state.OpenEffects[index]) is > 0 and var lengthMax && input.Outputs.Sum(o => (long)o.Name.Length + o.Value.ToString().Length) is var length && length > lengthMax)
        {
            Complete(_state.OpenEffects[index], StepResult.Failed, OutputTooLargeCode, $"The outputs have {length} characters; allowed are {lengthMax} (setting code_output_max).", []);
        }
        else if (bytes > _catalog.Schema.Settings.OutputsBytesMax)
        {
            Complete(
                _state.OpenEffects[index], StepResult.Failed, OutputTooLargeCode, $"The outputs have {bytes} bytes; allowed are {_catalog.Schema.Settings.OutputsBytesMax} (setting outputs_bytes_max).", []);
        }
        else
        {
            Complete(_state.OpenEffects[index], input.Result, input.FailureCode, input.FailureText, input.Outputs);
        }

        return RunRounds();
    }

    /// <summary>Most characters of the outputs of a task; 0 for no bound of its own (ACT-61).</summary>
    private int LengthMaxOf(OpenEffect effect) => (_catalog.FindWorkflow(effect.Workflow)?.Find(effect.Step) as CompiledWorker)?.OutputLengthMax ?? 0;

    /// <summary>A worker has begun something whose end it will report by a callback: the task is offered to nobody meanwhile (ACT-62).</summary>
    private TurnResult Block(BlockInput input)
    {
        var index = _state.FindEffect(input.Enrollment, input.Step, input.Execution);
        if (index < 0 || _state.OpenEffects[index].IsBlocked || _state.OpenEffects[index].IsWithdrawn)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        if (BeginTurn() is { } missing)
        {
            return missing;
        }

        var effect = _state.OpenEffects[_state.FindEffect(input.Enrollment, input.Step, input.Execution)];
        var expiryMs = (_catalog.FindWorkflow(effect.Workflow)?.Find(effect.Step) as CompiledWorker)?.BlockExpiryMs ?? 0;
        Write(JournalEntry.EffectBlocked(effect, _now.PlusMs(expiryMs > 0 ? expiryMs : BlockExpiryMs)));
        return RunRounds();
    }

    /// <summary>The first attempt of a task failed and others follow. Nothing else of the record changes (ERR-04, ERR-07).</summary>
    private TurnResult NoteRetry(RetryInput input)
    {
        var index = _state.FindEffect(input.Enrollment, input.Step, input.Execution);
        if (index < 0 || _state.OpenEffects[index].IsOut || !_state.OpenEffects[index].FirstTriedAt.IsNone)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        _state.BeginTurn(_now, _turnId);
        Write(JournalEntry.EffectRetried(_state.OpenEffects[index], input.FirstTriedAt));
        return new TurnResult(TurnStatus.Applied);
    }

    /// <summary>A dead letter was sent again and done, or is discarded. Nothing else of the record changes (ERR-11).</summary>
    private TurnResult CloseDeadLetter(DeadLetterInput input)
    {
        var index = _state.FindDeadLetter(input.Enrollment, input.Step, input.Execution);
        if (index < 0)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        _state.BeginTurn(_now, _turnId);
        Write(JournalEntry.DeadLetterClosed(_state.DeadLetters[index], input.Result, input.Caller));
        return new TurnResult(TurnStatus.Applied);
    }

    /// <summary>Bytes of outputs as they would be kept (ACT-05).</summary>
    private int SizeOf(NamedValue[] outputs)
    {
        _scratch.Clear();
        foreach (var output in outputs)
        {
            NamedValues.Pack(_scratch, 1, output);
        }

        return _scratch.Length;
    }

    private void Complete(OpenEffect effect, StepResult result, string code, string text, NamedValue[] outputs)
    {
        var workflow = _catalog.FindWorkflow(effect.Workflow);
        var index = _state.FindEnrollment(effect.Enrollment);
        var steps = workflow is null || index < 0 ? null : StepsOf(workflow, _state.Enrollments[index]);
        var keeps = outputs.Length > 0 && steps is not null && steps.Settings.ReadOutputs.Contains(effect.Step);
        var isDead = result == StepResult.Failed && !effect.IsWithdrawn;
        if (isDead && _state.DeadLetters.Length >= RecordState.DeadLettersMax)
        {
            Write(JournalEntry.DeadLetterClosed(_state.DeadLetters[0], StepResult.Cancelled, string.Empty));
        }

        Write(JournalEntry.EffectCompleted(
            effect.Workflow, effect.Version, effect.Enrollment, effect.Step, effect.Execution, result, code, text, outputs, keeps, effect.IsOut, isDead));
        if (effect.IsMarketing && workflow is not null)
        {
            SettlePendingGoals(workflow, effect.Enrollment);
        }

        // All tasks of a sequence are e-mails.
        if (result == StepResult.Success && (effect.IsMarketing || _catalog.IsSequence(effect.Workflow)))
        {
            NoteSignal(effect.Workflow, effect.Version, effect.Enrollment, effect.Step, EmailSignal.Sent, _now, reacts: false);
        }

        if (index >= 0)
        {
            var enrollment = _state.Enrollments[index];
            if (enrollment.Phase == StepPhase.Effect && enrollment.Step == effect.Step && enrollment.Execution == effect.Execution)
            {
                AfterEffect(workflow, steps, enrollment, effect, result, code);
            }
        }
    }

    /// <summary>The enrollment that waited for a task goes on, or ends when the task has failed and the step says so (ERR-02).</summary>
    private void AfterEffect(CompiledWorkflow? workflow, CompiledWorkflow? steps, in EnrollmentState enrollment, OpenEffect effect, StepResult result, string code)
    {
        // A publish gave the step another kind: it is entered anew (EDT-10).
        var present = steps?.Find(effect.Step);
        var isOther = present is not (null or CompiledWorker) || (present is not null && ReferenceEquals(steps, workflow) && workflow!.Former.IsEdited(effect.Version, effect.Step));
        var policy = result == StepResult.Failed && present is not null && !isOther ? present.OnFailure : FailurePolicy.Continue;
        FinishStep(enrollment, result, failure: code, next: isOther ? present!.Number : policy == FailurePolicy.Branch ? present!.ErrorNext : null);
        if (policy == FailurePolicy.End || (result == StepResult.Failed && present is CompiledEmail))
        {
            End(_state.FindEnrollment(enrollment.Number), present is CompiledEmail ? EndReason.SendFailed : EndReason.ActionFailed);
        }
    }
}
