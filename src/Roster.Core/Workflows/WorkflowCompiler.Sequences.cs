using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Sequences, and steps that name one (section 20 of the rules, ACT-51).</content>
public sealed partial class WorkflowCompiler
{
    /// <summary>Longest delay before a step of a sequence (setting <c>delay_ms</c>, SEQ-07).</summary>
    public const long SequenceDelayMsMax = 90L * 86_400_000;

    /// <summary>Most contents of one e-mail.</summary>
    public const int VariantsMax = 20;

    private const int MinutesPerDay = 1_440;

    private CompiledSequence? CompileSequence()
    {
        if (_definition.Sequence is not { } sequence)
        {
            return null;
        }

        var calendar = sequence.Calendar;
        Require(sequence.Owner.Length is > 0 and <= 100, "owner", "MISSING_FIELD", sequence.Owner, "A sequence is owned by a user: 1 to 100 characters (SEQ-01).");
        Require(Enum.IsDefined(calendar.Days), "eligibleDays", "OUT_OF_RANGE", $"{(int)calendar.Days}", "Eligible days are EVERY_DAY, WEEKDAYS or BUSINESS_DAYS (SEQ-08).");
        Require(
            calendar.WindowStart >= 0 && calendar.WindowEnd <= MinutesPerDay && calendar.WindowStart < calendar.WindowEnd,
            "sendWindow", "OUT_OF_RANGE", $"{calendar.WindowStart} to {calendar.WindowEnd}", $"A send window begins before it ends, within 0 to {MinutesPerDay} minutes of the day (SEQ-08).");
        Require(calendar.TaskMinute is >= 0 and < MinutesPerDay, "taskMinute", "OUT_OF_RANGE", $"{calendar.TaskMinute}", $"A task minute is 0 to {MinutesPerDay - 1} (SEQ-08).");
        Require(Enum.IsDefined(sequence.OnReply) && Enum.IsDefined(sequence.OnMeeting), "onReply", "OUT_OF_RANGE", $"{(int)sequence.OnReply}", "A scope is CONTACT, COMPANY or NOBODY (SEQ-13).");
        var address = TextProperty(sequence.AddressProperty, "addressProperty");
        var consent = TextProperty(Consents.PropertyOf(sequence.Subscription), "subscription");
        var zone = ZoneProperty(sequence.TimeZoneProperty, "timeZoneProperty");
        return address is null || consent is null ? null : new CompiledSequence(sequence.Owner, address, consent, calendar, zone, sequence.OnReply, sequence.OnMeeting);
    }

    private PropertyDefinition? TextProperty(string name, string path)
    {
        var property = Find(name, path);
        Require(property is null or { Type: PropertyType.String }, path, "WRONG_TYPE", name, $"Property '{Refusal.Cut(name)}' is of type {(property is null ? "NONE" : Upper(property.Type))}; a STRING is needed here.");
        return property;
    }

    /// <summary>The delay before a step of a sequence, which every such step has.</summary>
    private CompiledStep? WithLead(CompiledStep? compiled, StepDefinition step, string path)
    {
        if (step.Lead is not { } lead)
        {
            return compiled;
        }

        Require(
            lead.MinMs >= 0 && lead.MinMs <= lead.MaxMs && lead.MaxMs <= SequenceDelayMsMax,
            $"{path}.delayMs", "OUT_OF_RANGE", $"{lead.MinMs} to {lead.MaxMs}", "A delay is 0 to 90 days, from its least to its greatest value (setting delay_ms, SEQ-07).");
        return compiled is null ? null : compiled with { Lead = lead };
    }

    private CompiledEmail CompileEmail(SequenceEmailStepDefinition step, int number, int index, int next, string path)
    {
        var email = step.Email;
        var queue = email.Queue.Length > 0 ? email.Queue : _definition.Sequence?.Queue ?? string.Empty;
        Require(Names.IsName(queue), $"{path}.queue", "BAD_NAME", queue, "A queue has a name of 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        Require(email.Variants.Count is >= 1 and <= VariantsMax, $"{path}.variants", "VARIANT_COUNT", $"{email.Variants.Count}", $"An e-mail has 1 to {VariantsMax} contents (SEQ-06).");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var variants = email.Variants.Select((v, i) =>
        {
            var at = $"{path}.variants[{i}]";
            Require(v.Name.Length <= Names.LengthMax && names.Add(v.Name), $"{at}.name", "BAD_NAME", v.Name, "A content has a name of at most 100 characters that no other of the e-mail has.");
            Require(v.Subject.Length > 0 || v.Template.Length > 0, $"{at}.subject", "MISSING_FIELD", string.Empty, "A content has a subject, or a template of the channel.");
            return new CompiledVariant(v.Name, CompileText(v.Subject, $"{at}.subject"), CompileText(v.Body, $"{at}.body"), v.Template);
        });

        // Its outputs name the thread that later ones may go in.
        _readOutputs.Add(number);
        return new CompiledEmail(number, step.Id, index, next, queue, (long)DefaultTimeout.TotalMilliseconds, [.. variants], email.SameThread);
    }

    private CompiledAdaptive CompileAdaptive(SequenceAdaptiveStepDefinition step, int number, int index, string path)
    {
        var of = step.Of.Length == 0 ? 0 : Connection($"{path}.of", step.Of);
        Require(
            step.Of.Length == 0 || (_stepIndexes.TryGetValue(step.Of, out var at) && _definition.Steps[at] is SequenceEmailStepDefinition),
            $"{path}.of", "NOT_AN_EMAIL", step.Of, "Opens and clicks are those of an e-mail step (SEQ-06).");
        return new CompiledAdaptive(
            number, step.Id, index, of, StepNumber(step.ClickedNext), StepNumber(step.OpenedNext), StepNumber(step.OtherwiseNext));
    }

    private CompiledOtherSequence CompileOtherSequence(OtherSequenceStepDefinition step, int number, int index, int next, string path)
    {
        Require(_type.Name is SequenceLowering.ObjectType or "", path, "NOT_A_CONTACT", _type.Name, "Only contacts are enrolled in sequences (ACT-51).");
        var sequence = _scope.FindSequence(step.SequenceId);
        Require(sequence is not null || (step.SequenceId.Length == 0 && !step.Enrolls), $"{path}.sequenceId", "UNKNOWN_SEQUENCE", step.SequenceId, $"There is no sequence '{Refusal.Cut(step.SequenceId)}'.");
        return new CompiledOtherSequence(number, step.Id, index, next, sequence?.Number ?? 0, step.Enrolls);
    }

    /// <summary>Problems of a sequence are said where its author finds the step.</summary>
    private WorkflowProblem InSequence(WorkflowProblem problem)
    {
        if (_definition.Sequence is not { } sequence || !problem.Path.StartsWith("steps[", StringComparison.Ordinal))
        {
            return problem;
        }

        var end = problem.Path.IndexOf(']', StringComparison.Ordinal);
        var index = int.Parse(problem.Path.AsSpan(6, end - 6), System.Globalization.CultureInfo.InvariantCulture);
        return problem with { Path = sequence.StepPaths[index] + problem.Path[(end + 1)..] };
    }
}
