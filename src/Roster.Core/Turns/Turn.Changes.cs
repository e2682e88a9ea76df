using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>What changed: who looks at it in a round, and what waits for the next (ENG-06).</content>
public sealed partial class Turn
{
    /// <summary>Changes of a round that are not changes of properties, which the state itself keeps.</summary>
    private sealed class Changes
    {
        public List<Occurred> Occurred { get; } = [];

        public List<int> Lists { get; } = [];

        /// <summary>Those of <see cref="Lists"/> that were joined, also when they were left again in the round.</summary>
        public List<int> Joined { get; } = [];

        public List<int> Workflows { get; } = [];

        /// <summary>Types of associated records of which a copy changed.</summary>
        public List<int> Copies { get; } = [];

        public List<Request> Enrolls { get; } = [];

        public List<Request> Unenrolls { get; } = [];

        public bool IsEmpty => Occurred.Count == 0 && Lists.Count == 0 && Workflows.Count == 0 && Copies.Count == 0 && Enrolls.Count == 0 && Unenrolls.Count == 0;

        public void Clear()
        {
            Occurred.Clear();
            Lists.Clear();
            Joined.Clear();
            Workflows.Clear();
            Copies.Clear();
            Enrolls.Clear();
            Unenrolls.Clear();
        }
    }

    /// <summary>A request to enroll in or leave a workflow, by hand, by a step or by a job.</summary>
    private readonly record struct Request(int Workflow, TriggerKind Trigger, int By);

    private readonly List<(Criteria Criteria, bool Holds)> _judged = [];
    private Changes _present = new();
    private Changes _queued = new();
    private int _sequence;
    private bool _isClockRound;
    private bool _isFirstRound;

    /// <summary>A change that a step made to a property in the round.</summary>
    private readonly record struct StepWrite(int Property, Value Value, int Sequence);

    private readonly List<StepWrite> _writes = [];

    /// <summary>Makes occurrences of changes that triggers and waits look at (TRG-21, TRG-25).</summary>
    private void Signal()
    {
        if (_isFirstRound && _event is not null && _event.EventType != StandardEventTypes.PropertyChangedNumber)
        {
            _present.Occurred.Add(new Occurred(_event.EventType, _eventOccurredAt, _event.Properties, IsEvent: true, _sequence));
        }

        if (_isFirstRound && _isNewRecord && _index.Listens(_index.Types.RecordCreated))
        {
            _present.Occurred.Add(new Occurred(_index.Types.RecordCreated, _state.CreatedAt, [], IsEvent: false, _sequence));
        }

        if (!_index.Listens(StandardEventTypes.PropertyChangedNumber))
        {
            return;
        }

        for (var i = 0; i < _state.ChangedCount && _isFirstRound; i++)
        {
            _state.TryGetProperty(_state.ChangedAt(i), isBefore: false, out var view);
            SignalChange(view.Number, view.Value, view.OccurredAt, sequence: 0);
        }

        // Two changes of one property by steps of one round are two occurrences.
        foreach (var write in _writes)
        {
            SignalChange(write.Property, write.Value, _now, write.Sequence);
        }
    }

    private void SignalChange(int property, in Value value, Timestamp occurredAt, int sequence)
    {
        var name = _catalog.Schema.ObjectType(_state.ObjectType).Find(property)?.Name ?? string.Empty;
        _present.Occurred.Add(new Occurred(
            StandardEventTypes.PropertyChangedNumber, occurredAt, [new("property", Value.OfText(name)), new("value", value)], IsEvent: false, sequence, property));
    }

    private void Queue(int eventType, params NamedValue[] properties)
    {
        if (_index.Listens(eventType))
        {
            _queued.Occurred.Add(new Occurred(eventType, _now, properties, IsEvent: false, ++_sequence));
        }
    }

    /// <summary>The status of a workflow changed: its events fire, and criteria on it are judged, in the next round (TRG-27).</summary>
    private void QueueStatus(int workflow, int eventType, params NamedValue[] more)
    {
        if (_index.StatusFilters.Contains(workflow))
        {
            _queued.Workflows.Add(workflow);
        }

        if (_index.Listens(eventType))
        {
            Queue(eventType, [new NamedValue("workflow", Value.OfText(_catalog.FindWorkflow(workflow)?.Identity.Id ?? string.Empty)), .. more]);
        }
    }

    /// <summary>Whether something that criteria look at changed in the round.</summary>
    private bool IsTouched(Criteria criteria)
    {
        if (criteria.LooksAtChange(_state) || (_isClockRound && criteria.DependsOnTime))
        {
            return true;
        }

        return criteria.NeedsWhole && (Shares(criteria.Lists, _present.Lists) || Shares(criteria.Workflows, _present.Workflows) || Shares(criteria.AssociatedTypes, _present.Copies) || LooksAtEvent(criteria));
    }

    private bool LooksAtEvent(Criteria criteria)
    {
        foreach (var occurred in _present.Occurred)
        {
            if (occurred.IsEvent && criteria.EventTypes.Contains(occurred.EventType))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Shares(IReadOnlyList<int> left, List<int> right)
    {
        foreach (var item in right)
        {
            if (left.Contains(item))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether criteria went from false to true in this round. Criteria that were judged in an earlier round of the turn are compared
    /// with that judgement; all others with the state before the turn, since nothing they look at has changed in between (TRG-07).
    /// </summary>
    private bool BecameTrue(Criteria criteria)
    {
        if (!IsTouched(criteria))
        {
            return false;
        }

        var before = FindJudged(criteria);
        var holds = criteria.Accepts(Now);
        Remember(criteria, holds);
        return holds && !(before ?? criteria.Accepts(Before));
    }

    private bool? FindJudged(Criteria criteria)
    {
        foreach (var (judged, holds) in _judged)
        {
            if (ReferenceEquals(judged, criteria))
            {
                return holds;
            }
        }

        return null;
    }

    private void Remember(Criteria criteria, bool holds)
    {
        for (var i = 0; i < _judged.Count; i++)
        {
            if (ReferenceEquals(_judged[i].Criteria, criteria))
            {
                _judged[i] = (criteria, holds);
                return;
            }
        }

        _judged.Add((criteria, holds));
    }

    /// <summary>Candidates of a round, in the order of ENG-05: workflows whose start looks at what changed, or that a request names.</summary>
    private void CollectCandidates()
    {
        _candidates.Clear();
        for (var i = 0; i < _state.ChangedCount; i++)
        {
            _candidates.AddRange(_index.Starts.ByProperty(_state.ChangedAt(i)));
        }

        foreach (var occurred in _present.Occurred)
        {
            _candidates.AddRange(_index.Starts.ByEvent(occurred.EventType));
        }

        foreach (var list in _present.Lists)
        {
            _candidates.AddRange(_index.Starts.ByList(list));
        }

        foreach (var workflow in _present.Workflows)
        {
            _candidates.AddRange(_index.Starts.ByWorkflow(workflow));
        }

        foreach (var type in _present.Copies)
        {
            _candidates.AddRange(_index.Starts.ByAssociated(type));
        }

        foreach (var request in _present.Enrolls)
        {
            if (_catalog.OrderOf(request.Workflow) is >= 0 and var order)
            {
                _candidates.Add(order);
            }
        }

        if (_isAbsorbing && _isFirstRound)
        {
            _candidates.AddRange(_index.EnrollOnMerge);
        }

        if (_isClockRound)
        {
            _candidates.AddRange(_index.Starts.Timed);
            _candidates.AddRange(_index.DateSchedules);
        }

        if (_candidates.Count > 1)
        {
            _candidates.Sort();
            RemoveDoubles();
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
