using System.Globalization;
using System.Runtime.InteropServices;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Messages between records (ENG-11, ENG-15).</content>
public sealed partial class Turn
{
    private readonly List<RecordMessage> _messages = [];
    private int _hops;
    private bool _firesNothing;
    private bool _isCopyStale;
    private RecordCopy? _notTold;

    /// <summary>
    /// Messages that the latest turn sends, in order. Valid until the next turn. The last one has the number
    /// <see cref="RecordState.LastMessage"/> of the state after the turn, and those before it the numbers before.
    /// </summary>
    public ReadOnlySpan<RecordMessage> Messages => CollectionsMarshal.AsSpan(_messages);

    /// <summary>Number that the next message of the turn will have among those of the record.</summary>
    private int NextMessage => _state.LastMessage + _messages.Count + 1;

    private void Send(RecordMessage message) => _messages.Add(message with
    {
        FromType = _state.ObjectType,
        FromId = _state.Id,
        At = _now,
        Hops = message.Kind is MessageKind.Spread or MessageKind.UnlinkAll or MessageKind.HandOver or MessageKind.TellEngaged ? message.Hops : _hops + 1,
    });

    /// <summary>Notes that what others keep of the record has changed.</summary>
    private void NoteCopied(in JournalEntry entry)
    {
        _isCopyStale |= entry.Kind switch
        {
            EntryKind.PropertyChanged => _index.IsCopied(entry.Subject),
            EntryKind.ListJoined or EntryKind.ListLeft => _index.IsCopiedList(entry.Subject),
            EntryKind.CopyChanged => _index.IsToldOn(entry.Subject),
            _ => false,
        };
    }

    /// <summary>What must be loaded before others can be told what they keep, when copies are in it (ASC-03).</summary>
    private TurnResult? FindMissingToTell() =>
        _index.TellsOn && _state.IsLive && (_isCopyStale || _refreshed is { SendsCopies: true }) ? FindMissingCopies() : null;

    /// <summary>The end of a turn: what others keep of the record is told them, but not by a turn beyond the hops of ENG-11.</summary>
    private void SendAll()
    {
        RefreshLinks();
        if (_isCopyStale && _state.AssociationCount > 0 && _hops <= _catalog.Schema.Settings.RoundsMax)
        {
            SendCopies(_firesNothing);
        }
        else if (_refreshed is { SendsCopies: true } && _state.AssociationCount > 0)
        {
            SendCopies(isInitial: true);
        }

        if (_notTold is { } cut)
        {
            Write(JournalEntry.CopiesCut(cut.ObjectType, cut.Id, 0));
        }

        if (_messages.Count > 0)
        {
            Write(JournalEntry.MessagesSent(_messages.Count));
        }
    }

    /// <summary>What a link made in this turn says of the record is what it is at the end of it, so no copy need follow.</summary>
    private void RefreshLinks()
    {
        for (var i = 0; i < _messages.Count && _isCopyStale; i++)
        {
            if (_messages[i].Kind is MessageKind.Link or MessageKind.Create)
            {
                _messages[i] = _messages[i] with { Copy = CopyFor(_messages[i].ToType) };
            }
        }
    }

    private bool IsToldByLink(Association link) =>
        _messages.Exists(m => m.Kind is MessageKind.Link or MessageKind.Create && m.ToType == link.ObjectType && m.ToId == link.Id);

    /// <summary>Tells every linked record that keeps a copy what it is now. With many links it is done leaf by leaf (ENG-15).</summary>
    private void SendCopies(bool isInitial)
    {
        if (!_index.SendsCopies)
        {
            return;
        }

        if (!_state.HasLeaves)
        {
            SendCopiesTo(_state.NewestAssociations, isInitial);
            return;
        }

        if (_state.Spreading == Spreading.None)
        {
            Write(JournalEntry.SpreadChanged(Spreading.Running, _hops, isInitial));
            Send(new RecordMessage(MessageKind.Spread, _state.ObjectType, _state.Id) { Hops = _hops, IsInitial = isInitial });
        }
        else if (_state.Spreading == Spreading.Running || _hops > _state.SpreadHops || _state.IsSpreadInitial != isInitial)
        {
            // One copy that fires is enough for all of them to fire.
            Write(JournalEntry.SpreadChanged(Spreading.Again, Math.Max(_hops, _state.SpreadHops), isInitial && _state.IsSpreadInitial));
        }
    }

    private void SendCopiesTo(IEnumerable<Association> links, bool isInitial)
    {
        var (type, copy) = (0, (NamedValue[]?)null);
        foreach (var link in links)
        {
            if (_index.FindCopyTarget(link.ObjectType) is null || IsToldByLink(link))
            {
                continue;
            }

            if (type != link.ObjectType)
            {
                (type, copy) = (link.ObjectType, _state.IsLive ? CopyFor(link.ObjectType) : null);
            }

            Send(new RecordMessage(MessageKind.Copy, link.ObjectType, link.Id) { Copy = copy, IsInitial = isInitial });
        }
    }

    private TurnResult DecideMessage(MessageInput input)
    {
        var message = input.Message;
        switch (message.Kind)
        {
            case MessageKind.Spread:
                return Spread(message);
            case MessageKind.UnlinkAll:
                return DecideUnlinkAll(input);
            case MessageKind.HandOver:
                return DecideHandOver(input);
            case MessageKind.Named:
                return DecideNamed(input);
            case MessageKind.TellEngaged:
                return DecideTellEngaged(input);
            default:
                break;
        }

        if ((ForwardToSurvivor(input) ?? RefuseMessage(message) ?? FindMissingOf(message) ?? BeginTurn()) is { } other)
        {
            return other;
        }

        _hops = message.Hops;
        _firesNothing = message.IsInitial || _hops > _catalog.Schema.Settings.RoundsMax;
        CreateIfNew(_now);
        Write(JournalEntry.MessageReceived(
            (int)message.Kind, message.FromType, message.FromId, input.Sender, message.Hops, message.Workflow, message.Step));
        if (_hops > _catalog.Schema.Settings.RoundsMax)
        {
            Write(JournalEntry.LoopGuard(_hops));
        }

        ForgetOldIds();
        TidyLinks();
        Apply(message, input);
        return RunRounds();
    }

    private TurnResult? RefuseMessage(RecordMessage message)
    {
        if ((message.Kind is MessageKind.Create or MessageKind.SlotRequest && !_state.Exists) || (message.Kind == MessageKind.Erased && _state.Exists && !_state.IsIdErased))
        {
            return null;
        }

        // A deleted record may be brought back, with its links, and so may a merged one that has not handed over all of them. So it follows
        // what becomes of these, but gets no new ones.
        if (_state.Gone is GoneKind.Deleted or GoneKind.Merged && message.Kind is MessageKind.Link or MessageKind.Unlink or MessageKind.Copy)
        {
            if (FindMissingLink(message.FromType, message.FromId) is { } missing)
            {
                return missing;
            }

            if ((_state.Gone == GoneKind.Deleted && message.Kind != MessageKind.Link) || _state.FindAssociation(message.FromType, message.FromId) is not null)
            {
                return null;
            }
        }

        if (RefuseGone() is { } gone)
        {
            return gone;
        }

        // A link is the only thing that a record which does not exist may come to be by.
        return _state.Exists || message.Kind == MessageKind.Link ? null : RefuseUnknown();
    }

    private static TurnResult RefuseUnknown() =>
        new(TurnStatus.Refused, new Refusal(RefusalReason.RecordGone, "record_id", string.Empty, "The record does not exist."));

    private TurnResult? FindMissingOf(RecordMessage message)
    {
        if (message.Kind == MessageKind.Inherit)
        {
            return FindMissingToInherit(message);
        }

        if (message.Kind == MessageKind.Erased)
        {
            return FindMissingLink(message.FromType, message.FromId) ?? FindMissingToForget();
        }

        if (message.Kind is not (MessageKind.Link or MessageKind.Unlink or MessageKind.Copy or MessageKind.Create))
        {
            return null;
        }

        if (FindMissingLink(message.FromType, message.FromId) is { } missing)
        {
            return missing;
        }

        var isNew = message.Kind == MessageKind.Link && _state.FindAssociation(message.FromType, message.FromId) is null;
        return isNew && _state.AssociationCount >= _catalog.Schema.Settings.AssociationsPerRecordMax ? RefuseLink() : MergeIfFull();
    }

    private void Apply(RecordMessage message, MessageInput input)
    {
        switch (message.Kind)
        {
            case MessageKind.Link:
                AcceptLink(message, input.Sequence);
                break;
            case MessageKind.Unlink:
                HearUnlink(message);
                break;
            case MessageKind.Copy:
                AcceptCopy(message);
                break;
            case MessageKind.Write:
                AcceptWrite(message);
                break;
            case MessageKind.Create:
                AcceptCreation(message, input.Sequence);
                break;
            case MessageKind.Occurred:
                AcceptOccurrence(message, input);
                break;
            case MessageKind.Absorb:
                Absorb(message);
                break;
            case MessageKind.Inherit:
                Inherit(message);
                break;
            case MessageKind.Erased:
                ForgetErased(message);
                break;
            case MessageKind.SlotRequest:
                AnswerSlot(message);
                break;
            case MessageKind.SlotAnswer:
                AcceptSlotAnswer(message);
                break;
            case MessageKind.SlotRelease:
                ReleaseSlot(message);
                break;
            case MessageKind.Engaged:
                TellLinked(new RecordMessage(MessageKind.TellEngaged, _state.ObjectType, _state.Id) { Subject = message.FromType, Workflow = message.Workflow, Hops = _hops });
                break;
            case MessageKind.ColleagueEngaged:
                HearColleague(message);
                break;
            default:
                throw new InvalidOperationException($"Message {message.Kind} is not known to the turn.");
        }
    }

    private void AcceptLink(RecordMessage message, int sequence)
    {
        HearLink(message, sequence);
        if (message.Copy is { } content && _state.FindAssociation(message.FromType, message.FromId) is { } link)
        {
            KeepCopy(_present, link, content);
        }

        if (_state.IsLive && CopyFor(message.FromType) is { } mine)
        {
            Send(new RecordMessage(MessageKind.Copy, message.FromType, message.FromId) { Copy = mine, IsInitial = message.IsInitial });
        }
    }

    /// <summary>A copy of a record that is not linked any more is not kept: the messages have crossed.</summary>
    private void AcceptCopy(RecordMessage message)
    {
        if (_state.FindAssociation(message.FromType, message.FromId) is not { } link)
        {
            return;
        }

        if (message.Copy is { } content)
        {
            KeepCopy(_present, link, content);
        }
        else
        {
            DropCopy(_present, link);
        }
    }

    /// <summary>Modes that add are applied to what the value is here and now (ACT-20). A value that does not fit changes nothing.</summary>
    private void AcceptWrite(RecordMessage message)
    {
        if (_catalog.Schema.ObjectType(_state.ObjectType).Find(message.Subject) is { } property && TryMakeValue(message.Mode, message.Value, property, out var wanted))
        {
            WriteProperty(property.Number, wanted, message.At, message.Source);
        }
    }

    private void AcceptCreation(RecordMessage message, int sequence)
    {
        if (!_isNewRecord)
        {
            // A repeat creates nothing new (ACT-22).
            AcceptLink(message, sequence);
            return;
        }

        if (message.Chain.Length > 0)
        {
            Write(JournalEntry.ChainSet(message.Chain.TakeLast(RecordState.ChainMax)));
        }

        foreach (var field in message.Fields)
        {
            WriteProperty(int.Parse(field.Name, CultureInfo.InvariantCulture), field.Value, message.At, message.Source);
        }

        AcceptLink(message, sequence);
    }

    /// <summary>What occurred on the sender is an event of this record too, also for its history (ACT-25).</summary>
    private void AcceptOccurrence(RecordMessage message, MessageInput input)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"message/{input.Sender}/{input.Sequence}");
        Write(JournalEntry.EventReceived(message.Subject, message.OccurredAt, isClamped: false, id, StableHash.Hash128(id), 0, message.Source, message.Fields));
        _present.Occurred.Add(new Occurred(message.Subject, message.OccurredAt, message.Fields, IsEvent: true, _sequence));
    }

    /// <summary>A task that was completed is an event of the records it is linked to (ACT-25).</summary>
    private void ForwardToLinks(EventInput input, Timestamp occurredAt)
    {
        if (input.EventType != _index.Types.TaskCompleted || _index.Types.TaskCompleted == 0 || _state.ObjectType != _index.Types.Task)
        {
            return;
        }

        NamedValue[] properties = [new("task", Value.OfText(_state.Id)), .. input.Properties.Where(p => p.Name != "task")];
        foreach (var link in _state.NewestAssociations.Where(a => !a.IsRemoved))
        {
            Send(new RecordMessage(MessageKind.Occurred, link.ObjectType, link.Id) { Subject = input.EventType, Fields = properties, Source = input.Source, OccurredAt = occurredAt });
        }
    }

    /// <summary>One leaf of a record with many links: its links are told what they keep, then the next leaf follows (ENG-15).</summary>
    private TurnResult Spread(RecordMessage message)
    {
        if (_state.FindMissingAssociation(message.Cursor) is > 0 and var missing)
        {
            return NeedsSections([missing]);
        }

        if ((_index.TellsOn && _state.IsLive ? FindMissingCopies() : null) is { } missingCopies)
        {
            return missingCopies;
        }

        if (BeginTurn() is { } other)
        {
            return other;
        }

        _hops = message.Hops;
        Write(JournalEntry.MessageReceived((int)message.Kind, message.FromType, message.FromId, _state.Number, message.Hops, 0, 0));
        var (links, next) = _state.ReadAssociations(message.Cursor);
        if (_state.Gone == GoneKind.Erased)
        {
            SendErasedTo(links);
        }
        else
        {
            SendCopiesTo(links, message.IsInitial);
        }

        if (next != 0)
        {
            Send(message with { Cursor = next });
        }
        else if (_state.Spreading == Spreading.Again)
        {
            var (hops, isInitial) = (_state.SpreadHops, _state.IsSpreadInitial);
            Write(JournalEntry.SpreadChanged(Spreading.Running, hops, isInitial));
            Send(message with { Cursor = 0, Hops = hops, IsInitial = isInitial });
        }
        else
        {
            Write(JournalEntry.SpreadChanged(Spreading.None, 0, isInitial: false));
        }

        return RunRounds();
    }

    /// <summary>
    /// A message came back. A link to a record that has gone, or that takes no more, is taken away again, but not what was said of it since.
    /// </summary>
    private TurnResult DecideReturned(MessageReturnedInput input)
    {
        var message = input.Message;
        var isLink = message.Kind is MessageKind.Link or MessageKind.Create;
        var missingLinks = isLink ? FindMissingLink(message.ToType, message.ToId) : message.Kind == MessageKind.Inherit ? FindMissingToInherit(message) : null;
        if (missingLinks is { } missing)
        {
            return missing;
        }

        if (BeginTurn() is { } other)
        {
            return other;
        }

        Write(JournalEntry.MessageReturned((int)message.Kind, message.ToType, message.ToId, input.Reason));
        if (isLink || message.Kind is MessageKind.Absorb or MessageKind.Inherit or MessageKind.SlotRequest or MessageKind.SlotAnswer)
        {
            TellNamed(message.ToType, message.ToId);
        }

        if (message.Kind == MessageKind.Spread)
        {
            Write(JournalEntry.SpreadChanged(Spreading.None, 0, isInitial: false));
        }

        TakeBack(message);
        TakeBackSlot(message);
        if (isLink && _state.FindAssociation(message.ToType, message.ToId) is { } link)
        {
            LeaveOfLink(_present, link, link.Unsaid(input.Sequence), 0, 0);
        }

        return RunRounds();
    }
}
