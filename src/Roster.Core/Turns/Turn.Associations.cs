using Roster.Core.Journal;
using Roster.Core.Records;

namespace Roster.Core.Turns;

/// <content>Links between records (ASC-07, ACT-27) and copies of what is on the other side (ASC-04, ASC-05).</content>
public sealed partial class Turn
{
    /// <summary>What must be loaded before a link to a record can be looked at or changed, if anything.</summary>
    private TurnResult? FindMissingLink(int objectType, string id)
    {
        var missing = _state.FindMissingAssociation(Association.HashOf(objectType, id));
        return missing != 0 ? NeedsSections([missing]) : FindMissingCopies();
    }

    private TurnResult? FindMissingCopies() => _state.IsMissingCopies ? new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.Copies) : null;

    private static TurnResult NeedsSections(int[] sections) => new(TurnStatus.NeedsSections, MissingSections: sections);

    /// <summary>Links of an event (section 2, phase 3): what must be loaded first, or why they are refused.</summary>
    private TurnResult? CheckLinks(AssociationWrite[] links)
    {
        if (links.Length == 0)
        {
            return null;
        }

        var added = 0;
        foreach (var link in links)
        {
            if (FindMissingLink(link.ObjectType, link.Id) is { } missing)
            {
                return missing;
            }

            added += !link.Removes && _state.FindAssociation(link.ObjectType, link.Id) is null ? 1 : 0;
        }

        return added > 0 && _state.AssociationCount + added > _catalog.Schema.Settings.AssociationsPerRecordMax ? RefuseLink() : MergeIfFull();
    }

    private TurnResult RefuseLink()
    {
        var max = _catalog.Schema.Settings.AssociationsPerRecordMax;
        return new TurnResult(TurnStatus.Refused, new Refusal(
            RefusalReason.LimitReached, "associations", $"{_state.AssociationCount}", $"A record has at most {max} associations (ASC-07).", "associations_per_record_max"));
    }

    /// <summary>Whether links must move out of the head first: what must be loaded for it.</summary>
    private TurnResult? MergeIfFull() => _state.IsAssociationsFull && _state.FindMissingToMerge() is { Length: > 0 } missing ? NeedsSections(missing) : null;

    /// <summary>Moves links out of the head, and writes copies anew, when there are many and what it needs has been loaded.</summary>
    private void TidyLinks()
    {
        if (_state.IsAssociationsFull && _state.FindMissingToMerge().Length == 0)
        {
            var (directory, last) = _state.MergeAssociations();
            Write(JournalEntry.AssociationsMoved(directory, last));
        }

        if (_state.HasManyCopyPages && !_state.IsMissingCopies)
        {
            RewriteCopies();
        }
    }

    private void ApplyLinks(AssociationWrite[] links)
    {
        foreach (var link in links)
        {
            if (link.Removes)
            {
                Unlink(_present, link.ObjectType, link.Id, link.Label);
            }
            else
            {
                Link(_present, link.ObjectType, link.Id, link.Label);
            }
        }
    }

    /// <summary>Links the record to another one, or adds a label; an existing link is a success (ACT-27). The other side follows by message.</summary>
    private void Link(Changes changes, int objectType, string id, int label, int workflow = 0, int step = 0)
    {
        if (AddLink(changes, objectType, id, label == 0 ? [] : [label], workflow, step))
        {
            Send(new RecordMessage(MessageKind.Link, objectType, id) { Labels = label == 0 ? [] : [label], Copy = CopyFor(objectType), IsInitial = IsBaseline, Workflow = workflow, Step = step });
        }
    }

    private bool AddLink(Changes changes, int objectType, string id, int[] labels, int workflow, int step)
    {
        var present = _state.FindAssociation(objectType, id);
        var added = labels.Where(l => present?.HasLabel(l) != true).ToArray();
        if (present is not null && added.Length == 0)
        {
            return false;
        }

        AddLink(changes, present, Association.Said(present, objectType, id, labels, _now, NextMessage), added, workflow, step);
        return true;
    }

    private void AddLink(Changes changes, Association? present, Association after, int[] added, int workflow, int step)
    {
        Write(JournalEntry.Associated(after, present is null, added.FirstOrDefault(), workflow, step));
        Relabel(changes, after);
    }

    /// <summary>The other side has made the link or added labels. What is here already, both said: the messages have crossed.</summary>
    private void HearLink(RecordMessage message, int sequence)
    {
        var present = _state.FindAssociation(message.FromType, message.FromId);
        var added = message.Labels.Where(l => present?.HasLabel(l) != true).ToArray();
        var after = Association.Heard(present, message.FromType, message.FromId, message.Labels, _now, sequence);
        if (present is null || added.Length > 0)
        {
            AddLink(_present, present, after, added, message.Workflow, message.Step);
        }
        else if (!after.IsSame(present))
        {
            Write(JournalEntry.AssociationMarked(after));
        }
    }

    /// <summary>Takes a label of a link away, or the link when none is named; one that is not there is a success (ACT-27).</summary>
    private void Unlink(Changes changes, int objectType, string id, int label, int workflow = 0, int step = 0)
    {
        if (_state.FindAssociation(objectType, id) is not { } present || (label != 0 && !present.HasLabel(label)))
        {
            return;
        }

        LeaveOfLink(changes, present, label == 0 ? null : present.TakenAway(label, int.MaxValue), workflow, step);
        Send(new RecordMessage(MessageKind.Unlink, objectType, id) { Labels = label == 0 ? [] : [label], Seen = present.Seen, IsInitial = IsBaseline, Workflow = workflow, Step = step });
    }

    /// <summary>The other side has taken a label or the link away: what this side has said meanwhile stays, and is on its way to the other one.</summary>
    private void HearUnlink(RecordMessage message)
    {
        if (_state.FindAssociation(message.FromType, message.FromId) is { } present)
        {
            LeaveOfLink(_present, present, present.TakenAway(message.Labels.FirstOrDefault(), message.Seen), message.Workflow, message.Step);
        }
    }

    /// <summary>The link to a record is taken away here, whatever the other side does.</summary>
    private void DropLink(int objectType, string id)
    {
        if (_state.FindAssociation(objectType, id) is { } present)
        {
            LeaveOfLink(_present, present, null, 0, 0);
        }
    }

    /// <summary>Leaves of a link what is given, or nothing when it is null.</summary>
    private void LeaveOfLink(Changes changes, Association present, Association? after, int workflow, int step)
    {
        if (after is null)
        {
            Write(JournalEntry.Dissociated(present, isGone: true, 0, workflow, step));
            DropCopy(changes, present);
            return;
        }

        var gone = present.Labels.Except(after.Labels).ToArray();
        foreach (var label in gone)
        {
            Write(JournalEntry.Dissociated(after, isGone: false, label, workflow, step));
        }

        if (gone.Length > 0)
        {
            Relabel(changes, after);
        }
        else if (!after.IsSame(present))
        {
            Write(JournalEntry.AssociationMarked(after));
        }
    }

    private void Relabel(Changes changes, Association link)
    {
        if (_state.FindCopy(link.ObjectType, link.Id) is { } copy && !copy.Labels.AsSpan().SequenceEqual(link.Labels))
        {
            Write(JournalEntry.CopyChanged(link, _state.ContentOf(copy), isRemoved: false));
            NoteCopy(changes, link.ObjectType);
        }
    }

    private void DropCopy(Changes changes, Association link)
    {
        if (_state.FindCopy(link.ObjectType, link.Id) is not null)
        {
            Write(JournalEntry.CopyChanged(link, [], isRemoved: true));
            NoteCopy(changes, link.ObjectType);
        }
    }

    /// <summary>Keeps what another record said of itself; of each label the newest so many (ASC-05).</summary>
    private void KeepCopy(Changes changes, Association link, NamedValue[] content)
    {
        var present = _state.FindCopy(link.ObjectType, link.Id);
        if (present is not null && present.Labels.AsSpan().SequenceEqual(link.Labels) && present.Content.Span.SequenceEqual(_state.PackCopy(content)))
        {
            return;
        }

        Write(JournalEntry.CopyChanged(link, content, isRemoved: false));
        NoteCopy(changes, link.ObjectType);
        if (present is null)
        {
            CutCopies(link);
        }
    }

    private void RewriteCopies()
    {
        var (first, count) = _state.RewriteCopies();
        Write(JournalEntry.CopiesMoved(first, count));
    }

    /// <summary>The oldest copy of a label goes when there is one too many, unless another of its labels still has room (ASC-05).</summary>
    private void CutCopies(Association added)
    {
        var max = _catalog.Schema.Settings.AssociatedCopiesMax;
        if (_state.Copies.Count <= max)
        {
            return;
        }

        bool IsOver(int label) => _state.Copies.Count(c => c.ObjectType == added.ObjectType && IsOfLabel(c, label)) > max;
        foreach (var label in added.Labels.DefaultIfEmpty(0))
        {
            if (!IsOver(label))
            {
                continue;
            }

            var oldest = _state.Copies.LastOrDefault(c => c.ObjectType == added.ObjectType && IsOfLabel(c, label) && c.Labels.DefaultIfEmpty(0).All(IsOver));
            if (oldest is not null)
            {
                Write(JournalEntry.CopyChanged(new Association(oldest.ObjectType, oldest.Id, oldest.Labels, oldest.Since), [], isRemoved: true));
                Write(JournalEntry.CopiesCut(oldest.ObjectType, oldest.Id, label));
            }
        }
    }

    private static bool IsOfLabel(RecordCopy copy, int label) => label == 0 ? copy.Labels.Length == 0 : copy.HasLabel(label);

    /// <summary>A copy changed: criteria that look at copies of that type are judged, lists at once when a step did it (ENG-06).</summary>
    private void NoteCopy(Changes changes, int objectType)
    {
        if (!changes.Copies.Contains(objectType))
        {
            changes.Copies.Add(objectType);
        }

        if (ReferenceEquals(changes, _queued) && _index.Lists.Length > 0)
        {
            _touchedLists.Clear();
            Touch(_index.Members.ByAssociated(objectType));
            RecomputeTouched(changes);
        }
    }

    /// <summary>What records of a type keep of this one; null when nobody there looks at it.</summary>
    private NamedValue[]? CopyFor(int objectType) =>
        _index.FindCopyTarget(objectType) is { } target ? _state.ToCopy(target, ref _notTold) : null;

    private bool IsBaseline => _event is { IsBaseline: true };
}
