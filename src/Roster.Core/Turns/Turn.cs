using System.Runtime.InteropServices;
using Roster.Core.Catalog;
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
    private bool _isNewRecord;
    private int _enteredAnew;

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
        _event = null;
        _isNewRecord = false;
        _enteredAnew = 0;
        _entries.Clear();
        _ready.Clear();
        _turnId = turnId;
        var result = input switch
        {
            EventInput e => DecideEvent(e),
            CommandInput c => DecideCommand(c),
            TimerInput => DecideTimer(),
            CompletionInput c => DecideCompletion(c),
            _ => throw new InvalidOperationException($"Turn input {input?.GetType().Name} is not known."),
        };
        if (result.Status == TurnStatus.Applied)
        {
            state.EndTurn();
        }

        return result;
    }

    private ulong _turnId;

    private void BeginTurn() => _state.BeginTurn(_now, _turnId);

    /// <summary>Writes an entry: from here on the rest of the turn sees what it says.</summary>
    private void Write(in JournalEntry entry)
    {
        _entries.Add(entry);
        _state.Apply(entry);
    }

    /// <summary>Phases 4 to 10: rounds until nothing changes any more (ENG-06).</summary>
    private TurnResult RunRounds(int firstRound = 0)
    {
        for (var round = firstRound; ; round++)
        {
            var isLast = round > _catalog.Schema.Settings.RoundsMax;
            if (isLast)
            {
                Write(JournalEntry.LoopGuard(round));
            }

            if (MissingHistory() is { } missing)
            {
                return missing;
            }

            CheckGoals();
            ConsiderAll(round, isLast);
            _state.BeginRound();
            if (isLast)
            {
                return new TurnResult(TurnStatus.Applied);
            }

            RunReady();
            if (_state.ChangedCount == 0)
            {
                return new TurnResult(TurnStatus.Applied);
            }
        }
    }

    /// <summary>History operators need the sections with former values (FIL-31): only asked for when a candidate has one.</summary>
    private TurnResult? MissingHistory()
    {
        if (!_state.IsMissing(SectionKind.PropertyHistory))
        {
            return null;
        }

        CollectCandidates(isFirstRound: _event is not null);
        foreach (var candidate in _candidates)
        {
            if (_catalog.Workflows[candidate].NeedsHistory)
            {
                return new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.PropertyHistory);
            }
        }

        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.FindWorkflow(enrollment.Workflow)?.NeedsHistory == true)
            {
                return new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.PropertyHistory);
            }
        }

        return null;
    }

    /// <summary>Candidates of a round, in the order of ENG-05: workflows whose start looks at what changed.</summary>
    private void CollectCandidates(bool isFirstRound)
    {
        _candidates.Clear();
        if (isFirstRound && _event is not null)
        {
            AddCandidates(_index.ByEvent(_event.EventType));
        }

        for (var i = 0; i < _state.ChangedCount; i++)
        {
            AddCandidates(_index.ByProperty(_state.ChangedAt(i)));
        }

        if (_candidates.Count > 1)
        {
            _candidates.Sort();
            RemoveDoubles();
        }
    }

    private void AddCandidates(ReadOnlySpan<int> candidates)
    {
        foreach (var candidate in candidates)
        {
            _candidates.Add(candidate);
        }
    }

    private void RemoveDoubles()
    {
        var kept = 1;
        for (var i = 1; i < _candidates.Count; i++)
        {
            if (_candidates[i] != _candidates[kept - 1])
            {
                _candidates[kept++] = _candidates[i];
            }
        }

        _candidates.RemoveRange(kept, _candidates.Count - kept);
    }
}
