using System.Diagnostics;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;
using Roster.LoadTests.Reporting;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// What a turn costs in Core alone, on one core: an event writes a property that 5 workflows look at, once among 5 live workflows and once
/// among 2,000. A turn looks up its candidates, so the two must cost the same.
/// </summary>
internal static class Candidates
{
    private const int Matching = 5;
    private const int Many = 2_000;
    private const int Turns = 300_000;
    private const int Rounds = 7;

    public static void Run(LoadRun run)
    {
        var few = Measurement(Matching);
        var many = Measurement(Many);
        few(Turns / 5);
        many(Turns / 5);
        var ratios = new List<double>();
        var figures = new List<(double Few, double Many)>();
        for (var round = 0; round < Rounds; round++)
        {
            var (a, b) = (few(Turns), many(Turns));
            figures.Add((a, b));
            ratios.Add(b / a);
        }

        ratios.Sort();
        var result = run.Result;
        result.Figures.Add(new Figure($"turn with {Matching} live workflows, median", figures.Select(f => f.Few).Order().ElementAt(Rounds / 2), "ns"));
        result.Figures.Add(new Figure($"turn with {Many:N0} live workflows, median", figures.Select(f => f.Many).Order().ElementAt(Rounds / 2), "ns"));
        result.Figures.Add(new Figure($"ratio, median of {Rounds} alternating rounds", ratios[Rounds / 2], string.Empty, 1.5, LessIsBetter: true));
        if (ratios[Rounds / 2] > 1.5)
        {
            result.Failures.Add("A turn costs more the more workflows are live.");
        }
    }

    /// <summary>Makes a catalog and gives what measures so many turns on it: nanoseconds per turn.</summary>
    private static Func<int, double> Measurement(int workflows)
    {
        var schema = TenantSchema.New(TenantSettings.Default);
        for (var i = 0; i < 500; i++)
        {
            schema = schema.WithProperty(schema.FindObjectType("contact")!, i == 0 ? "hot" : $"cold{i}", PropertyType.String, []);
        }

        var catalog = new TenantCatalog(1, "bench", 1, schema, Enumerable.Range(1, workflows).Select(n => Compile(n, schema)));
        var hot = schema.FindObjectType("contact")!.Find("hot")!;
        var state = new RecordState();
        var turn = new Turn();
        var head = new PackedWriter();
        var id = 0L;
        var sections = new Dictionary<int, byte[]>();
        return turns =>
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < turns; i++)
            {
                if (i % 256 == 0)
                {
                    // A record of a usual age: former values and event ids do not pile up.
                    head.Clear();
                    sections.Clear();
                }

                if (head.Length == 0)
                {
                    state.Reset(new RecordKey(1, 1, "ada"), 1);
                }
                else
                {
                    state.Load(head.Written);
                }

                id++;
                var input = new EventInput($"e{id}", 1, Timestamp.None, "bench", [], [new PropertyWrite(hot, Value.OfText(id % 2 == 0 ? "lead" : "visitor"))], false);
                var now = new Timestamp(1_700_000_000_000 + id);
                if (turn.Decide(state, input, catalog, now, (ulong)id).Status == TurnStatus.NeedsSections)
                {
                    // One of 65,536 ids has the fingerprint of one that moved out: the host would load its section.
                    state.Load(head.Written);
                    foreach (var (index, content) in sections)
                    {
                        state.AddSection(index, content);
                    }

                    turn.Decide(state, input, catalog, now, (ulong)id);
                }

                foreach (var write in state.SectionWrites)
                {
                    Keep(sections, write);
                }

                head.Clear();
                state.Pack(head);
            }

            return watch.Elapsed.TotalNanoseconds / turns;
        };
    }

    private static void Keep(Dictionary<int, byte[]> sections, SectionWrite write)
    {
        if (write.Content is null)
        {
            sections.Remove(write.Index);
        }
        else
        {
            sections[write.Index] = write.Content;
        }
    }

    private static CompiledWorkflow Compile(int number, TenantSchema schema)
    {
        var property = number <= Matching ? "hot" : $"cold{1 + (number % 499)}";
        var criteria = new CriteriaDefinition([new FilterGroupDefinition([new PropertyFilterDefinition(property, Operator.IsEqualTo, [$"customer-{number}"], false, string.Empty)])]);
        var definition = new WorkflowDefinition(
            $"w{number}", "contact", new StartDefinition(StartKind.Filter, criteria, true, [], false, []), [], [new DelayStepDefinition("d", string.Empty, 1, DelayUnit.Days)], string.Empty, string.Empty);
        var compiled = WorkflowCompiler.Compile(
            definition, new WorkflowIdentity(definition.Id, number, 1, WorkflowState.On, new Timestamp(number)), new DefinitionScope(schema, [], []), _ => 1, _ => 1, out var problems);
        return compiled ?? throw new InvalidOperationException(problems[0].Message);
    }
}
