using System.Runtime.InteropServices;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Records;

/// <content>The fold: one switch from journal entries to state. It never refuses and asks nobody.</content>
public sealed partial class RecordState
{
    private const long HourMs = 3_600_000;

    /// <summary>Begins a turn: its time holds for every entry that follows (ENG-03).</summary>
    /// <param name="turnTime">Turn time.</param>
    /// <param name="turnId">Id of the turn.</param>
    /// <param name="keepsWhole">Whether <see cref="Before"/> may be asked for in the first round.</param>
    public void BeginTurn(Timestamp turnTime, ulong turnId, bool keepsWhole = false)
    {
        BeginFirstRound(keepsWhole);
        PreviousTurnAt = LastTurnAt;
        LastTurnAt = turnTime;
        TurnId = turnId;
        _sectionWrites.Clear();
    }

    /// <summary>Ends a turn: what is too long for the head moves out.</summary>
    public void EndTurn()
    {
        MoveOutSections();
        _isLoadStale = true;
    }

    /// <summary>Folds one entry into the state.</summary>
    /// <exception cref="InvalidOperationException">The kind is unknown: the journal was written by a later version.</exception>
    public void Apply(in JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.RecordCreated:
                Exists = true;
                CreatedAt = entry.OccurredAt;
                break;
            case EntryKind.EventReceived:
                AddMark(entry.IdHash, entry.ContentHash);
                if (entry.Subject != StandardEventTypes.PropertyChangedNumber)
                {
                    AddOccurrence(entry);
                }

                break;
            case EntryKind.CommandReceived:
                AddMark(entry.IdHash, entry.ContentHash);
                break;
            case EntryKind.PropertyChanged:
                ChangeProperty(entry);
                break;
            case EntryKind.PropertyTouched:
                TouchProperty(entry);
                break;
            case EntryKind.Enrolled:
                Enroll(entry);
                break;
            case EntryKind.StepEntered:
                EnterStep(entry);
                break;
            case EntryKind.StepFinished:
                FinishStep(entry);
                break;
            case EntryKind.StepMoved:
                MoveStep(entry);
                break;
            case EntryKind.EffectRequested:
                RequestEffect(entry);
                break;
            case EntryKind.EffectCompleted:
                CompleteEffect(entry);
                break;
            case EntryKind.EffectWithdrawn:
                WithdrawEffect(entry);
                break;
            case EntryKind.EnrollmentEnded:
                EndEnrollment(entry);
                break;
            case EntryKind.EventIdsForgotten:
                ForgetSection(entry.Subject);
                break;
            case EntryKind.PropertyLate:
            case EntryKind.EnrollmentRefused:
            case EntryKind.LoopGuard:
                break;
            default:
                ApplyMore(entry);
                break;
        }
    }

    /// <summary>The rest of the switch: goals, lists, due instants, what an enrollment remembers.</summary>
    private void ApplyMore(in JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.EffectBlocked:
                BlockEffect(entry);
                break;
            case EntryKind.EffectRetried:
                RetryEffect(entry);
                break;
            case EntryKind.DeadLetterClosed:
                CloseDeadLetter(entry);
                break;
            case EntryKind.GoalMet:
                MeetGoal(entry);
                break;
            case EntryKind.GoalPending:
                SetPending(entry);
                break;
            case EntryKind.EnrollmentLatched:
                Latch(entry);
                break;
            case EntryKind.EnrollmentAdapted:
                Enrollment(entry).Version = entry.Version;
                break;
            case EntryKind.RecurrenceSet:
                Summary(entry.Workflow).RecurrenceAt = entry.DueAt;
                break;
            case EntryKind.StepHeld:
                HoldStep(entry);
                break;
            case EntryKind.StepRescheduled:
                Reschedule(entry);
                break;
            case EntryKind.ListJoined:
                Join(entry);
                break;
            case EntryKind.ListLeft:
                Leave(entry);
                break;
            case EntryKind.EventsExpired:
                ExpireEvents(entry);
                break;
            case EntryKind.FlipArmed:
                FlipAt = entry.DueAt;
                break;
            case EntryKind.RecordDeleted:
                Gone = GoneKind.Deleted;
                FlipAt = Timestamp.None;
                break;
            case EntryKind.RecordRestored:
                Gone = GoneKind.None;
                MergedInto = string.Empty;
                break;
            case EntryKind.RecordErased:
                EraseContent();
                break;
            case EntryKind.IdErased:
                EraseId();
                break;
            case EntryKind.IdReturned:
                TakeId(entry.Text ?? string.Empty);
                break;
            default:
                ApplyLinks(entry);
                break;
        }
    }

    /// <summary>The rest of the switch: links, copies, messages.</summary>
    private void ApplyLinks(in JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.Associated:
                Associate(entry);
                break;
            case EntryKind.Dissociated:
                Dissociate(entry);
                break;
            case EntryKind.AssociationMarked:
                PutAssociation(Association.Of(entry));
                break;
            case EntryKind.AssociationsMoved:
                MoveAssociations(entry);
                break;
            case EntryKind.EmailEngaged:
                EngageEmail(entry);
                break;
            case EntryKind.EmailEdited:
                EditEmail(entry);
                break;
            case EntryKind.SlotTaken:
                TakeSlot(entry);
                break;
            case EntryKind.SlotReleased:
                ReleaseSlot(entry);
                break;
            case EntryKind.CopyChanged:
                ChangeCopy(entry);
                break;
            case EntryKind.CopiesMoved:
                MoveCopies(entry);
                break;
            case EntryKind.MessagesSent:
                LastMessage += entry.Subject;
                break;
            case EntryKind.SpreadChanged:
                Spreading = (Spreading)entry.Code;
                SpreadHops = entry.Execution;
                IsSpreadInitial = entry.Flag;
                break;
            case EntryKind.RecordMerged:
                Gone = GoneKind.Merged;
                MergedInto = entry.Text ?? string.Empty;
                FlipAt = Timestamp.None;
                break;
            case EntryKind.RecordAbsorbed:
                AbsorbPast(entry);
                break;
            case EntryKind.ChainSet:
                SetChain(entry);
                break;
            case EntryKind.CopiesCut:
            case EntryKind.MessageReceived:
            case EntryKind.MessageReturned:
                break;
            default:
                throw new InvalidOperationException($"Journal entry kind {(int)entry.Kind} is unknown: the journal was written by a later version.");
        }
    }

    private void AddMark(Hash128 id, uint content)
    {
        var offset = _markCount * EventMarks.Size;
        if (offset + EventMarks.Size > _marks.Length)
        {
            Array.Resize(ref _marks, _marks.Length * 2);
        }

        EventMarks.Write(_marks.AsSpan(offset), id, content, LastTurnAt);
        _markCount++;
    }

    private void ChangeProperty(in JournalEntry entry)
    {
        var index = FindProperty(entry.Subject);
        var former = index >= 0 ? _properties[index] : new PropertySlot { Number = entry.Subject };
        // A clear of what never had a value is no change (REC-06); journals of before hold some.
        var isChange = index >= 0 || !entry.Value.IsUnknown;
        if (isChange)
        {
            NoteBefore(former);
        }

        var slot = WriteProperty(entry.Subject, entry.Value, entry.OccurredAt, isChange ? entry.OccurredAt : Timestamp.None, entry.Source ?? string.Empty);
        if (index >= 0)
        {
            KeepFormerValue(former);
            _properties[index] = slot;
        }
        else
        {
            InsertProperty(~index, slot);
        }
    }

    private void InsertProperty(int index, in PropertySlot slot)
    {
        if (_propertyCount == _properties.Length)
        {
            Array.Resize(ref _properties, _properties.Length * 2);
        }

        Array.Copy(_properties, index, _properties, index + 1, _propertyCount - index);
        _properties[index] = slot;
        _propertyCount++;
    }

    private void TouchProperty(in JournalEntry entry)
    {
        var index = FindProperty(entry.Subject);
        if (index < 0)
        {
            InsertProperty(~index, WriteProperty(entry.Subject, Value.Unknown, entry.OccurredAt, Timestamp.None, entry.Source ?? string.Empty));
            return;
        }

        var view = View(_properties[index]);
        _properties[index] = WriteProperty(entry.Subject, view.Value, entry.OccurredAt, view.UpdatedAt, entry.Source ?? string.Empty);
    }

    private void NoteBefore(in PropertySlot former)
    {
        for (var i = 0; i < _beforeCount; i++)
        {
            if (_before[i].Number == former.Number)
            {
                return;
            }
        }

        if (_beforeCount == _before.Length)
        {
            Array.Resize(ref _before, _before.Length * 2);
        }

        _before[_beforeCount++] = former;
    }

    private PropertySlot WriteProperty(int number, in Value value, Timestamp occurredAt, Timestamp updatedAt, string source)
    {
        _scratch.Clear();
        _scratch.Int(PropertyView.NumberField, number);
        if (!value.IsUnknown)
        {
            var start = _scratch.BeginMessage(PropertyView.ValueField);
            value.Pack(_scratch);
            _scratch.EndMessage(start);
        }

        _scratch.Time(PropertyView.OccurredField, occurredAt);
        _scratch.Time(PropertyView.UpdatedField, updatedAt);
        _scratch.Text(PropertyView.SourceField, source);
        return new PropertySlot { Number = number, Offset = AppendData(_scratch.Written), Length = _scratch.Length };
    }

    private void KeepFormerValue(in PropertySlot former)
    {
        var view = View(former);
        var packed = view.PackedValue;
        if (packed.IsEmpty)
        {
            return;
        }

        _scratch.Clear();
        _scratch.Int(PropertyView.NumberField, former.Number);
        _scratch.BytesAlways(PropertyView.ValueField, packed);
        _scratch.Time(PropertyView.OccurredField, view.UpdatedAt);
        AddHistorySlot(new HistorySlot { Number = former.Number, Offset = AppendData(_scratch.Written), Length = _scratch.Length });
    }

    private int AppendData(ReadOnlySpan<byte> bytes)
    {
        EnsureData(bytes.Length);
        bytes.CopyTo(_data.AsSpan(_dataLength));
        _dataLength += bytes.Length;
        return _dataLength - bytes.Length;
    }

    private void Enroll(in JournalEntry entry)
    {
        LastEnrollment = entry.Enrollment;
        _enrollments.Add(new EnrollmentState
        {
            Workflow = entry.Workflow,
            Version = entry.Version,
            Number = entry.Enrollment,
            Step = entry.Step,
            Phase = StepPhase.Ready,
            EnrolledAt = LastTurnAt,
            EnteredAt = LastTurnAt,
            Trigger = (TriggerKind)entry.Subject,
            EventProperties = entry.Fields is { Length: > 0 } ? entry.Fields : null,
        });
        ref var summary = ref Summary(entry.Workflow);
        summary.LastEnrollment = entry.Enrollment;
        summary.GoalsHeld = 0;
        summary.GoalsVersion = entry.Version;
        summary.Signals = 0;
        summary.RecurrenceAt = Timestamp.None;
        summary.TimesEnrolled++;
        if (summary.TimesEnrolled > 1)
        {
            var since = LastTurnAt.PlusMs(-HourMs);
            var recent = (summary.RecentEnrollments ?? [summary.LastEnrolledAt]).Where(at => at > since).ToList();
            recent.Add(LastTurnAt);
            summary.RecentEnrollments = recent.Count > 1 ? [.. recent] : null;
        }

        summary.LastEnrolledAt = LastTurnAt;
    }

    private void EnterStep(in JournalEntry entry)
    {
        var index = FindEnrollment(entry.Enrollment);
        ref var state = ref CollectionsMarshal.AsSpan(_enrollments)[index];
        state.Step = entry.Step;
        state.Version = entry.Version;
        state.Execution = entry.Execution;
        state.DueAt = entry.DueAt;
        state.EnteredAt = LastTurnAt;
        state.Phase = entry.Code != 0 ? (StepPhase)entry.Code : entry.DueAt.IsNone ? StepPhase.Ready : StepPhase.Delay;
        if (entry.Flag || FindRuns(state.Runs, entry.Step) >= 0)
        {
            state.Runs = CountRun(state.Runs, entry.Step, entry.Execution);
        }
        else
        {
            AddToTrail(ref state, entry.Step);
        }
    }

    private void FinishStep(in JournalEntry entry)
    {
        var index = FindEnrollment(entry.Enrollment);
        if (index >= 0)
        {
            ref var state = ref CollectionsMarshal.AsSpan(_enrollments)[index];
            state.Phase = StepPhase.Ready;
            state.DueAt = Timestamp.None;
            if (entry.Fields is { Length: > 0 })
            {
                KeepOutputs(entry);
            }
        }
    }

    private void MoveStep(in JournalEntry entry)
    {
        ref var state = ref CollectionsMarshal.AsSpan(_enrollments)[FindEnrollment(entry.Enrollment)];
        state.Step = (int)entry.Number;
        state.Version = entry.Version;
        state.Execution = 0;
        state.Phase = StepPhase.Ready;
        state.DueAt = Timestamp.None;
        state.EnteredAt = LastTurnAt;
    }

    private void RequestEffect(in JournalEntry entry)
    {
        _effects.Add(new OpenEffect(
            entry.Enrollment, entry.Workflow, entry.Version, entry.Step, entry.Execution, entry.DueAt, IsMarketing: entry.Subject == 1));
        var index = FindEnrollment(entry.Enrollment);
        if (entry.Flag && index >= 0)
        {
            // The timeout is the task's; an instant to which the action was moved is over.
            ref var state = ref CollectionsMarshal.AsSpan(_enrollments)[index];
            state.Phase = StepPhase.Effect;
            state.DueAt = Timestamp.None;
        }
    }

    private void EndEnrollment(in JournalEntry entry)
    {
        var number = entry.Enrollment;
        var index = FindEnrollment(number);
        if (index >= 0)
        {
            _enrollments.RemoveAt(index);
            _outputs.RemoveAll(o => o.Enrollment == number);
        }

        ref var summary = ref Summary(entry.Workflow);
        summary.LastEnd = entry.EndReason;
        summary.LastEndedAt = LastTurnAt;
        if (entry.EndReason.IsCompletion())
        {
            summary.TimesCompleted++;
        }
    }

    private ref EnrollmentState Enrollment(in JournalEntry entry) => ref CollectionsMarshal.AsSpan(_enrollments)[FindEnrollment(entry.Enrollment)];

    private void HoldStep(in JournalEntry entry)
    {
        ref var state = ref Enrollment(entry);
        var isEntered = state.Step == entry.Step && state.Phase is StepPhase.Window or StepPhase.Anchor or StepPhase.Slot or StepPhase.Held;
        state.Step = entry.Step;
        state.Execution = isEntered ? state.Execution : 0;
        state.Phase = StepPhase.Held;
        state.EnteredAt = entry.DueAt.IsNone ? LastTurnAt : state.EnteredAt;
        state.DueAt = entry.DueAt;
    }

    private void Reschedule(in JournalEntry entry)
    {
        ref var state = ref Enrollment(entry);
        state.DueAt = entry.DueAt;
        state.Phase = entry.Code != 0 ? (StepPhase)entry.Code : state.Phase;
    }

    private void Latch(in JournalEntry entry)
    {
        var index = FindEnrollment(entry.Enrollment);
        if (index >= 0)
        {
            ref var state = ref CollectionsMarshal.AsSpan(_enrollments)[index];
            state.HasMatched = entry.Flag;
            state.GoalsHeld = (ulong)entry.Number;
        }

        ref var summary = ref Summary(entry.Workflow);
        summary.GoalsHeld = (ulong)entry.Number;
        summary.GoalsVersion = Math.Max(summary.GoalsVersion, entry.Subject);
    }

    private void MeetGoal(in JournalEntry entry)
    {
        var bit = 1UL << (entry.Subject - 1);
        ref var summary = ref Summary(entry.Workflow);
        summary.GoalsPending &= ~bit;
        if (entry.Flag)
        {
            summary.GoalsMet |= bit;
        }
    }

    private void SetPending(in JournalEntry entry)
    {
        var bit = 1UL << (entry.Subject - 1);
        ref var summary = ref Summary(entry.Workflow);
        summary.GoalsPending = entry.Flag ? summary.GoalsPending | bit : summary.GoalsPending & ~bit;
    }

    private void CompleteEffect(in JournalEntry entry)
    {
        var index = FindEffect(entry.Enrollment, entry.Step, entry.Execution);
        if (index < 0)
        {
            return;
        }

        var effect = _effects[index];
        _effects.RemoveAt(index);
        if (entry.Subject == JournalEntry.IsDeadLetter)
        {
            _deadLetters.Add(new DeadLetter(effect.Enrollment, effect.Workflow, effect.Version, effect.Step, effect.Execution));
        }

        if (effect.IsMarketing && entry.Result == StepResult.Success)
        {
            Summary(entry.Workflow).IsMailed = true;
        }

        if (entry.Flag && FindEnrollment(entry.Enrollment) >= 0)
        {
            KeepOutputs(entry);
        }
    }

    private void WithdrawEffect(in JournalEntry entry)
    {
        var index = FindEffect(entry.Enrollment, entry.Step, entry.Execution);
        if (index >= 0)
        {
            _effects[index] = _effects[index] with { IsWithdrawn = true };
        }
    }

    private void BlockEffect(in JournalEntry entry)
    {
        var index = FindEffect(entry.Enrollment, entry.Step, entry.Execution);
        if (index >= 0)
        {
            _effects[index] = _effects[index] with { IsBlocked = true, TimesOutAt = entry.DueAt };
        }
    }

    private void RetryEffect(in JournalEntry entry)
    {
        var index = FindEffect(entry.Enrollment, entry.Step, entry.Execution);
        if (index >= 0)
        {
            _effects[index] = _effects[index] with { FirstTriedAt = entry.OccurredAt };
        }
    }

    private void CloseDeadLetter(in JournalEntry entry)
    {
        var index = FindDeadLetter(entry.Enrollment, entry.Step, entry.Execution);
        if (index >= 0)
        {
            _deadLetters.RemoveAt(index);
        }
    }

    private void KeepOutputs(in JournalEntry entry)
    {
        var (enrollment, step) = (entry.Enrollment, entry.Step);
        _outputs.RemoveAll(o => o.Enrollment == enrollment && o.Step == step);
        _outputs.Add(new StepOutputs(enrollment, step, entry.Fields ?? []));
    }

    private void ExpireEvents(in JournalEntry entry)
    {
        if (!entry.OccurredAt.IsNone)
        {
            ExpireEvents(entry.OccurredAt);
        }

        if (entry.Subject != 0)
        {
            ForgetSection(entry.Subject);
        }
    }

    private ref WorkflowSummary Summary(int workflow)
    {
        var index = FindSummary(workflow);
        if (index < 0)
        {
            index = ~index;
            _summaries.Insert(index, new WorkflowSummary { Workflow = workflow });
        }

        return ref CollectionsMarshal.AsSpan(_summaries)[index];
    }
}
