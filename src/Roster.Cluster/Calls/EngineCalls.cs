using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine;
using Roster.V1;

namespace Roster.Cluster.Calls;

/// <summary>
/// Calls of the engine by name: what travels between silos is the public contract's own messages. Names are for good; a silo of another version knows them.
/// </summary>
public static class EngineCalls
{
    private delegate ValueTask<IMessage> Run(IRosterEngine engine, string tenant, byte[] request);

    private static readonly FrozenDictionary<string, Run> Calls = new Dictionary<string, Run>
    {
        ["Enroll"] = Of(EnrollRequest.Parser, (e, t, r) => e.EnrollAsync(t, r, default)),
        ["Unenroll"] = Of(UnenrollRequest.Parser, (e, t, r) => e.UnenrollAsync(t, r, default)),
        ["AddToList"] = Of(ChangeMembershipRequest.Parser, (e, t, r) => e.ChangeMembershipAsync(t, r, true, default)),
        ["RemoveFromList"] = Of(ChangeMembershipRequest.Parser, (e, t, r) => e.ChangeMembershipAsync(t, r, false, default)),
        ["DeleteRecord"] = Of(DeleteRecordRequest.Parser, (e, t, r) => e.DeleteRecordAsync(t, r, default)),
        ["RestoreRecord"] = Of(RestoreRecordRequest.Parser, (e, t, r) => e.RestoreRecordAsync(t, r, default)),
        ["MergeRecords"] = Of(MergeRecordsRequest.Parser, (e, t, r) => e.MergeRecordsAsync(t, r, default)),
        ["EraseRecord"] = Of(EraseRecordRequest.Parser, (e, t, r) => e.EraseRecordAsync(t, r, default)),
        ["SaveWorkflow"] = Of(SaveWorkflowRequest.Parser, (e, t, r) => e.SaveWorkflowAsync(t, r, default)),
        ["CreateFromTemplate"] = Of(CreateFromTemplateRequest.Parser, (e, t, r) => e.CreateFromTemplateAsync(t, r, default)),
        ["PublishWorkflow"] = Of(PublishWorkflowRequest.Parser, (e, t, r) => e.PublishWorkflowAsync(t, r, default)),
        ["SetWorkflowState"] = Of(SetWorkflowStateRequest.Parser, (e, t, r) => e.SetWorkflowStateAsync(t, r, default)),
        ["DeleteWorkflow"] = Of(DeleteWorkflowRequest.Parser, (e, t, r) => e.DeleteWorkflowAsync(t, r, default)),
        ["MoveEnrollments"] = Of(MoveEnrollmentsRequest.Parser, (e, t, r) => e.MoveEnrollmentsAsync(t, r, default)),
        ["SaveList"] = Of(SaveListRequest.Parser, (e, t, r) => e.SaveListAsync(t, r, default)),
        ["DeleteList"] = Of(DeleteListRequest.Parser, (e, t, r) => e.DeleteListAsync(t, r, default)),
        ["BulkEnroll"] = Of(BulkEnrollRequest.Parser, (e, t, r) => e.BulkEnrollAsync(t, r, default)),
        ["BulkUnenroll"] = Of(BulkUnenrollRequest.Parser, (e, t, r) => e.BulkUnenrollAsync(t, r, default)),
        ["GetOperation"] = Of(GetOperationRequest.Parser, (e, t, r) => e.GetOperationAsync(t, r, default)),
        ["ListOperations"] = Of(ListOperationsRequest.Parser, (e, t, r) => e.ListOperationsAsync(t, r, default)),
        ["CancelOperation"] = Of(CancelOperationRequest.Parser, (e, t, r) => e.CancelOperationAsync(t, r, default)),
        ["ResumeOperation"] = Of(ResumeOperationRequest.Parser, (e, t, r) => e.ResumeOperationAsync(t, r, default)),
        ["SaveSequence"] = Of(SaveSequenceRequest.Parser, (e, t, r) => e.SaveSequenceAsync(t, r, default)),
        ["DeleteSequence"] = Of(DeleteSequenceRequest.Parser, (e, t, r) => e.DeleteSequenceAsync(t, r, default)),
        ["EnrollInSequence"] = Of(EnrollInSequenceRequest.Parser, (e, t, r) => e.EnrollInSequenceAsync(t, r, default)),
        ["BulkEnrollInSequence"] = Of(BulkEnrollInSequenceRequest.Parser, (e, t, r) => e.BulkEnrollInSequenceAsync(t, r, default)),
        ["UnenrollFromSequence"] = Of(UnenrollFromSequenceRequest.Parser, (e, t, r) => e.UnenrollFromSequenceAsync(t, r, default)),
        ["LiftPause"] = Of(LiftPauseRequest.Parser, (e, t, r) => e.LiftPauseAsync(t, r, default)),
        ["EditScheduledEmail"] = Of(EditScheduledEmailRequest.Parser, (e, t, r) => e.EditScheduledEmailAsync(t, r, default)),
        ["SaveInbox"] = Of(SaveInboxRequest.Parser, (e, t, r) => e.SaveInboxAsync(t, r, default)),
        ["DeleteInbox"] = Of(DeleteInboxRequest.Parser, (e, t, r) => e.DeleteInboxAsync(t, r, default)),
        ["SetQueueLimits"] = Of(SetQueueLimitsRequest.Parser, (e, t, r) => e.SetQueueLimitsAsync(t, r, default)),
        ["ListDeadLetters"] = Of(ListDeadLettersRequest.Parser, (e, t, r) => e.ListDeadLettersAsync(t, r, default)),
        ["GetDeadLetter"] = Of(GetDeadLetterRequest.Parser, (e, t, r) => e.GetDeadLetterAsync(t, r, default)),
        ["ResendDeadLetters"] = Of(ResendDeadLettersRequest.Parser, (e, t, r) => e.ResendDeadLettersAsync(t, r, default)),
        ["DiscardDeadLetters"] = Of(DiscardDeadLettersRequest.Parser, (e, t, r) => e.DiscardDeadLettersAsync(t, r, default)),
        ["SaveWebhookEndpoint"] = Of(SaveWebhookEndpointRequest.Parser, (e, t, r) => e.SaveWebhookEndpointAsync(t, r, default)),
        ["RotateWebhookSecret"] = Of(RotateWebhookSecretRequest.Parser, (e, t, r) => e.RotateWebhookSecretAsync(t, r, default)),
        ["DeleteWebhookEndpoint"] = Of(DeleteWebhookEndpointRequest.Parser, (e, t, r) => e.DeleteWebhookEndpointAsync(t, r, default)),
        ["MapWorkflowIds"] = Of(MapWorkflowIdsRequest.Parser, (e, t, r) => e.MapWorkflowIdsAsync(t, r, default)),
        ["ListWebhookEndpoints"] = Of(ListWebhookEndpointsRequest.Parser, (e, t, _) => e.ListWebhookEndpointsAsync(t, default)),
        ["GetQueue"] = Of(GetQueueRequest.Parser, (e, t, r) => e.GetQueueAsync(t, r, default)),
        ["GetMeasures"] = Of(GetMeasuresRequest.Parser, (e, _, r) => e.GetMeasuresAsync(r, default)),
        ["AdvanceClock"] = Of(AdvanceClockRequest.Parser, (e, _, r) => e.AdvanceClockAsync(r, default)),
        ["CompleteTask"] = Of(TaskCompletion.Parser, async (e, t, r) => new BoolValue { Value = await e.CompleteTaskAsync(t, r, default).ConfigureAwait(false) }),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The names.</summary>
    public static IEnumerable<string> Names => Calls.Keys.Order(StringComparer.Ordinal);

    /// <summary>Runs a call.</summary>
    /// <exception cref="RosterException">There is no such call: the silo that asks is of a later version; or what the engine throws.</exception>
    public static ValueTask<IMessage> RunAsync(IRosterEngine engine, string tenant, string method, byte[] request) => Calls.TryGetValue(method, out var run)
        ? run(engine, tenant, request)
        : throw new RosterException(RosterError.Unavailable, $"This silo does not know the call '{method}' yet.");

    private static Run Of<TRequest, TResponse>(MessageParser<TRequest> parser, Func<IRosterEngine, string, TRequest, ValueTask<TResponse>> call)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage =>
        async (engine, tenant, request) => await call(engine, tenant, parser.ParseFrom(request)).ConfigureAwait(false);
}
