using Roster.V1;

namespace Roster.Simulator.Reference;

/// <summary>
/// The rules once more, in the plainest way: dictionaries, strings and loops over everything. It shares no code with the engine and
/// knows nothing of batches, packing, sections, indexes, commits or restarts.
/// </summary>
internal sealed class Model
{
    private const int RoundsMax = 32;
    private const int EnrollmentsPerHourMax = 20;
    private const long HourMs = 3_600_000;
    private const long DayMs = 86_400_000;

    private readonly Dictionary<string, List<Workflow>> _versions = [];
    private readonly Dictionary<string, (bool IsOn, long CreatedAt)> _switches = [];

    public SortedDictionary<string, ModelRecord> Records { get; } = new(StringComparer.Ordinal);

    public IEnumerable<string> Workflows => _versions.Keys.OrderBy(id => _switches[id].CreatedAt).ThenBy(id => id, StringComparer.Ordinal);

    public void Publish(Workflow workflow, long now)
    {
        if (!_versions.TryGetValue(workflow.Id, out var versions))
        {
            _versions[workflow.Id] = versions = [];
            _switches[workflow.Id] = (true, now);
        }

        versions.Add(workflow.Clone());
    }

    public void Switch(string id, bool isOn) => _switches[id] = (isOn, _switches[id].CreatedAt);

    public ModelRecord Record(string id)
    {
        if (!Records.TryGetValue(id, out var record))
        {
            Records[id] = record = new ModelRecord();
        }

        return record;
    }

    /// <summary>Fires what is due up to an instant, each at its own.</summary>
    public void Advance(long to)
    {
        foreach (var record in Records.Values)
        {
            while (FirstDue(record) is { } due && due.At <= to)
            {
                var turn = new ModelTurn(this, record, due.At);
                if (due.Task is { } task)
                {
                    turn.Complete(task);
                }
                else
                {
                    turn.FinishDelay(due.Enrollment!);
                }
            }
        }
    }

    public string Event(Event sent, long now)
    {
        var record = Record(sent.RecordId);
        var content = sent.ToString();
        if (Known(record, sent.EventId, content, now) is { } known)
        {
            return known;
        }

        new ModelTurn(this, record, now).Event(sent, content);
        return "APPLIED";
    }

    public string Enroll(string recordId, string workflow, string request, long now)
    {
        var record = Record(recordId);
        if (Known(record, request, "enroll " + workflow, now) is { } known)
        {
            return known;
        }

        return new ModelTurn(this, record, now).Enroll(workflow, request);
    }

    public string Unenroll(string recordId, string workflow, string request, long now)
    {
        var record = Record(recordId);
        if (!record.Exists)
        {
            return "APPLIED";
        }

        if (Known(record, request, "unenroll " + workflow, now) is { } known)
        {
            return known;
        }

        new ModelTurn(this, record, now).Unenroll(workflow, request);
        return "APPLIED";
    }

    public bool Complete(string recordId, int enrollment, string step, int execution, long now)
    {
        var record = Record(recordId);
        var task = record.Tasks.Find(t => t.Enrollment == enrollment && t.Step == step && t.Execution == execution);
        if (task is null)
        {
            return false;
        }

        new ModelTurn(this, record, now).Complete(task);
        return true;
    }

    public Workflow Newest(string id) => _versions[id][^1];

    public bool IsOn(string id) => _switches[id].IsOn;

    /// <summary>The step itself, or where a publish that removed it sends its occupants (EDT-09).</summary>
    public Step? Surviving(string workflow, string step)
    {
        var newest = Newest(workflow);
        var old = _versions[workflow].LastOrDefault(v => v.Steps.Any(s => s.Id == step));
        var seen = new HashSet<string>();
        while (step.Length > 0 && seen.Add(step))
        {
            if (newest.Steps.FirstOrDefault(s => s.Id == step) is { } found)
            {
                return found;
            }

            var gone = old?.Steps.FirstOrDefault(s => s.Id == step);
            step = gone is null ? string.Empty
                : gone.KindCase != Step.KindOneofCase.Branch ? gone.Next
                : gone.Branch.DefaultNext.Length > 0 ? gone.Branch.DefaultNext
                : gone.Branch.Branches[0].Next;
        }

        return null;
    }

    private static string? Known(ModelRecord record, string id, string content, long now)
    {
        now = Math.Max(now, record.LastTurnAt);
        var newest = record.Marks.Skip(Math.Max(0, record.Marks.Count - 1_000)).LastOrDefault(m => m.Id == id);

        // The engine remembers whole seconds.
        return newest.Id is null || newest.At / 1000 * 1000 < now - (7 * DayMs) ? null
            : newest.Content == content ? "DUPLICATE"
            : "DUPLICATE_MISMATCH";
    }

    private static (long At, ModelEnrollment? Enrollment, ModelTask? Task)? FirstDue(ModelRecord record) => record.Active
        .Where(e => e.DueAt > 0)
        .Select(e => (At: e.DueAt, e.Number, e.Step, Execution: 0, Enrollment: (ModelEnrollment?)e, Task: (ModelTask?)null))
        .Concat(record.Tasks.Select(t => (At: t.TimesOutAt, Number: t.Enrollment, t.Step, t.Execution, Enrollment: (ModelEnrollment?)null, Task: (ModelTask?)t)))
        .OrderBy(d => d.At).ThenBy(d => d.Number).ThenBy(d => d.Step, StringComparer.Ordinal).ThenBy(d => d.Execution)
        .Select(d => ((long, ModelEnrollment?, ModelTask?)?)(d.At, d.Enrollment, d.Task))
        .FirstOrDefault();

    /// <summary>Work of one turn.</summary>
    private sealed class ModelTurn(Model model, ModelRecord record, long clock)
    {
        private readonly List<(ModelEnrollment Enrollment, string? At)> _ready = [];
        private readonly long _now = Math.Max(clock, record.LastTurnAt);
        private SortedDictionary<string, ModelProperty> _before = [];
        private bool _hasChanged;
        private bool _isNew;
        private Event? _event;
        private long _occurredAt;

        public void Event(Event sent, string content)
        {
            Begin();
            _event = sent;
            var at = sent.OccurredAt is null ? 0 : (sent.OccurredAt.Seconds * 1000) + (sent.OccurredAt.Nanos / 1_000_000);
            _occurredAt = at == 0 || at > _now ? _now : at;
            Create(_occurredAt);
            record.Marks.Add((sent.EventId, content, _now));
            foreach (var write in sent.Writes)
            {
                Write(write.Name, Values.Read(write.Value), _occurredAt);
            }

            if (!sent.Baseline)
            {
                Rounds(0);
            }
        }

        public string Enroll(string workflow, string request)
        {
            Begin();
            Create(_now);
            record.Marks.Add((request, "enroll " + workflow, _now));
            var decision = Consider(workflow, isExplicit: true, isBarred: false, isRefined: true, isReenrolled: false, isLast: false);
            Snapshot();
            Run();
            if (_hasChanged)
            {
                Rounds(1);
            }

            return decision;
        }

        public void Unenroll(string workflow, string request)
        {
            Begin();
            record.Marks.Add((request, "unenroll " + workflow, _now));
            if (record.Active.Find(e => e.Workflow == workflow) is { } enrollment)
            {
                End(enrollment, "MANUAL");
            }
        }

        public void FinishDelay(ModelEnrollment enrollment)
        {
            Begin();
            enrollment.DueAt = 0;
            _ready.Add((enrollment, Following(enrollment)));
            Rounds(0);
        }

        public void Complete(ModelTask task)
        {
            Begin();
            record.Tasks.Remove(task);
            var enrollment = record.Active.Find(e => e.Number == task.Enrollment);
            if (task.Waits && enrollment is not null && enrollment.Step == task.Step && enrollment.Execution == task.Execution && enrollment.DueAt == 0)
            {
                _ready.Add((enrollment, Following(enrollment)));
            }

            Rounds(0);
        }

        /// <summary>The step after the present one; the surviving one when a publish removed it.</summary>
        private string? Following(ModelEnrollment enrollment)
        {
            var present = model.Surviving(enrollment.Workflow, enrollment.Step);
            return present is null ? null : present.Id != enrollment.Step ? present.Id : present.Next.Length == 0 ? null : present.Next;
        }

        private void Begin()
        {
            record.LastTurnAt = _now;
            Snapshot();
        }

        private void Create(long at)
        {
            _isNew = !record.Exists;
            if (_isNew)
            {
                record.Exists = true;
                record.CreatedAt = at;
            }
        }

        private void Snapshot()
        {
            _before = new SortedDictionary<string, ModelProperty>(record.Properties.ToDictionary(p => p.Key, p => p.Value.Copy()), StringComparer.Ordinal);
            _hasChanged = false;
        }

        private void Write(string name, string? value, long at)
        {
            if (!record.Properties.TryGetValue(name, out var property))
            {
                record.Properties[name] = property = new ModelProperty { OccurredAt = long.MinValue, UpdatedAt = at };
            }

            if (at < property.OccurredAt)
            {
                return;
            }

            property.OccurredAt = at;
            if (property.Value == value)
            {
                return;
            }

            property.Value = value;
            property.UpdatedAt = at;
            _hasChanged = true;
            if (value is not null)
            {
                property.Ever.Add(value);
            }
        }

        private void Rounds(int first)
        {
            for (var round = first; ; round++)
            {
                var isLast = round > RoundsMax;
                foreach (var workflow in model.Workflows)
                {
                    if (record.Active.Find(e => e.Workflow == workflow) is { } active && GoalHolds(workflow))
                    {
                        End(active, "GOAL_MET");
                    }
                }

                foreach (var workflow in model.Workflows.Where(model.IsOn))
                {
                    Trigger(workflow, round, isLast);
                }

                Snapshot();
                if (isLast)
                {
                    return;
                }

                Run();
                if (!_hasChanged)
                {
                    return;
                }
            }
        }

        private void Trigger(string workflow, int round, bool isLast)
        {
            var start = model.Newest(workflow).Start;
            if (start.KindCase == Start.KindOneofCase.Event && round == 0 && _event is not null)
            {
                var fired = start.Event.AnyOf.Where(t => t.EventType == _event.Type && t.Where.All(Where)).ToList();
                if (fired.Count > 0)
                {
                    var checks = fired.ConvertAll(t => (
                        IsBarred: !(t.HasAllowNewRecord && t.AllowNewRecord) && (_isNew || _occurredAt < record.CreatedAt),
                        IsRefined: t.OnlyIf is null || Holds(t.OnlyIf)));
                    var best = checks.FindIndex(c => !c.IsBarred && c.IsRefined);
                    var (isBarred, isRefined) = checks[Math.Max(0, best)];
                    Consider(workflow, false, isBarred, isRefined, false, isLast);
                }
            }
            else if (start.KindCase == Start.KindOneofCase.Filter)
            {
                var isReenrolled = start.Reenroll && start.ReenrollWhen.Any(c => Became(c) || KnownAnew(c));
                if (isReenrolled || Became(start.Filter.Criteria))
                {
                    var isBarred = round == 0 && _isNew && start.Filter.HasFireOnCreate && !start.Filter.FireOnCreate;
                    Consider(workflow, false, isBarred, true, isReenrolled, isLast);
                }
            }
        }

        private string Consider(string workflow, bool isExplicit, bool isBarred, bool isRefined, bool isReenrolled, bool isLast)
        {
            var definition = model.Newest(workflow);
            var summary = record.Summaries.GetValueOrDefault(workflow);
            var times = summary?.Times ?? 0;
            var isFilter = definition.Start.KindCase == Start.KindOneofCase.Filter && !isExplicit;
            var decision = !model.IsOn(workflow) ? "WORKFLOW_OFF"
                : isBarred ? "NEW_RECORD"
                : !isRefined ? "REFINEMENT_NOT_MET"
                : record.Active.Exists(e => e.Workflow == workflow) ? "ALREADY_ACTIVE"
                : times > 0 && !definition.Start.Reenroll ? "REENROLLMENT_OFF"
                : times > 0 && isFilter && !isReenrolled ? "REENROLLMENT_TRIGGER_NOT_SELECTED"
                : isFilter && !Holds(definition.Start.Filter.Criteria) ? "CRITERIA_NOT_MET"
                : GoalHolds(workflow) ? "GOAL_ALREADY_MET"
                : isLast || (summary?.EnrolledAt.Count(at => at > _now - HourMs) ?? 0) >= EnrollmentsPerHourMax ? "LOOP_GUARD"
                : "ENROLLED";
            if (decision == "ENROLLED")
            {
                if (summary is null)
                {
                    record.Summaries[workflow] = summary = new ModelSummary();
                }

                summary.Times++;
                summary.EnrolledAt.Add(_now);
                var enrollment = new ModelEnrollment { Workflow = workflow, Number = ++record.LastNumber };
                record.Active.Add(enrollment);
                _ready.Add((enrollment, definition.FirstStep.Length > 0 ? definition.FirstStep : definition.Steps[0].Id));
            }

            return decision;
        }

        private void Run()
        {
            var order = model.Workflows.ToList();
            while (_ready.Count > 0)
            {
                var next = _ready.OrderBy(r => order.IndexOf(r.Enrollment.Workflow)).ThenBy(r => r.Enrollment.Number).First();
                _ready.Remove(next);
                Run(next.Enrollment, next.At);
            }
        }

        private void Run(ModelEnrollment enrollment, string? at)
        {
            var workflow = model.Newest(enrollment.Workflow);
            while (at is { Length: > 0 })
            {
                if (GoalHolds(workflow.Id))
                {
                    End(enrollment, "GOAL_MET");
                    return;
                }

                var step = workflow.Steps.First(s => s.Id == at);
                enrollment.Step = step.Id;
                switch (step.KindCase)
                {
                    case Step.KindOneofCase.Delay:
                        var due = Due(step.Delay);
                        if (due > _now)
                        {
                            enrollment.DueAt = due;
                            return;
                        }

                        at = step.Next;
                        break;
                    case Step.KindOneofCase.Branch:
                        at = step.Branch.Branches.FirstOrDefault(b => Holds(b.Criteria))?.Next ?? step.Branch.DefaultNext;
                        break;
                    case Step.KindOneofCase.SetProperty:
                        if (model.IsOn(workflow.Id))
                        {
                            Write(step.SetProperty.Property, Values.OfStep(step.SetProperty.Property, step.SetProperty.Value), _now);
                        }

                        at = step.Next;
                        break;
                    default:
                        var execution = enrollment.Runs[step.Id] = enrollment.Runs.GetValueOrDefault(step.Id) + 1;
                        if (model.IsOn(workflow.Id))
                        {
                            var waits = !step.Worker.HasWait || step.Worker.Wait;
                            var timeout = step.Worker.Timeout is null ? 7 * DayMs : step.Worker.Timeout.Seconds * 1000;
                            record.Tasks.Add(new ModelTask(enrollment.Number, workflow.Id, step.Id, execution, _now + timeout, waits));
                            if (waits)
                            {
                                enrollment.Execution = execution;
                                return;
                            }
                        }

                        at = step.Next;
                        break;
                }
            }

            End(enrollment, "COMPLETED");
        }

        private long Due(Delay delay) => delay.Unit switch
        {
            Delay.Types.Unit.Minutes => _now + (delay.Amount * 60_000L),
            Delay.Types.Unit.Hours => _now + (delay.Amount * HourMs),
            Delay.Types.Unit.Days => _now + (delay.Amount * DayMs),
            _ => _now + (delay.Amount * 7 * DayMs),
        };

        private void End(ModelEnrollment enrollment, string reason)
        {
            record.Active.Remove(enrollment);
            _ready.RemoveAll(r => r.Enrollment == enrollment);
            if (reason != "COMPLETED")
            {
                record.Tasks.RemoveAll(t => t.Enrollment == enrollment.Number);
            }

            var summary = record.Summaries[enrollment.Workflow];
            summary.LastEnd = reason;
            summary.LastEndedAt = _now;
            summary.Completed += reason == "COMPLETED" ? 1 : 0;
        }

        private bool GoalHolds(string workflow) => model.Newest(workflow).Goals.Any(g => Holds(g.Criteria));

        private bool Where(Filter filter) => Values.Accepts(filter, Values.Read(_event!.Properties.FirstOrDefault(p => p.Name == filter.Property)?.Value), []);

        private bool Holds(Criteria criteria) => Values.Accepts(criteria, record.Value, record.Ever);

        private bool Held(Criteria criteria) => Values.Accepts(
            criteria, name => _before.TryGetValue(name, out var p) ? p.Value : null, name => _before.TryGetValue(name, out var p) ? p.Ever : []);

        private bool Became(Criteria criteria) => Holds(criteria) && !Held(criteria);

        /// <summary>REN-04.</summary>
        private bool KnownAnew(Criteria criteria) => criteria.AnyOf.Any(group =>
            Holds(new Criteria { AnyOf = { group } })
            && group.AllOf.Any(f => f.Operator == Filter.Types.Operator.IsKnown && record.Value(f.Property) != (_before.TryGetValue(f.Property, out var p) ? p.Value : null)));
    }
}
