using Roster.Core.Journal;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using Decision = Roster.Core.Journal.Decision;

namespace Roster.Engine.Reading;

/// <summary>Counters of a workflow as readers see them (MET-02, MET-03, MET-12, MET-14).</summary>
public sealed class StatsReader
{
    private readonly GetWorkflowStatsRequest _request;
    private readonly CompiledWorkflow? _workflow;
    private readonly Dictionary<(CounterKind Kind, int Step, int Code), long> _sums;
    private readonly int[] _versions;

    private StatsReader(GetWorkflowStatsRequest request, int number, CompiledWorkflow? workflow, IEnumerable<KeyValuePair<CounterKey, long>> counters)
    {
        _request = request;
        _workflow = workflow;
        var mine = counters.Where(c => c.Key.Workflow == number && c.Key.Kind != CounterKind.ListMembers).ToList();
        _versions = [.. mine.Select(c => c.Key.Version).Where(v => v != 0).Distinct().Order()];

        // Times in step and series are kept for all versions together.
        _sums = mine.Where(c => request.Version == 0 || c.Key.Version == request.Version || c.Key.Version == 0)
            .GroupBy(c => (c.Key.Kind, c.Key.Step, c.Key.Code))
            .ToDictionary(g => g.Key, g => g.Sum(c => c.Value));
    }

    /// <summary>Makes the funnel.</summary>
    public static WorkflowStats Read(GetWorkflowStatsRequest request, int number, TenantOwner owner, IEnumerable<KeyValuePair<CounterKey, long>> counters)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(owner);
        return new StatsReader(request, number, owner.Catalog.FindWorkflow(number), counters).Read();
    }

    /// <summary>Makes the counts of a sequence (MET-16).</summary>
    public static SequenceStats ReadSequence(string id, int number, TenantOwner owner, IEnumerable<KeyValuePair<CounterKey, long>> counters)
    {
        ArgumentNullException.ThrowIfNull(owner);
        var reader = new StatsReader(new GetWorkflowStatsRequest { WorkflowId = id }, number, owner.Catalog.FindWorkflow(number), counters);
        var funnel = reader.Read();
        long Count(EmailSignal signal) => reader.Get(CounterKind.EmailEnrollments, 0, (int)signal);
        return new SequenceStats
        {
            SequenceId = id,
            Enrolled = funnel.Enrolled,
            Active = funnel.Active,
            Opened = Count(EmailSignal.Opened),
            Clicked = Count(EmailSignal.Clicked),
            Replied = Count(EmailSignal.Replied),
            Meetings = Count(EmailSignal.Met),
            Bounced = Count(EmailSignal.Bounced),
            Unsubscribed = Count(EmailSignal.Unsubscribed),
            Engaged = Count(EmailSignal.Engaged),
            NoResponse = reader.Get(CounterKind.NoResponse, 0, 0),
            Ended = { reader.Named(CounterKind.Ended, 0, c => JournalMapping.ApiName(((EndReason)c).ToString())) },
            Refused = { funnel.Refused },
            Emails = funnel.Emails ?? new EmailStats(),
            Steps = { funnel.Steps },
        };
    }

    /// <summary>What became of the e-mails of a step, or with 0 of all; null when none was sent (MET-10, MET-11, MET-13, MET-15).</summary>
    private EmailStats? ReadEmails(int step)
    {
        long Count(EmailSignal signal) => Get(CounterKind.Email, step, (int)signal);
        var sent = Count(EmailSignal.Sent);
        if (sent == 0)
        {
            return null;
        }

        var stats = new EmailStats
        {
            Sent = sent,
            Delivered = Count(EmailSignal.Delivered),
            Opened = Count(EmailSignal.Opened),
            OpenedByPerson = Count(EmailSignal.OpenedByPerson),
            Clicked = Count(EmailSignal.Clicked),
            Replied = Count(EmailSignal.Replied),
            Bounced = Count(EmailSignal.Bounced),
            Unsubscribed = Count(EmailSignal.Unsubscribed),
            MarkedSpam = Count(EmailSignal.MarkedSpam),
            DeliveryRate = (double)Count(EmailSignal.Delivered) / sent,
            BounceRate = (double)Count(EmailSignal.Bounced) / sent,
        };
        if (stats.Delivered > 0)
        {
            stats.OpenRate = (double)stats.Opened / stats.Delivered;
            stats.OpenRateByPerson = (double)stats.OpenedByPerson / stats.Delivered;
            stats.ClickRate = (double)stats.Clicked / stats.Delivered;
            stats.UnsubscribeRate = (double)stats.Unsubscribed / stats.Delivered;
            stats.SpamRate = (double)stats.MarkedSpam / stats.Delivered;
            stats.ReplyRate = (double)stats.Replied / stats.Delivered;
        }

        if (stats.Opened > 0)
        {
            stats.ClickThroughRate = (double)stats.Clicked / stats.Opened;
        }

        // Reactions are kept per step; those to all e-mails are those to each.
        var reactions = _sums.Where(s => s.Key.Kind == CounterKind.ReactionTime && (step == 0 || s.Key.Step == step))
            .GroupBy(s => s.Key.Code, s => s.Value).Select(g => KeyValuePair.Create(g.Key, g.Sum())).ToList();
        if (StepTimes.Percentile(reactions, 0.5) is { } median)
        {
            stats.ReactionMs = median;
        }

        return stats;
    }

    private WorkflowStats Read()
    {
        var stats = new WorkflowStats
        {
            WorkflowId = _request.WorkflowId,
            Enrolled = Sum(CounterKind.Enrolled, 0),
            RecordsEnrolled = Sum(CounterKind.RecordsEnrolled, 0),
            Completed = Get(CounterKind.Ended, 0, (int)EndReason.Completed) + Get(CounterKind.Ended, 0, (int)EndReason.Finished),
            Versions = { _versions },
        };
        stats.Active = stats.Enrolled + Sum(CounterKind.Adapted, 0) - Sum(CounterKind.Ended, 0);
        stats.Unenrolled.AddRange(Named(CounterKind.Ended, 0, c => JournalMapping.ApiName(((EndReason)c).ToString())).Where(n => n.Name is not ("COMPLETED" or "FINISHED")));
        stats.Refused.AddRange(Named(CounterKind.Refused, 0, c => JournalMapping.ApiName(((Decision)c).ToString())));
        foreach (var (number, id) in _workflow?.GoalIds ?? [])
        {
            var counted = Get(CounterKind.GoalMet, 0, number);
            stats.Goals.Add(new NamedCount { Name = id, Count = counted });
            if (stats.RecordsEnrolled > 0)
            {
                stats.Conversions.Add(new NamedRate { Name = id, Rate = (double)counted / stats.RecordsEnrolled });
            }
        }

        stats.Emails = ReadEmails(0);
        stats.Steps.AddRange((_workflow?.Steps ?? []).Select(ReadStep));
        stats.Errors.AddRange(stats.Steps.SelectMany(s => s.Errors).GroupBy(e => e.Name).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new NamedCount { Name = g.Key, Count = g.Sum(e => e.Count) }));
        stats.Bottleneck = stats.Steps.Where(s => s.Waiting > 0).OrderByDescending(s => s.Waiting).ThenByDescending(s => s.MedianMs).Select(s => s.StepId).FirstOrDefault(string.Empty);
        stats.Series.AddRange(ReadSeries());
        return stats;
    }

    private long Get(CounterKind kind, int step, int code) => _sums.GetValueOrDefault((kind, step, code));

    private long Sum(CounterKind kind, int step) => _sums.Where(s => s.Key.Kind == kind && s.Key.Step == step).Sum(s => s.Value);

    private IEnumerable<NamedCount> Named(CounterKind kind, int step, Func<int, string> name) => _sums
        .Where(s => s.Key.Kind == kind && s.Key.Step == step && s.Value != 0)
        .OrderBy(s => s.Key.Code)
        .Select(s => new NamedCount { Name = name(s.Key.Code), Count = s.Value });

    private StepStats ReadStep((int Number, string Id, string Kind, IReadOnlyList<string> Branches) step)
    {
        var entered = Sum(CounterKind.StepEntered, step.Number);
        var finished = Sum(CounterKind.StepFinished, step.Number);
        var succeeded = Get(CounterKind.StepFinished, step.Number, (int)StepResult.Success);
        var failed = Get(CounterKind.StepFinished, step.Number, (int)StepResult.Failed);
        var wire = new StepStats
        {
            StepId = step.Id,
            Kind = step.Kind,
            Entered = entered,
            Waiting = entered + Sum(CounterKind.StepAdapted, step.Number) - finished - Sum(CounterKind.StepAbandoned, step.Number),
            Succeeded = succeeded,
            Failed = failed,
            Skipped = finished - succeeded - failed,
        };
        if (step.Branches.Count > 0)
        {
            wire.Branches.AddRange(step.Branches.Select((name, i) => new NamedCount { Name = name, Count = Get(CounterKind.BranchTaken, step.Number, i + 1) }));
            if (step.Kind is "branch" or "value_branch" or "adaptive")
            {
                wire.Branches.Add(new NamedCount { Name = "default", Count = Get(CounterKind.BranchTaken, step.Number, 0) });
            }
        }

        wire.Emails = ReadEmails(step.Number);
        wire.Errors.AddRange(Named(CounterKind.StepError, step.Number, ErrorName));
        AddTimes(wire, step.Number);
        return wire;
    }

    private static string ErrorName(int code) => code < 0 ? "SKIPPED_OFF" : code == 0 ? "OTHER" : FailureCodes.NameOf((FailureCode)code);

    /// <summary>Steps that were left in the turn that entered them took no time.</summary>
    private void AddTimes(StepStats wire, int step)
    {
        var times = _sums.Where(s => s.Key.Kind == CounterKind.StepTime && s.Key.Step == step).Select(s => KeyValuePair.Create(s.Key.Code, s.Value)).ToList();
        var instant = wire.Succeeded + wire.Failed + wire.Skipped - times.Sum(t => t.Value);
        if (instant > 0)
        {
            times.Add(KeyValuePair.Create(0, instant));
        }

        if (StepTimes.Percentile(times, 0.5) is { } median && StepTimes.Percentile(times, 0.95) is { } p95)
        {
            wire.MedianMs = median;
            wire.P95Ms = p95;
        }
    }

    private IEnumerable<StatsBucket> ReadSeries()
    {
        if (_request.Period == GetWorkflowStatsRequest.Types.Period.Unspecified)
        {
            return [];
        }

        return _sums.Where(s => s.Key.Kind is CounterKind.EnrolledOn or CounterKind.CompletedOn or CounterKind.UnenrolledOn && s.Value != 0)
            .GroupBy(s => StartOf(s.Key.Code))
            .OrderBy(g => g.Key)
            .Select(g => new StatsBucket
            {
                From = NodaTime.Text.LocalDatePattern.Iso.Format(g.Key),
                Enrolled = g.Where(s => s.Key.Kind == CounterKind.EnrolledOn).Sum(s => s.Value),
                Completed = g.Where(s => s.Key.Kind == CounterKind.CompletedOn).Sum(s => s.Value),
                Unenrolled = g.Where(s => s.Key.Kind == CounterKind.UnenrolledOn).Sum(s => s.Value),
            });
    }

    private NodaTime.LocalDate StartOf(int day)
    {
        var date = new NodaTime.LocalDate(1970, 1, 1).PlusDays(day);
        return _request.Period switch
        {
            GetWorkflowStatsRequest.Types.Period.Week => date.PlusDays(1 - (int)date.DayOfWeek),
            GetWorkflowStatsRequest.Types.Period.Month => new NodaTime.LocalDate(date.Year, date.Month, 1),
            _ => date,
        };
    }
}
