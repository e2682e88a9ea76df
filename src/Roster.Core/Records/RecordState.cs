using System.Runtime.InteropServices;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Values;

namespace Roster.Core.Records;

/// <summary>
/// The state of one record while a turn works on it: the head, and the sections a turn asked for. It is the fold of the record's
/// journal: <see cref="Apply"/> is the only way in, live, at recovery and in tests.
/// </summary>
/// <remarks>
/// Between turns a state is packed bytes (message <c>roster.storage.v1.RecordHead</c>). One working object is used for turn after
/// turn: <see cref="Load"/> copies the bytes into a buffer and notes where each property lies, so that what a turn does not
/// look at is never decoded, and nothing that lives long refers to something new. Changed properties are written behind the old
/// ones in the same buffer, which keeps the former values readable for the rest of the round (TRG-07). Not thread-safe.
/// </remarks>
public sealed partial class RecordState
{
    /// <summary>Version of the packed form.</summary>
    public const int Encoding = 1;

    private byte[] _data = new byte[2048];
    private int _dataLength;
    private PropertySlot[] _properties = new PropertySlot[32];
    private int _propertyCount;
    private PropertySlot[] _before = new PropertySlot[8];
    private int _beforeCount;
    private byte[] _marks = new byte[EventMarks.Size * (MarksMax + 1)];
    private int _markCount;
    private HistorySlot[] _history = new HistorySlot[HistoryMax + 8];
    private int _historyCount;
    private int _historyBefore;
    private readonly List<SectionRef> _sections = [];
    private readonly List<EnrollmentState> _enrollments = [];
    private readonly List<WorkflowSummary> _summaries = [];
    private readonly List<OpenEffect> _effects = [];
    private readonly List<DeadLetter> _deadLetters = [];
    private readonly List<StepOutputs> _outputs = [];
    private readonly PackedWriter _scratch = new();
    private int _idOffset;
    private int _idLength;

    /// <summary>Whether the record exists: it has had a turn that created it.</summary>
    public bool Exists { get; private set; }

    /// <summary>Whether and how the record has gone.</summary>
    public GoneKind Gone { get; private set; }

    /// <summary>Whether the record exists and has not gone.</summary>
    public bool IsLive => Exists && Gone == GoneKind.None;

    /// <summary>Number of the tenant.</summary>
    public int Tenant { get; private set; }

    /// <summary>Number of the object type.</summary>
    public int ObjectType { get; private set; }

    /// <summary>The internal number that stands for the record in keys, effects and logs.</summary>
    public long Number { get; private set; }

    /// <summary>The client's id of the record.</summary>
    public string Id => System.Text.Encoding.UTF8.GetString(_data, _idOffset, _idLength);

    /// <summary>Creation time (REC-09).</summary>
    public Timestamp CreatedAt { get; private set; }

    /// <summary>Turn time of the latest turn; none before the first (ENG-03).</summary>
    public Timestamp LastTurnAt { get; private set; }

    /// <summary>Turn time of the turn before the present one; none in the first. Not stored.</summary>
    public Timestamp PreviousTurnAt { get; private set; }

    /// <summary>Turn id of the latest turn; 0 before the first. A commit names the one it was decided on.</summary>
    public ulong TurnId { get; private set; }

    /// <summary>Highest enrollment number given.</summary>
    public int LastEnrollment { get; private set; }

    /// <summary>Active enrollments by number.</summary>
    public ReadOnlySpan<EnrollmentState> Enrollments => CollectionsMarshal.AsSpan(_enrollments);

    /// <summary>What the record did in each workflow, by workflow number.</summary>
    public ReadOnlySpan<WorkflowSummary> Summaries => CollectionsMarshal.AsSpan(_summaries);

    /// <summary>Tasks that are not completed, oldest first.</summary>
    public ReadOnlySpan<OpenEffect> OpenEffects => CollectionsMarshal.AsSpan(_effects);

    /// <summary>Most dead letters of one record. One more closes the oldest.</summary>
    public const int DeadLettersMax = 100;

    /// <summary>Tasks that were given up for good and are neither sent again nor discarded, oldest first (ERR-11).</summary>
    public ReadOnlySpan<DeadLetter> DeadLetters => CollectionsMarshal.AsSpan(_deadLetters);

    /// <summary>Outputs that later steps read.</summary>
    public ReadOnlySpan<StepOutputs> Outputs => CollectionsMarshal.AsSpan(_outputs);

    /// <summary>An output of a step of an enrollment; unknown when there is none.</summary>
    public Value FindOutput(int enrollment, int step, string name)
    {
        foreach (var outputs in _outputs)
        {
            if (outputs.Enrollment == enrollment && outputs.Step == step)
            {
                return NamedValues.Find(outputs.Values, name);
            }
        }

        return Value.Unknown;
    }

    /// <summary>Parts of the state that are kept in rows of their own.</summary>
    public IReadOnlyList<SectionRef> Sections => _sections;

    /// <summary>When criteria that depend on the clock may next flip (TRG-09); none when none does.</summary>
    public Timestamp FlipAt { get; private set; }

    /// <summary>The earliest instant at which the record goes on by itself; none when it waits for nothing.</summary>
    /// <remarks>The set of timers is this function of the state, so it cannot leak or miss one (S21).</remarks>
    public Timestamp NextDueAt
    {
        get
        {
            var next = FlipAt;
            foreach (ref readonly var enrollment in Enrollments)
            {
                if (!enrollment.DueAt.IsNone && (next.IsNone || enrollment.DueAt < next))
                {
                    next = enrollment.DueAt;
                }
            }

            foreach (ref readonly var summary in Summaries)
            {
                if (!summary.RecurrenceAt.IsNone && (next.IsNone || summary.RecurrenceAt < next))
                {
                    next = summary.RecurrenceAt;
                }
            }

            foreach (var effect in _effects)
            {
                if (next.IsNone || effect.TimesOutAt < next)
                {
                    next = effect.TimesOutAt;
                }
            }

            return next;
        }
    }

    /// <summary>Makes this the state of a record that never had a turn.</summary>
    public void Reset(RecordKey key, long number)
    {
        Clear();
        Tenant = key.Tenant;
        ObjectType = key.ObjectType;
        Number = number;
        TakeId(key.Id);
    }

    private void TakeId(string id)
    {
        _idLength = System.Text.Encoding.UTF8.GetByteCount(id);
        _idOffset = _dataLength;
        EnsureData(_idLength);
        System.Text.Encoding.UTF8.GetBytes(id, _data.AsSpan(_idOffset));
        _dataLength += _idLength;
    }

    /// <summary>Number of properties that have or had a value.</summary>
    public int PropertyCount => _propertyCount;

    /// <summary>The n-th property, in the order of property numbers.</summary>
    public PropertyView PropertyAt(int index) => View(_properties[index]);

    /// <summary>Reads a property as it is now, or as it was before the round began.</summary>
    /// <returns>False when it never had a value; a cleared one is found with an unknown value.</returns>
    public bool TryGetProperty(int number, bool isBefore, out PropertyView view)
    {
        if (isBefore)
        {
            for (var i = 0; i < _beforeCount; i++)
            {
                if (_before[i].Number == number)
                {
                    view = View(_before[i]);
                    return _before[i].Length > 0;
                }
            }
        }

        var index = FindProperty(number);
        view = index >= 0 ? View(_properties[index]) : default;
        return index >= 0;
    }

    /// <summary>Numbers of the properties that changed since <see cref="BeginRound"/>.</summary>
    public int ChangedCount => _beforeCount;

    /// <summary>Number of the n-th property that changed since <see cref="BeginRound"/>.</summary>
    public int ChangedAt(int index) => _before[index].Number;

    /// <summary>Index of the active enrollment in a workflow, or -1.</summary>
    public int FindActive(int workflow)
    {
        for (var i = 0; i < _enrollments.Count; i++)
        {
            if (_enrollments[i].Workflow == workflow)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Index of the active enrollment with a number, or -1.</summary>
    public int FindEnrollment(int number)
    {
        for (var i = 0; i < _enrollments.Count; i++)
        {
            if (_enrollments[i].Number == number)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>What the record did in a workflow; false when it was never enrolled there.</summary>
    public bool TryGetSummary(int workflow, out WorkflowSummary summary)
    {
        var index = FindSummary(workflow);
        summary = index >= 0 ? _summaries[index] : default;
        return index >= 0;
    }

    /// <summary>Index of an open task, or -1.</summary>
    public int FindEffect(int enrollment, int step, int execution) =>
        _effects.FindIndex(e => e.Enrollment == enrollment && e.Step == step && e.Execution == execution);

    /// <summary>Index of a dead letter, or -1.</summary>
    public int FindDeadLetter(int enrollment, int step, int execution) =>
        _deadLetters.FindIndex(e => e.Enrollment == enrollment && e.Step == step && e.Execution == execution);

    private PropertyView View(in PropertySlot slot) => new(slot.Number, _data.AsSpan(slot.Offset, slot.Length));

    private int FindProperty(int number)
    {
        var low = 0;
        var high = _propertyCount - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var found = _properties[middle].Number;
            if (found == number)
            {
                return middle;
            }

            if (found < number)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }

    private int FindSummary(int workflow)
    {
        var low = 0;
        var high = _summaries.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var found = _summaries[middle].Workflow;
            if (found == workflow)
            {
                return middle;
            }

            if (found < workflow)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }

    private void Clear()
    {
        ClearContent();
        Exists = false;
        Tenant = 0;
        ObjectType = 0;
        Number = 0;
        LastTurnAt = default;
        TurnId = 0;
        LastEnrollment = 0;
        Gone = GoneKind.None;
        PreviousTurnAt = default;
        _associations.Clear();
        _directory = 0;
        AssociationCount = 0;
        LastMessage = 0;
        Spreading = Spreading.None;
        SpreadHops = 0;
        IsSpreadInitial = false;
        _loadedLength = 0;
        _isLoadStale = false;
        _hasSnapshot = false;
        _hasBefore = false;
        _dataLength = 0;
        _idOffset = 0;
        _idLength = 0;
        _nextSection = 0;
        _loadedSections?.Clear();
        _sectionWrites.Clear();
    }

    /// <summary>What a record has beside its id, its links and its counters: what an erasure takes first (REC-17).</summary>
    private void ClearContent()
    {
        CreatedAt = default;
        FlipAt = default;
        EventsSince = default;
        OldestOccurrenceAt = default;
        MergedInto = string.Empty;
        _propertyCount = 0;
        _beforeCount = 0;
        _markCount = 0;
        _historyCount = 0;
        _historyBefore = 0;
        _sections.Clear();
        _enrollments.Clear();
        _summaries.Clear();
        _effects.Clear();
        _deadLetters.Clear();
        _outputs.Clear();
        _eventSummaries.Clear();
        _occurrences.Clear();
        _memberships.Clear();
        _copies.Clear();
        _copiesSeen = null;
        _emailMarks.Clear();
        _slots.Clear();
        SlotDay = 0;
        SlotEnrollments = 0;
        _chain.Clear();
    }

    private void EnsureData(int count)
    {
        if (_data.Length - _dataLength < count)
        {
            Array.Resize(ref _data, Math.Max(_data.Length * 2, _dataLength + count));
        }
    }

    /// <summary>Where the packed property lies in the buffer. Length 0: there was none.</summary>
    private struct PropertySlot
    {
        public int Number;
        public int Offset;
        public int Length;
    }

    private struct HistorySlot
    {
        public int Number;
        public int Offset;
        public int Length;
    }
}

/// <summary>How a record has gone. Stored.</summary>
public enum GoneKind
{
    /// <summary>It has not.</summary>
    None = 0,

    /// <summary>Deleted; it can be brought back (REC-16).</summary>
    Deleted = 1,

    /// <summary>Merged into another (REC-13).</summary>
    Merged = 2,

    /// <summary>Erased (REC-17).</summary>
    Erased = 3,
}
