using System.Globalization;
using System.Text;
using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>Cases as text that a person reads.</summary>
internal static class CaseText
{
    public static string Of(Case input)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"start {CaseWords.Time(input.Start)}{Of(input.Settings)}");
        foreach (var list in input.Lists)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"list {list.Id}{(list.Criteria is null ? string.Empty : ": " + Of(list.Criteria))}");
        }

        foreach (var workflow in input.Workflows)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{workflow.State}] {Of(workflow.Definition)}");
        }

        for (var i = 0; i < input.Inputs.Count; i++)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {i + 1}. {Of(input.Inputs[i])}");
        }

        return text.ToString();
    }

    /// <summary>What differs from the defaults.</summary>
    private static string Of(TenantSettings s)
    {
        var standard = TenantSettings.Default;
        return Differs("rounds", s.RoundsMax, standard.RoundsMax)
            + Differs("enrollments per hour", s.EnrollmentsPerHourMax, standard.EnrollmentsPerHourMax)
            + Differs("steps per turn", s.StepsPerTurnMax, standard.StepsPerTurnMax)
            + Differs("step runs per hour", s.StepRunsPerHourMax, standard.StepRunsPerHourMax)
            + Differs("active per record", s.ActiveEnrollmentsPerRecordMax, standard.ActiveEnrollmentsPerRecordMax)
            + Differs("dedupe days", s.DedupeDays, standard.DedupeDays);

        static string Differs(string name, int value, int other) => value == other ? string.Empty : $", {name} {value}";
    }

    public static string Of(CaseInput input) => input switch
    {
        EventCase e => $"event {e.Id} {e.Type} at {(e.OccurredAt is null ? "-" : CaseWords.Time(e.OccurredAt))} with [{Values(e.Properties)}] writes [{Values(e.Writes)}]",
        CommandCase c => $"{c.Kind} {c.Target} ({c.RequestId})",
        ClockCase c => $"{(c.IsDown ? "sleep" : "pass")} {TimeSpan.FromMilliseconds(c.Ms)}",
        SwitchCase s => $"switch {s.Workflow} {s.State}",
        PublishCase p => $"publish {Of(p.Definition)}",
        RefreshCase r => $"refresh {r.Workflow}",
        CompleteCase c => $"complete {c.Pick} {c.Result}",
        _ => $"{input}",
    };

    public static string Of(Disagreement found)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{found.Where}: {found.What}");
        foreach (var (name, story) in new[] { ("core ", found.Core), ("naive", found.Naive) })
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {name} {story?.Status}: {Cut(string.Join("; ", story?.Lines ?? []))}");
            text.AppendLine(CultureInfo.InvariantCulture, $"        then {Cut(string.Join("; ", story?.State ?? []))}");
        }

        return text.ToString();
    }

    /// <summary>Long stories are cut: where they part is at their ends or told by the state.</summary>
    public static string Cut(string text) => text.Length <= 2_000 ? text : $"{text[..1_000]} ... {text[^1_000..]}";

    public static string Of(WorkflowDefinition w)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"workflow {w.Id} zone '{w.TimeZone}' first '{w.FirstStep}' start {Of(w.Start!)}");
        Line("suppression", string.Join(',', w.SuppressionLists));
        Line("unenroll when", w.UnenrollWhen is null ? string.Empty : Of(w.UnenrollWhen));
        Line("unenroll if not meeting", w.UnenrollIfNotMeeting ? "yes" : string.Empty);
        Line("unenroll from", w.UnenrollFromAll ? "all" : string.Join(',', w.UnenrollFrom));
        foreach (var goal in w.Goals)
        {
            Line($"goal {goal.Id} exit {goal.Exit}", Of(goal.Criteria!));
        }

        foreach (var step in w.Steps)
        {
            Line(step.Id, $"{Of(step)}{(step.Next.Length > 0 ? " -> " + step.Next : string.Empty)}");
        }

        return text.ToString();

        void Line(string name, string value)
        {
            if (value.Length > 0)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"      {name}: {value}");
            }
        }
    }

    public static string Of(CriteriaDefinition criteria) => string.Join(" OR ", criteria.AnyOf.Select(g =>
        $"{(g.Match is GroupMatch.NotAll or GroupMatch.NotAny ? g.Match + " " : string.Empty)}({string.Join(" AND ", g.AllOf.Select(Of))})"));

    private static string Of(FilterDefinition filter) => filter switch
    {
        PropertyFilterDefinition p => $"{p.Property} {OperatorTable.NameOf(p.Operator)} {string.Join('|', p.Values)}{(p.IncludeUnknown ? " or unknown" : string.Empty)}",
        ListFilterDefinition l => $"{(l.Negate ? "not " : string.Empty)}in {l.ListId}",
        _ => $"{filter}",
    };

    private static string Of(StartDefinition start) => start.Kind switch
    {
        StartKind.Filter => $"filter {Of(start.Criteria!)}{(start.FireOnCreate ? string.Empty : " not on create")}{Reenroll(start)}",
        StartKind.Event => $"events {string.Join(" or ", start.Events.Select(Of))}{Reenroll(start)}",
        _ => $"{start.Kind}{Reenroll(start)}",
    };

    private static string Reenroll(StartDefinition start) => start.Reenroll ? $" re-enroll {string.Join(" or when ", start.ReenrollWhen.Select(Of))}" : string.Empty;

    private static string Of(EventTriggerDefinition e) =>
        $"{e.EventType}[{string.Join(',', e.Where.Select(Of))}]{(e.OnlyIf is null ? string.Empty : " only if " + Of(e.OnlyIf))}{(e.AllowNewRecord is null ? string.Empty : " allow new " + e.AllowNewRecord)}";

    private static string Of(StepDefinition step) => step switch
    {
        DelayStepDefinition d => $"delay {d.Delay.Amount} {(d.Delay.Property is null ? d.Delay.Unit : d.Delay.Property)} {d.Delay.TimeOfDay} {d.Delay.TimeZone}{(d.MissedNext.Length > 0 ? " missed -> " + d.MissedNext : string.Empty)}",
        WaitStepDefinition w => $"wait {(w.Criteria is null ? string.Join(" or ", w.Events.Select(Of)) : Of(w.Criteria))} timeout {w.Timeout}{(w.TimeoutNext.Length > 0 ? " -> " + w.TimeoutNext : string.Empty)}{(w.Lookback ? " lookback" : string.Empty)}",
        BranchStepDefinition b => $"if {string.Join(", ", b.Branches.Select(i => $"{i.Name} {Of(i.Criteria!)} -> {i.Next}"))} else -> {b.DefaultNext}",
        ValueBranchStepDefinition v => $"value of {v.Property} {string.Join(", ", v.Cases.Select(c => $"{c.Value} -> {c.Next}"))} else -> {v.DefaultNext}",
        SplitStepDefinition s => $"split {string.Join(", ", s.Paths.Select(p => $"{p.Name} {p.Percent} -> {p.Next}"))} sticky {s.Sticky}",
        GoToStepDefinition g => $"go to {g.Step}",
        SetPropertyStepDefinition p => $"{p.Mode} {p.Property} {(p.Clear ? "clear" : p.Value)}",
        WorkerStepDefinition w => $"task wait {w.Wait} timeout {w.Timeout}",
        OtherWorkflowStepDefinition o => $"{(o.Enrolls ? "enroll in" : "unenroll from")} {o.WorkflowId}",
        ListStepDefinition l => $"{(l.Adds ? "add to" : "remove from")} {l.ListId}",
        _ => $"{step}",
    };

    private static string Values(IEnumerable<CaseValue> values) => string.Join(", ", values.Select(v => $"{v.Name}={v.Value}"));
}
