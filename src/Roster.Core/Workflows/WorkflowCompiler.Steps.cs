using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Steps.</content>
public sealed partial class WorkflowCompiler
{
    private CompiledStep[] CompileSteps()
    {
        if (_definition.Steps.Count is 0 || _definition.Steps.Count > Limits.StepsMax)
        {
            Error("steps", "STEP_COUNT", $"{_definition.Steps.Count}", $"A workflow has 1 to {Limits.StepsMax} steps (setting steps_max).");
        }

        for (var i = 0; i < _definition.Steps.Count; i++)
        {
            var id = _definition.Steps[i].Id;
            if (!Names.IsId(id))
            {
                Error($"steps[{i}].id", "BAD_ID", id, "A step id has 1 to 100 characters of a-z, 0-9, _ and -.");
            }
            else if (!_stepIndexes.TryAdd(id, i))
            {
                Error($"steps[{i}].id", "DUPLICATE_STEP", id, $"Step id '{id}' is used by steps[{_stepIndexes[id]}] too.");
            }
        }

        var waits = _definition.Steps.Select((s, i) => s is CreateTaskStepDefinition { Wait: true } task ? CompileTaskWait(task, i) : null);
        return _definition.Steps.Select(CompileStep).Concat(waits).OfType<CompiledStep>().ToArray();
    }

    private CompiledStep? CompileStep(StepDefinition step, int index)
    {
        var path = $"steps[{index}]";
        var number = StepNumber(step.Id);
        var isFork = step is BranchStepDefinition or ValueBranchStepDefinition or SplitStepDefinition or GoToStepDefinition;
        if (isFork && step.Next.Length > 0)
        {
            Error($"{path}.next", "NEXT_ON_BRANCH", step.Next, "A branch, split or go-to goes on by its own connections, not by next.");
        }

        var next = isFork ? 0 : Connection($"{path}.next", NextInOrder(step));
        var compiled = step switch
        {
            DelayStepDefinition delay => CompileDelay(delay, number, index, next, $"{path}.delay"),
            WaitStepDefinition wait => CompileWait(wait, number, index, next, path),
            BranchStepDefinition branch => CompileBranch(branch, number, index, path),
            ValueBranchStepDefinition branch => CompileValueBranch(branch, number, index, $"{path}.valueBranch"),
            SplitStepDefinition split => CompileSplit(split, number, index, $"{path}.randomSplit"),
            GoToStepDefinition goTo => new CompiledGoTo(number, step.Id, index, GoToTarget(goTo, $"{path}.goTo.step")),
            SequenceEmailStepDefinition email => CompileEmail(email, number, index, next, $"{path}.email"),
            SequencePauseStepDefinition => new CompiledPause(number, step.Id, index, next),
            SequenceFinishStepDefinition => new CompiledFinish(number, step.Id, index),
            SequenceAdaptiveStepDefinition adaptive => CompileAdaptive(adaptive, number, index, $"{path}.adaptive"),
            _ => CompileAction(step, number, index, next, path),
        };
        return WithLead(WithAnchor(WithFailure(compiled, step, path), step, path), step, path);
    }

    private CompiledStep? WithFailure(CompiledStep? compiled, StepDefinition step, string path)
    {
        var isBranch = step.OnFailure == FailurePolicy.Branch;
        Require(Enum.IsDefined(step.OnFailure), $"{path}.onFailure", "MISSING_FIELD", $"{(int)step.OnFailure}", "A failure continues, ends the enrollment or takes a branch (ERR-02).");
        Require(compiled is null or { IsAction: true } || step.OnFailure == FailurePolicy.None, $"{path}.onFailure", "NO_ACTION", step.Id, "Only an action can fail (ERR-02).");
        Require(isBranch == step.ErrorNext.Length > 0, $"{path}.errorNext", isBranch ? "MISSING_FIELD" : "NO_ERROR_BRANCH", step.ErrorNext, "An error path is given with BRANCH, and only then (ERR-02).");
        return compiled is null || step.OnFailure == FailurePolicy.None
            ? compiled
            : compiled with { OnFailure = step.OnFailure, ErrorNext = Connection($"{path}.errorNext", step.ErrorNext) };
    }

    private CompiledStep? CompileAction(StepDefinition step, int number, int index, int next, string path)
    {
        switch (step)
        {
            case SetPropertyStepDefinition set:
                return set.DataSource.Length > 0
                    ? CompileSetAssociated(set, number, index, next, $"{path}.setProperty")
                    : CompileSetProperty(set, number, index, next, $"{path}.setProperty");
            case CreateRecordStepDefinition create:
                return CompileCreate(create, number, index, next, $"{path}.createRecord");
            case CreateTaskStepDefinition task:
                return CompileTask(task, number, index, task.Wait ? _stepNumber(WaitOf(task.Id)) : next, $"{path}.createTask");
            case CreateNoteStepDefinition note:
                return CompileNote(note, number, index, next, $"{path}.createNote");
            case AssociateStepDefinition link:
                return CompileLink(link.ObjectType, link.RecordId, link.Label, adds: true, step, number, index, next, $"{path}.associate");
            case DissociateStepDefinition link:
                return CompileLink(link.ObjectType, link.RecordId, link.Label, adds: false, step, number, index, next, $"{path}.dissociate");
            case WorkerStepDefinition worker:
                return CompileWorker(worker, number, index, next, $"{path}.worker");
            case OtherWorkflowStepDefinition other:
                return new CompiledOtherWorkflow(number, step.Id, index, next, FindWorkflow(other.WorkflowId, $"{path}.{(other.Enrolls ? "enrollInWorkflow" : "unenrollFromWorkflow")}.workflowId", mustBeOfType: true), other.Enrolls);
            case OtherSequenceStepDefinition other:
                return CompileOtherSequence(other, number, index, next, $"{path}.{(other.Enrolls ? "enrollInSequence" : "unenrollFromSequence")}");
            case ListStepDefinition list:
                return CompileListChange(list, number, index, next, $"{path}.{(list.Adds ? "addToList" : "removeFromList")}.listId");
            case FormatStepDefinition format:
                return CompileFormat(format, number, index, next, $"{path}.formatData");
            case RotateOwnerStepDefinition rotate:
                return CompileRotate(rotate, number, index, next, $"{path}.rotateOwner");
            case DeleteRecordStepDefinition:
                return new CompiledDeleteRecord(number, step.Id, index, next);
            case WebhookStepDefinition webhook:
                return CompileWebhook(webhook, number, index, next, $"{path}.webhook");
            case MessageStepDefinition message:
                return CompileMessage(message, number, index, next, $"{path}.sendMessage");
            case ConsentStepDefinition consent:
                return CompileConsent(consent, number, index, next, $"{path}.changeConsent");
            case CodeStepDefinition code:
                return CompileCode(code, number, index, next, $"{path}.customCode");
            case IncompleteStepDefinition:
                Error(path, "INCOMPLETE_STEP", step.Id, $"Step '{Refusal.Cut(step.Id)}' has no kind: delay, waitFor, branch, setProperty, worker, ... (ACT-09).");
                return null;
            default:
                Error(path, "UNSUPPORTED_STEP", step.Id, $"Step '{Refusal.Cut(step.Id)}' is of a kind that this version does not run.");
                return null;
        }
    }

    private CompiledStep? WithAnchor(CompiledStep? compiled, StepDefinition step, string path)
    {
        var isAnchored = _definition.Start?.Kind == StartKind.DateAnchor;
        if (step.At is null)
        {
            Require(!isAnchored || compiled is null or { IsAction: false }, $"{path}.at", "MISSING_FIELD", step.Id, "Each action of a date-anchored workflow needs an offset (SCH-06).");
            Require(!isAnchored || compiled is not CompiledDelay, path, "DELAY_WITH_ANCHOR", step.Id, "Ordinary delays are not allowed in a date-anchored workflow (SCH-06).");
            return compiled;
        }

        Require(isAnchored, $"{path}.at", "NO_ANCHOR", step.Id, "Only a step of a date-anchored workflow has an offset (SCH-06).");
        Require(compiled is null or { IsAction: true }, $"{path}.at", "NOT_AN_ACTION", step.Id, "Only an action has an offset (SCH-06).");
        Require(IsWithin(step.At.OffsetDays, DelayDaysMax), $"{path}.at.offsetDays", "OUT_OF_RANGE", $"{step.At.OffsetDays}", $"An offset is at most {DelayDaysMax} days.");
        var time = TimeOfDay($"{path}.at.timeOfDay", step.At.TimeOfDay, isRequired: true) ?? LocalTime.Midnight;
        return compiled is null ? null : compiled with { At = new CompiledOffset(step.At.OffsetDays, time) };
    }

    private CompiledDelay CompileDelay(DelayStepDefinition delay, int number, int index, int next, string at)
    {
        var setting = delay.Delay;
        var property = setting.Property is null ? 0 : DateProperty(setting.Property.Property, $"{at}.property.property");
        var zone = new CompiledZone(Zone($"{at}.timeZone", setting.TimeZone, _zone), ZoneProperty(setting.TimeZoneProperty, $"{at}.timeZoneProperty"));
        var missed = delay.MissedNext.Length == 0 ? next : Connection($"{at}.missedNext", delay.MissedNext);
        return new CompiledDelay(number, delay.Id, index, next, CompileTiming(setting, at), property, setting.Property?.FollowProperty ?? false, missed, zone);
    }

    private DelayTiming CompileTiming(DelayDefinition setting, string path)
    {
        var time = TimeOfDay($"{path}.timeOfDay", setting.TimeOfDay);
        Require(setting.Weekdays <= Weekdays.All, $"{path}.weekdays", "OUT_OF_RANGE", $"{setting.Weekdays}", "Weekdays are Monday to Sunday.");
        var kinds = (setting.Amount is null ? 0 : 1) + (setting.Date.Length > 0 ? 1 : 0) + (setting.Property is null ? 0 : 1);
        Require(kinds <= 1, path, "TWO_KINDS", string.Empty, "A delay has an amount, a date or a property, and only one of them.");
        if (setting.Property is { } property)
        {
            Require(property.OffsetDays == 0 || property.OffsetHours == 0, $"{path}.property", "TWO_OFFSETS", string.Empty, "An offset is in days or in hours, not both (DLY-08).");
            Require(IsWithin(property.OffsetDays, DelayDaysMax) && IsWithin(property.OffsetHours, DelayDaysMax * 24), $"{path}.property.offsetDays", "OUT_OF_RANGE", $"{property.OffsetDays}", $"An offset is at most {DelayDaysMax} days.");
            return property.OffsetHours != 0 ? DelayTiming.OfPropertyHours(property.OffsetHours, time) : DelayTiming.OfPropertyDays(property.OffsetDays, time);
        }

        if (setting.Date.Length > 0)
        {
            var isDate = Value.TryParse(setting.Date, PropertyType.Date, out var date) && !date.IsUnknown;
            Require(isDate, $"{path}.date", "BAD_DATE", setting.Date, $"'{Refusal.Cut(setting.Date)}' is no date like 2026-12-24.");
            return DelayTiming.OfDate(isDate ? date.Date : new LocalDate(2000, 1, 1), time);
        }

        if (setting.Amount is null && (time is not null || setting.Weekdays != Weekdays.None))
        {
            return DelayTiming.OfFit(setting.Weekdays, time);
        }

        CheckAmount(setting, path);
        return DelayTiming.OfAmount(setting.Amount ?? 0, Enum.IsDefined(setting.Unit) && setting.Unit != DelayUnit.None ? setting.Unit : DelayUnit.Minutes, time, setting.Weekdays);
    }

    private void CheckAmount(DelayDefinition delay, string path)
    {
        Require(delay.Amount is not null, $"{path}.amount", "MISSING_FIELD", string.Empty, "A delay needs an amount, a date, a property, a time of day or weekdays.");
        var daysPerUnit = delay.Unit switch
        {
            DelayUnit.Minutes => 1.0 / 1440,
            DelayUnit.Hours => 1.0 / 24,
            DelayUnit.Days or DelayUnit.BusinessDays => 1,
            DelayUnit.Weeks => 7,
            _ => 0,
        };
        Require(daysPerUnit != 0 || delay.Amount is null, $"{path}.unit", "MISSING_FIELD", $"{(int)delay.Unit}", "A delay needs a unit: MINUTES, HOURS, DAYS, WEEKS or BUSINESS_DAYS.");
        Require(
            delay.Amount is null or >= 0 && delay.Amount.GetValueOrDefault() * daysPerUnit <= DelayDaysMax,
            $"{path}.amount", "OUT_OF_RANGE", $"{delay.Amount}", $"A delay is 0 to {DelayDaysMax} days (setting amount).");
    }

    private int ZoneProperty(string name, string path)
    {
        if (name.Length == 0)
        {
            return 0;
        }

        var property = _type.Find(name);
        Require(property is { Type: PropertyType.String }, path, property is null ? "UNDECLARED_PROPERTY" : "WRONG_TYPE", name, $"A declared property of type STRING is needed here, to hold a zone (DLY-19).");
        return property?.Number ?? 0;
    }

    private CompiledWait CompileWait(WaitStepDefinition wait, int number, int index, int next, string path)
    {
        var at = $"{path}.waitFor";
        Require((wait.Events.Count > 0) != (wait.Criteria is not null), at, "EVENTS_OR_CRITERIA", string.Empty, "A wait is for events or for criteria, and not both (DLY-15).");
        var events = wait.Events.Count > 0 ? CompileEvents(wait.Events, $"{at}.anyOf") : [];
        var criteria = wait.Criteria is null ? null : _criteria.Compile(wait.Criteria, $"{at}.criteria");
        var timeout = CompileTimeout(wait.Timeout, $"{at}.timeout");
        var timeoutNext = wait.TimeoutNext.Length == 0 ? next : Connection($"{at}.timeoutNext", wait.TimeoutNext);
        return new CompiledWait(number, wait.Id, index, next, events, criteria, wait.Lookback, timeout, timeoutNext);
    }

    private long CompileTimeout(TimeSpan? timeout, string path)
    {
        if (timeout is null)
        {
            return 0;
        }

        Require(timeout >= TimeSpan.FromMinutes(1) && timeout <= TimeSpan.FromDays(DelayDaysMax), path, "OUT_OF_RANGE", $"{timeout}", $"A timeout is 1 minute to {DelayDaysMax} days (setting timeout).");
        return timeout <= TimeSpan.FromDays(DelayDaysMax) ? (long)timeout.Value.TotalMilliseconds : 0;
    }

    private CompiledBranch CompileBranch(BranchStepDefinition branch, int number, int index, string path)
    {
        CheckBranchCount(branch.Branches.Count, $"{path}.branch.branches");
        WarnOfNoDefault(branch.DefaultNext, $"{path}.branch.defaultNext");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var branches = branch.Branches.Select((b, i) =>
        {
            var at = $"{path}.branch.branches[{i}]";
            CheckBranchName(b.Name, names, at);
            return new CompiledIf(b.Name, _criteria.Compile(b.Criteria, $"{at}.criteria"), Connection($"{at}.next", b.Next));
        }).ToArray();
        return new CompiledBranch(number, branch.Id, index, branches, Connection($"{path}.branch.defaultNext", branch.DefaultNext));
    }

    private void CheckBranchCount(int count, string path) =>
        Require(count >= 1 && count <= Limits.IfBranchesMax, path, "BRANCH_COUNT", $"{count}", $"1 to {Limits.IfBranchesMax} branches (setting if_branches_max).");

    private void CheckBranchName(string name, HashSet<string> names, string path) =>
        Require(name.Length is > 0 and <= Names.LengthMax && names.Add(name), $"{path}.name", "BAD_NAME", name, "A branch needs a name of 1 to 100 characters that no other branch of the step has.");

    private void WarnOfNoDefault(string next, string path)
    {
        if (next.Length == 0)
        {
            Warning(path, "NO_DEFAULT", string.Empty, "No default: a record that no branch accepts completes here (BRA-03).");
        }
    }

    private CompiledValueBranch CompileValueBranch(ValueBranchStepDefinition branch, int number, int index, string path)
    {
        Require(branch.Cases.Count >= 1 && branch.Cases.Count <= Limits.ValuesMax, $"{path}.cases", "CASE_COUNT", $"{branch.Cases.Count}", $"1 to {Limits.ValuesMax} values (setting values_max).");
        WarnOfNoDefault(branch.DefaultNext, $"{path}.defaultNext");
        Require((branch.Property.Length > 0) != (branch.Output is not null), $"{path}.property", "PROPERTY_OR_OUTPUT", branch.Property, "A branch by value looks at a property or at an output, and not both.");
        var property = branch.Output is null ? Find(branch.Property, $"{path}.property") : null;
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var cases = branch.Cases.Select((c, i) =>
        {
            var at = $"{path}.cases[{i}]";
            var value = Value.Unknown;
            Require(seen.Add(c.Value), $"{at}.value", "DUPLICATE_VALUE", c.Value, $"Value '{Refusal.Cut(c.Value)}' is there twice; text ignores case (BRA-02).");
            Require(c.Value.Length > 0 && (property is null || Value.TryParse(c.Value, property.Type, out value)), $"{at}.value", "WRONG_TYPE", c.Value, $"'{Refusal.Cut(c.Value)}' is not a value of '{property?.Name}'.");
            return new CompiledCase(c.Value, value, Connection($"{at}.next", c.Next));
        }).ToArray();
        var output = branch.Output is null ? 0 : ReadOutput(branch.Output, $"{path}.outputOf");
        return new CompiledValueBranch(number, branch.Id, index, property, output, branch.Output?.Name ?? string.Empty, cases, Connection($"{path}.defaultNext", branch.DefaultNext));
    }

    private CompiledSplit CompileSplit(SplitStepDefinition split, int number, int index, string path)
    {
        Require(split.Paths.Count >= 2 && split.Paths.Count <= Limits.IfBranchesMax, $"{path}.paths", "BRANCH_COUNT", $"{split.Paths.Count}", $"2 to {Limits.IfBranchesMax} paths (setting if_branches_max).");
        var given = split.Paths.Count(p => p.Percent is not null);
        var isSum = given == 0 || (given == split.Paths.Count && split.Paths.All(p => p.Percent is >= 0 and <= 100) && split.Paths.Sum(p => (long)p.Percent!) == 100);
        Require(isSum, $"{path}.paths", "PERCENT_SUM", $"{split.Paths.Sum(p => (long)(p.Percent ?? 0))}", "Whole percentages on all paths sum to 100, or none is given (BRA-04).");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var bounds = new List<int>();
        var nexts = new List<int>();
        for (var i = 0; i < split.Paths.Count; i++)
        {
            CheckBranchName(split.Paths[i].Name, names, $"{path}.paths[{i}]");
            nexts.Add(Connection($"{path}.paths[{i}].next", split.Paths[i].Next));
            if (given > 0)
            {
                bounds.Add((bounds.Count == 0 ? 0 : bounds[^1]) + (split.Paths[i].Percent ?? 0));
            }
        }

        return new CompiledSplit(number, split.Id, index, [.. split.Paths.Select(p => p.Name)], [.. bounds], [.. nexts], split.Sticky);
    }

    private int GoToTarget(GoToStepDefinition goTo, string path)
    {
        Require(goTo.Step.Length > 0, path, "MISSING_FIELD", string.Empty, "A go-to needs a step (BRA-06).");
        return Connection(path, goTo.Step);
    }

    private CompiledSetProperty? CompileSetProperty(SetPropertyStepDefinition set, int number, int index, int next, string path)
    {
        if (Find(set.Property, $"{path}.property") is not { } property)
        {
            return null;
        }

        var mode = set.Mode == SetMode.None ? SetMode.Set : set.Mode;
        var from = set.Source is null ? null : CompileSource(set.Source, $"{path}.source");
        CheckSet(set, mode, property, path);
        return new CompiledSetProperty(number, set.Id, index, next, property, mode, FixedValue(set, property, path), from, Source);
    }

    private void CheckSet(SetPropertyStepDefinition set, SetMode mode, PropertyDefinition property, string path)
    {
        var isGiven = set.Value.Length > 0;
        var count = (isGiven ? 1 : 0) + (set.Clear ? 1 : 0) + (set.Source is null ? 0 : 1);
        Require(Enum.IsDefined(mode), $"{path}.mode", "MISSING_FIELD", $"{(int)mode}", "A mode is SET, INCREMENT, APPEND or TIMESTAMP.");
        Require(mode == SetMode.Timestamp ? count == 0 : count == 1, $"{path}.value", "VALUE_OR_CLEAR", set.Value, "Give a value, a source, or clear = true, and only one of them; none for TIMESTAMP.");
        Require(mode != SetMode.Increment || property.Type == PropertyType.Number, $"{path}.mode", "WRONG_TYPE", property.Name, "Only a number can be incremented.");
        Require(mode != SetMode.Append || property.Type is PropertyType.String or PropertyType.Enumeration, $"{path}.mode", "WRONG_TYPE", property.Name, "Only a text or a set of options can be appended to.");
        Require(mode != SetMode.Timestamp || property.Type is PropertyType.Date or PropertyType.DateTime, $"{path}.mode", "WRONG_TYPE", property.Name, "Only a date or datetime can hold the turn time.");
        Require(!set.Clear || mode == SetMode.Set, $"{path}.clear", "VALUE_OR_CLEAR", string.Empty, "Clearing has no mode.");
    }

    private string Source => $"workflow:{_definition.Id}";

    private Value FixedValue(SetPropertyStepDefinition set, PropertyDefinition property, string path)
    {
        if (!Value.TryParse(set.Value, property.Type, out var value))
        {
            Error($"{path}.value", "WRONG_TYPE", set.Value, $"'{Refusal.Cut(set.Value)}' is not a value of '{property.Name}', which is of type {Upper(property.Type)}.");
        }
        else if (property.Fit(value, out value) == RefusalReason.UndeclaredOption)
        {
            Error($"{path}.value", "UNDECLARED_OPTION", set.Value, $"'{Refusal.Cut(set.Value)}' is no declared option of '{property.Name}'.");
        }

        return value;
    }

    private CompiledWorker CompileWorker(WorkerStepDefinition worker, int number, int index, int next, string path)
    {
        if (!Names.IsName(worker.Queue))
        {
            Error($"{path}.queue", "BAD_NAME", worker.Queue, "A queue has a name of 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        if (worker.Fields.Count > 100 || worker.Properties.Count > 100)
        {
            Error($"{path}.fields", "TOO_MANY_FIELDS", $"{Math.Max(worker.Fields.Count, worker.Properties.Count)}", "At most 100 fields and 100 properties.");
        }

        CheckFields(worker.Fields, $"{path}.fields");
        var timeout = Duration($"{path}.timeout", worker.Timeout, DefaultTimeout, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30), "action_timeout");
        var properties = worker.Properties.Select((name, i) => Find(name, $"{path}.properties[{i}]")).OfType<PropertyDefinition>().ToArray();
        var (fields, texts) = CompileFields(worker.Fields, $"{path}.fields", "text");
        return new CompiledWorker(number, worker.Id, index, next, worker.Queue, fields, properties, worker.Wait, (long)timeout.TotalMilliseconds, worker.MarketingEmail)
        {
            Texts = texts,
            Retry = CompileRetry(worker.Retry, $"{path}.retry"),
            BlockExpiryMs = (long)Duration($"{path}.blockExpiry", worker.BlockExpiry, DefaultTimeout, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30), "block_expiry").TotalMilliseconds,
            LeaseMs = CompileLease(worker.LeaseFor, path),
        };
    }

    /// <summary>Fields of a task: those without tokens are made once, the others for every task (ACT-07).</summary>
    private (NamedValue[] Fixed, TaskText[] Texts) CompileFields(IReadOnlyList<KeyValuePair<string, string>> fields, string path, string textName)
    {
        var whole = new List<NamedValue>();
        var texts = new List<TaskText>();
        for (var i = 0; i < fields.Count; i++)
        {
            if (TokenText.HasTokens(fields[i].Value))
            {
                texts.Add(new TaskText(fields[i].Key, CompileText(fields[i].Value, $"{path}[{i}].{textName}")));
            }
            else
            {
                whole.Add(new NamedValue(fields[i].Key, Value.OfText(fields[i].Value)));
            }
        }

        return ([.. whole], [.. texts]);
    }

    private CompiledListChange CompileListChange(ListStepDefinition step, int number, int index, int next, string path)
    {
        var list = FindList(step.ListId, path);
        Require(list is not { IsActive: true }, path, "ACTIVE_LIST", step.ListId, $"List '{Refusal.Cut(step.ListId)}' is active: only static lists can be changed by a step (LST-01).");
        Require(list is null || list.ObjectType == _type.Number, path, "LIST_OF_OTHER_TYPE", step.ListId, $"List '{Refusal.Cut(step.ListId)}' is of another object type.");
        return new CompiledListChange(number, step.Id, index, next, list?.Number ?? 0, step.Adds);
    }

    private CompiledFormat? CompileFormat(FormatStepDefinition format, int number, int index, int next, string path)
    {
        Require(format.Functions.Count is >= 1 and <= 10, $"{path}.functions", "FUNCTION_COUNT", $"{format.Functions.Count}", "1 to 10 functions (ACT-64).");
        for (var i = 0; i < format.Functions.Count; i++)
        {
            var call = format.Functions[i];
            var needsNumber = call.Function is FormatFunction.Add or FormatFunction.Multiply or FormatFunction.Round or FormatFunction.AddDays;
            Require(Enum.IsDefined(call.Function) && call.Function != FormatFunction.None, $"{path}.functions[{i}].function", "MISSING_FIELD", $"{(int)call.Function}", "The function is missing or not known.");
            Require(!needsNumber || (Value.TryParse(call.Argument, PropertyType.Number, out var argument) && !argument.IsUnknown), $"{path}.functions[{i}].argument", "WRONG_TYPE", call.Argument, "The function needs a number.");
        }

        if (format.Input is null)
        {
            Error($"{path}.input", "MISSING_FIELD", string.Empty, "There is nothing to compute on.");
            return null;
        }

        var property = format.Property.Length == 0 ? null : Find(format.Property, $"{path}.property");
        return CompileSource(format.Input, $"{path}.input") is { } input ? new CompiledFormat(number, format.Id, index, next, input, [.. format.Functions], property, Source) : null;
    }

    private CompiledRotateOwner? CompileRotate(RotateOwnerStepDefinition rotate, int number, int index, int next, string path)
    {
        Require(rotate.Users.Count is >= 1 and <= 250 && rotate.Users.All(u => u.Length is > 0 and <= 256), $"{path}.users", "USER_COUNT", $"{rotate.Users.Count}", "1 to 250 users of 1 to 256 characters (ACT-26).");
        var property = Find(rotate.Property.Length == 0 ? "owner" : rotate.Property, $"{path}.property");
        Require(property is null or { Type: PropertyType.String }, $"{path}.property", "WRONG_TYPE", rotate.Property, "An owner is kept in a property of type STRING.");
        return property is null ? null : new CompiledRotateOwner(number, rotate.Id, index, next, [.. rotate.Users], property, rotate.Overwrite, Source);
    }

    private PropertyDefinition? Find(string name, string path)
    {
        var property = _type.Find(name);
        if (property is null)
        {
            Error(path, "UNDECLARED_PROPERTY", name, $"Property '{Refusal.Cut(name)}' of {_type.Name} is not declared.");
        }

        return property;
    }
}
