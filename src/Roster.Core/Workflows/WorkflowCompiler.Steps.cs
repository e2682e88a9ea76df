using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Steps and the graph they make.</content>
public sealed partial class WorkflowCompiler
{
    private CompiledStep[] CompileSteps()
    {
        if (_definition.Steps.Count is 0 or > StepsMax)
        {
            Error("steps", "STEP_COUNT", $"{_definition.Steps.Count}", $"A workflow has 1 to {StepsMax} steps (setting steps_max).");
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

        return _definition.Steps.Select(CompileStep).OfType<CompiledStep>().ToArray();
    }

    private CompiledStep? CompileStep(StepDefinition step, int index)
    {
        var path = $"steps[{index}]";
        var number = StepNumber(step.Id);
        var next = step is BranchStepDefinition ? 0 : Connection($"{path}.next", step.Next);
        switch (step)
        {
            case DelayStepDefinition delay:
                CheckDelay(delay, $"{path}.delay");
                return new CompiledDelay(number, step.Id, index, next, delay.Amount ?? 0, delay.Unit);
            case BranchStepDefinition branch:
                return CompileBranch(branch, number, index, path);
            case SetPropertyStepDefinition set:
                return CompileSetProperty(set, number, index, next, $"{path}.setProperty");
            case WorkerStepDefinition worker:
                return CompileWorker(worker, number, index, next, $"{path}.worker");
            case IncompleteStepDefinition:
                Error(path, "INCOMPLETE_STEP", step.Id, $"Step '{Refusal.Cut(step.Id)}' has no kind: delay, branch, setProperty or worker (ACT-09).");
                return null;
            default:
                throw new InvalidOperationException($"Step definition {step.GetType().Name} is not known to the compiler.");
        }
    }

    private void CheckDelay(DelayStepDefinition delay, string path)
    {
        if (delay.Amount is null)
        {
            Error($"{path}.amount", "MISSING_FIELD", string.Empty, "A delay needs an amount.");
        }

        var daysPerUnit = delay.Unit switch
        {
            DelayUnit.Minutes => 1.0 / 1440,
            DelayUnit.Hours => 1.0 / 24,
            DelayUnit.Days => 1,
            DelayUnit.Weeks => 7,
            _ => 0,
        };
        if (daysPerUnit == 0)
        {
            Error($"{path}.unit", "MISSING_FIELD", $"{(int)delay.Unit}", "A delay needs a unit: MINUTES, HOURS, DAYS or WEEKS.");
        }

        if (delay.Amount < 0 || delay.Amount * daysPerUnit > DelayDaysMax)
        {
            Error($"{path}.amount", "OUT_OF_RANGE", $"{delay.Amount}", $"A delay is 0 to {DelayDaysMax} days (setting amount).");
        }
    }

    private CompiledBranch CompileBranch(BranchStepDefinition branch, int number, int index, string path)
    {
        if (branch.Branches.Count is 0 or > IfBranchesMax)
        {
            Error($"{path}.branch.branches", "BRANCH_COUNT", $"{branch.Branches.Count}", $"An if/then has 1 to {IfBranchesMax} branches (setting if_branches_max).");
        }

        if (branch.Next.Length > 0)
        {
            Error($"{path}.next", "NEXT_ON_BRANCH", branch.Next, "A branch goes on by its branches and defaultNext, not by next.");
        }

        if (branch.DefaultNext.Length == 0)
        {
            Warning($"{path}.branch.defaultNext", "NO_DEFAULT", string.Empty, "No default: a record that no branch accepts completes here (BRA-03).");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var branches = branch.Branches.Select((b, i) =>
        {
            var at = $"{path}.branch.branches[{i}]";
            if (b.Name.Length is 0 or > Names.LengthMax || !names.Add(b.Name))
            {
                Error($"{at}.name", "BAD_NAME", b.Name, "A branch needs a name of 1 to 100 characters that no other branch of the step has.");
            }

            return new CompiledIf(b.Name, CompileCriteria(b.Criteria, $"{at}.criteria"), Connection($"{at}.next", b.Next));
        }).ToArray();
        return new CompiledBranch(number, branch.Id, index, branches, Connection($"{path}.branch.defaultNext", branch.DefaultNext));
    }

    private CompiledSetProperty? CompileSetProperty(SetPropertyStepDefinition set, int number, int index, int next, string path)
    {
        if (_type.Find(set.Property) is not { } property)
        {
            Error($"{path}.property", "UNDECLARED_PROPERTY", set.Property, $"Property '{Refusal.Cut(set.Property)}' of {_type.Name} is not declared.");
            return null;
        }

        if (set.Clear != (set.Value.Length == 0))
        {
            Error($"{path}.value", "VALUE_OR_CLEAR", set.Value, "Give a value, or clear = true, and not both.");
        }

        if (!Value.TryParse(set.Value, property.Type, out var value))
        {
            Error($"{path}.value", "WRONG_TYPE", set.Value, $"'{Refusal.Cut(set.Value)}' is not a value of '{property.Name}', which is of type {Upper(property.Type)}.");
        }
        else if (property.Fit(value, out value) == RefusalReason.UndeclaredOption)
        {
            Error($"{path}.value", "UNDECLARED_OPTION", set.Value, $"'{Refusal.Cut(set.Value)}' is no declared option of '{property.Name}'.");
        }

        return new CompiledSetProperty(number, set.Id, index, next, property, value, $"workflow:{_definition.Id}");
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

        for (var i = 0; i < worker.Fields.Count; i++)
        {
            if (worker.Fields[i].Key.Length is 0 or > Names.LengthMax || worker.Fields[i].Key[0] == '.' || worker.Fields[i].Value.Length > 10_000)
            {
                Error($"{path}.fields[{i}]", "BAD_FIELD", worker.Fields[i].Key, "A field has a name of 1 to 100 characters, not beginning with a dot, and a text of at most 10,000.");
            }
        }

        var timeout = worker.Timeout ?? DefaultTimeout;
        if (timeout < TimeSpan.FromMinutes(1) || timeout > TimeSpan.FromDays(30))
        {
            Error($"{path}.timeout", "OUT_OF_RANGE", $"{timeout}", "A timeout is 1 minute to 30 days (setting action_timeout).");
        }

        var properties = worker.Properties.Select((name, i) => Find(name, $"{path}.properties[{i}]")).OfType<PropertyDefinition>().ToArray();
        var fields = worker.Fields.Select(f => new NamedValue(f.Key, Value.OfText(f.Value))).ToArray();
        return new CompiledWorker(number, worker.Id, index, next, worker.Queue, fields, properties, worker.Wait, (long)timeout.TotalMilliseconds);

        PropertyDefinition? Find(string name, string at)
        {
            var property = _type.Find(name);
            if (property is null)
            {
                Error(at, "UNDECLARED_PROPERTY", name, $"Property '{Refusal.Cut(name)}' of {_type.Name} is not declared.");
            }

            return property;
        }
    }

    private int Connection(string path, string step)
    {
        if (step.Length > 0 && !_stepIndexes.ContainsKey(step))
        {
            Error(path, "DANGLING_STEP", step, $"There is no step '{Refusal.Cut(step)}'.");
        }

        return StepNumber(step);
    }

    private int StepNumber(string step) => step.Length == 0 ? 0 : _stepNumber(step);

    private string FirstStep()
    {
        if (_definition.FirstStep.Length == 0)
        {
            return _definition.Steps.Count == 0 ? string.Empty : _definition.Steps[0].Id;
        }

        Connection("firstStep", _definition.FirstStep);
        return _definition.FirstStep;
    }

    /// <summary>Warns of unreachable steps and of loops without a delay (EDT-03); returns whether there is any loop.</summary>
    private bool CheckGraph(string first)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var stack = new Stack<string>([first]);
        while (stack.TryPop(out var id))
        {
            if (_stepIndexes.ContainsKey(id) && reached.Add(id))
            {
                foreach (var next in NextOf(id))
                {
                    stack.Push(next);
                }
            }
        }

        foreach (var (id, index) in _stepIndexes.Where(s => !reached.Contains(s.Key)).OrderBy(s => s.Value))
        {
            Warning($"steps[{index}]", "UNREACHABLE_STEP", id, $"No path leads to step '{id}'.");
        }

        var tight = reached.FirstOrDefault(id => Reaches(id, id, i => !IsWait(i)));
        if (tight is not null)
        {
            Warning($"steps[{_stepIndexes[tight]}]", "LOOP_WITHOUT_DELAY", tight, $"Step '{tight}' comes back to itself without a delay; the loop guard ends such enrollments (ENG-10).");
        }

        // Also loops that the first step does not reach: an enrollment of an older version may be in one.
        return _stepIndexes.Keys.Any(id => Reaches(id, id, _ => true));
    }

    private bool Reaches(string from, string target, Func<string, bool> mayPass)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var stack = new Stack<string>(mayPass(from) ? NextOf(from) : []);
        while (stack.TryPop(out var id))
        {
            if (id == target)
            {
                return true;
            }

            if (_stepIndexes.ContainsKey(id) && mayPass(id) && seen.Add(id))
            {
                foreach (var next in NextOf(id))
                {
                    stack.Push(next);
                }
            }
        }

        return false;
    }

    private bool IsWait(string id) => _definition.Steps[_stepIndexes[id]] switch
    {
        DelayStepDefinition delay => delay.Amount > 0,
        WorkerStepDefinition worker => worker.Wait,
        _ => false,
    };

    private IEnumerable<string> NextOf(string id) => _definition.Steps[_stepIndexes[id]] switch
    {
        BranchStepDefinition branch => branch.Branches.Select(b => b.Next).Append(branch.DefaultNext).Where(n => n.Length > 0),
        var step when step.Next.Length > 0 => [step.Next],
        _ => [],
    };
}
