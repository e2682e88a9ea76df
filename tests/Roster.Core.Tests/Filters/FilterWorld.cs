using NodaTime;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Filters;

/// <summary>One record, written by journal entries alone, and what criteria say about it.</summary>
internal sealed class FilterWorld
{
    public static IReadOnlyList<(string Name, PropertyType Type)> Properties { get; } =
    [
        ("stage", PropertyType.String), ("name", PropertyType.String), ("score", PropertyType.Number), ("limit", PropertyType.Number),
        ("flag", PropertyType.Bool), ("other_flag", PropertyType.Bool), ("tags", PropertyType.Enumeration), ("day", PropertyType.Date),
        ("other_day", PropertyType.Date), ("at", PropertyType.DateTime), ("other_at", PropertyType.DateTime),
    ];

    public static readonly Timestamp Start = At("2026-01-05T12:00:00Z");

    public static readonly TenantSchema Tenant = NewSchema(TenantSettings.Default);

    public static readonly DefinitionScope Scope = ScopeOf(Tenant);

    private readonly ObjectTypeDefinition _type;
    private int _ids;

    public FilterWorld(string objectType = "contact", string id = "ada")
    {
        _type = Tenant.FindObjectType(objectType)!;
        State.Reset(new RecordKey(1, _type.Number, id), 7);
    }

    public RecordState State { get; } = new();

    /// <summary>Copies that filters on associated records see.</summary>
    public List<(int ObjectType, int Label, byte[] Head)> Copies { get; } = [];

    public static TenantSchema NewSchema(TenantSettings settings)
    {
        var schema = TenantSchema.New(settings);
        foreach (var (name, type) in Properties)
        {
            schema = schema.WithProperty(schema.FindObjectType("contact")!, name, type, type == PropertyType.Enumeration ? ["a", "b", "c", "d"] : []);
        }

        schema = schema.WithProperty(schema.FindObjectType("contact")!, Consents.PropertyOf("news"), PropertyType.Enumeration, ["SUBSCRIBED", "UNSUBSCRIBED", "GRANTED", "NOT_GRANTED"]);
        schema = schema.WithProperty(schema.FindObjectType("deal")!, "stage", PropertyType.String, []);
        schema = schema.WithProperty(schema.FindObjectType("deal")!, "amount", PropertyType.Number, []);
        schema = schema.WithProperty(schema.FindObjectType("deal")!, "close", PropertyType.Date, []);
        schema = schema.WithProperty(schema.FindObjectType("line_item")!, "sku", PropertyType.String, []);
        schema = schema.WithProperty(schema.FindObjectType("line_item")!, "quantity", PropertyType.Number, []);
        schema = schema.WithProperty(schema.FindObjectType("line_item")!, "until", PropertyType.Date, []);
        return schema.WithEventType("clicked").WithEventType("bought").WithEventType("opened").WithLabel("primary");
    }

    public static DefinitionScope ScopeOf(TenantSchema schema) => new(
        schema,
        [new ListInfo("vip", 1, 1, false), new ListInfo("big", 2, schema.FindObjectType("deal")!.Number, false), new ListInfo("items", 3, schema.FindObjectType("line_item")!.Number, false)],
        [new WorkflowInfo("w", 1, 1, ["first", "second"], []), new WorkflowInfo("none", 2, 1, [], []), new WorkflowInfo("dw", 3, schema.FindObjectType("deal")!.Number, [], [])]);

    public static Timestamp At(string text)
    {
        Assert.True(Value.TryParse(text, PropertyType.DateTime, out var value), text);
        return value.DateTime;
    }

    public static PropertyFilterDefinition Is(string property, Operator op, params string[] values) => new(property, op, values, false, string.Empty);

    public static TimePointDefinition OnDate(string date, bool exclusive = false, int offset = 0) => new(date, TimeIndex.None, string.Empty, offset, exclusive);

    public static TimePointDefinition OnIndex(TimeIndex index, bool exclusive = false, int offset = 0) => new(string.Empty, index, string.Empty, offset, exclusive);

    public static TimePointDefinition OnProperty(string property, bool exclusive = false, int offset = 0) => new(string.Empty, TimeIndex.None, property, offset, exclusive);

    public static CriteriaDefinition All(params FilterDefinition[] filters) => new([new FilterGroupDefinition(filters)]);

    public static EventHistoryFilterDefinition Happened(string type, params FilterDefinition[] where) => new(type, where, false, null);

    public static RefinementDefinition Within(TimeRangeKind kind, RangeBoundDefinition from, RangeBoundDefinition? to = null) => new(new TimeRangeDefinition(kind, from, to), null);

    public static RefinementDefinition Times(int min, int? max = null) => new(null, new OccurrencesDefinition(min, max));

    public static RangeBoundDefinition Days(int days) => new(string.Empty, days);

    public static RangeBoundDefinition On(string date) => new(date, null);

    public static (Criteria Criteria, List<WorkflowProblem> Problems) Compile(
        CriteriaDefinition? definition, string zone = "UTC", string type = "contact", string path = "c", DefinitionScope? scope = null, CopyWalk? copies = null)
    {
        var problems = new List<WorkflowProblem>();
        var compiler = Compiler(problems, zone, type, scope, copies);
        return (compiler.Compile(definition, path), problems);
    }

    public static CriteriaCompiler Compiler(List<WorkflowProblem> problems, string zone = "UTC", string type = "contact", DefinitionScope? scope = null, CopyWalk? copies = null)
    {
        scope ??= Scope;
        var objectType = scope.Schema.FindObjectType(type)!;
        return copies is null
            ? new CriteriaCompiler(scope, objectType, TimeZones.Find(zone)!, problems.Add)
            : new CriteriaCompiler(scope, objectType, TimeZones.Find(zone)!, problems.Add) { Copies = copies };
    }

    public Criteria Ready(CriteriaDefinition definition, string zone = "UTC")
    {
        var (criteria, problems) = Compile(definition, zone, _type.Name, copies: NextCopy);
        Assert.True(problems.Count == 0, string.Join('\n', problems));
        return criteria;
    }

    public bool Accepts(CriteriaDefinition definition, Timestamp at, string zone = "UTC") => Ready(definition, zone).Accepts(new Judging(State, at));

    public bool Accepts(FilterDefinition filter, Timestamp at, string zone = "UTC") => Accepts(All(filter), at, zone);

    public bool Accepts(FilterDefinition filter) => Accepts(filter, Start);

    /// <summary>A turn with entries.</summary>
    public FilterWorld Turn(Timestamp at, params JournalEntry[] entries)
    {
        Begin(at, entries);
        State.EndTurn();
        return this;
    }

    /// <summary>A turn that is not over: the state before it can be asked for.</summary>
    public FilterWorld Begin(Timestamp at, params JournalEntry[] entries)
    {
        State.BeginTurn(at, (ulong)++_ids, keepsWhole: true);
        foreach (var entry in entries)
        {
            State.Apply(entry);
        }

        return this;
    }

    public FilterWorld Set(string property, string text, Timestamp? at = null) => Turn(at ?? Start, Write(property, text, at ?? Start));

    public JournalEntry Write(string property, string text, Timestamp? at = null)
    {
        var declared = _type.Find(property)!;
        Assert.True(Value.TryParse(text, declared.Type, out var value), text);
        return JournalEntry.PropertyChanged(declared.Number, value, at ?? Start, "test");
    }

    public FilterWorld Event(string type, Timestamp at, params (string Name, Value Value)[] properties) => Turn(at, Occurred(type, at, properties));

    public JournalEntry Occurred(string type, Timestamp at, params (string Name, Value Value)[] properties) => JournalEntry.EventReceived(
        Tenant.FindEventType(type), at, false, $"e{++_ids}", new Hash128((ulong)_ids, 1), 0, "test", [.. properties.Select(p => new NamedValue(p.Name, p.Value))]);

    /// <summary>Gives the record a copy of an associated record.</summary>
    public FilterWorld Associate(FilterWorld other, string label = "")
    {
        var writer = new Packing.PackedWriter();
        other.State.Pack(writer);
        Copies.Add((other.State.ObjectType, Tenant.FindLabel(label), writer.Written.ToArray()));
        return this;
    }

    /// <summary>Has the record keep a copy of all that a linked one has (ASC-04).</summary>
    public FilterWorld Keep(FilterWorld other, string label = "")
    {
        var state = other.State;
        var all = new CopyTarget([.. Enumerable.Range(0, state.PropertyCount).Select(i => state.PropertyAt(i).Number)], []);
        RecordCopy? cut = null;
        int[] labels = label.Length == 0 ? [] : [Tenant.FindLabel(label)];
        return Turn(Start, JournalEntry.CopyChanged(new Association(state.ObjectType, state.Id, labels, Start), state.ToCopy(all, ref cut), isRemoved: false));
    }

    public int Number(string property) => _type.Find(property)!.Number;

    private bool NextCopy(RecordState state, int objectType, int label, ref int cursor, RecordState copy)
    {
        while (cursor < Copies.Count)
        {
            var (copyType, copyLabel, head) = Copies[cursor++];
            if (copyType == objectType && (label == RecordState.AnyLabel || label == copyLabel))
            {
                copy.Load(head);
                return true;
            }
        }

        return false;
    }
}
