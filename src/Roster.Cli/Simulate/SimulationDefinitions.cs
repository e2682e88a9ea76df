using Roster.Cli.Apply;
using Roster.Cli.Json;
using Roster.Cli.Output;
using Roster.Engine;
using Roster.V1;

namespace Roster.Cli.Simulate;

/// <summary>The schema and the workflows that a simulation runs, from the same files that <c>roster apply</c> takes.</summary>
internal sealed class SimulationDefinitions
{
    // Workflows are considered from the oldest to the newest (ENG-05): each is a little younger than the one before it in the files.
    private static readonly TimeSpan BetweenWorkflows = TimeSpan.FromMilliseconds(1);

    private readonly IReadOnlyList<(string Name, ApplyFile File)> _files;
    private readonly Dictionary<(string Workflow, int Version, string Step), Step> _steps = [];

    private SimulationDefinitions(IReadOnlyList<(string Name, ApplyFile File)> files)
    {
        _files = files;
        foreach (var (_, file) in files)
        {
            foreach (var (_, workflow) in file.Workflows)
            {
                Add(new SimulatedWorkflow(workflow, file.SwitchesOn(workflow.Id)));
            }
        }

        foreach (var (_, sequence) in files.SelectMany(file => file.File.Sequences))
        {
            var definition = new Workflow { Id = sequence.Id, DisplayName = sequence.DisplayName, ObjectType = "contact", Steps = { StepsOf(sequence.Steps) } };
            Add(new SimulatedWorkflow(definition, IsOnInFile: true) { IsSequence = true });
        }
    }

    private void Add(SimulatedWorkflow simulated)
    {
        var index = Workflows.FindIndex(known => known.Id == simulated.Id);
        if (index < 0)
        {
            Workflows.Add(simulated);
        }
        else
        {
            Workflows[index] = simulated;
        }
    }

    /// <summary>The steps of a sequence by their ids, those of containers too.</summary>
    private static IEnumerable<Step> StepsOf(IEnumerable<SequenceStep> steps)
    {
        foreach (var step in steps)
        {
            yield return new Step { Id = step.Id, DisplayName = step.DisplayName };
            foreach (var inner in new[] { step.Adaptive?.Clicked, step.Adaptive?.Opened, step.Adaptive?.Otherwise }.OfType<SequenceSteps>().SelectMany(s => StepsOf(s.Steps)))
            {
                yield return inner;
            }
        }
    }

    /// <summary>
    /// The workflows in the order of the files, then the sequences; of several with one id the last, which is the one in force.
    /// </summary>
    public List<SimulatedWorkflow> Workflows { get; } = [];

    /// <summary>How long it takes on the clock to save everything, so that the clock stands at the start when it is done.</summary>
    public TimeSpan ApplyTakes => BetweenWorkflows * Workflows.Count;

    /// <summary>Reads the files.</summary>
    /// <exception cref="CliException">Files are missing or do not fit: the problems of all of them.</exception>
    public static async Task<SimulationDefinitions> ReadAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var files = new List<(string, ApplyFile)>();
        var problems = new List<string>();
        foreach (var name in names)
        {
            if (!File.Exists(name))
            {
                problems.Add($"There is no file `{name}`.");
                continue;
            }

            try
            {
                files.Add((name, ApplyFile.Parse(await File.ReadAllTextAsync(name, cancellationToken), name)));
            }
            catch (Exception error) when (error is CliException or IOException or UnauthorizedAccessException)
            {
                problems.AddRange(error is CliException known ? known.Sentences : [error.Message]);
            }
        }

        if (problems.Count == 0 && files.TrueForAll(file => file.Item2.Workflows.Count == 0))
        {
            problems.Add($"There is no workflow in {string.Join(" and ", names.Select(name => $"`{name}`"))}.");
        }

        return problems.Count == 0 ? new SimulationDefinitions(files) : throw new CliException(problems);
    }

    /// <summary>A step as it was published; null for one that is not from the files.</summary>
    public Step? FindStep(string workflow, int version, string step) => _steps.GetValueOrDefault((workflow, version, step));

    /// <summary>Declares, saves, publishes and switches on everything. The clock moves on with each workflow.</summary>
    /// <exception cref="CliException">Something was refused: the problems of all files.</exception>
    public async Task ApplyAsync(IRosterEngine engine, string tenant, ManualClock clock, CliConsole console, CancellationToken cancellationToken)
    {
        var listener = new Listener(this, clock, console);
        foreach (var endpoint in Workflows.SelectMany(w => w.Definition.Steps).Where(s => s.Webhook is { Endpoint.Length: > 0 }).Select(s => s.Webhook.Endpoint).Distinct())
        {
            // Nothing is sent: the made-up worker does these tasks too.
            await engine.SaveWebhookEndpointAsync(
                tenant, new SaveWebhookEndpointRequest { Endpoint = new WebhookEndpoint { Id = endpoint, Url = "https://simulated.invalid" } }, cancellationToken);
        }

        await new ApplyRun(new EngineTarget(engine, tenant), listener, isDraft: false, (_, _) => true).RunAsync(_files, cancellationToken);
        if (listener.Problems.Count > 0)
        {
            throw new CliException(listener.Problems);
        }
    }

    /// <summary>Keeps what was published, and gathers what was refused.</summary>
    private sealed class Listener(SimulationDefinitions definitions, ManualClock clock, CliConsole console) : ApplyListener
    {
        public List<string> Problems { get; } = [];

        public override void OnProblem(string sentence) => Problems.Add(sentence);

        public override void OnWarning(string sentence) => console.Warn(sentence);

        public override void BeforeSave() => clock.MoveTo(clock.GetUtcNow() + BetweenWorkflows);

        public override void OnSequence(ApplyFile file, SaveSequenceResponse saved)
        {
            foreach (var problem in saved.Problems)
            {
                console.Warn($"{saved.Sequence.Id}: {RpcSentences.Of(problem, file.Spell)}");
            }
        }

        public override void OnPublished(ApplyFile file, PublishWorkflowResponse published)
        {
            foreach (var problem in published.Problems)
            {
                console.Warn($"{published.Workflow.Id}: {RpcSentences.Of(problem, file.Spell)}");
            }

            foreach (var step in published.Workflow.Steps)
            {
                definitions._steps[(published.Workflow.Id, published.Workflow.Version, step.Id)] = step;
            }
        }
    }
}

/// <summary>A workflow of a simulation.</summary>
/// <param name="Definition">As it stands in its file.</param>
/// <param name="IsOnInFile">Whether its file switches it on; the simulation does so in any case.</param>
internal sealed record SimulatedWorkflow(Workflow Definition, bool IsOnInFile)
{
    public string Id => Definition.Id;

    /// <summary>Whether it is a sequence, of which the definition here has no more than the names.</summary>
    public bool IsSequence { get; init; }
}
