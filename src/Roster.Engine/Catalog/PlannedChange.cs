using Roster.Core.Workflows;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Engine.Catalog;

/// <summary>A change of definitions as it is about to be committed: what it will be answered with can be told from it, and is committed with it (API-03).</summary>
/// <param name="Documents">What is written: the definition first, then the jobs that follow.</param>
/// <param name="Problems">Warnings.</param>
internal sealed record PlannedChange(IReadOnlyList<StoredDocument> Documents, IReadOnlyList<WorkflowProblem> Problems)
{
    /// <summary>The workflow.</summary>
    public Workflow Workflow => Entry.ToWire();

    /// <summary>The sequence.</summary>
    public Sequence Sequence => Entry.ToSequence();

    /// <summary>The inbox.</summary>
    public Inbox Inbox => InboxDocument.Parser.ParseFrom(Documents[0].Content).Inbox;

    /// <summary>The jobs.</summary>
    public IEnumerable<Operation> Operations => Documents.Where(d => d.Kind == DocumentKinds.Operation).Select(d => OperationDocument.Parser.ParseFrom(d.Content).Operation);

    /// <summary>The warnings as callers see them.</summary>
    public IEnumerable<DefinitionProblem> Warnings => Problems.Select(WorkflowMapping.ToWire);

    private WorkflowEntry Entry => new(WorkflowDocument.Parser.ParseFrom(Documents[0].Content));
}
