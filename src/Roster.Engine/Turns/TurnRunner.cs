using System.Runtime.InteropServices;
using Roster.Core;
using Roster.Core.Calendars;
using Roster.Core.Catalog;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Commits;
using Roster.Engine.Messages;
using Roster.Engine.Operations;
using Roster.Engine.Stores;

namespace Roster.Engine.Turns;

/// <summary>
/// Runs turns for a host: has Core decide, and writes what it decided into the open batch. The same for every host. Not thread-safe;
/// each shard or grain has its own.
/// </summary>
public sealed class TurnRunner
{
    private readonly Turn _turn = new();
    private readonly ulong _ownerEpoch;
    private readonly bool _needsHeads;
    private readonly Action<CounterKey, long> _count;
    private readonly List<int> _workflows = [];
    private ulong _turns;
    private TurnBatch _batch = new();
    private TenantCatalog? _catalog;

    /// <summary>Creates a runner.</summary>
    /// <param name="ownerEpoch">A number that no other owner, now or ever, has: turn ids are hashes of it and a counter.</param>
    /// <param name="needsHeads">Whether batches must have the packed heads.</param>
    public TurnRunner(ulong ownerEpoch, bool needsHeads)
    {
        _ownerEpoch = ownerEpoch;
        _needsHeads = needsHeads;
        _count = (key, change) => _batch.Count(key, change);
    }

    /// <summary>Packed head after the latest applied turn; valid until the next.</summary>
    public PackedWriter Head { get; } = new(4096);

    /// <summary>Turns decided so far, applied or not.</summary>
    public ulong Decided => _turns;

    /// <summary>
    /// Runs one turn on a loaded state. When the result is <see cref="TurnStatus.Applied"/> the batch has the turn and
    /// <see cref="Head"/> the new state; otherwise the state must be loaded again before its next use, and the batch has at most a
    /// count.
    /// </summary>
    public TurnResult Run(RecordState state, TurnInput input, TenantCatalog catalog, Timestamp now, OpenBatch open)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(open);
        _batch = open.Turns;
        _catalog = catalog;
        var expected = state.TurnId;
        var dueBefore = state.NextDueAt;
        var isNew = !state.Exists;
        var turnId = StableHash.Hash64(_ownerEpoch, ++_turns);
        var result = _turn.Decide(state, input, catalog, now, turnId);
        if (result.Status != TurnStatus.Applied)
        {
            CountUnapplied(catalog.Tenant, result);
            return result;
        }

        var dueAfter = state.NextDueAt;
        var info = new TurnInfo(state.Tenant, state.ObjectType, state.Number, turnId, expected, state.LastTurnAt, dueAfter, CauseOf(input), DayOf(state, catalog));
        Write(state, info, isNew ? state.Id : string.Empty, input);
        if (dueAfter != dueBefore)
        {
            open.TimerChanges.Add(new TimerEntry(dueAfter, state.Number));
        }

        CounterFold.Fold(info, _turn.Entries, _count);
        return result;
    }

    private static TurnCause CauseOf(TurnInput input) => input switch
    {
        EventInput => TurnCause.Event,
        CommandInput => TurnCause.Command,
        TimerInput => TurnCause.Timer,
        CompletionInput or BlockInput or RetryInput or DeadLetterInput => TurnCause.Completion,
        RefreshInput or FinishErasureInput or ForgetInput => TurnCause.Refresh,
        MessageInput or MessageReturnedInput => TurnCause.Message,
        _ => throw new InvalidOperationException($"Turn input {input.GetType().Name} has no cause."),
    };

    /// <summary>The day of the turn in the tenant's zone, when it began or ended an enrollment (MET-03).</summary>
    private int DayOf(RecordState state, TenantCatalog catalog)
    {
        foreach (ref readonly var entry in _turn.Entries)
        {
            if (entry.Kind is EntryKind.Enrolled or EntryKind.EnrollmentEnded)
            {
                var zone = TimeZones.Find(catalog.Schema.Settings.TimeZone) ?? NodaTime.DateTimeZone.Utc;
                return NodaTime.Period.DaysBetween(new NodaTime.LocalDate(1970, 1, 1), LocalTimes.Of(state.LastTurnAt, zone).Date);
            }
        }

        return 0;
    }

    private void CountUnapplied(int tenant, in TurnResult result)
    {
        var kind = result.Status switch
        {
            TurnStatus.Duplicate => CounterKind.Duplicate,
            TurnStatus.Mismatch => CounterKind.Mismatch,
            TurnStatus.Refused => CounterKind.RefusedInput,
            _ => CounterKind.None,
        };
        if (kind != CounterKind.None)
        {
            _batch.Count(new CounterKey(tenant, 0, 0, kind, 0, (int)(result.Refusal?.Reason ?? RefusalReason.None)), 1);
        }
    }

    private void Write(RecordState state, in TurnInfo info, string createdId, TurnInput input)
    {
        ref var header = ref _batch.AddTurn();
        header.RecordNumber = state.Number;
        header.Tenant = state.Tenant;
        header.ExpectedTurnId = info.ExpectedTurnId;
        header.TurnId = info.TurnId;
        header.NextDueAt = info.NextDueAt;
        header.CreatedKey = createdId.Length > 0 ? new RecordKey(state.Tenant, state.ObjectType, createdId) : default;
        header.Sections = (_batch.Sections.Count, state.SectionWrites.Count);
        _batch.Sections.AddRange(state.SectionWrites);
        AddEffects(state, info, input, ref header);
        AddActivity(info.Tenant);
        if (input is CommandInput { Kind: CommandKind.Erase })
        {
            _batch.Documents.Add(Jobs.NewErasure(info.Tenant, Jobs.ErasureId(info.RecordNumber), info.At));
        }
        else if (input is MessageInput { Message.Kind: MessageKind.Named } && _turn.Entries[0].Kind == EntryKind.IdReturned)
        {
            _batch.Documents.Add(Jobs.NewErasure(info.Tenant, Jobs.ErasureId(info.RecordNumber, info.TurnId), info.At));
        }

        var bytes = _batch.Bytes;
        var start = bytes.Length;
        TurnEncoder.WriteSkeleton(bytes, info, _turn.Entries);
        header.Skeleton = new ByteRange(start, bytes.Length - start);
        start = bytes.Length;
        TurnEncoder.WritePayload(bytes, createdId, _turn.Entries, state.SectionWrites);
        header.Payload = new ByteRange(start, bytes.Length - start);
        Head.Clear();
        state.Pack(Head);
        if (_needsHeads)
        {
            header.Head = new ByteRange(bytes.Length, Head.Length);
            bytes.Raw(Head.Written);
        }
    }

    private void AddEffects(RecordState state, in TurnInfo info, TurnInput input, ref TurnHeader header)
    {
        var added = _batch.EffectsAdded.Count;
        var removed = _batch.EffectsRemoved.Count;
        foreach (ref readonly var entry in _turn.Entries)
        {
            var id = new EffectId(info.RecordNumber, entry.Enrollment, entry.Step, entry.Execution);
            id = entry.Kind == EntryKind.DeadLetterClosed ? DeadLetterCodec.IdOf(id) : id;
            if (entry.Kind == EntryKind.EffectRequested)
            {
                _batch.EffectsAdded.Add(new EffectAdd(id, info.Tenant, entry.Text!, TaskCodec.Pack(state, entry, info)));
            }
            else if (IsRemoval(entry) && !RemoveAdded(added, id))
            {
                _batch.EffectsRemoved.Add(id);
                if (entry.Kind == EntryKind.EffectWithdrawn)
                {
                    _batch.EffectsWithdrawn.Add(id);
                }
            }

            if (entry is { Kind: EntryKind.EffectCompleted, Subject: JournalEntry.IsDeadLetter })
            {
                var queue = _catalog!.FindWorkflow(entry.Workflow)?.QueueOf(entry.Step) ?? string.Empty;
                _batch.EffectsAdded.Add(new EffectAdd(DeadLetterCodec.IdOf(id), info.Tenant, DeadLetterCodec.Queue, DeadLetterCodec.Pack(entry, queue, info.At, (input as FailureInput)?.Attempts ?? [], (input as FailureInput)?.AttemptCount ?? 0)));
            }
        }

        AddMessages(state, info, input);
        header.EffectsAdded = (added, _batch.EffectsAdded.Count - added);
        header.EffectsRemoved = (removed, _batch.EffectsRemoved.Count - removed);
    }

    /// <summary>Messages that the turn sends are rows of the outbox; the one that it handles is a row that goes (ENG-15).</summary>
    private void AddMessages(RecordState state, in TurnInfo info, TurnInput input)
    {
        var messages = _turn.Messages;
        for (var i = 0; i < messages.Length; i++)
        {
            var id = new EffectId(info.RecordNumber, 0, 0, state.LastMessage - messages.Length + i + 1);
            _batch.EffectsAdded.Add(new EffectAdd(id, info.Tenant, MessageCodec.Queue, MessageCodec.Pack(messages[i])));
        }

        switch (input)
        {
            case MessageInput message:
                _batch.EffectsRemoved.Add(new EffectId(message.Sender, 0, 0, message.Sequence));
                break;
            case MessageReturnedInput returned:
                _batch.EffectsRemoved.Add(new EffectId(info.RecordNumber, 0, 0, returned.Sequence));
                break;
            default:
                break;
        }
    }

    /// <summary>A task leaves the outbox when it is completed, withdrawn or blocked, whichever comes first (UNE-07, ACT-62); a dead letter when it is closed.</summary>
    private static bool IsRemoval(in JournalEntry entry) =>
        entry.Kind is EntryKind.EffectBlocked or EntryKind.DeadLetterClosed || (entry.Kind is EntryKind.EffectWithdrawn or EntryKind.EffectCompleted && entry.Number == 0);

    /// <summary>An effect requested and withdrawn in one turn never leaves it.</summary>
    private bool RemoveAdded(int from, EffectId id)
    {
        for (var i = from; i < _batch.EffectsAdded.Count; i++)
        {
            if (_batch.EffectsAdded[i].Id == id)
            {
                _batch.EffectsAdded.RemoveAt(i);
                return true;
            }
        }

        return false;
    }

    private void AddActivity(int tenant)
    {
        _workflows.Clear();
        foreach (ref readonly var entry in _turn.Entries)
        {
            if (entry.Workflow != 0 && !_workflows.Contains(entry.Workflow))
            {
                _workflows.Add(entry.Workflow);
                _batch.Activity.Add((tenant, entry.Workflow, _batch.TurnCount - 1));
            }
        }
    }
}
