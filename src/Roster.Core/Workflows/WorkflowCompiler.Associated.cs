using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Data sources, and steps that concern other records (ASC-06, ACT-20, ACT-22 to ACT-27).</content>
public sealed partial class WorkflowCompiler
{
    /// <summary>Most data sources of a workflow.</summary>
    public const int DataSourcesMax = 20;

    /// <summary>Most properties that a step gives a new record.</summary>
    public const int AssignmentsMax = 100;

    private readonly Dictionary<string, CompiledDataSource> _dataSources = new(StringComparer.Ordinal);
    private readonly SortedSet<(int ObjectType, int Property)> _readFromAssociated = [];

    /// <summary>Id of the wait that a human step ends with (ACT-25). No step of a definition can have it.</summary>
    public static string WaitOf(string step) => step + "/wait";

    private void CompileDataSources()
    {
        Require(_definition.DataSources.Count <= DataSourcesMax, "dataSources", "TOO_MANY", $"{_definition.DataSources.Count}", $"At most {DataSourcesMax} data sources.");
        for (var i = 0; i < _definition.DataSources.Count; i++)
        {
            var source = _definition.DataSources[i];
            var path = $"dataSources[{i}]";
            Require(Names.IsId(source.Name), $"{path}.name", "BAD_ID", source.Name, "A data source has a name of 1 to 100 characters of a-z, 0-9, _ and -.");
            if (FindType(source.ObjectType, $"{path}.objectType") is not { } type)
            {
                continue;
            }

            var sortBy = source.SortBy.Length == 0 ? null : FindOf(type, source.SortBy, $"{path}.sortBy");
            if (!_dataSources.TryAdd(source.Name, new CompiledDataSource(source.Name, type, LabelOf(source.Label), sortBy, source.Descending)))
            {
                Error($"{path}.name", "DUPLICATE_DATA_SOURCE", source.Name, $"Data source '{Refusal.Cut(source.Name)}' is there twice.");
            }

            _readFromAssociated.Add((type.Number, sortBy?.Number ?? 0));
        }
    }

    /// <summary>Number of a label for looking; null for one that no link has.</summary>
    private int? LabelOf(string label) => label.Length == 0
        ? Records.RecordState.AnyLabel
        : _scope.Schema.FindLabel(label) is var number and > 0 ? number : null;

    /// <summary>Number of a label for making links; the owner of the schema has given it one.</summary>
    private int NewLabel(string label, string path)
    {
        var number = _scope.Schema.FindLabel(label);
        Require(number >= 0, path, "BAD_NAME", label, "A label has 1 to 100 characters of a-z, 0-9, _, - and '.', and a tenant at most 1,000 of them.");
        return Math.Max(0, number);
    }

    private ObjectTypeDefinition? FindType(string name, string path)
    {
        var type = _scope.Schema.FindObjectType(name);
        Require(type is not null, path, name.Length == 0 ? "MISSING_FIELD" : "UNDECLARED_OBJECT_TYPE", name, $"Object type '{Refusal.Cut(name)}' is not declared.");
        return type;
    }

    private PropertyDefinition? FindOf(ObjectTypeDefinition type, string name, string path)
    {
        var property = type.Find(name);
        Require(property is not null, path, "UNDECLARED_PROPERTY", name, $"Property '{Refusal.Cut(name)}' of {type.Name} is not declared.");
        return property;
    }

    private CompiledDataSource? FindDataSource(string name, string path)
    {
        var source = _dataSources.GetValueOrDefault(name);
        Require(source is not null, path, "UNKNOWN_DATA_SOURCE", name, $"There is no data source '{Refusal.Cut(name)}' in dataSources (ASC-06).");
        return source;
    }

    private AssociatedValueSource? CompileAssociatedValue(string name, string property, string path)
    {
        if (FindDataSource(name, $"{path}.dataSource") is not { } source || FindOf(source.ObjectType, property, $"{path}.property") is not { } found)
        {
            return null;
        }

        _readFromAssociated.Add((source.ObjectType.Number, found.Number));
        return new AssociatedValueSource(source, found);
    }

    private CompiledCreate? CompileCreate(CreateRecordStepDefinition create, int number, int index, int next, string path)
    {
        Require(create.Properties.Count <= AssignmentsMax, $"{path}.properties", "TOO_MANY", $"{create.Properties.Count}", $"At most {AssignmentsMax} properties.");
        if (FindType(create.ObjectType, $"{path}.objectType") is not { } type)
        {
            return null;
        }

        var values = new List<(PropertyDefinition, CompiledValue)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < create.Properties.Count; i++)
        {
            var at = $"{path}.properties[{i}]";
            Require(seen.Add(create.Properties[i].Property), $"{at}.property", "DUPLICATE_PROPERTY", create.Properties[i].Property, "A property is given once.");
            Require(create.Properties[i].Value is not null, $"{at}.value", "MISSING_FIELD", create.Properties[i].Property, "A property needs a value.");
            if (FindOf(type, create.Properties[i].Property, $"{at}.property") is { } property && create.Properties[i].Value is { } value && CompileSource(value, $"{at}.value") is { } source)
            {
                values.Add((property, source));
            }
        }

        return new CompiledCreate(number, create.Id, index, next, "create_record", type, NewLabel(create.Label, $"{path}.label"), [.. values], null, Source);
    }

    private CompiledCreate? CompileTask(CreateTaskStepDefinition task, int number, int index, int next, string path)
    {
        Require(task.Title.Length > 0, $"{path}.title", "MISSING_FIELD", string.Empty, "A task needs a title (ACT-24).");
        Require(task.Wait || (task.Timeout is null && task.TimeoutNext.Length == 0), $"{path}.timeout", "NO_WAIT", string.Empty, "Only a step that waits has a timeout (ACT-25).");
        if (FindType(StandardObjectTypes.Task, path) is not { } type
            || FindOf(type, TaskProperties.Title, path) is not { } title
            || FindOf(type, TaskProperties.Body, path) is not { } body
            || FindOf(type, TaskProperties.DueAt, path) is not { } dueAt)
        {
            return null;
        }

        var values = new List<(PropertyDefinition, CompiledValue)> { (title, CompileText(task.Title, $"{path}.title")) };
        if (task.Body.Length > 0)
        {
            values.Add((body, CompileText(task.Body, $"{path}.body")));
        }

        if (_definition.Sequence is { } sequence && FindOf(type, TaskProperties.Type, path) is { } kind && FindOf(type, TaskProperties.Owner, path) is { } owner)
        {
            values.Add((kind, new TextValueSource([new TextPart(ApiNames.Of(task.Kind.ToString()), null)])));
            values.Add((owner, new TextValueSource([new TextPart(sequence.Owner, null)])));
        }

        var due = CompileDelay(new DelayStepDefinition(task.Id, string.Empty, 0, DelayUnit.Minutes) { Delay = task.Due ?? new DelayDefinition(0, DelayUnit.Minutes) }, number, index, 0, $"{path}.due");
        return new CompiledCreate(number, task.Id, index, next, "create_task", type, 0, [.. values], (dueAt, due), Source);
    }

    private CompiledCreate? CompileNote(CreateNoteStepDefinition note, int number, int index, int next, string path)
    {
        Require(note.Body.Length > 0, $"{path}.body", "MISSING_FIELD", string.Empty, "A note needs a text (ACT-24).");
        return FindType(StandardObjectTypes.Note, path) is { } type && FindOf(type, TaskProperties.Body, path) is { } body
            ? new CompiledCreate(number, note.Id, index, next, "create_note", type, 0, [(body, CompileText(note.Body, $"{path}.body"))], null, Source)
            : null;
    }

    /// <summary>The wait of a human step: an event wait on the completion of its own task (ACT-25).</summary>
    private CompiledWait CompileTaskWait(CreateTaskStepDefinition task, int index)
    {
        var path = $"steps[{index}].createTask";
        var next = Connection($"steps[{index}].next", NextInOrder(task));
        var step = StepNumber(task.Id);
        _readOutputs.Add(step);
        var completed = new CompiledEventTrigger(_scope.Schema.FindEventType(StandardEventTypes.TaskCompleted), [], null, AllowNewRecord: true) { Text = "the task is completed" };
        var timeoutNext = task.TimeoutNext.Length == 0 ? next : Connection($"{path}.timeoutNext", task.TimeoutNext);
        return new CompiledWait(_stepNumber(WaitOf(task.Id)), WaitOf(task.Id), index, next, [completed], null, Lookback: false, CompileTimeout(task.Timeout, $"{path}.timeout"), timeoutNext)
        {
            OfTask = step,
        };
    }

    private CompiledLink? CompileLink(string objectType, ValueSourceDefinition? recordId, string label, bool adds, StepDefinition step, int number, int index, int next, string path)
    {
        var type = FindType(objectType, $"{path}.objectType");
        Require(!adds || recordId is not null, $"{path}.recordId", "MISSING_FIELD", string.Empty, "Whom to associate with must be said (ACT-27).");
        var source = recordId is null ? null : CompileSource(recordId, $"{path}.recordId");
        int? wanted = adds ? NewLabel(label, $"{path}.label") : LabelOf(label);
        return type is null ? null : new CompiledLink(number, step.Id, index, next, type, source, wanted, adds);
    }

    private CompiledSetAssociated? CompileSetAssociated(SetPropertyStepDefinition set, int number, int index, int next, string path)
    {
        if (FindDataSource(set.DataSource, $"{path}.dataSource") is not { } target || FindOf(target.ObjectType, set.Property, $"{path}.property") is not { } property)
        {
            return null;
        }

        var mode = set.Mode == SetMode.None ? SetMode.Set : set.Mode;
        var from = set.Source is null ? null : CompileSource(set.Source, $"{path}.source");
        CheckSet(set, mode, property, path);
        return new CompiledSetAssociated(number, set.Id, index, next, target, property, mode, FixedValue(set, property, path), from, Source);
    }
}
