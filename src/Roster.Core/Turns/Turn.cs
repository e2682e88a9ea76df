using System.Runtime.InteropServices;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <summary>
/// Decides turns: state, input, catalog, time and turn id go in; journal entries, applied to the state as they come, go out. Pure:
/// no clock, no chance, no I/O; the same input always gives the same entries (ENG-14).
/// </summary>
/// <remarks>
/// One instance decides turn after turn and keeps its scratch space; not thread-safe. When the status is not
/// <see cref="TurnStatus.Applied"/> the state may have been touched and must be loaded again before its next use.
/// The phases and their order are section 2 of the rules; each file of this class is one of them.
/// </remarks>
public sealed partial class Turn
{
    private readonly List<JournalEntry> _entries = [];
    private readonly PackedWriter _scratch = new();
    private readonly List<int> _candidates = [];
    private readonly List<int> _ready = [];
    private readonly List<int> _exits = [];
    private RecordState _state = new();
    private TenantCatalog _catalog = null!;
    private ObjectTypeCatalog _index = null!;
    private Timestamp _now;
    private EventInput? _event;
    private CommandInput? _command;
    private Decision _decision;
    private bool _isNewRecord;
    private bool _isDeleting;
    private ulong _turnId;

    /// <summary>Entries of the latest turn, in order. Valid until the next one.</summary>
    public ReadOnlySpan<JournalEntry> Entries => CollectionsMarshal.AsSpan(_entries);

    /// <summary>Decides one turn.</summary>
    /// <param name="state">The record's state, loaded or reset; it becomes the state after the turn.</param>
    /// <param name="input">The input.</param>
    /// <param name="catalog">The tenant's catalog, with the versions in force (EDT-06).</param>
    /// <param name="now">The engine clock. The turn time is never earlier than the record's previous one (ENG-03).</param>
    /// <param name="turnId">Id of this turn.</param>
    public TurnResult Decide(RecordState state, TurnInput input, TenantCatalog catalog, Timestamp now, ulong turnId)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(catalog);
        _state = state;
        _catalog = catalog;
        _index = catalog.For(state.ObjectType);
        _now = state.LastTurnAt > now ? state.LastTurnAt : now;
        _now = input is MessageInput { Message.At: var sentAt } && sentAt > _now ? sentAt : _now;
        _turnId = turnId;
        Forget();
        var result = input switch
        {
            EventInput e => DecideEvent(e),
            CommandInput c => DecideCommand(c),
            TimerInput => DecideTimer(),
            CompletionInput c => DecideCompletion(c),
            RefreshInput r => DecideRefresh(r),
            MessageInput m => DecideMessage(m),
            MessageReturnedInput m => DecideReturned(m),
            FinishErasureInput => FinishErasure(),
            ForgetInput f => Forget(f),
            DeadLetterInput d => CloseDeadLetter(d),
            BlockInput b => Block(b),
            RetryInput r => NoteRetry(r),
            _ => throw new InvalidOperationException($"Turn input {input?.GetType().Name} is not known."),
        };
        if (result.Status == TurnStatus.Applied)
        {
            state.EndTurn();
        }

        return result;
    }

    private void Forget()
    {
        _event = null;
        _command = null;
        _decision = Decision.None;
        _isNewRecord = false;
        _isDeleting = false;
        _hops = 0;
        _firesNothing = false;
        _isCopyStale = false;
        _notTold = null;
        _isAbsorbing = false;
        _missingInStep = null;
        _messages.Clear();
        _isClockRound = false;
        _isFirstRound = true;
        _flipHandled = Timestamp.None;
        _refreshed = null;
        _sequence = 0;
        _entries.Clear();
        _ready.Clear();
        _present.Clear();
        _queued.Clear();
        _judged.Clear();
        _entered.Clear();
        _goesOn.Clear();
        _late.Clear();
        _requested.Clear();
        _writes.Clear();
        _stepCounts.Clear();
    }

    /// <summary>Begins the turn: enrollments follow what was published (EDT-06). Returns what must be loaded before, if anything.</summary>
    private TurnResult? BeginTurn()
    {
        if (FindMissingToAdapt() is { } missing)
        {
            return missing;
        }

        _state.BeginTurn(_now, _turnId, _index.NeedsWhole);
        Adapt();
        return null;
    }

    /// <summary>Writes an entry: from here on the rest of the turn sees what it says.</summary>
    private void Write(in JournalEntry entry)
    {
        _entries.Add(entry);
        _state.Apply(entry);
        if (_index.SendsCopies)
        {
            NoteCopied(entry);
        }
    }

    /// <summary>Phases 4 to 10: rounds until nothing changes any more (ENG-06). A record that has gone has none.</summary>
    private TurnResult RunRounds()
    {
        for (var round = 0; _state.IsLive; round++)
        {
            var isLast = round > _catalog.Schema.Settings.RoundsMax;
            if (isLast)
            {
                Write(JournalEntry.LoopGuard(round));
            }

            _isFirstRound = round == 0;
            Signal();
            if (FindMissingOfLists() is { } missingOfLists)
            {
                return missingOfLists;
            }

            // Who joined or left a list is a candidate too.
            RecomputeLists(_present);
            if (FindMissing() is { } missing)
            {
                return missing;
            }

            if (!_isFirstRound || !_firesNothing)
            {
                Exit();
                CheckGoals();
                FollowProperties();
                ReleaseWaits();
                ConsiderAll(isLast);
            }

            _isClockRound = false;
            _present.Clear();
            _state.BeginRound();
            if (isLast)
            {
                EndReady();
                break;
            }

            RunReady();
            if (_missingInStep is { } missingInStep)
            {
                return missingInStep;
            }

            if (_state.ChangedCount == 0 && _queued.IsEmpty)
            {
                break;
            }

            (_present, _queued) = (_queued, _present);
        }

        return EndOfTurn();
    }

    /// <summary>After the last round nothing runs: what would go on is ended (ENG-08).</summary>
    private void EndReady()
    {
        while (_ready.Count > 0)
        {
            End(_state.FindEnrollment(TakeFirst(_ready)), EndReason.LoopGuard);
        }

        _queued.Clear();
    }

    private TurnResult EndOfTurn()
    {
        if (_isDeleting)
        {
            Delete();
        }

        if (FindMissingToTell() is { } missing)
        {
            return missing;
        }

        SendAll();
        ArmFlip();
        return new TurnResult(TurnStatus.Applied, Decision: _decision, Enrollment: _decision == Decision.Enrolled ? _enrollmentOfCommand : 0);
    }

    /// <summary>
    /// Sections that criteria of candidates and of active enrollments look at: former values (FIL-31), single occurrences of events
    /// (FIL-09). Only asked for when a candidate has such a filter.
    /// </summary>
    private TurnResult? FindMissing()
    {
        if (_state.Sections.Count == 0)
        {
            return null;
        }

        CollectCandidates();
        foreach (var candidate in _candidates)
        {
            if (FindMissing(_catalog.Workflows[candidate]) is { } missing)
            {
                return missing;
            }
        }

        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.FindWorkflow(enrollment.Workflow) is { } workflow && (FindMissing(workflow) ?? FindMissing(StepsOf(workflow, enrollment))) is { } missing)
            {
                return missing;
            }
        }

        // When they flip next is asked at the end of every turn.
        foreach (var timed in _index.Starts.Timed)
        {
            if (FindMissing(_catalog.Workflows[timed]) is { } missing)
            {
                return missing;
            }
        }

        foreach (ref readonly var summary in _state.Summaries)
        {
            if (_catalog.FindWorkflow(summary.Workflow) is { Goals.Length: > 0 } workflow && FindMissing(workflow) is { } missing)
            {
                return missing;
            }
        }

        return null;
    }

    private TurnResult? FindMissingOfLists()
    {
        if (_state.Sections.Count == 0)
        {
            return null;
        }

        foreach (var list in _index.Lists)
        {
            if (FindMissing(list.Criteria!.NeedsHistory, list.Criteria.NeedsEvents, list.Criteria.NeedsCopies) is { } missing)
            {
                return missing;
            }
        }

        return null;
    }

    private TurnResult? FindMissingToAdapt()
    {
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.FindWorkflow(enrollment.Workflow) is { } newest && newest.Version != enrollment.Version
                && newest.Settings.UnenrollIfNotMeeting && FindMissing(newest) is { } missing)
            {
                return missing;
            }
        }

        return null;
    }

    private TurnResult? FindMissing(CompiledWorkflow workflow) => FindMissing(workflow.NeedsHistory, workflow.NeedsEvents, workflow.NeedsCopies);

    private TurnResult? FindMissing(bool needsHistory, IReadOnlyList<int> needsEvents, bool needsCopies)
    {
        if (needsCopies && FindMissingCopies() is { } missing)
        {
            return missing;
        }

        if (needsHistory && _state.IsMissing(SectionKind.PropertyHistory))
        {
            return new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.PropertyHistory);
        }

        foreach (var eventType in needsEvents)
        {
            if (_state.IsMissingEvents(eventType))
            {
                return new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.EventHistory);
            }
        }

        return null;
    }

    private Judging Now => new(_state, _now);

    private Judging Before => new(_state, BeforeAt, IsBefore: true);

    /// <summary>
    /// The instant of the side before. For a flip: just before it, since the record may have had turns at or after that instant that came
    /// before the flip in the order of ENG-04.
    /// </summary>
    private Timestamp BeforeAt
    {
        get
        {
            if (!_flipHandled.IsNone)
            {
                return _flipHandled.PlusMs(-1);
            }

            var previous = _state.PreviousTurnAt.IsNone ? _now : _state.PreviousTurnAt;
            return _refreshed is { } refreshed && refreshed.ArmsSince > previous ? refreshed.ArmsSince : previous;
        }
    }
}
