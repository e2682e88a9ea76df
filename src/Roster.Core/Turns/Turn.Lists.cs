using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Values;

namespace Roster.Core.Turns;

/// <content>Phase 4: active lists follow their criteria (LST-02, LST-04).</content>
public sealed partial class Turn
{
    private readonly SortedSet<int> _touchedLists = [];

    /// <summary>Recomputes the active lists that look at what changed, those that others refer to first.</summary>
    private void RecomputeLists(Changes changes)
    {
        if (_index.Lists.Length == 0)
        {
            return;
        }

        _touchedLists.Clear();
        for (var i = 0; i < _state.ChangedCount; i++)
        {
            Touch(_index.Members.ByProperty(_state.ChangedAt(i)));
        }

        foreach (var occurred in changes.Occurred)
        {
            if (occurred.IsEvent)
            {
                Touch(_index.Members.ByEvent(occurred.EventType));
            }
        }

        foreach (var list in changes.Lists)
        {
            Touch(_index.Members.ByList(list));
        }

        foreach (var workflow in changes.Workflows)
        {
            Touch(_index.Members.ByWorkflow(workflow));
        }

        foreach (var type in changes.Copies)
        {
            Touch(_index.Members.ByAssociated(type));
        }

        if (_isClockRound)
        {
            Touch(_index.Members.Timed);
        }

        if (_isFirstRound && _isNewRecord)
        {
            Touch(_index.ListsOfNewRecords);
        }

        RecomputeTouched(changes);
    }

    private void RecomputeTouched(Changes changes)
    {
        while (_touchedLists.Count > 0)
        {
            var first = _touchedLists.Min;
            _touchedLists.Remove(first);
            Recompute(_index.Lists[first], changes);
        }
    }

    private void Recompute(CompiledList list, Changes changes)
    {
        // Criteria that cannot be judged change nothing (ENG-12).
        var isMember = _state.IsMember(list.Info.Number);
        var holds = AcceptsOr(list.Criteria!, isMember);
        if (holds != isMember)
        {
            Write(JournalEntry.ListChanged(list.Info.Number, holds));
            NoteList(changes, list, holds);
            Touch(_index.Members.ByList(list.Info.Number));
        }
    }

    private void TouchAllLists()
    {
        _touchedLists.Clear();
        for (var i = 0; i < _index.Lists.Length; i++)
        {
            _touchedLists.Add(i);
        }
    }

    private void Touch(ReadOnlySpan<int> lists)
    {
        foreach (var list in lists)
        {
            _touchedLists.Add(list);
        }
    }

    /// <summary>A step changes a static list: active lists that look at it are recomputed at once (ENG-06).</summary>
    private void ChangeList(Changes changes, int number, bool adds, int workflow, int step)
    {
        if (ChangeMembership(changes, number, adds, workflow, step) && _index.Lists.Length > 0)
        {
            _touchedLists.Clear();
            Touch(_index.Members.ByList(number));
            RecomputeTouched(changes);
        }
    }

    /// <summary>
    /// Adds to or takes off a static list (LST-01); adding a member or removing a non-member changes nothing (LST-03). Returns whether it
    /// changed something.
    /// </summary>
    private bool ChangeMembership(Changes changes, int number, bool adds, int workflow, int step)
    {
        if (_catalog.FindList(number) is not { Criteria: null } list || list.Info.ObjectType != _state.ObjectType || _state.IsMember(number) == adds)
        {
            return false;
        }

        Write(JournalEntry.ListChanged(number, adds, workflow, step));
        NoteList(changes, list, adds);
        return true;
    }

    /// <summary>Joins and leaves are occurrences that triggers and waits look at (TRG-22).</summary>
    private void NoteList(Changes changes, CompiledList list, bool hasJoined)
    {
        changes.Lists.Add(list.Info.Number);
        if (hasJoined)
        {
            changes.Joined.Add(list.Info.Number);
        }

        var eventType = hasJoined ? _index.Types.ListJoined : _index.Types.ListLeft;
        if (_index.Listens(eventType))
        {
            changes.Occurred.Add(new Workflows.Occurred(eventType, _now, [new NamedValue("list", Value.OfText(list.Info.Id))], IsEvent: false, ++_sequence));
        }
    }

    /// <summary>A step changed a property: active lists that depend on it are recomputed at once, their meaning is queued (ENG-06).</summary>
    private void RecomputeListsOf(int property)
    {
        if (_index.Lists.Length > 0)
        {
            _touchedLists.Clear();
            Touch(_index.Members.ByProperty(property));
            RecomputeTouched(_queued);
        }
    }
}
