using Grpc.Core;
using Roster.Cli.Output;
using Roster.Client;
using Roster.Engine;
using Roster.V1;

namespace Roster.Cli.Apply;

/// <summary>Where definitions are applied: a server, or the engine of a simulation.</summary>
internal interface IDefinitionTarget
{
    Task UpdateSettingsAsync(UpdateSettingsRequest request, CancellationToken cancellationToken);

    Task DeclareObjectTypeAsync(DeclareObjectTypeRequest request, CancellationToken cancellationToken);

    Task DeclarePropertiesAsync(DeclarePropertiesRequest request, CancellationToken cancellationToken);

    Task<Workflow> SaveWorkflowAsync(SaveWorkflowRequest request, CancellationToken cancellationToken);

    Task<SaveListResponse> SaveListAsync(SaveListRequest request, CancellationToken cancellationToken);

    Task<Inbox> SaveInboxAsync(SaveInboxRequest request, CancellationToken cancellationToken);

    Task<SaveSequenceResponse> SaveSequenceAsync(SaveSequenceRequest request, CancellationToken cancellationToken);

    Task<PublishWorkflowResponse> PublishWorkflowAsync(PublishWorkflowRequest request, CancellationToken cancellationToken);

    Task<Workflow> SetWorkflowStateAsync(SetWorkflowStateRequest request, CancellationToken cancellationToken);

    /// <summary>A "no" to a definition as sentences, with paths spelt by <paramref name="spell"/>; null when the error is another one.</summary>
    IReadOnlyList<string>? Refusal(Exception error, Func<string, string> spell);
}

/// <summary>Applies to a server.</summary>
internal sealed class ServerTarget(RosterClient client) : IDefinitionTarget
{
    public async Task UpdateSettingsAsync(UpdateSettingsRequest request, CancellationToken cancellationToken) =>
        await client.Tenants.UpdateSettingsAsync(request, cancellationToken: cancellationToken);

    public async Task DeclareObjectTypeAsync(DeclareObjectTypeRequest request, CancellationToken cancellationToken) =>
        await client.Tenants.DeclareObjectTypeAsync(request, cancellationToken: cancellationToken);

    public async Task DeclarePropertiesAsync(DeclarePropertiesRequest request, CancellationToken cancellationToken) =>
        await client.Tenants.DeclarePropertiesAsync(request, cancellationToken: cancellationToken);

    public async Task<Workflow> SaveWorkflowAsync(SaveWorkflowRequest request, CancellationToken cancellationToken) =>
        await client.Workflows.SaveWorkflowAsync(request, cancellationToken: cancellationToken);

    public async Task<SaveListResponse> SaveListAsync(SaveListRequest request, CancellationToken cancellationToken) =>
        await client.Lists.SaveListAsync(request, cancellationToken: cancellationToken);

    public async Task<Inbox> SaveInboxAsync(SaveInboxRequest request, CancellationToken cancellationToken) =>
        await client.Sequences.SaveInboxAsync(request, cancellationToken: cancellationToken);

    public async Task<SaveSequenceResponse> SaveSequenceAsync(SaveSequenceRequest request, CancellationToken cancellationToken) =>
        await client.Sequences.SaveSequenceAsync(request, cancellationToken: cancellationToken);

    public async Task<PublishWorkflowResponse> PublishWorkflowAsync(PublishWorkflowRequest request, CancellationToken cancellationToken) =>
        await client.Workflows.PublishWorkflowAsync(request, cancellationToken: cancellationToken);

    public async Task<Workflow> SetWorkflowStateAsync(SetWorkflowStateRequest request, CancellationToken cancellationToken) =>
        await client.Workflows.SetWorkflowStateAsync(request, cancellationToken: cancellationToken);

    public IReadOnlyList<string>? Refusal(Exception error, Func<string, string> spell) =>
        error is RpcException { StatusCode: StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.Aborted or StatusCode.NotFound } no
            ? RpcSentences.Of(no, null, spell)
            : null;
}

/// <summary>Applies to an engine in this process.</summary>
internal sealed class EngineTarget(IRosterEngine engine, string tenant) : IDefinitionTarget
{
    public async Task UpdateSettingsAsync(UpdateSettingsRequest request, CancellationToken cancellationToken) =>
        await engine.UpdateSettingsAsync(tenant, request, cancellationToken);

    public async Task DeclareObjectTypeAsync(DeclareObjectTypeRequest request, CancellationToken cancellationToken) =>
        await engine.DeclareObjectTypeAsync(tenant, request, cancellationToken);

    public async Task DeclarePropertiesAsync(DeclarePropertiesRequest request, CancellationToken cancellationToken) =>
        await engine.DeclarePropertiesAsync(tenant, request, cancellationToken);

    public async Task<Workflow> SaveWorkflowAsync(SaveWorkflowRequest request, CancellationToken cancellationToken) =>
        await engine.SaveWorkflowAsync(tenant, request, cancellationToken);

    public async Task<SaveListResponse> SaveListAsync(SaveListRequest request, CancellationToken cancellationToken) =>
        await engine.SaveListAsync(tenant, request, cancellationToken);

    public async Task<Inbox> SaveInboxAsync(SaveInboxRequest request, CancellationToken cancellationToken) =>
        await engine.SaveInboxAsync(tenant, request, cancellationToken);

    public async Task<SaveSequenceResponse> SaveSequenceAsync(SaveSequenceRequest request, CancellationToken cancellationToken) =>
        await engine.SaveSequenceAsync(tenant, request, cancellationToken);

    public async Task<PublishWorkflowResponse> PublishWorkflowAsync(PublishWorkflowRequest request, CancellationToken cancellationToken) =>
        await engine.PublishWorkflowAsync(tenant, request, cancellationToken);

    public async Task<Workflow> SetWorkflowStateAsync(SetWorkflowStateRequest request, CancellationToken cancellationToken) =>
        await engine.SetWorkflowStateAsync(tenant, request, cancellationToken);

    public IReadOnlyList<string>? Refusal(Exception error, Func<string, string> spell)
    {
        if (error is not RosterException no)
        {
            return null;
        }

        if (no.Problems.Count > 0)
        {
            return [.. no.Problems.Select(problem => RpcSentences.Of(problem, spell))];
        }

        var where = no.Refusal is { Path.Length: > 0 } refusal ? $"{spell(refusal.Path)}: " : "";
        return [$"{where}{no.Message}"];
    }
}
