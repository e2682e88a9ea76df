using System.Globalization;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Actions that concern other records: what they do there goes by message (ACT-20, ACT-22 to ACT-27).</content>
public sealed partial class Turn
{
    private const string LimitReached = "LIMIT_REACHED";

    /// <summary>What a step lacks to go on: the turn is decided again when it is there.</summary>
    private TurnResult? _missingInStep;

    /// <summary>Whether a link to a record may be looked at and changed now; if not, the turn is decided again with what is missing.</summary>
    private bool IsReadyToLink(int objectType, string id)
    {
        _missingInStep ??= FindMissingLink(objectType, id) ?? MergeIfFull();
        if (_missingInStep is not null)
        {
            return false;
        }

        TidyLinks();
        return true;
    }

    /// <summary>Writes to the record that a data source names; done when sent (ACT-20).</summary>
    private StepResult SetAssociated(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledSetAssociated set, out string? failure)
    {
        failure = null;
        if (set.Target.Find(_state) is not { } target)
        {
            return StepResult.NoTarget;
        }

        var given = set.Mode == SetMode.Timestamp ? TurnTimeFor(set.Property, steps.Zone) : set.From?.Read(Context(steps, enrollment)) ?? set.Value;
        if (!TryConvert(given, set.Property, out var value))
        {
            failure = InvalidValue;
            return StepResult.Failed;
        }

        Send(new RecordMessage(MessageKind.Write, target.ObjectType, target.Id)
        {
            Subject = set.Property.Number,
            Mode = set.Mode is SetMode.Increment or SetMode.Append ? set.Mode : SetMode.Set,
            Value = value,
            Source = set.Source,
            Workflow = steps.Number,
            Step = set.Number,
        });
        return StepResult.Success;
    }

    /// <summary>
    /// Creates a record of an id that derives from the effect key, linked to this one (ACT-22). A workflow that led to this record's own
    /// creation creates no further one of its own type (ACT-23).
    /// </summary>
    private StepResult Create(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledCreate create, int execution, out string? failure, out NamedValue[]? outputs)
    {
        failure = null;
        outputs = null;
        if (create.ObjectType.Number == _state.ObjectType && _state.Chain.Contains(steps.Number))
        {
            return StepResult.SkippedLoop;
        }

        var key = StableHash.Hash128(string.Create(CultureInfo.InvariantCulture, $"{_catalog.TenantId}/{_state.Number}/{enrollment.Number}/{create.Id}/{execution}"));
        var id = string.Create(CultureInfo.InvariantCulture, $"{key.High:x16}{key.Low:x16}");
        if (!IsReadyToLink(create.ObjectType.Number, id))
        {
            return StepResult.Success;
        }

        if (_state.AssociationCount >= _catalog.Schema.Settings.AssociationsPerRecordMax)
        {
            failure = LimitReached;
            return StepResult.Failed;
        }

        if (ReadAssignments(steps, enrollment, create) is not { } fields)
        {
            failure = InvalidValue;
            return StepResult.Failed;
        }

        int[] labels = create.Label == 0 ? [] : [create.Label];
        AddLink(_queued, create.ObjectType.Number, id, labels, steps.Number, create.Number);
        Send(new RecordMessage(MessageKind.Create, create.ObjectType.Number, id)
        {
            Labels = labels,
            Copy = CopyFor(create.ObjectType.Number),
            Fields = fields,
            Source = create.Source,
            Chain = [.. _state.Chain.Append(steps.Number).TakeLast(RecordState.ChainMax)],
            Workflow = steps.Number,
            Step = create.Number,
        });
        outputs = steps.Settings.ReadOutputs.Contains(create.Number) ? [new NamedValue(CompiledCreate.IdOutput, Value.OfText(id))] : null;
        return StepResult.Success;
    }

    private NamedValue[]? ReadAssignments(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledCreate create)
    {
        var fields = new List<NamedValue>();
        foreach (var (property, source) in create.Values)
        {
            if (!TryConvert(source.Read(Context(steps, enrollment)), property, out var value))
            {
                return null;
            }

            Assign(fields, property, value);
        }

        if (create.Due is { } due && DueOf(due.Delay, _now) is { IsMissed: false } at)
        {
            Assign(fields, due.Property, Value.OfDateTime(at.At));
        }

        return [.. fields];
    }

    private static void Assign(List<NamedValue> fields, PropertyDefinition property, in Value value)
    {
        if (!value.IsUnknown)
        {
            fields.Add(new NamedValue(property.Number.ToString(CultureInfo.InvariantCulture), value));
        }
    }

    /// <summary>Makes or takes away links; both sides change, the other one by message (ACT-27).</summary>
    private StepResult ChangeLink(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledLink link, out string? failure)
    {
        failure = null;
        if (link.RecordId is null)
        {
            UnlinkAll(_queued, new RecordMessage(MessageKind.UnlinkAll, _state.ObjectType, _state.Id)
            {
                Subject = link.ObjectType.Number,
                Labels = LabelsOf(link),
                Workflow = steps.Number,
                Step = link.Number,
                Hops = _hops,
            });
            return StepResult.Success;
        }

        var id = link.RecordId.Read(Context(steps, enrollment)).ToString();
        var isItself = link.ObjectType.Number == _state.ObjectType && id == _state.Id;
        if (id.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(id) > RecordKey.IdBytesMax || isItself)
        {
            failure = id.Length == 0 ? null : InvalidValue;
            return id.Length == 0 ? StepResult.NoTarget : StepResult.Failed;
        }

        if (!IsReadyToLink(link.ObjectType.Number, id))
        {
            return StepResult.Success;
        }

        if (!link.Adds)
        {
            if (link.Label is { } label)
            {
                Unlink(_queued, link.ObjectType.Number, id, Math.Max(0, label), steps.Number, link.Number);
            }

            return StepResult.Success;
        }

        if (_state.AssociationCount >= _catalog.Schema.Settings.AssociationsPerRecordMax && _state.FindAssociation(link.ObjectType.Number, id) is null)
        {
            failure = LimitReached;
            return StepResult.Failed;
        }

        Link(_queued, link.ObjectType.Number, id, link.Label ?? 0, steps.Number, link.Number);
        return StepResult.Success;
    }

    /// <summary>No label: the links themselves. A label that no link ever had: one that none has.</summary>
    private static int[] LabelsOf(CompiledLink link) => link.Label switch
    {
        RecordState.AnyLabel => [],
        { } label => [label],
        null => [int.MaxValue],
    };

    /// <summary>Takes away all links of a type and label, leaf by leaf when there are many (ENG-15).</summary>
    private void UnlinkAll(Changes changes, RecordMessage message)
    {
        if (_state.HasLeaves)
        {
            Send(message);
            return;
        }

        _missingInStep ??= FindMissingCopies();
        if (_missingInStep is null)
        {
            UnlinkEach(changes, message, [.. _state.NewestAssociations]);
        }
    }

    private void UnlinkEach(Changes changes, RecordMessage message, IReadOnlyList<Association> links)
    {
        foreach (var link in links)
        {
            if (link.ObjectType == message.Subject)
            {
                Unlink(changes, link.ObjectType, link.Id, message.Labels.FirstOrDefault(), message.Workflow, message.Step);
            }
        }
    }

    /// <summary>One leaf of links is taken away, then the next one follows.</summary>
    private TurnResult DecideUnlinkAll(MessageInput input)
    {
        var message = input.Message;
        if (!_state.IsLive)
        {
            return RefuseGone()!.Value;
        }

        var missing = _state.FindMissingAssociation(message.Cursor);
        if ((missing != 0 ? NeedsSections([missing]) : FindMissingCopies() ?? MergeIfFull() ?? BeginTurn()) is { } other)
        {
            return other;
        }

        _hops = message.Hops;
        Write(JournalEntry.MessageReceived((int)message.Kind, message.FromType, message.FromId, input.Sender, message.Hops, message.Workflow, message.Step));
        var (links, next) = _state.ReadAssociations(message.Cursor);
        UnlinkEach(_present, message, links);
        if (next != 0)
        {
            Send(message with { Cursor = next });
        }

        return RunRounds();
    }
}
