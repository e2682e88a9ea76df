using System.Globalization;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Benchmarks;

/// <summary>
/// The tenant and one contact of the workload <c>mixed</c> (load-tests/Roster.LoadTests): 20 properties that nothing reads, 40 workflows that
/// each look at a property of their own, set another, hand a task to a worker and wait seven days. The contact has had 30 events: 21 changed a
/// property, 6 were looked at by a filter, 3 enrolled it. Its tasks are completed but the last.
/// </summary>
internal sealed class World
{
    public const int Properties = 20;
    public const int Workflows = 40;
    private const int Events = 30;
    private const ulong FirstTurn = 1_000;

    private static readonly Timestamp Start = new(1_770_000_000_000);
    private static readonly NamedValue[] EventProperties =
    [
        new("page", Value.OfText("https://www.example.org/products/overview?campaign=spring")),
        new("referrer", Value.OfText("https://search.example.com/results?q=crm+automation&page=2")),
        new("agent", Value.OfText("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140")),
    ];

    private readonly Turn _turn = new();
    private readonly RecordState _state = new();
    private ulong _turns = FirstTurn;

    public World()
    {
        var schema = TenantSchema.New(TenantSettings.Default);
        foreach (var name in Names())
        {
            schema = schema.WithProperty(schema.FindObjectType("contact")!, name, PropertyType.String, []);
        }

        Contact = schema.FindObjectType("contact")!;
        Catalog = new TenantCatalog(1, "bench", 1, schema, Enumerable.Range(0, Workflows).Select(i => Compile(schema, i, OneFilter(i))));
        Head = Live();
    }

    public ObjectTypeDefinition Contact { get; }

    public TenantCatalog Catalog { get; }

    /// <summary>The packed contact.</summary>
    public byte[] Head { get; }

    /// <summary>The task that is open.</summary>
    public OpenEffect OpenTask { get; private set; }

    /// <summary>An instant after all of the contact's turns.</summary>
    public static Timestamp Now => Start.PlusMs(86_400_000);

    /// <summary>Id of the turn that is measured.</summary>
    public static ulong TurnId => ulong.MaxValue / 3;

    public PropertyDefinition Property(string name) => Contact.Find(name) ?? throw new InvalidOperationException($"There is no property '{name}'.");

    public static string Trigger(int workflow) => string.Create(CultureInfo.InvariantCulture, $"trigger_{workflow}");

    /// <summary>The contact as it is between turns.</summary>
    public RecordState Load()
    {
        var state = new RecordState();
        state.Load(Head);
        return state;
    }

    /// <summary>An event as the load generator sends them.</summary>
    public EventInput Event(string id, string property, string value) =>
        new(id, StandardEventTypes.PropertyChangedNumber, Timestamp.None, "load-test", EventProperties, [new PropertyWrite(Property(property), Value.OfText(value))], false);

    public CompletionInput Completion(OpenEffect task) => new(task.Enrollment, task.Step, task.Execution, StepResult.Success, string.Empty, string.Empty, []);

    /// <summary>Compiles criteria as those of a workflow that is not published.</summary>
    public Criteria Criteria(CriteriaDefinition criteria) =>
        Compile(Catalog.Schema, Workflows, criteria).StartCriteria ?? throw new InvalidOperationException("The workflow has no criteria.");

    public static PropertyFilterDefinition Filter(string property, Operator test, params string[] values) => new(property, test, values, false, string.Empty);

    private static IEnumerable<string> Names() =>
        Enumerable.Range(0, Properties).Select(i => $"p{i}").Concat(Enumerable.Range(0, Workflows).SelectMany(i => new[] { Trigger(i), $"status_{i}" }));

    private static CriteriaDefinition OneFilter(int i) => new([new FilterGroupDefinition([Filter(Trigger(i), Operator.IsEqualTo, "go")])]);

    private static CompiledWorkflow Compile(TenantSchema schema, int i, CriteriaDefinition criteria)
    {
        StepDefinition[] steps =
        [
            new SetPropertyStepDefinition("mark", "task", $"status_{i % Workflows}", "enrolled", false),
            new WorkerStepDefinition("task", "wait", "load", [KeyValuePair.Create("template", "welcome")], [], false, null),
            new DelayStepDefinition("wait", string.Empty, 7, DelayUnit.Days),
        ];
        var definition = new WorkflowDefinition(
            $"load-{i}", "contact", new StartDefinition(StartKind.Filter, criteria, true, [], false, []), [], steps, string.Empty, string.Empty);
        var compiled = WorkflowCompiler.Compile(
            definition, new WorkflowIdentity(definition.Id, i + 1, 1, WorkflowState.On, new Timestamp(i + 1)), new DefinitionScope(schema, [], []),
            step => 1 + Array.FindIndex(steps, s => s.Id == step), _ => 1, out var problems);
        return compiled ?? throw new InvalidOperationException($"{problems[0].Path}: {problems[0].Message}");
    }

    /// <summary>Runs the contact's turns; what they lead to is packed.</summary>
    private byte[] Live()
    {
        _state.Reset(new RecordKey(1, Contact.Number, "contact-00000042@example.org"), 42);
        var seed = Enumerable.Range(0, Properties).Select(i => new PropertyWrite(Property($"p{i}"), Value.OfText($"value 42 of p{i}"))).ToArray();
        var head = Run(new EventInput("seed", StandardEventTypes.PropertyChangedNumber, Timestamp.None, "load-test", EventProperties, seed, true));
        for (var i = 1; i <= Events; i++)
        {
            var (property, value) = i % 10 == 0 ? (Trigger(i / 10), "go") : i % 5 == 0 || i % 7 == 0 ? (Trigger(i), $"value {i:D2} of it") : ($"p{i % Properties}", $"value {i:D2} of it");
            head = Run(Event($"019a8d2c4b1f-0-{i}", property, value));
            if (i < Events && _state.OpenEffects.Length > 0)
            {
                head = Run(Completion(_state.OpenEffects[0]));
            }
        }

        OpenTask = _state.OpenEffects[0];
        return head;
    }

    private byte[] Run(TurnInput input)
    {
        var status = _turn.Decide(_state, input, Catalog, Start.PlusMs((long)(_turns - FirstTurn) * 60_000), ++_turns).Status;
        if (status != TurnStatus.Applied)
        {
            throw new InvalidOperationException($"A turn of the contact ended with {status}.");
        }

        var head = new PackedWriter();
        _state.Pack(head);
        _state.Load(head.Written);
        return head.Written.ToArray();
    }
}
