using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;

namespace Roster.Core.Turns;

/// <content>Phases 2 and 3: admit the input, apply its writes.</content>
public sealed partial class Turn
{
    private const long DayMs = 86_400_000;

    private TurnResult DecideEvent(EventInput input)
    {
        var content = input.HashContent(_scratch);
        if ((ForwardToSurvivor(input, content) ?? Refuse(input.IdHash, content)) is { } refused)
        {
            return refused;
        }

        if ((CheckLinks(input.Associations) ?? BeginTurn()) is { } other)
        {
            return other;
        }

        _event = input;
        _firesNothing = input.IsBaseline;
        var isClamped = input.OccurredAt > _now;
        var occurredAt = input.OccurredAt.IsNone || isClamped ? _now : input.OccurredAt;
        CreateIfNew(occurredAt);
        Write(JournalEntry.EventReceived(input.EventType, occurredAt, isClamped, input.EventId, input.IdHash, content, input.Source, input.Properties));
        ForgetOldIds();
        foreach (ref readonly var write in input.Writes.AsSpan())
        {
            WriteProperty(write.Property.Number, write.Value, occurredAt, input.Source);
        }

        if (input.Associations.Length > 0)
        {
            TidyLinks();
            ApplyLinks(input.Associations);
        }

        _eventOccurredAt = occurredAt;
        NoteEmail(input, occurredAt);
        ForwardToLinks(input, occurredAt);
        return RunRounds();
    }

    private Timestamp _eventOccurredAt;

    /// <summary>
    /// Duplicates and refusals: the input leaves no entry. Duplicates first: what was applied and is sent again, because the answer was
    /// lost, is no refusal, also when it is what deleted the record.
    /// </summary>
    private TurnResult? Refuse(Hash128 id, uint content) => (_state.Exists ? FindDuplicate(id, content) : null) ?? RefuseGone();

    /// <summary>The refusal of any input for a record that has gone, or that is unknown and must not be created (REC-09, REC-16).</summary>
    private TurnResult? RefuseGone()
    {
        if (_state.IsLive)
        {
            return null;
        }

        if (!_state.Exists && _catalog.Schema.Settings.Upsert)
        {
            return RefuseFull();
        }

        return new TurnResult(TurnStatus.Refused, _state.Exists
            ? new Refusal(
                RefusalReason.RecordGone, "record_id", string.Empty, $"The record was {(_state.Gone == GoneKind.Deleted ? "deleted" : _state.Gone == GoneKind.Merged ? "merged away" : "erased")} (REC-16).")
            : new Refusal(RefusalReason.RecordGone, "record_id", string.Empty, "The record does not exist, and upsert is false.", "upsert"));
    }

    /// <summary>The refusal of a record too many.</summary>
    private TurnResult? RefuseFull()
    {
        var max = _catalog.Schema.Settings.RecordsMax;
        return max == 0 || _catalog.Records < max ? null : new TurnResult(TurnStatus.Refused, new Refusal(
            RefusalReason.LimitReached, "record_id", string.Empty, $"The tenant has had {_catalog.Records} records; records_max is {max}, so no further one is created.", "records_max"));
    }

    private TurnResult? FindDuplicate(Hash128 id, uint content)
    {
        var settings = _catalog.Schema.Settings;
        return _state.FindMark(id, _now.PlusMs(-settings.DedupeDays * DayMs), settings.DedupeIds, out var known) switch
        {
            MarkLookup.Unknown => null,
            MarkLookup.SectionMissing => new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.EventIds),
            _ => new TurnResult(known == content ? TurnStatus.Duplicate : TurnStatus.Mismatch),
        };
    }

    private void CreateIfNew(Timestamp createdAt)
    {
        _isNewRecord = !_state.Exists;
        if (_isNewRecord)
        {
            Write(JournalEntry.RecordCreated(createdAt));
        }
    }

    private void ForgetOldIds()
    {
        var settings = _catalog.Schema.Settings;
        ForgetOldEvents(settings);
        if (_state.Sections.Count == 0)
        {
            return;
        }

        var expired = _state.FindExpiredMarks(_now.PlusMs(-settings.DedupeDays * DayMs), settings.DedupeIds);
        if (expired >= 0)
        {
            Write(JournalEntry.EventIdsForgotten(expired));
        }

        while (_state.FindExpiredHistory(settings.PropertyHistoryMax) is >= 0 and var section)
        {
            Write(JournalEntry.EventIdsForgotten(section));
        }
    }

    /// <summary>
    /// Occurrences older than the window leave it, a day's worth at a time, and sections whose occurrences are all outside go with them
    /// (FIL-09). It fires nothing, because both sides of the turn are judged without them.
    /// </summary>
    private void ForgetOldEvents(Schema.TenantSettings settings)
    {
        var since = _now.PlusMs(-settings.EventHistoryDays * DayMs);
        if (!_state.OldestOccurrenceAt.IsNone && _state.OldestOccurrenceAt < since.PlusMs(-DayMs))
        {
            Write(JournalEntry.EventsExpired(since, 0));
        }

        var section = _state.Sections.Count == 0 ? -1 : _state.FindExpiredEvents(settings.EventHistoryMax);
        if (section >= 0)
        {
            Write(JournalEntry.EventsExpired(Timestamp.None, section));
        }
    }

    /// <summary>REC-04 to REC-06: the newest <c>occurred_at</c> wins, at equal times the later arrival; the same value is no change.</summary>
    private void WriteProperty(int property, in Value value, Timestamp occurredAt, string source, int workflow = 0, int step = 0)
    {
        var isKnown = _state.TryGetProperty(property, isBefore: false, out var current);
        if (isKnown && occurredAt < current.OccurredAt)
        {
            Write(JournalEntry.PropertyLate(property, value, occurredAt, source));
            return;
        }

        if (isKnown ? SameValue(current, value) : value.IsUnknown)
        {
            // A clear of a property that never had a value stores its time too (REC-05).
            Write(JournalEntry.PropertyTouched(property, occurredAt, source));
            return;
        }

        Write(JournalEntry.PropertyChanged(property, value, occurredAt, source, workflow, step));
        if (workflow != 0)
        {
            _writes.Add(new StepWrite(property, value, ++_sequence));
        }
    }

    private bool SameValue(in PropertyView current, in Value value)
    {
        // The packed form is canonical, so equal values have equal bytes.
        _scratch.Clear();
        value.Pack(_scratch);
        return current.PackedValue.SequenceEqual(_scratch.Written);
    }
}
