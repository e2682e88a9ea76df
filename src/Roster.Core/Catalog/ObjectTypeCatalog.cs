using System.Collections.Frozen;
using System.Collections.Immutable;
using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Workflows;

namespace Roster.Core.Catalog;

/// <summary>
/// What one object type has to look at. Workflows are indexes into <see cref="TenantCatalog.Workflows"/>, so that their order is
/// ENG-05's; lists are indexes into <see cref="Lists"/>, so that their order is that of dependency (LST-04).
/// </summary>
internal sealed class ObjectTypeCatalog
{
    private readonly FrozenSet<int> _listened;
    private readonly FrozenDictionary<int, CopyTarget> _copyTargets;
    private readonly FrozenSet<int> _copied;
    private readonly FrozenSet<int> _copiedLists;
    private readonly FrozenSet<int> _toldOn;

    public ObjectTypeCatalog(ObjectTypeDefinition type, TenantSchema schema, ImmutableArray<CompiledWorkflow> workflows, ImmutableArray<CompiledWorkflow> older, IEnumerable<CompiledList> lists, CopyPlan copies)
    {
        Lists = InOrder(lists.Where(l => l.Info.ObjectType == type.Number && l.Criteria is not null));
        ListsOfNewRecords = FindListsOfNewRecords(Lists);
        var mine = workflows.Where(w => w.ObjectType.Number == type.Number).ToArray();
        var starts = new Dependents.Builder();
        var listened = new HashSet<int>();
        for (var i = 0; i < workflows.Length; i++)
        {
            if (workflows[i].ObjectType.Number == type.Number && workflows[i].IsEnrolling)
            {
                AddStart(starts, listened, workflows[i], i);
            }
        }

        var members = new Dependents.Builder();
        for (var i = 0; i < Lists.Length; i++)
        {
            members.Add(i, Lists[i].Criteria!);
        }

        // Enrollments that are pinned wait in older versions (EDT-11).
        mine = [.. mine, .. older.Where(w => w.ObjectType.Number == type.Number)];
        listened.UnionWith(mine.SelectMany(w => w.WaitedFor));
        _listened = listened.ToFrozenSet();
        Starts = starts.Build(type.PropertyNumbersEnd);
        Members = members.Build(type.PropertyNumbersEnd);
        NeedsWhole = mine.Any(w => w.NeedsWhole);
        HasTimed = mine.Any(w => w.DependsOnTime) || Members.Timed.Length > 0;
        StatusFilters = mine.SelectMany(w => w.AllCriteria).Concat(Lists.Select(l => l.Criteria!)).SelectMany(c => c.Workflows).ToFrozenSet();
        DateSchedules = [.. Enumerable.Range(0, workflows.Length).Where(i => workflows[i].ObjectType.Number == type.Number && workflows[i].IsEnrolling && workflows[i].Start.Schedule?.Dates is not null)];
        EnrollOnMerge = [.. Enumerable.Range(0, workflows.Length).Where(i => workflows[i].ObjectType.Number == type.Number && workflows[i].IsEnrolling && workflows[i].Settings.EnrollOnMerge)];
        Types = new SignalTypes(schema);
        HasSequences = mine.Any(w => w.IsSequence);
        _copyTargets = copies.TargetsOf(type.Number);
        _copied = _copyTargets.Values.SelectMany(t => t.Properties).ToFrozenSet();
        _copiedLists = _copyTargets.Values.SelectMany(t => t.Lists).ToFrozenSet();
        _toldOn = _copyTargets.Values.SelectMany(t => t.Through).Select(t => t.ObjectType).ToFrozenSet();
    }

    /// <summary>Whether records of other types keep copies of records of this one (ASC-04).</summary>
    public bool SendsCopies => _copyTargets.Count > 0;

    /// <summary>Whether what others keep of records of this type has copies in it that these keep (ASC-03).</summary>
    public bool TellsOn => _toldOn.Count > 0;

    /// <summary>Active lists in the order of dependency.</summary>
    public CompiledList[] Lists { get; }

    /// <summary>Which lists a record joins that has nothing yet (LST-02), as far as they do not refer to each other.</summary>
    public int[] ListsOfNewRecords { get; }

    /// <summary>Who may enroll because of a change.</summary>
    public Dependents Starts { get; }

    /// <summary>Which lists may change because of a change.</summary>
    public Dependents Members { get; }

    /// <summary>Whether some criteria look at more than properties.</summary>
    public bool NeedsWhole { get; }

    /// <summary>Whether records of this type are enrolled in sequences.</summary>
    public bool HasSequences { get; }

    /// <summary>Whether anything depends on the clock.</summary>
    public bool HasTimed { get; }

    /// <summary>Workflows whose status criteria look at.</summary>
    public FrozenSet<int> StatusFilters { get; }

    /// <summary>Workflows that start by a date of each record.</summary>
    public int[] DateSchedules { get; }

    /// <summary>Workflows that consider a record that another one was merged into, as if it were new (REC-14).</summary>
    public int[] EnrollOnMerge { get; }

    /// <summary>Numbers of the event types that changes have.</summary>
    public SignalTypes Types { get; }

    /// <summary>Whether a trigger or wait looks at an event type.</summary>
    public bool Listens(int eventType) => eventType != 0 && _listened.Contains(eventType);

    /// <summary>What records of a type keep of records of this one; null when nothing.</summary>
    public CopyTarget? FindCopyTarget(int objectType) => _copyTargets.GetValueOrDefault(objectType);

    /// <summary>Whether a property is in copies.</summary>
    public bool IsCopied(int property) => _copied.Contains(property);

    /// <summary>Whether membership in a list is in copies.</summary>
    public bool IsCopiedList(int list) => _copiedLists.Contains(list);

    /// <summary>Whether copies of records of a type are in copies of records of this one (ASC-03).</summary>
    public bool IsToldOn(int objectType) => _toldOn.Contains(objectType);

    private static void AddStart(Dependents.Builder starts, HashSet<int> listened, CompiledWorkflow workflow, int index)
    {
        foreach (var criteria in workflow.Start.Triggers)
        {
            starts.Add(index, criteria);
        }

        foreach (var trigger in workflow.Start.Events)
        {
            listened.Add(trigger.EventType);
            if (trigger.OnlyProperty != 0)
            {
                starts.AddProperty(index, trigger.OnlyProperty);
            }
            else
            {
                starts.AddEvent(index, trigger.EventType);
            }
        }
    }

    /// <summary>
    /// Lists whose criteria hold without any value, so that no write has to touch them. No clock changes the answer, since there is nothing
    /// to compare it with.
    /// </summary>
    private static int[] FindListsOfNewRecords(CompiledList[] lists)
    {
        var empty = lists.Length == 0 ? null : new Records.RecordState();
        return [.. Enumerable.Range(0, lists.Length).Where(i => MayHold(lists[i].Criteria!, new Judging(empty!, Timestamp.Max)))];
    }

    private static bool MayHold(Criteria criteria, in Judging judging)
    {
        try
        {
            return criteria.Accepts(judging);
        }
        catch (EvaluationException)
        {
            // The turn judges it again and leaves it as it is (ENG-12).
            return true;
        }
    }

    /// <summary>Lists that others refer to come first (LST-04). Circles were refused when the list was saved.</summary>
    private static CompiledList[] InOrder(IEnumerable<CompiledList> lists)
    {
        var left = lists.OrderBy(l => l.Info.Number).ToList();
        var ordered = new List<CompiledList>();
        while (left.Count > 0)
        {
            var next = left.FindIndex(l => l.Criteria!.Lists.All(used => left.TrueForAll(o => o.Info.Number != used)));
            next = Math.Max(next, 0);
            ordered.Add(left[next]);
            left.RemoveAt(next);
        }

        return [.. ordered];
    }
}

/// <summary>Numbers of the event types that changes have; 0 when nobody ever listened to one.</summary>
internal sealed class SignalTypes(TenantSchema schema)
{
    public int ListJoined { get; } = schema.FindEventType(StandardEventTypes.ListJoined);

    public int ListLeft { get; } = schema.FindEventType(StandardEventTypes.ListLeft);

    public int RecordCreated { get; } = schema.FindEventType(StandardEventTypes.RecordCreated);

    public int Enrolled { get; } = schema.FindEventType(StandardEventTypes.WorkflowEnrolled);

    public int Unenrolled { get; } = schema.FindEventType(StandardEventTypes.WorkflowUnenrolled);

    public int Completed { get; } = schema.FindEventType(StandardEventTypes.WorkflowCompleted);

    /// <summary>A task was completed (ACT-25).</summary>
    public int TaskCompleted { get; } = schema.FindEventType(StandardEventTypes.TaskCompleted);

    /// <summary>The object type of tasks.</summary>
    public int Task { get; } = schema.FindObjectType(StandardObjectTypes.Task)?.Number ?? 0;

    public int Goal { get; } = schema.FindEventType(StandardEventTypes.WorkflowGoal);

    public int EmailUnsubscribed { get; } = schema.FindEventType(StandardEventTypes.EmailUnsubscribed);

    public int EmailBounced { get; } = schema.FindEventType(StandardEventTypes.EmailBounced);

    public int SequenceEnrolled { get; } = schema.FindEventType(StandardEventTypes.SequenceEnrolled);

    public int SequenceFinished { get; } = schema.FindEventType(StandardEventTypes.SequenceFinished);

    public int SequenceUnenrolled { get; } = schema.FindEventType(StandardEventTypes.SequenceUnenrolled);

    public int SequenceMeeting { get; } = schema.FindEventType(StandardEventTypes.SequenceMeeting);

    /// <summary>The object type of the actors that count what inboxes send; 0 when there is none.</summary>
    public int Inbox { get; } = schema.FindObjectType(SequenceLowering.InboxType)?.Number ?? 0;

    public int Company { get; } = schema.FindObjectType(StandardObjectTypes.Company)?.Number ?? 0;

    /// <summary>What an event says of an e-mail or a meeting, by event type; none for all others.</summary>
    public MailEvent MailEventOf(int eventType) => _mail.TryGetValue(eventType, out var mail) ? mail : MailEvent.None;

    private readonly FrozenDictionary<int, MailEvent> _mail = MailEvents.Select(m => (Number: schema.FindEventType(m.Type), m.Event))
        .Where(m => m.Number != 0).ToFrozenDictionary(m => m.Number, m => m.Event);

    private static readonly (string Type, MailEvent Event)[] MailEvents =
    [
        (StandardEventTypes.EmailDelivered, MailEvent.Delivered), (StandardEventTypes.EmailOpened, MailEvent.Opened), (StandardEventTypes.EmailClicked, MailEvent.Clicked),
        (StandardEventTypes.EmailReplied, MailEvent.Replied), (StandardEventTypes.EmailBounced, MailEvent.Bounced), (StandardEventTypes.EmailUnsubscribed, MailEvent.Unsubscribed),
        (StandardEventTypes.EmailMarkedSpam, MailEvent.MarkedSpam), (StandardEventTypes.EmailReceived, MailEvent.Received), (StandardEventTypes.MeetingBooked, MailEvent.MeetingBooked),
        (StandardEventTypes.MeetingLogged, MailEvent.MeetingLogged),
    ];
}

/// <summary>What an event says of an e-mail or a meeting.</summary>
internal enum MailEvent
{
    None = 0,
    Delivered,
    Opened,
    Clicked,
    Replied,
    Bounced,
    Unsubscribed,
    MarkedSpam,
    Received,
    MeetingBooked,
    MeetingLogged,
}
