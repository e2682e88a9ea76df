using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>Runs a case on both sides, turn by turn, and tells where the stories part.</summary>
internal sealed class CaseRun
{
    /// <summary>A loop of short delays fires many timers: enough is enough.</summary>
    private const int TurnsMax = 500;

    private readonly CoreEngine _core;
    private readonly NaiveEngine _naive;
    private readonly Dictionary<(string Workflow, string Step), (string Paths, int Way)> _ways = [];
    private readonly Dictionary<(int Enrollment, string Step), int> _splits = [];
    private long _now;
    private string? _wayFound;

    private CaseRun(Case input)
    {
        _now = input.Start;
        _core = new CoreEngine(input.Settings, input.Lists);
        _naive = new NaiveEngine(input.Settings, input.Lists) { Split = TakeSplit };
    }

    /// <summary>Turns so far, on both sides alike.</summary>
    public List<TurnStory> Stories { get; } = [];

    /// <summary>What was different; null when the case went well.</summary>
    public Disagreement? Found { get; private set; }

    /// <exception cref="InvalidCaseException">The case makes no sense.</exception>
    public static CaseRun Of(Case input)
    {
        var run = new CaseRun(input);
        foreach (var workflow in input.Workflows)
        {
            run._core.Publish(workflow.Definition, workflow.State);
            run._naive.Publish(workflow.Definition, workflow.State);
        }

        foreach (var step in input.Inputs)
        {
            if (run.Stories.Count < TurnsMax)
            {
                run.Run(step);
            }

            if (run.Found is not null)
            {
                return run;
            }
        }

        if (!run._core.ReplayGivesTheSame())
        {
            run.Found = new Disagreement("replay", "The journal gives another state (ENG-14).", run.Stories[^1], run.Stories[^1]);
        }

        return run;
    }

    private void Run(CaseInput input)
    {
        switch (input)
        {
            case PublishCase publish:
                _core.Publish(publish.Definition, null);
                _naive.Publish(publish.Definition, null);
                break;
            case SwitchCase change:
                _core.Switch(change.Workflow, change.State);
                _naive.Switch(change.Workflow, change.State);
                break;
            case ClockCase { IsDown: true } clock:
                _now += clock.Ms;
                FireTimers(_now);
                break;
            case ClockCase clock:
                var end = _now + clock.Ms;
                FireTimers(end);
                _now = end;
                break;
            default:
                FireTimers(_now);
                if (Found is null)
                {
                    Turn(input);
                }

                break;
        }
    }

    /// <summary>Timers due up to an instant, each as its own turn (ENG-04).</summary>
    private void FireTimers(long end)
    {
        while (Found is null && Stories.Count < TurnsMax)
        {
            var core = _core.NextDueAt;
            var naive = _naive.NextDueAt();
            if ((core.IsNone ? null : core.Ms) != naive)
            {
                Found = new Disagreement("timer", $"next due: core {CaseWords.Time(core.IsNone ? null : core.Ms)}, naive {CaseWords.Time(naive)}", null, null);
                return;
            }

            if (naive is null || naive > end)
            {
                return;
            }

            _now = Math.Max(_now, naive.Value);
            Turn(null);
        }
    }

    private void Turn(CaseInput? input)
    {
        _splits.Clear();
        var task = input is CompleteCase complete ? _naive.Task(complete.Pick) : null;
        var name = $"{CaseWords.Time(_now)} {(input is null ? "timer" : CaseText.Of(input))}";
        TurnStory core;
        try
        {
            core = _core.Run(input, task, _now) with { Input = name };
        }
        catch (Exception e) when (e is not InvalidCaseException)
        {
            Found = new Disagreement("exception", $"{name}: {e}", null, null);
            return;
        }

        var naive = _naive.Run(input, _now) with { Input = name };
        var isSame = (core.Status == naive.Status || input is RefreshCase) && core.Lines.SequenceEqual(naive.Lines) && core.State.SequenceEqual(naive.State);
        if (!isSame)
        {
            Found = new Disagreement(name, _wayFound ?? "the turn", core, naive);
        }
        else if (_wayFound is not null)
        {
            Found = new Disagreement(name, _wayFound, core, naive);
        }

        Stories.Add(core);
    }

    /// <summary>A split may take any way, but the same one each time for the same paths (BRA-05).</summary>
    private int TakeSplit(NaiveEnrollment enrollment, string step)
    {
        var nth = _splits[(enrollment.Number, step)] = _splits.GetValueOrDefault((enrollment.Number, step), -1) + 1;
        var split = (SplitStepDefinition)_naive.Newest(enrollment.Workflow).Steps.First(s => s.Id == step);
        var taken = _core.SplitTaken(enrollment.Number, enrollment.Workflow, step, nth) ?? 0;
        var paths = string.Join(',', split.Paths.Select(p => p.Percent));
        if (split.Sticky && _ways.TryGetValue((enrollment.Workflow, step), out var known) && known.Paths == paths && known.Way != taken)
        {
            _wayFound = $"split {enrollment.Workflow}.{step} took way {taken} after way {known.Way} (BRA-05)";
        }

        _ways[(enrollment.Workflow, step)] = (paths, taken);
        return Math.Min(taken, split.Paths.Count - 1);
    }
}

/// <summary>Where and how the two sides differ.</summary>
internal sealed record Disagreement(string Where, string What, TurnStory? Core, TurnStory? Naive)
{
    /// <summary>What kind of difference it is, so that a case made smaller still shows the same one: the first words that part, without names.</summary>
    public string Kind
    {
        get
        {
            var core = All(Core);
            var naive = All(Naive);
            var index = Enumerable.Range(0, Math.Min(core.Count, naive.Count)).FirstOrDefault(i => core[i] != naive[i]);
            return $"{What.Split(' ')[0]} {Word(core, index)} {Word(naive, index)}";
        }
    }

    private static List<string> All(TurnStory? story) => story is null ? [] : [.. story.Lines, .. story.State, story.Status];

    private static string Word(List<string> lines, int index)
    {
        var words = index < lines.Count ? lines[index].Split(' ') : [string.Empty];
        return $"{words[0]} {words[^1]}".TrimEnd([.. "0123456789"]);
    }
}
