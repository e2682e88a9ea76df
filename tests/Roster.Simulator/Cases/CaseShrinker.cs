using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>Makes a failing case small: drops inputs, workflows, lists, steps and settings for as long as the two sides disagree.</summary>
internal static class CaseShrinker
{
    public static Case Shrink(Case failing)
    {
        var kind = CaseRun.Of(failing).Found!.Kind;
        for (var isSmaller = true; isSmaller;)
        {
            isSmaller = false;
            var length = CaseText.Of(failing).Length;
            foreach (var candidate in Candidates(failing))
            {
                if (CaseText.Of(candidate).Length < length && Fails(candidate, kind))
                {
                    failing = candidate;
                    isSmaller = true;
                    break;
                }
            }
        }

        return failing;
    }

    private static bool Fails(Case candidate, string kind)
    {
        try
        {
            return CaseRun.Of(candidate).Found?.Kind == kind;
        }
        catch (Exception e) when (e is InvalidCaseException or KeyNotFoundException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            // What was dropped was needed.
            return false;
        }
    }

    private static IEnumerable<Case> Candidates(Case c)
    {
        for (var size = Math.Max(1, c.Inputs.Count / 2); size >= 1; size /= 2)
        {
            for (var i = 0; i < c.Inputs.Count; i += size)
            {
                yield return c with { Inputs = [.. c.Inputs.Take(i), .. c.Inputs.Skip(i + size)] };
            }
        }

        foreach (var gone in c.Workflows)
        {
            yield return c with { Workflows = [.. c.Workflows.Where(w => w != gone)], Inputs = [.. c.Inputs.Where(i => !IsAbout(i, gone.Definition.Id))] };
        }

        foreach (var gone in c.Lists)
        {
            yield return c with { Lists = [.. c.Lists.Where(l => l != gone)], Inputs = [.. c.Inputs.Where(i => i is not CommandCase command || command.Target != gone.Id)] };
        }

        foreach (var settings in Smaller(c.Settings))
        {
            yield return c with { Settings = settings };
        }

        for (var w = 0; w < c.Workflows.Count; w++)
        {
            foreach (var smaller in Smaller(c.Workflows[w].Definition))
            {
                yield return c with { Workflows = [.. c.Workflows.Select((old, i) => i == w ? old with { Definition = smaller } : old)] };
            }
        }

        for (var p = 0; p < c.Inputs.Count; p++)
        {
            foreach (var smaller in Smaller(c.Inputs[p]))
            {
                yield return c with { Inputs = [.. c.Inputs.Select((old, i) => i == p ? smaller : old)] };
            }
        }

        for (var l = 0; l < c.Lists.Count; l++)
        {
            foreach (var smaller in c.Lists[l].Criteria is { } criteria ? Smaller(criteria) : [])
            {
                yield return c with { Lists = [.. c.Lists.Select((old, i) => i == l ? old with { Criteria = smaller } : old)] };
            }
        }

        foreach (var gone in c.Workflows.SelectMany(w => w.Definition.Steps).Select(s => s.Id).Distinct())
        {
            // A step of all versions at once.
            yield return c with
            {
                Workflows = [.. c.Workflows.Select(w => w with { Definition = Without(w.Definition, gone) })],
                Inputs = [.. c.Inputs.Select(i => i is PublishCase p ? new PublishCase(Without(p.Definition, gone)) : i)],
            };
        }
    }

    /// <summary>Settings back at their defaults, one by one; the longer number is no hindrance, since the text leaves defaults out.</summary>
    private static IEnumerable<TenantSettings> Smaller(TenantSettings settings)
    {
        var standard = TenantSettings.Default;
        yield return settings with { RoundsMax = standard.RoundsMax };
        yield return settings with { EnrollmentsPerHourMax = standard.EnrollmentsPerHourMax };
        yield return settings with { StepsPerTurnMax = standard.StepsPerTurnMax };
        yield return settings with { StepRunsPerHourMax = standard.StepRunsPerHourMax };
        yield return settings with { ActiveEnrollmentsPerRecordMax = standard.ActiveEnrollmentsPerRecordMax };
        yield return settings with { DedupeDays = standard.DedupeDays };
    }

    private static bool IsAbout(CaseInput input, string workflow) => input switch
    {
        PublishCase p => p.Definition.Id == workflow,
        SwitchCase s => s.Workflow == workflow,
        RefreshCase r => r.Workflow == workflow,
        CommandCase c => c.Target == workflow,
        _ => false,
    };

    private static WorkflowDefinition Without(WorkflowDefinition w, string step) =>
        w.Steps.FirstOrDefault(s => s.Id == step) is { } gone ? CaseGenerator.Remove(w, gone) : w;

    private static IEnumerable<CaseInput> Smaller(CaseInput input) => input switch
    {
        PublishCase p => Smaller(p.Definition).Select(w => new PublishCase(w)),
        EventCase e => SmallerEvents(e),
        _ => [],
    };

    private static IEnumerable<EventCase> SmallerEvents(EventCase e)
    {
        foreach (var write in e.Writes)
        {
            yield return e with { Writes = [.. e.Writes.Where(w => w != write)] };
        }

        if (e.Properties.Count > 0)
        {
            yield return e with { Properties = [] };
        }

        if (e.OccurredAt is not null)
        {
            yield return e with { OccurredAt = null };
        }
    }

    private static IEnumerable<WorkflowDefinition> Smaller(WorkflowDefinition w)
    {
        if (w.Steps.Count > 1)
        {
            foreach (var step in w.Steps)
            {
                yield return CaseGenerator.Remove(w, step);
            }
        }

        foreach (var goal in w.Goals)
        {
            yield return w with { Goals = [.. w.Goals.Where(g => g != goal)] };
            foreach (var criteria in Smaller(goal.Criteria!))
            {
                yield return w with { Goals = [.. w.Goals.Select(g => g == goal ? g with { Criteria = criteria } : g)] };
            }
        }

        foreach (var smaller in SmallerSettings(w))
        {
            yield return smaller;
        }

        foreach (var start in SmallerStarts(w.Start!))
        {
            yield return w with { Start = start };
        }
    }

    private static IEnumerable<WorkflowDefinition> SmallerSettings(WorkflowDefinition w)
    {
        if (w.SuppressionLists.Count > 0)
        {
            yield return w with { SuppressionLists = [] };
        }

        if (w.UnenrollWhen is { } when)
        {
            yield return w with { UnenrollWhen = null };
            foreach (var criteria in Smaller(when))
            {
                yield return w with { UnenrollWhen = criteria };
            }
        }

        if (w.UnenrollIfNotMeeting)
        {
            yield return w with { UnenrollIfNotMeeting = false };
        }

        if (w.UnenrollFromAll || w.UnenrollFrom.Count > 0)
        {
            yield return w with { UnenrollFromAll = false, UnenrollFrom = [] };
        }

        if (w.TimeZone.Length > 0)
        {
            yield return w with { TimeZone = string.Empty };
        }
    }

    private static IEnumerable<StartDefinition> SmallerStarts(StartDefinition start)
    {
        foreach (var criteria in start.Criteria is null ? [] : Smaller(start.Criteria))
        {
            yield return start with { Criteria = criteria };
        }

        for (var i = 0; i < start.ReenrollWhen.Count; i++)
        {
            yield return start with { ReenrollWhen = [.. start.ReenrollWhen.Where((_, j) => j != i)] };
        }

        if (start.Events.Count > 1)
        {
            foreach (var trigger in start.Events)
            {
                yield return start with { Events = [.. start.Events.Where(e => e != trigger)] };
            }
        }

        if (start.Reenroll)
        {
            yield return start with { Reenroll = false, ReenrollWhen = [] };
        }
    }

    private static IEnumerable<CriteriaDefinition> Smaller(CriteriaDefinition criteria)
    {
        if (criteria.AnyOf.Count > 1)
        {
            foreach (var group in criteria.AnyOf)
            {
                yield return new CriteriaDefinition([.. criteria.AnyOf.Where(g => g != group)]);
            }
        }

        foreach (var group in criteria.AnyOf.Where(g => g.AllOf.Count > 1))
        {
            foreach (var filter in group.AllOf)
            {
                yield return new CriteriaDefinition([.. criteria.AnyOf.Select(g => g == group ? g with { AllOf = [.. g.AllOf.Where(f => f != filter)] } : g)]);
            }
        }
    }
}
