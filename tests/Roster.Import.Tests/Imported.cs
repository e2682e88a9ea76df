using Roster.Embedded;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Import.Tests;

/// <summary>An import of one flow, and what an engine says of the draft.</summary>
internal sealed class Imported
{
    private const string Tenant = "t";

    private readonly HubSpotImport _import = new();

    public Imported(string json)
    {
        Result = Assert.Single(_import.Import(json));
    }

    public ImportedWorkflow Result { get; }

    public Workflow Workflow => Result.Workflow;

    public FidelityReport Report => Result.Report;

    /// <summary>Imports a flow with one group of filters; returns the group.</summary>
    public static (FilterGroup Group, Imported Imported) Filters(string filters, string branches = "")
    {
        var imported = new Imported(Flows.Filtered(filters, branches));
        return (imported.Workflow.Start.Filter.Criteria.AnyOf[0], imported);
    }

    /// <summary>The finding of a place.</summary>
    public Finding At(string path) => Report.Fields.Concat(Report.Notes).First(finding => finding.Path == path);

    public Step Step(string id) => Workflow.Steps.Single(step => step.Id == id);

    /// <summary>Errors and warnings of a publish, where all lists, properties and endpoints exist that the import names.</summary>
    public async Task<IReadOnlyList<DefinitionProblem>> ProblemsAsync(CancellationToken cancellationToken)
    {
        await using var engine = await EmbeddedEngine.StartAsync(
            new EmbeddedOptions { Shards = 1 }, new VolatileRecordStore(), new ManualClock(DateTimeOffset.UnixEpoch), cancellationToken);
        foreach (var type in _import.Schema.ObjectTypes)
        {
            await engine.DeclareObjectTypeAsync(Tenant, new DeclareObjectTypeRequest { ObjectType = type.Name }, cancellationToken);
            await engine.DeclarePropertiesAsync(Tenant, new DeclarePropertiesRequest { ObjectType = type.Name, Properties = { type.Properties } }, cancellationToken);
        }

        foreach (var list in _import.Lists)
        {
            await engine.SaveListAsync(Tenant, new SaveListRequest { List = list }, cancellationToken);
        }

        foreach (var endpoint in Workflow.Steps.Where(step => step.Webhook is not null).Select(step => step.Webhook.Endpoint).Distinct())
        {
            await engine.SaveWebhookEndpointAsync(Tenant, new SaveWebhookEndpointRequest { Endpoint = new WebhookEndpoint { Id = endpoint, Url = "https://example.org" } }, cancellationToken);
        }

        return (await engine.ValidateWorkflowAsync(Tenant, new ValidateWorkflowRequest { Workflow = Workflow }, cancellationToken)).Problems;
    }

    public async Task<IEnumerable<DefinitionProblem>> ErrorsAsync(CancellationToken cancellationToken) =>
        (await ProblemsAsync(cancellationToken)).Where(problem => problem.Severity == DefinitionProblem.Types.Severity.Error);
}
