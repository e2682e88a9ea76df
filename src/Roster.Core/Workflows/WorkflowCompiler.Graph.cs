using Roster.Core.Sequences;

namespace Roster.Core.Workflows;

/// <content>The graph that the steps make.</content>
public sealed partial class WorkflowCompiler
{
    /// <summary>Branches nested deeper than this are warned of (<c>depth_warn</c>, BRA-07).</summary>
    private const int DepthWarn = 10;

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
        if (_definition.Steps.Count == 0)
        {
            return string.Empty;
        }

        if (_definition.FirstStep.Length == 0)
        {
            return StepChain.Is(_definition) ? StepChain.Of(_definition)[0].Id : _definition.Steps[0].Id;
        }

        Connection("firstStep", _definition.FirstStep);
        return _definition.FirstStep;
    }

    private string NextInOrder(StepDefinition step) => StepChain.Next(_definition, step);

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

        CheckDepth(first);

        // Also loops that the first step does not reach: an enrollment of an older version may be in one.
        return _stepIndexes.Keys.Any(id => Reaches(id, id, _ => true));
    }

    /// <summary>Branches nest up to a depth (BRA-07): the most branches on any way, go-tos not followed.</summary>
    private void CheckDepth(string first)
    {
        var deepest = Depth(first);
        if (deepest > Limits.DepthMax)
        {
            Error("steps", "TOO_DEEP", $"{deepest}", $"Branches nest {deepest} deep; allowed are {Limits.DepthMax} (setting depth_max).");
        }
        else if (deepest > DepthWarn)
        {
            Warning("steps", "DEEP_BRANCHES", $"{deepest}", $"Branches nest {deepest} deep (BRA-07).");
        }
    }

    private int Depth(string first)
    {
        // Each step is looked at twice: on the way in its followers are put on the stack, on the way out they are known.
        var depths = new Dictionary<string, int>(StringComparer.Ordinal);
        var entered = new HashSet<string>(StringComparer.Ordinal);
        var stack = new Stack<string>([first]);
        while (stack.TryPeek(out var id))
        {
            if (!_stepIndexes.TryGetValue(id, out var index) || depths.ContainsKey(id))
            {
                stack.Pop();
                continue;
            }

            var step = _definition.Steps[index];
            var nexts = step is GoToStepDefinition ? [] : NextOf(id).ToList();
            if (entered.Add(id))
            {
                foreach (var next in nexts.Where(n => !entered.Contains(n)))
                {
                    stack.Push(next);
                }

                continue;
            }

            stack.Pop();
            var isBranch = step is BranchStepDefinition or ValueBranchStepDefinition or SplitStepDefinition or SequenceAdaptiveStepDefinition;
            depths[id] = nexts.Select(n => depths.GetValueOrDefault(n)).DefaultIfEmpty(0).Max() + (isBranch ? 1 : 0);
        }

        return depths.GetValueOrDefault(first);
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
        DelayStepDefinition delay => delay.Delay.Amount is null or > 0,
        WaitStepDefinition wait => !wait.Lookback,
        WorkerStepDefinition worker => worker.Wait,
        WebhookStepDefinition webhook => webhook.Wait,
        MessageStepDefinition message => message.Wait,
        CodeStepDefinition code => code.Wait,
        _ => false,
    };

    private IEnumerable<string> NextOf(string id)
    {
        var step = _definition.Steps[_stepIndexes[id]];
        return Connections(step).Append(step.ErrorNext).Where(n => n.Length > 0);
    }

    private IEnumerable<string> Connections(StepDefinition step) => step switch
    {
        BranchStepDefinition branch => branch.Branches.Select(b => b.Next).Append(branch.DefaultNext),
        ValueBranchStepDefinition branch => branch.Cases.Select(c => c.Next).Append(branch.DefaultNext),
        SplitStepDefinition split => split.Paths.Select(p => p.Next),
        GoToStepDefinition goTo => [goTo.Step],
        DelayStepDefinition delay => [delay.Next, delay.MissedNext],
        WaitStepDefinition wait => [wait.Next, wait.TimeoutNext],
        CreateTaskStepDefinition task => [task.Next, task.TimeoutNext],
        SequenceAdaptiveStepDefinition adaptive => [adaptive.ClickedNext, adaptive.OpenedNext, adaptive.OtherwiseNext],
        _ => [NextInOrder(step)],
    };
}
