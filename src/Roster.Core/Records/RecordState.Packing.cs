using System.Runtime.InteropServices;
using Roster.Core.Journal;
using Roster.Core.Packing;

namespace Roster.Core.Records;

/// <content>The packed form: message <c>roster.storage.v1.RecordHead</c>, canonical, so that equal states have equal bytes.</content>
public sealed partial class RecordState
{
    private const int EncodingField = 1;
    private const int TenantField = 2;
    private const int ObjectTypeField = 3;
    private const int NumberField = 4;
    private const int IdField = 5;
    private const int CreatedField = 6;
    private const int LastTurnField = 7;
    private const int TurnIdField = 8;
    private const int LastEnrollmentField = 9;
    private const int NextSectionField = 10;
    private const int FlipField = 11;
    private const int EventsSinceField = 12;
    private const int OldestOccurrenceField = 13;
    private const int PropertyField = 20;
    private const int MarksField = 21;
    private const int HistoryItemField = 22;
    private const int SectionField = 23;
    private const int EnrollmentField = 24;
    private const int SummaryField = 25;
    private const int EffectField = 26;
    private const int MembershipField = 27;
    private const int EventSummaryField = 28;
    private const int OccurrenceField = 29;
    private const int OutputsField = 30;
    private const int GoneField = 31;
    private const int AssociationField = 32;
    private const int CopyField = 33;
    private const int AssociationCountField = 34;
    private const int DirectoryField = 35;
    private const int LastMessageField = 36;
    private const int ChainField = 37;
    private const int SpreadingField = 38;
    private const int MergedIntoField = 39;
    private const int SpreadHopsField = 40;
    private const int SpreadInitialField = 41;
    private const int DeadLetterField = 60;

    /// <summary>Makes this the state in <paramref name="packed"/>, which is copied.</summary>
    /// <exception cref="FormatException">The bytes are no state, or of a later version than this program reads.</exception>
    public void Load(ReadOnlySpan<byte> packed)
    {
        Clear();
        EnsureData(packed.Length);
        packed.CopyTo(_data);
        _dataLength = packed.Length;
        _loadedLength = packed.Length;
        Exists = true;
        var reader = new PackedReader(_data.AsSpan(0, packed.Length));
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case EncodingField:
                    CheckEncoding(reader.Int());
                    break;
                case TenantField:
                    Tenant = reader.Int();
                    break;
                case ObjectTypeField:
                    ObjectType = reader.Int();
                    break;
                case NumberField:
                    Number = reader.Long();
                    break;
                case IdField:
                    _idLength = reader.Bytes().Length;
                    _idOffset = reader.Position - _idLength;
                    break;
                case CreatedField:
                    CreatedAt = reader.Time();
                    break;
                case LastTurnField:
                    LastTurnAt = reader.Time();
                    break;
                case TurnIdField:
                    TurnId = reader.Fixed64();
                    break;
                case LastEnrollmentField:
                    LastEnrollment = reader.Int();
                    break;
                case NextSectionField:
                    _nextSection = reader.Int();
                    break;
                case FlipField:
                    FlipAt = reader.Time();
                    break;
                case EventsSinceField:
                    EventsSince = reader.Time();
                    break;
                case OldestOccurrenceField:
                    OldestOccurrenceAt = reader.Time();
                    break;
                case GoneField:
                    Gone = (GoneKind)reader.Int();
                    break;
                case (>= PropertyField and <= OutputsField) or AssociationField or CopyField:
                    LoadPart(field, reader.Bytes(), reader.Position);
                    break;
                default:
                    LoadLinkField(field, ref reader);
                    break;
            }
        }
    }

    private void LoadLinkField(int field, ref PackedReader reader)
    {
        switch (field)
        {
            case AssociationCountField:
                AssociationCount = reader.Int();
                break;
            case DirectoryField:
                _directory = reader.Int();
                break;
            case LastMessageField:
                LastMessage = reader.Int();
                break;
            case SpreadingField:
                Spreading = (Spreading)reader.Int();
                break;
            case ChainField:
                _chain.Add(reader.Int());
                break;
            case MergedIntoField:
                MergedInto = reader.Text();
                break;
            case SpreadHopsField:
                SpreadHops = reader.Int();
                break;
            case SpreadInitialField:
                IsSpreadInitial = reader.Bool();
                break;
            case EmailMarkField:
                _emailMarks.Add(LoadEmailMark(reader.Bytes()));
                break;
            case InboxField:
                LoadInbox(reader.Bytes());
                break;
            case DeadLetterField:
                _deadLetters.Add(LoadDeadLetter(reader.Bytes()));
                break;
            default:
                throw Unknown(field);
        }
    }

    /// <summary>Loads one of the repeated parts; <paramref name="end"/> is where its bytes end in the buffer.</summary>
    private void LoadPart(int field, ReadOnlySpan<byte> packed, int end)
    {
        switch (field)
        {
            case PropertyField:
                LoadProperty(packed, end);
                break;
            case MarksField:
                LoadMarks(packed);
                break;
            case HistoryItemField:
                LoadHistory(packed, end);
                break;
            case SectionField:
                _sections.Add(LoadSection(packed));
                break;
            case EnrollmentField:
                _enrollments.Add(LoadEnrollment(packed, end));
                break;
            case SummaryField:
                _summaries.Add(LoadSummary(packed));
                break;
            case EffectField:
                _effects.Add(LoadEffect(packed));
                break;
            case MembershipField:
                _memberships.Add(LoadMembership(packed));
                break;
            case EventSummaryField:
                _eventSummaries.Add(LoadEventSummary(packed));
                break;
            case OccurrenceField:
                LoadOccurrence(packed, end);
                break;
            case OutputsField:
                _outputs.Add(LoadOutputs(packed));
                break;
            case AssociationField:
                _associations.Add(Association.Unpack(packed));
                break;
            case CopyField:
                _copies.Add(UnpackCopy(packed));
                break;
            default:
                throw Unknown(field);
        }
    }

    private static FormatException Unknown(int field) => new($"A stored record head has the unknown field {field}: it was written by a later version.");

    /// <summary>Writes the packed form.</summary>
    public void Pack(PackedWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Int(EncodingField, Encoding);
        writer.Int(TenantField, Tenant);
        writer.Int(ObjectTypeField, ObjectType);
        writer.Int(NumberField, Number);
        writer.Bytes(IdField, _data.AsSpan(_idOffset, _idLength));
        writer.Time(CreatedField, CreatedAt);
        writer.Time(LastTurnField, LastTurnAt);
        writer.Fixed64(TurnIdField, TurnId);
        writer.Int(LastEnrollmentField, LastEnrollment);
        writer.Int(NextSectionField, _nextSection);
        writer.Time(FlipField, FlipAt);
        writer.Time(EventsSinceField, EventsSince);
        writer.Time(OldestOccurrenceField, OldestOccurrenceAt);
        foreach (ref readonly var slot in _properties.AsSpan(0, _propertyCount))
        {
            writer.BytesAlways(PropertyField, _data.AsSpan(slot.Offset, slot.Length));
        }

        writer.Bytes(MarksField, _marks.AsSpan(0, _markCount * EventMarks.Size));
        foreach (ref readonly var slot in _history.AsSpan(0, _historyCount))
        {
            writer.BytesAlways(HistoryItemField, _data.AsSpan(slot.Offset, slot.Length));
        }

        foreach (var section in _sections)
        {
            PackSection(writer, section);
        }

        foreach (ref readonly var enrollment in Enrollments)
        {
            PackEnrollment(writer, enrollment);
        }

        foreach (ref readonly var summary in Summaries)
        {
            PackSummary(writer, summary);
        }

        foreach (ref readonly var effect in OpenEffects)
        {
            PackEffect(writer, effect);
        }

        foreach (ref readonly var membership in Memberships)
        {
            PackMembership(writer, membership);
        }

        foreach (ref readonly var summary in EventSummaries)
        {
            PackEventSummary(writer, summary);
        }

        foreach (var occurrence in _occurrences)
        {
            writer.BytesAlways(OccurrenceField, _data.AsSpan(occurrence.Offset, occurrence.Length));
        }

        foreach (var outputs in _outputs)
        {
            PackOutputs(writer, outputs);
        }

        writer.Int(GoneField, (int)Gone);
        PackLinks(writer);
    }

    private void PackLinks(PackedWriter writer)
    {
        foreach (var association in _associations)
        {
            association.Pack(writer, AssociationField);
        }

        foreach (var copy in _copies)
        {
            PackCopy(writer, CopyField, copy);
        }

        writer.Int(AssociationCountField, AssociationCount);
        writer.Int(DirectoryField, _directory);
        writer.Int(LastMessageField, LastMessage);
        foreach (var workflow in _chain)
        {
            writer.Int(ChainField, workflow);
        }

        writer.Int(SpreadingField, (int)Spreading);
        writer.Text(MergedIntoField, MergedInto);
        writer.Int(SpreadHopsField, SpreadHops);
        writer.Bool(SpreadInitialField, IsSpreadInitial);
        PackSequences(writer);
        foreach (var letter in _deadLetters)
        {
            PackDeadLetter(writer, letter);
        }
    }

    private static void PackDeadLetter(PackedWriter writer, in DeadLetter letter)
    {
        var start = writer.BeginMessage(DeadLetterField);
        writer.Int(1, letter.Enrollment);
        writer.Int(2, letter.Workflow);
        writer.Int(3, letter.Version);
        writer.Int(4, letter.Step);
        writer.Int(5, letter.Execution);
        writer.EndMessage(start);
    }

    private static DeadLetter LoadDeadLetter(ReadOnlySpan<byte> packed)
    {
        var numbers = new int[6];
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            if (field is > 0 and < 6)
            {
                numbers[field] = reader.Int();
            }
            else
            {
                reader.Skip();
            }
        }

        return new DeadLetter(numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
    }

    private static void PackOutputs(PackedWriter writer, in StepOutputs outputs)
    {
        var start = writer.BeginMessage(OutputsField);
        writer.Int(1, outputs.Enrollment);
        writer.Int(2, outputs.Step);
        foreach (var value in outputs.Values)
        {
            NamedValues.Pack(writer, 3, value);
        }

        writer.EndMessage(start);
    }

    private static StepOutputs LoadOutputs(ReadOnlySpan<byte> packed)
    {
        var outputs = new StepOutputs(0, 0, []);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: outputs = outputs with { Enrollment = reader.Int() }; break;
                case 2: outputs = outputs with { Step = reader.Int() }; break;
                case 3: outputs = outputs with { Values = [.. outputs.Values, NamedValues.Unpack(reader.Bytes())] }; break;
                default: reader.Skip(); break;
            }
        }

        return outputs;
    }

    private static void CheckEncoding(int encoding)
    {
        if (encoding != Encoding)
        {
            throw new FormatException($"A stored record head has encoding {encoding}; this program reads {Encoding}.");
        }
    }

    private void LoadProperty(ReadOnlySpan<byte> packed, int end)
    {
        if (_propertyCount == _properties.Length)
        {
            Array.Resize(ref _properties, _properties.Length * 2);
        }

        // The number is the first field of the message, so it is read without decoding the rest.
        var reader = new PackedReader(packed);
        reader.Next(out _);
        _properties[_propertyCount++] = new PropertySlot { Number = reader.Int(), Offset = end - packed.Length, Length = packed.Length };
    }

    private void LoadMarks(ReadOnlySpan<byte> packed)
    {
        if (_marks.Length < packed.Length)
        {
            _marks = new byte[packed.Length * 2];
        }

        packed.CopyTo(_marks);
        _markCount = packed.Length / EventMarks.Size;
    }

    private void LoadHistory(ReadOnlySpan<byte> packed, int end)
    {
        var reader = new PackedReader(packed);
        reader.Next(out _);
        AddHistorySlot(new HistorySlot { Number = reader.Int(), Offset = end - packed.Length, Length = packed.Length });
    }

    private void AddHistorySlot(HistorySlot slot)
    {
        if (_historyCount == _history.Length)
        {
            Array.Resize(ref _history, _history.Length * 2);
        }

        _history[_historyCount++] = slot;
    }

    private static void PackSection(PackedWriter writer, SectionRef section)
    {
        var start = writer.BeginMessage(SectionField);
        writer.Int(1, (int)section.Kind);
        writer.Int(2, section.Index);
        writer.Int(3, section.Count);
        writer.Time(4, section.NewestAt);
        writer.Bytes(5, section.Fingerprints);
        writer.Int(6, section.Subject);
        writer.Bytes(7, section.Counts);
        writer.EndMessage(start);
    }

    private static SectionRef LoadSection(ReadOnlySpan<byte> packed)
    {
        var kind = SectionKind.None;
        var index = 0;
        var count = 0;
        var newest = Timestamp.None;
        byte[] fingerprints = [];
        var subject = 0;
        byte[] counts = [];
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: kind = (SectionKind)reader.Int(); break;
                case 2: index = reader.Int(); break;
                case 3: count = reader.Int(); break;
                case 4: newest = reader.Time(); break;
                case 5: fingerprints = reader.Bytes().ToArray(); break;
                case 6: subject = reader.Int(); break;
                case 7: counts = reader.Bytes().ToArray(); break;
                default: reader.Skip(); break;
            }
        }

        return new SectionRef(kind, index, count, newest, fingerprints, subject, counts);
    }

    private void PackEnrollment(PackedWriter writer, in EnrollmentState state)
    {
        var start = writer.BeginMessage(EnrollmentField);
        writer.Int(1, state.Workflow);
        writer.Int(2, state.Version);
        writer.Int(3, state.Number);
        writer.Int(4, state.Step);
        writer.Int(5, (int)state.Phase);
        writer.Int(6, state.Execution);
        writer.Time(7, state.DueAt);
        writer.Time(8, state.EnrolledAt);
        writer.Time(9, state.EnteredAt);
        writer.Int(10, (int)state.Trigger);
        foreach (var run in state.Runs ?? [])
        {
            var runStart = writer.BeginMessage(11);
            writer.Int(1, run.Step);
            writer.Int(2, run.Count);
            foreach (var at in run.Recent)
            {
                writer.SIntAlways(5, at.Ms);
            }

            writer.EndMessage(runStart);
        }

        writer.Bool(12, state.HasMatched);
        writer.UInt(13, state.GoalsHeld);
        foreach (var property in state.EventProperties ?? [])
        {
            NamedValues.Pack(writer, 14, property);
        }

        writer.Bytes(15, _data.AsSpan(state.TrailOffset, state.TrailLength));
        writer.EndMessage(start);
    }

    private static EnrollmentState LoadEnrollment(ReadOnlySpan<byte> packed, int end)
    {
        var state = default(EnrollmentState);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: state.Workflow = reader.Int(); break;
                case 2: state.Version = reader.Int(); break;
                case 3: state.Number = reader.Int(); break;
                case 4: state.Step = reader.Int(); break;
                case 5: state.Phase = (StepPhase)reader.Int(); break;
                case 6: state.Execution = reader.Int(); break;
                case 7: state.DueAt = reader.Time(); break;
                case 8: state.EnrolledAt = reader.Time(); break;
                case 9: state.EnteredAt = reader.Time(); break;
                case 10: state.Trigger = (TriggerKind)reader.Int(); break;
                case 12: state.HasMatched = reader.Bool(); break;
                case 13: state.GoalsHeld = reader.UInt(); break;
                case 14: state.EventProperties = [.. state.EventProperties ?? [], NamedValues.Unpack(reader.Bytes())]; break;
                case 11: state.Runs = [.. state.Runs ?? [], LoadRuns(reader.Bytes())]; break;
                case 15:
                    state.TrailLength = reader.Bytes().Length;
                    state.TrailOffset = end - packed.Length + reader.Position - state.TrailLength;
                    break;
                default: reader.Skip(); break;
            }
        }

        return state;
    }

    private static StepRuns LoadRuns(ReadOnlySpan<byte> packed)
    {
        var step = 0;
        var count = 0;
        var recent = new List<Timestamp>();
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: step = reader.Int(); break;
                case 2: count = reader.Int(); break;
                case 5: recent.Add(reader.Time()); break;
                default: reader.Skip(); break;
            }
        }

        return new StepRuns(step, count, [.. recent]);
    }

    private static void PackSummary(PackedWriter writer, in WorkflowSummary summary)
    {
        var start = writer.BeginMessage(SummaryField);
        writer.Int(1, summary.Workflow);
        writer.Int(2, summary.TimesEnrolled);
        writer.Int(3, (int)summary.LastEnd);
        writer.Time(4, summary.LastEndedAt);
        writer.Int(5, summary.TimesCompleted);
        writer.UInt(6, summary.GoalsMet);
        writer.Time(7, summary.LastEnrolledAt);
        foreach (var at in summary.RecentEnrollments ?? [])
        {
            writer.SIntAlways(8, at.Ms);
        }

        writer.UInt(9, summary.GoalsPending);
        writer.UInt(10, summary.GoalsHeld);
        writer.Bool(11, summary.IsMailed);
        writer.Int(12, summary.LastEnrollment);
        writer.Time(13, summary.RecurrenceAt);
        writer.Int(14, summary.GoalsVersion);
        writer.Int(20, summary.Signals);
        writer.EndMessage(start);
    }

    private static WorkflowSummary LoadSummary(ReadOnlySpan<byte> packed)
    {
        var summary = default(WorkflowSummary);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: summary.Workflow = reader.Int(); break;
                case 2: summary.TimesEnrolled = reader.Int(); break;
                case 3: summary.LastEnd = (EndReason)reader.Int(); break;
                case 4: summary.LastEndedAt = reader.Time(); break;
                case 5: summary.TimesCompleted = reader.Int(); break;
                case 6: summary.GoalsMet = reader.UInt(); break;
                case 7: summary.LastEnrolledAt = reader.Time(); break;
                case 9: summary.GoalsPending = reader.UInt(); break;
                case 10: summary.GoalsHeld = reader.UInt(); break;
                case 11: summary.IsMailed = reader.Bool(); break;
                case 12: summary.LastEnrollment = reader.Int(); break;
                case 13: summary.RecurrenceAt = reader.Time(); break;
                case 14: summary.GoalsVersion = reader.Int(); break;
                case 20: summary.Signals = reader.Int(); break;
                case 8: summary.RecentEnrollments = [.. summary.RecentEnrollments ?? [], reader.Time()]; break;
                default: reader.Skip(); break;
            }
        }

        return summary;
    }

    private static void PackEffect(PackedWriter writer, in OpenEffect effect)
    {
        var start = writer.BeginMessage(EffectField);
        writer.Int(1, effect.Enrollment);
        writer.Int(2, effect.Workflow);
        writer.Int(3, effect.Version);
        writer.Int(4, effect.Step);
        writer.Int(5, effect.Execution);
        writer.Time(6, effect.TimesOutAt);
        writer.Bool(7, effect.IsWithdrawn);
        writer.Bool(8, effect.IsMarketing);
        writer.Bool(9, effect.IsBlocked);
        writer.Time(10, effect.FirstTriedAt);
        writer.EndMessage(start);
    }

    private static OpenEffect LoadEffect(ReadOnlySpan<byte> packed)
    {
        var effect = default(OpenEffect);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: effect = effect with { Enrollment = reader.Int() }; break;
                case 2: effect = effect with { Workflow = reader.Int() }; break;
                case 3: effect = effect with { Version = reader.Int() }; break;
                case 4: effect = effect with { Step = reader.Int() }; break;
                case 5: effect = effect with { Execution = reader.Int() }; break;
                case 6: effect = effect with { TimesOutAt = reader.Time() }; break;
                case 7: effect = effect with { IsWithdrawn = reader.Bool() }; break;
                case 8: effect = effect with { IsMarketing = reader.Bool() }; break;
                case 9: effect = effect with { IsBlocked = reader.Bool() }; break;
                case 10: effect = effect with { FirstTriedAt = reader.Time() }; break;
                default: reader.Skip(); break;
            }
        }

        return effect;
    }
}
