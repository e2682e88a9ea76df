using System.Globalization;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;

namespace Roster.Core.Turns;

/// <content>Merging a record into another one (REC-13, REC-14): what it has goes to the survivor by message.</content>
public sealed partial class Turn
{
    private const string OccurredMark = "@";
    private const string SourceMark = "~";
    private const string ListMark = "l";
    private bool _isAbsorbing;

    /// <summary>The record that goes: its enrollments end, its links are handed over, and the survivor is told what it had.</summary>
    private TurnResult Merge(CommandInput input)
    {
        if (input.OtherId.Length == 0 || input.OtherId == _state.Id)
        {
            return new TurnResult(TurnStatus.Refused, new Refusal(
                RefusalReason.InvalidField, "survivor", Refusal.Cut(input.OtherId), "A record is merged into another one (REC-13)."));
        }

        var missing = _state.IsMissing(SectionKind.EventIds) ? new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.EventIds) : FindMissingCopies();
        if (missing is { } sections)
        {
            return sections;
        }

        EndAll(EndReason.Merged);
        Send(new RecordMessage(MessageKind.Absorb, _state.ObjectType, input.OtherId) { Fields = ToAbsorb(), Past = _state.PackPast(), Source = _state.Id });
        Write(JournalEntry.RecordMerged(_state.ObjectType, input.OtherId));
        if (_state.HasLeaves)
        {
            Send(new RecordMessage(MessageKind.HandOver, _state.ObjectType, _state.Id) { Hops = _hops });
        }
        else
        {
            HandOver(input.OtherId, [.. _state.NewestAssociations]);
        }

        return EndOfTurn();
    }

    /// <summary>Ends every enrollment.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="keepsSequences">Whether those in sequences go on.</param>
    private void EndAll(EndReason reason, bool keepsSequences = false)
    {
        _exits.Clear();
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (!keepsSequences || !_catalog.IsSequence(enrollment.Workflow))
            {
                _exits.Add(enrollment.Number);
            }
        }

        while (_exits.Count > 0)
        {
            End(_state.FindEnrollment(TakeFirst(_exits)), reason);
        }

        for (var i = 0; i < _state.Summaries.Length; i++)
        {
            if (!_state.Summaries[i].RecurrenceAt.IsNone)
            {
                var workflow = _state.Summaries[i].Workflow;
                Write(JournalEntry.RecurrenceSet(workflow, _catalog.FindWorkflow(workflow)?.Version ?? 0, Timestamp.None));
            }
        }
    }

    private NamedValue[] ToAbsorb()
    {
        var fields = new List<NamedValue>();
        for (var i = 0; i < _state.PropertyCount; i++)
        {
            var view = _state.PropertyAt(i);
            var name = view.Number.ToString(CultureInfo.InvariantCulture);
            fields.Add(new NamedValue(name, view.Value));
            fields.Add(new NamedValue(name + OccurredMark, Value.OfDateTime(view.OccurredAt)));
            fields.Add(new NamedValue(name + SourceMark, Value.OfText(view.Source)));
        }

        foreach (ref readonly var membership in _state.Memberships)
        {
            if (_catalog.FindList(membership.List) is { Criteria: null })
            {
                fields.Add(new NamedValue(ListMark + membership.List.ToString(CultureInfo.InvariantCulture), Value.OfBool(true)));
            }
        }

        return [.. fields];
    }

    /// <summary>Each linked record loses this one and gets the survivor; it is the same link to it, so neither fires anything there.</summary>
    private void HandOver(string survivor, IReadOnlyList<Association> links)
    {
        var inherited = new List<NamedValue>();
        foreach (var link in links)
        {
            Write(JournalEntry.Dissociated(link, isGone: true, 0));
            Send(new RecordMessage(MessageKind.Unlink, link.ObjectType, link.Id) { Seen = link.Seen, IsInitial = true });
            if (!link.IsTo(_state.ObjectType, survivor))
            {
                inherited.Add(new NamedValue(string.Create(CultureInfo.InvariantCulture, $"{link.ObjectType}/{NumberList.Text(link.Labels)}"), Value.OfText(link.Id)));
            }
        }

        if (inherited.Count > 0)
        {
            Send(new RecordMessage(MessageKind.Inherit, _state.ObjectType, survivor) { Fields = [.. inherited] });
        }
    }

    /// <summary>The next leaf of the links of a record that was merged away.</summary>
    private TurnResult DecideHandOver(MessageInput input)
    {
        var message = input.Message;
        if (_state.Gone == GoneKind.Erased)
        {
            // Its links hear of the erasure instead.
            return RefuseGone()!.Value;
        }

        var missing = _state.FindMissingAssociation(message.Cursor);
        if ((missing != 0 ? NeedsSections([missing]) : MergeIfFull() ?? BeginTurn()) is { } other)
        {
            return other;
        }

        _hops = message.Hops;
        Write(JournalEntry.MessageReceived((int)message.Kind, message.FromType, message.FromId, input.Sender, message.Hops, 0, 0));
        TidyLinks();
        if (_state.FindMissingAssociation(message.Cursor) is > 0 and var moved)
        {
            return NeedsSections([moved]);
        }

        if (_state.Gone != GoneKind.Merged)
        {
            // The survivor had gone, and the record is back: it keeps what it still has.
            return EndOfTurn();
        }

        var (links, next) = _state.ReadAssociations(message.Cursor);
        HandOver(_state.MergedInto, links);
        if (next != 0)
        {
            Send(message with { Cursor = next });
        }

        return EndOfTurn();
    }

    /// <summary>
    /// The survivor: its enrollments end too, but for the one in a sequence (REC-15), and it takes per property the newest value (at equal times its own), static memberships,
    /// enrollment histories and event ids. What comes of it enrolls nobody, unless a workflow wants it (REC-14).
    /// </summary>
    private void Absorb(RecordMessage message)
    {
        _isAbsorbing = true;
        EndAll(EndReason.Merged, keepsSequences: true);
        Write(JournalEntry.RecordAbsorbed(message.FromType, message.FromId, Convert.ToBase64String(message.Past)));
        foreach (var field in message.Fields)
        {
            if (field.Name.StartsWith(ListMark, StringComparison.Ordinal))
            {
                ChangeMembership(_present, int.Parse(field.Name.AsSpan(ListMark.Length), CultureInfo.InvariantCulture), adds: true, workflow: 0, step: 0);
            }
            else if (int.TryParse(field.Name, CultureInfo.InvariantCulture, out var property))
            {
                AbsorbProperty(message, property, field);
            }
        }
    }

    private void AbsorbProperty(RecordMessage message, int property, in NamedValue field)
    {
        var occurredAt = NamedValues.Find(message.Fields, field.Name + OccurredMark).DateTime;
        if (!_state.TryGetProperty(property, isBefore: false, out var own) || occurredAt > own.OccurredAt)
        {
            var source = NamedValues.Find(message.Fields, field.Name + SourceMark);
            WriteProperty(property, field.Value, occurredAt, source.IsUnknown ? string.Empty : source.Text);
        }
    }

    /// <summary>Links of a record that was merged into this one. Beyond the most that a record has, they are lost, which is journaled.</summary>
    private TurnResult? FindMissingToInherit(RecordMessage message)
    {
        foreach (var field in message.Fields)
        {
            if (FindMissingLink(TypeOf(field), field.Value.Text) is { } missing)
            {
                return missing;
            }
        }

        return MergeIfFull();
    }

    private void Inherit(RecordMessage message)
    {
        foreach (var field in message.Fields)
        {
            var (type, id) = (TypeOf(field), field.Value.Text);
            var labels = NumberList.Read(field.Name[(field.Name.IndexOf('/', StringComparison.Ordinal) + 1)..]);
            if (_state.AssociationCount >= _catalog.Schema.Settings.AssociationsPerRecordMax && _state.FindAssociation(type, id) is null)
            {
                Write(JournalEntry.MessageReturned((int)MessageKind.Link, type, id, RefusalReason.LimitReached));
                TellNamed(type, id);
            }
            else if (AddLink(_present, type, id, labels, 0, 0))
            {
                Send(new RecordMessage(MessageKind.Link, type, id) { Labels = labels, Copy = CopyFor(type), IsInitial = true });
            }
        }
    }

    private static int TypeOf(in NamedValue field) => int.Parse(field.Name.AsSpan(0, field.Name.IndexOf('/', StringComparison.Ordinal)), CultureInfo.InvariantCulture);

    /// <summary>The survivor has gone meanwhile: the record is what it was, with its links, but for its enrollments.</summary>
    private void TakeBack(RecordMessage message)
    {
        if (message.Kind == MessageKind.Absorb && _state.Gone == GoneKind.Merged)
        {
            Write(JournalEntry.RecordRestored());
            TouchAllLists();
            RecomputeTouched(_present);
            _isCopyStale = true;
        }
        else if (message.Kind == MessageKind.Inherit && _state.Gone != GoneKind.Erased)
        {
            Inherit(message);
        }
    }
}
