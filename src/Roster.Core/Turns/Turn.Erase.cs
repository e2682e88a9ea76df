using Roster.Core.Journal;
using Roster.Core.Records;

namespace Roster.Core.Turns;

/// <content>Erasure (REC-17).</content>
public sealed partial class Turn
{
    /// <summary>
    /// Takes away all that the record has, but for its id and its links: those linked to it are told by message, and these need them. An
    /// erasure of a record that never was leaves an erased one, so that later events for it are refused too.
    /// </summary>
    private TurnResult Erase(CommandInput input)
    {
        if (_state.Gone == GoneKind.Erased)
        {
            return new TurnResult(TurnStatus.Duplicate);
        }

        if (BeginTurn() is { } missing)
        {
            return missing;
        }

        Write(JournalEntry.CommandReceived(input.Kind, input.Target, _now, input.RequestId, input.IdHash, input.HashContent(), input.Caller));
        EndAll(EndReason.Erased);
        while (_state.OpenEffects.Length > 0)
        {
            // It was withdrawn when its enrollment ended. Nobody waits for the report of a worker, which would bring data back.
            Complete(_state.OpenEffects[0], StepResult.Cancelled, string.Empty, string.Empty, []);
        }

        while (_state.DeadLetters.Length > 0)
        {
            Write(JournalEntry.DeadLetterClosed(_state.DeadLetters[0], StepResult.Cancelled, string.Empty));
        }

        while (_state.Memberships.Length > 0)
        {
            Write(JournalEntry.ListChanged(_state.Memberships[^1].List, hasJoined: false));
        }

        Write(JournalEntry.RecordErased());
        _isCopyStale = false;
        TellErased();
        return EndOfTurn();
    }

    private void TellErased()
    {
        if (!_state.HasLeaves)
        {
            SendErasedTo(_state.NewestAssociations);
        }
        else if (_state.Spreading == Spreading.None)
        {
            Write(JournalEntry.SpreadChanged(Spreading.Running, 0, isInitial: false));
            Send(new RecordMessage(MessageKind.Spread, _state.ObjectType, _state.Id));
        }
        else
        {
            // What is told already goes on, and then begins anew from the first leaf.
            Write(JournalEntry.SpreadChanged(Spreading.Again, 0, isInitial: false));
        }
    }

    private void SendErasedTo(IEnumerable<Association> links)
    {
        foreach (var link in links.Where(a => !a.IsRemoved))
        {
            Send(new RecordMessage(MessageKind.Erased, link.ObjectType, link.Id));
        }
    }

    /// <summary>The last turn of an erased record.</summary>
    private TurnResult FinishErasure()
    {
        if (_state.Gone != GoneKind.Erased || _state.IsIdErased || _state.Spreading != Spreading.None)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        if (_state.FindMissingToDropLinks() is > 0 and var missing)
        {
            return NeedsSections([missing]);
        }

        _state.BeginTurn(_now, _turnId);
        var sections = _state.LinkSections();
        Write(JournalEntry.IdErased());
        _state.DropSections(sections);
        return new TurnResult(TurnStatus.Applied);
    }

    /// <summary>
    /// Tells a record that did not take a link, or what was merged into it, that it is named here. It has not heard of this one otherwise, and
    /// its own journal is where its erasure finds out.
    /// </summary>
    private void TellNamed(int objectType, string id) => Send(new RecordMessage(MessageKind.Named, objectType, id));

    /// <summary>Another record names this one. An erased one takes its id again, for the job that has the other one forget it.</summary>
    private TurnResult DecideNamed(MessageInput input)
    {
        if (!_state.Exists)
        {
            return RefuseUnknown();
        }

        var message = input.Message;
        _state.BeginTurn(_now, _turnId);
        if (_state.IsIdErased)
        {
            Write(JournalEntry.IdReturned(message.ToId));
        }

        Write(JournalEntry.MessageReceived((int)message.Kind, message.FromType, message.FromId, input.Sender, message.Hops, 0, 0));
        return new TurnResult(TurnStatus.Applied);
    }

    /// <summary>What must be loaded so that no section of this record still names one that was erased.</summary>
    private TurnResult? FindMissingToForget() => _state.HasLeaves && _state.FindMissingToMerge() is { Length: > 0 } missing ? NeedsSections(missing) : null;

    /// <summary>Another record was erased: link and copy of it go, from the sections too, which else keep them until they are written anew.</summary>
    private void ForgetErased(RecordMessage message)
    {
        DropLink(message.FromType, message.FromId);
        RewriteLinks();
    }

    /// <summary>
    /// A link that was taken away before, and the copy that came with it, stay in the sections until these are written anew. Nothing that
    /// anybody sees changes.
    /// </summary>
    private TurnResult Forget(ForgetInput input)
    {
        if (!_state.Exists || _state.IsIdErased || !(_state.HasLeaves || _state.HasCopies))
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        if ((FindMissingLink(input.ObjectType, input.Id) ?? FindMissingToForget()) is { } missing)
        {
            return missing;
        }

        // A record that was merged away has given away its links and still has the copies that came with them. And a deal tells its contacts of
        // its line items (ASC-03) no more when nothing looks at them any more.
        var left = _state.CopiesNaming(input.ObjectType, input.Id);
        if (left.Count == 0 && !_state.KeepsInSections(input.ObjectType, input.Id))
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        _state.BeginTurn(_now, _turnId);
        foreach (var copy in left)
        {
            var content = RecordState.WithoutBehind(_state.ContentOf(copy), input.ObjectType, input.Id);
            Write(JournalEntry.CopyChanged(new Association(copy.ObjectType, copy.Id, copy.Labels, copy.Since), content ?? [], isRemoved: content is null));
        }

        RewriteLinks();
        return new TurnResult(TurnStatus.Applied);
    }

    private void RewriteLinks()
    {
        if (_state.HasLeaves)
        {
            var (directory, last) = _state.MergeAssociations();
            Write(JournalEntry.AssociationsMoved(directory, last));
        }

        if (_state.HasCopyPages)
        {
            RewriteCopies();
        }
    }
}
