using System.Globalization;
using NodaTime;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>Draws small worlds in which few names meet often.</summary>
internal sealed partial class CaseGenerator(int seed)
{
    private const long MinuteMs = 60_000;
    private const long HourMs = 60 * MinuteMs;
    private const long DayMs = 24 * HourMs;

    private static readonly string[] Stages = ["a", "b", "c", "A", "ab"];
    private static readonly string[] Zones = ["", "", "Europe/Berlin", "America/New_York"];

    private readonly Random _random = new(seed);
    private readonly List<CaseList> _lists = [];
    private readonly List<string> _workflows = [];
    private readonly Dictionary<string, WorkflowDefinition> _newest = [];
    private readonly List<EventCase> _sent = [];
    private readonly List<CommandCase> _asked = [];
    private long _start;
    private long _clock;
    private int _ids;
    private string? _needsJob;
    private bool _mayPublish;

    /// <summary>The case of a seed.</summary>
    public static Case Of(int seed) => new CaseGenerator(seed).Draw();

    private Case Draw()
    {
        // Some worlds begin just before the clocks change in Europe and America.
        _start = Pick(
            Instant.FromUtc(2026, 1, 5, 12, 0), Instant.FromUtc(2026, 3, 28, 1, 30), Instant.FromUtc(2026, 10, 24, 0, 30), Instant.FromUtc(2026, 3, 7, 7, 30)).ToUnixTimeMilliseconds();
        _clock = _start;
        var lists = 1 + _random.Next(3);
        for (var i = 0; i < lists; i++)
        {
            _lists.Add(new CaseList($"l{i + 1}", Chance(50) ? Criteria() : null));
        }

        _mayPublish = Chance(70);
        _workflows.AddRange(Enumerable.Range(1, 1 + _random.Next(4)).Select(i => $"w{i}"));
        var workflows = _workflows.Select(id => new CaseWorkflow(
            _newest[id] = Workflow(id), Chance(85) ? WorkflowState.On : Pick(WorkflowState.Off, WorkflowState.Paused, WorkflowState.Draft))).ToList();
        var inputs = new List<CaseInput>();
        for (var left = 5 + _random.Next(36); left > 0; left--)
        {
            inputs.Add(Input());
            if (_needsJob is { } workflow)
            {
                // Most publishes are followed by their job at once (EDT-06).
                inputs.Add(new RefreshCase(workflow));
                _needsJob = null;
            }
        }

        return new Case(_start, Settings(), _lists, workflows, inputs);
    }

    private TenantSettings Settings() => new()
    {
        RoundsMax = Pick(1, 3, 32),
        EnrollmentsPerHourMax = Pick(1, 2, 20),
        StepsPerTurnMax = Pick(10, 12, 20),
        StepRunsPerHourMax = Pick(1, 2, 60, 60),
        ActiveEnrollmentsPerRecordMax = Pick(1, 2, 1_000, 1_000),
        DedupeDays = Pick(1, 7),
    };

    private CaseInput Input() => _random.Next(100) switch
    {
        < 40 => Event(),
        < 52 => Command(),
        < 72 => Clock(),
        < 78 => new SwitchCase(AnyWorkflow(), Pick(WorkflowState.On, WorkflowState.On, WorkflowState.Paused, WorkflowState.Off)),
        < 86 => _mayPublish ? Publish() : Clock(),
        < 90 => new RefreshCase(AnyWorkflow()),
        _ => new CompleteCase(_random.Next(-1, 4), Pick(StepResult.Success, StepResult.Failed, StepResult.Skipped)),
    };

    private ClockCase Clock()
    {
        var clock = new ClockCase(Pick(MinuteMs, 10 * MinuteMs, 30 * MinuteMs, HourMs, 6 * HourMs, DayMs, 2 * DayMs, 8 * DayMs), Chance(30));
        _clock += clock.Ms;
        return clock;
    }

    private EventCase Event()
    {
        if (_sent.Count > 0 && Chance(10))
        {
            // Sent again, now and then with another content (REC-08).
            var again = Pick(_sent);
            return Chance(70) ? again : again with { Writes = Writes() };
        }

        long? at = Chance(60) ? null : Chance(70) ? _clock - Pick(MinuteMs, HourMs, DayMs, 3 * DayMs) : _clock + Pick(0, HourMs);
        var type = Chance(50) ? "property_changed" : Pick(CaseSchema.ClientEvents);
        IReadOnlyList<CaseValue> properties = type == "property_changed" || Chance(30)
            ? []
            : [.. Subset(new CaseValue("plan", Pick("a", "b")), new CaseValue("amount", Pick("1", "2", "3")))];
        var sent = new EventCase($"e{++_ids}", type, at, properties, type == "property_changed" || Chance(50) ? Writes() : []);
        _sent.Add(sent);
        return sent;
    }

    private List<CaseValue> Writes() => [.. Some(CaseSchema.Properties.Keys, 1 + _random.Next(2)).Select(p => new CaseValue(p, Chance(15) ? string.Empty : ValueOf(p)))];

    private CommandCase Command()
    {
        if (_asked.Count > 0 && Chance(10))
        {
            var again = Pick(_asked);
            return Chance(70) ? again : again with { Kind = again.Kind == CommandKind.Enroll ? CommandKind.Unenroll : again.Kind };
        }

        var statics = _lists.Where(l => l.Criteria is null).Select(l => l.Id).ToList();
        var request = $"r{++_ids}";
        var command = statics.Count > 0 && Chance(50)
            ? new CommandCase(Chance(65) ? CommandKind.AddToList : CommandKind.RemoveFromList, Pick(statics), request)
            : new CommandCase(Chance(65) ? CommandKind.Enroll : CommandKind.Unenroll, AnyWorkflow(), request);
        _asked.Add(command);
        return command;
    }

    private string ValueOf(string property) => property switch
    {
        "stage" => Pick(Stages),
        "score" => Pick("0", "1", "2", "3", "2.0", "-1"),
        "tags" => Pick("a", "b", "c", "a;b", "b;c"),
        "day" => LocalDateOf(_start).PlusDays(_random.Next(-1, 6)).ToString("uuuu-MM-dd", CultureInfo.InvariantCulture),
        _ => Instant.FromUnixTimeMilliseconds(_start + (_random.Next(-2, 20) * 6 * HourMs)).ToString("uuuu-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    };

    private static LocalDate LocalDateOf(long at) => Instant.FromUnixTimeMilliseconds(at).InUtc().Date;

    private CriteriaDefinition Criteria(bool isReenrollment = false)
    {
        var groups = Enumerable.Range(0, Chance(75) ? 1 : 2).Select(_ => new FilterGroupDefinition(
            [.. Enumerable.Range(0, Chance(75) ? 1 : 2).Select(_ => Filter(isReenrollment))],
            isReenrollment || Chance(92) ? GroupMatch.All : Pick(GroupMatch.NotAll, GroupMatch.NotAny)));
        return new CriteriaDefinition([.. groups]);
    }

    /// <summary>A filter; a re-enrollment trigger has no negative ones and one operand each (REN-06).</summary>
    private FilterDefinition Filter(bool isReenrollment)
    {
        if (_lists.Count > 0 && Chance(12))
        {
            return new ListFilterDefinition(Pick(_lists).Id, !isReenrollment && Chance(30));
        }

        var property = Chance(45) ? "stage" : Chance(60) ? "score" : Chance(70) ? "tags" : Pick("day", "at");
        var includesUnknown = Chance(15);
        if (property is "day" or "at" || Chance(20))
        {
            return new PropertyFilterDefinition(property, isReenrollment || Chance(60) ? Operator.IsKnown : Operator.IsUnknown, [], false, string.Empty);
        }

        return property switch
        {
            "stage" => Text(isReenrollment, includesUnknown),
            "score" => Number(includesUnknown),
            _ => new PropertyFilterDefinition(property, Operator.IsAnyOf, isReenrollment || Chance(60) ? [Pick("a", "b", "c")] : ["a", "c"], includesUnknown, string.Empty),
        };
    }

    private PropertyFilterDefinition Text(bool isReenrollment, bool includesUnknown)
    {
        var op = Pick(Operator.IsEqualTo, Operator.IsEqualTo, Operator.Contains, Operator.HasEverBeenEqualTo, Operator.IsNotEqualTo);
        op = isReenrollment && op == Operator.IsNotEqualTo ? Operator.IsEqualTo : op;
        var isSeveral = !isReenrollment && op is Operator.IsEqualTo or Operator.IsNotEqualTo && Chance(20);
        return new PropertyFilterDefinition("stage", op, isSeveral ? ["a", "b"] : [Pick(Stages)], includesUnknown, string.Empty);
    }

    private PropertyFilterDefinition Number(bool includesUnknown)
    {
        var op = Pick(Operator.IsGreaterThan, Operator.IsLessThan, Operator.IsBetween, Operator.HasEverBeenEqualTo);
        return new PropertyFilterDefinition("score", op, op == Operator.IsBetween ? ["1", "2"] : [Pick("0", "1", "2")], includesUnknown, string.Empty);
    }

    private EventTriggerDefinition Trigger(bool isWait, bool isLookback = false)
    {
        var roll = isLookback ? 0 : _random.Next(100);
        var onlyIf = !isWait && Chance(20) ? Criteria() : null;
        if (roll < 50)
        {
            FilterDefinition where = Chance(50) ? Where("plan", Operator.IsEqualTo, Pick("a", "b")) : Where("amount", Operator.IsGreaterThan, Pick("1", "2"));
            return new EventTriggerDefinition(Pick(CaseSchema.ClientEvents), Chance(30) ? [where] : [], onlyIf, !isWait && Chance(30) ? true : null);
        }

        if (roll < 65)
        {
            FilterDefinition value = Chance(70) ? Where("value", Operator.IsEqualTo, Pick(Stages)) : new PropertyFilterDefinition("value", Operator.IsUnknown, [], false, string.Empty);
            return new EventTriggerDefinition("property_changed", Chance(60) ? [Where("property", Operator.IsEqualTo, Pick("score", "stage"))] : [Where("property", Operator.IsEqualTo, "stage"), value], onlyIf, null);
        }

        if (roll < 80)
        {
            return new EventTriggerDefinition(Pick("list_joined", "list_left"), [Where("list", Operator.IsEqualTo, Pick(_lists).Id)], onlyIf, null);
        }

        return roll < 83 && !isWait
            ? new EventTriggerDefinition("record_created", [], onlyIf, null)
            : new EventTriggerDefinition(Pick("workflow_enrolled", "workflow_unenrolled", "workflow_completed", "workflow_goal"), [Where("workflow", Operator.IsEqualTo, AnyWorkflow())], onlyIf, null);
    }

    private static PropertyFilterDefinition Where(string property, Operator op, string value) => new(property, op, [value], false, string.Empty);

    private string AnyWorkflow() => Pick(_workflows);

    private bool Chance(int percent) => _random.Next(100) < percent;

    private T Pick<T>(params IReadOnlyList<T> of) => of[_random.Next(of.Count)];

    private IEnumerable<T> Some<T>(IEnumerable<T> of, int count) => of.OrderBy(_ => _random.Next()).Take(count).ToList();

    private IEnumerable<T> Subset<T>(params T[] of) => of.Where(_ => Chance(60)).ToList();
}
