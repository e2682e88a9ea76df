using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Actions (section 15 of the rules). Built-in ones finish inside the turn, external ones become effects (ACT-02).</content>
public sealed partial class Turn
{
    private const string InvalidValue = "INVALID_VALUE";
    private const string Internal = "INTERNAL";

    /// <summary>Tasks asked for in this turn.</summary>
    private readonly HashSet<(int Enrollment, int Step, int Execution)> _requested = [];

    private int? EnterAction(CompiledWorkflow workflow, CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, int execution, bool isEntered)
    {
        if (steps.Start.Anchor is { } anchor && AnchorOf(steps, anchor) is null)
        {
            // The anchor was cleared: the rest is skipped and the enrollment completes (SCH-07).
            return 0;
        }

        var wait = WaitForInstant(steps, enrollment, step, execution, isEntered);
        if (wait.Waits)
        {
            return wait.Next;
        }

        if (!isEntered)
        {
            Entered(steps, enrollment, step, execution, Timestamp.None);
        }

        if (workflow.Identity.State == WorkflowState.Off || _late.Contains(enrollment.Number))
        {
            Finished(steps, enrollment, step, execution, workflow.Identity.State == WorkflowState.Off ? StepResult.SkippedOff : StepResult.SkippedCatchUp);
            return step.Next;
        }

        if (step is CompiledWorker worker)
        {
            return RequestTask(steps, enrollment, worker, execution);
        }

        return RunBuiltIn(steps, enrollment, step, execution) ? step.Next : AfterFailure(step, enrollment.Number);
    }

    /// <summary>What follows a failed action: the next step (ERR-01), its error path, or nothing, since the enrollment has ended (ERR-02).</summary>
    private int? AfterFailure(CompiledStep step, int enrollment)
    {
        switch (step.OnFailure)
        {
            case FailurePolicy.End:
                End(_state.FindEnrollment(enrollment), EndReason.ActionFailed);
                return null;
            case FailurePolicy.Branch:
                return step.ErrorNext;
            default:
                return step.Next;
        }
    }

    /// <summary>Runs an action that finishes inside the turn; false when it failed.</summary>
    private bool RunBuiltIn(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, int execution)
    {
        var result = StepResult.Success;
        string? failure = null;
        NamedValue[]? outputs = null;
        try
        {
            switch (step)
            {
                case CompiledSetProperty set:
                    failure = SetProperty(steps, enrollment, set);
                    break;
                case CompiledFormat format:
                    failure = Format(steps, enrollment, format, out outputs);
                    break;
                case CompiledRotateOwner rotate:
                    result = RotateOwner(steps, rotate, execution);
                    break;
                case CompiledListChange change:
                    ChangeList(_queued, change.List, change.Adds, steps.Number, step.Number);
                    break;
                case CompiledOtherWorkflow other:
                    (other.Enrolls ? _queued.Enrolls : _queued.Unenrolls).Add(new Request(other.Workflow, TriggerKind.Workflow, steps.Number));
                    break;
                case CompiledOtherSequence other:
                    ChangeSequence(steps, other);
                    break;
                case CompiledSetAssociated set:
                    result = SetAssociated(steps, enrollment, set, out failure);
                    break;
                case CompiledCreate create:
                    result = Create(steps, enrollment, create, execution, out failure, out outputs);
                    break;
                case CompiledLink link:
                    result = ChangeLink(steps, enrollment, link, out failure);
                    break;
                case CompiledDeleteRecord:
                    _isDeleting = true;
                    break;
                default:
                    throw new InvalidOperationException($"Step kind {step.Kind} is not known to the turn.");
            }
        }
        catch (Filters.EvaluationException)
        {
            failure = Internal;
        }

        Finished(steps, enrollment, step, execution, failure is null ? result : StepResult.Failed, failure: failure, outputs: outputs);
        return failure is null;
    }

    /// <summary>External actions become effects; the enrollment waits for the completion unless told not to (ACT-02).</summary>
    private int? RequestTask(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledWorker worker, int execution)
    {
        List<string>? to = null;
        if (worker.Recipients is { } recipients && FindRecipients(steps, enrollment, recipients, out to) is var refused and not StepResult.Success)
        {
            Finished(steps, enrollment, worker, execution, refused);
            return worker.Next;
        }

        if (TaskFields(steps, enrollment, worker, to) is not { } fields)
        {
            Finished(steps, enrollment, worker, execution, StepResult.Failed, failure: InvalidValue);
            return AfterFailure(worker, enrollment.Number);
        }

        Write(JournalEntry.EffectRequested(
            steps.Number, steps.Version, enrollment.Number, worker.Number, execution, worker.Queue, worker.Wait, _now.PlusMs(worker.TimeoutMs), fields, worker.IsMarketing));
        _requested.Add((enrollment.Number, worker.Number, execution));
        if (worker.Wait)
        {
            return null;
        }

        Finished(steps, enrollment, worker, execution, StepResult.Success);
        return worker.Next;
    }

    /// <summary>
    /// Fixed fields and texts with tokens, then the wanted properties as they are now; the latter are told apart by a leading dot. Null when the
    /// texts together are too long.
    /// </summary>
    private NamedValue[]? TaskFields(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledWorker worker, List<string>? to)
    {
        if (worker.Properties.Length == 0 && worker.Texts.Length == 0 && to is null && !worker.SendsEvent)
        {
            return worker.Fields;
        }

        var fields = new List<NamedValue>(worker.Fields);
        fields.AddRange((to ?? []).Select(one => new NamedValue($"{TaskMarks.Header}to", Value.OfText(one))));
        fields.AddRange((worker.SendsEvent ? enrollment.EventProperties ?? [] : []).Select(p => p with { Name = TaskMarks.Event + p.Name }));
        var length = 0;
        foreach (var text in worker.Texts)
        {
            var written = text.Text.Write(Context(steps, enrollment), text.Escape);
            length += written.Length;
            if (length > TaskText.LengthMax)
            {
                return null;
            }

            fields.Add(new NamedValue(text.Name, Value.OfText(written)));
        }

        foreach (var property in worker.Properties)
        {
            if (_state.TryGetProperty(property.Number, isBefore: false, out var view) && !view.IsUnknown)
            {
                fields.Add(new NamedValue(TaskMarks.Property + property.Name, view.Value));
            }
        }

        return [.. fields];
    }

    /// <summary>
    /// Whom a message goes to. Who has no address or does not want it is skipped and the run goes on (ACT-12); a message to colleagues that names
    /// nobody has no target (ACT-13). Doubles are removed.
    /// </summary>
    private StepResult FindRecipients(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledRecipients recipients, out List<string> to)
    {
        var context = Context(steps, enrollment);
        to = [];
        foreach (var (property, states) in recipients.Blocks)
        {
            if (property.Read(context) is { IsUnknown: false } state && states.Contains(state.ToString(), StringComparer.OrdinalIgnoreCase))
            {
                return StepResult.SkippedIneligible;
            }
        }

        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var wanted = recipients.Address is { } address ? [address.Read(context).ToString()] : recipients.To.Select(text => text.Write(context)).ToArray();
        foreach (var one in wanted.Select(w => w.Trim()))
        {
            if (one.Length > 0 && seen.Add(one))
            {
                to.Add(one);
            }
        }

        return to.Count > 0 ? StepResult.Success : recipients.NeedsConsent ? StepResult.SkippedIneligible : StepResult.NoTarget;
    }

    /// <summary>Set, copy, clear, increment, append, timestamp (ACT-20). Returns a failure code, or null.</summary>
    private string? SetProperty(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledSetProperty set)
    {
        var given = set.Mode == SetMode.Timestamp ? TurnTimeFor(set.Property, steps.Zone) : set.From?.Read(Context(steps, enrollment)) ?? set.Value;
        if (!TryMakeValue(set.Mode, given, set.Property, out var wanted))
        {
            return InvalidValue;
        }

        WriteByStep(set.Property, wanted, set.Source, steps.Number, set.Number);
        return null;
    }

    private Value TurnTimeFor(PropertyDefinition property, NodaTime.DateTimeZone zone) =>
        property.Type == PropertyType.DateTime ? Value.OfDateTime(_now) : Value.OfDate(Calendars.LocalTimes.Of(_now, zone).Date);

    /// <summary>The value that a property has after a write in some mode; false when what is given does not fit.</summary>
    private bool TryMakeValue(SetMode mode, in Value given, PropertyDefinition property, out Value wanted)
    {
        switch (mode)
        {
            case SetMode.Increment:
                return TryAdd(ValueOf(property.Number), given, property, out wanted);
            case SetMode.Append:
                var fits = TryConvert(given, property, out var added);
                wanted = fits ? Append(ValueOf(property.Number), added) : Value.Unknown;
                return fits;
            default:
                return TryConvert(given, property, out wanted);
        }
    }

    private void WriteByStep(PropertyDefinition property, in Value value, string source, int workflow, int step)
    {
        WriteProperty(property.Number, value, _now, source, workflow, step);
        RecomputeListsOf(property.Number);
    }

    private ValueContext Context(CompiledWorkflow steps, in EnrollmentState enrollment) => new(_state, enrollment.Number, enrollment.EventProperties, _now, steps.Zone);

    /// <summary>A value of another type is read from its text (ACT-20).</summary>
    private static bool TryConvert(in Value value, PropertyDefinition property, out Value converted)
    {
        converted = value;
        if (!value.IsUnknown && value.Type != property.Type && !Value.TryParse(TextFor(value, property.Type), property.Type, out converted))
        {
            return false;
        }

        return property.Fit(converted, out converted) == RefusalReason.None;
    }

    private static string TextFor(in Value value, PropertyType wanted) =>
        value.Type == PropertyType.DateTime && wanted == PropertyType.Date ? value.ToString()[..10] : value.ToString();

    private static bool TryAdd(in Value present, in Value given, PropertyDefinition property, out Value sum)
    {
        sum = Value.Unknown;
        if (!TryConvert(given, property, out var added) || added.IsUnknown)
        {
            return false;
        }

        try
        {
            // A sum that had to be rounded, or that nobody could send, is no value of the property.
            var before = present.IsUnknown ? 0 : present.Number;
            var total = before + added.Number;
            sum = Value.OfNumber(total);
            return total - added.Number == before && Value.TryParseNumber(sum.ToString(), out _);
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    private static Value Append(in Value present, in Value added)
    {
        if (present.IsUnknown || added.IsUnknown)
        {
            return present.IsUnknown ? added : present;
        }

        return present.Type == PropertyType.Enumeration
            ? Value.OfOptions([.. present.Options, .. added.Options])
            : Value.OfText(present.Text + added.Text);
    }

    /// <summary>Pure functions on a value (ACT-64): the result is the output <c>value</c>, and may be written to a property.</summary>
    private string? Format(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledFormat format, out NamedValue[]? outputs)
    {
        outputs = null;
        if (!Formatting.TryRun(format.Input.Read(Context(steps, enrollment)), format.Functions, steps.Zone, out var value))
        {
            return InvalidValue;
        }

        if (format.Property is { } property)
        {
            if (!TryConvert(value, property, out var fitted))
            {
                return InvalidValue;
            }

            WriteByStep(property, fitted, format.Source, steps.Number, format.Number);
        }

        outputs = steps.Settings.ReadOutputs.Contains(format.Number) ? [new NamedValue("value", value)] : null;
        return null;
    }

    /// <summary>One of the users by hash of record, step and execution; an owner already set stays unless overwritten (ACT-26).</summary>
    private StepResult RotateOwner(CompiledWorkflow steps, CompiledRotateOwner rotate, int execution)
    {
        if (!rotate.Overwrite && !ValueOf(rotate.Property.Number).IsUnknown)
        {
            return StepResult.Skipped;
        }

        var hash = StableHash.Hash128($"{_catalog.TenantId}/{steps.Identity.Id}/{rotate.Id}/{_state.Id}/{execution}").High;
        WriteByStep(rotate.Property, Value.OfText(rotate.Users[(int)(hash % (ulong)rotate.Users.Length)]), rotate.Source, steps.Number, rotate.Number);
        return StepResult.Success;
    }
}
