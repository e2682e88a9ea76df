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
        if (Refuse(input.IdHash, content) is { } refused)
        {
            return refused;
        }

        _event = input;
        BeginTurn();
        var isClamped = input.OccurredAt > _now;
        var occurredAt = input.OccurredAt.IsNone || isClamped ? _now : input.OccurredAt;
        CreateIfNew(occurredAt);
        Write(JournalEntry.EventReceived(input.EventType, occurredAt, isClamped, input.EventId, input.IdHash, content, input.Source, input.Properties));
        ForgetOldIds();
        foreach (ref readonly var write in input.Writes.AsSpan())
        {
            WriteProperty(write.Property.Number, write.Value, occurredAt, input.Source);
        }

        _eventOccurredAt = occurredAt;
        return input.IsBaseline ? new TurnResult(TurnStatus.Applied) : RunRounds();
    }

    private Timestamp _eventOccurredAt;

    /// <summary>Refusals and duplicates: the input leaves no entry.</summary>
    private TurnResult? Refuse(Hash128 id, uint content)
    {
        var settings = _catalog.Schema.Settings;
        if (!_state.Exists)
        {
            return settings.Upsert
                ? null
                : new TurnResult(TurnStatus.Refused, new Refusal(RefusalReason.RecordGone, "record_id", string.Empty, "The record does not exist, and upsert is false.", "upsert"));
        }

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
        if (_state.Sections.Count == 0)
        {
            return;
        }

        var settings = _catalog.Schema.Settings;
        var expired = _state.FindExpiredMarks(_now.PlusMs(-settings.DedupeDays * DayMs), settings.DedupeIds);
        if (expired >= 0)
        {
            Write(JournalEntry.EventIdsForgotten(expired));
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
            Write(isKnown
                ? JournalEntry.PropertyTouched(property, occurredAt, source)
                : JournalEntry.PropertyChanged(property, value, occurredAt, source, workflow, step));
            return;
        }

        Write(JournalEntry.PropertyChanged(property, value, occurredAt, source, workflow, step));
    }

    private bool SameValue(in PropertyView current, in Value value)
    {
        // The packed form is canonical, so equal values have equal bytes.
        _scratch.Clear();
        value.Pack(_scratch);
        return current.PackedValue.SequenceEqual(_scratch.Written);
    }
}
