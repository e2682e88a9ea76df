using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Sequences, who is enrolled in them, and the inboxes that they are sent from.</summary>
internal sealed class SequenceApi(IRosterEngine engine, CallerTenant caller, SensitiveValues sensitive) : SequenceService.SequenceServiceBase
{
    public override Task<SaveSequenceResponse> SaveSequence(SaveSequenceRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        // A sequence has no publish: it is in force when it is saved.
        sensitive.RequireFor(who, Check.Present("sequence", request.Sequence));
        return engine.SaveSequenceAsync(who.Tenant, request, context.CancellationToken).AsTask();
    }

    public override Task<Sequence> GetSequence(GetSequenceRequest request, ServerCallContext context) =>
        engine.GetSequenceAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListSequencesResponse> ListSequences(ListSequencesRequest request, ServerCallContext context) =>
        engine.ListSequencesAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ValidateWorkflowResponse> ValidateSequence(ValidateSequenceRequest request, ServerCallContext context)
    {
        Check.Present("sequence", request.Sequence);
        return engine.ValidateSequenceAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override async Task<TestWorkflowResponse> TestSequence(TestSequenceRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        if (request.Sequence is null)
        {
            Check.Text("sequence_id", request.SequenceId);
        }

        if (request.Ref is not null && !who.Has(Credential.Types.Right.Sensitive))
        {
            // The ways that a contact takes would tell its values.
            sensitive.RequireFor(who, request.Sequence ?? await engine.GetSequenceAsync(who.Tenant, new GetSequenceRequest { SequenceId = request.SequenceId }, context.CancellationToken));
        }

        var walk = await engine.TestSequenceAsync(who.Tenant, request, context.CancellationToken);
        sensitive.Mask(who, walk);
        return walk;
    }

    public override Task<Operation> DeleteSequence(DeleteSequenceRequest request, ServerCallContext context) =>
        engine.DeleteSequenceAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<EnrollResponse> EnrollInSequence(EnrollInSequenceRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.EnrollInSequenceAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<BulkEnrollInSequenceResponse> BulkEnrollInSequence(BulkEnrollInSequenceRequest request, ServerCallContext context) =>
        engine.BulkEnrollInSequenceAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<UnenrollResponse> UnenrollFromSequence(UnenrollFromSequenceRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.UnenrollFromSequenceAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<LiftPauseResponse> LiftPause(LiftPauseRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.LiftPauseAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<EditScheduledEmailResponse> EditScheduledEmail(EditScheduledEmailRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        Check.Text("step_id", request.StepId);
        var who = caller.CallerOf(context);
        sensitive.RequireFor(who, request);
        return engine.EditScheduledEmailAsync(who.Tenant, request, context.CancellationToken).AsTask();
    }

    public override Task<SequenceStatus> GetSequenceStatus(GetSequenceStatusRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.GetSequenceStatusAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<SequenceStats> GetSequenceStats(GetSequenceStatsRequest request, ServerCallContext context) =>
        engine.GetSequenceStatsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Inbox> SaveInbox(SaveInboxRequest request, ServerCallContext context)
    {
        Check.Present("inbox", request.Inbox);
        return engine.SaveInboxAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<Inbox> GetInbox(GetInboxRequest request, ServerCallContext context) =>
        engine.GetInboxAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListInboxesResponse> ListInboxes(ListInboxesRequest request, ServerCallContext context) =>
        engine.ListInboxesAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<DeleteInboxResponse> DeleteInbox(DeleteInboxRequest request, ServerCallContext context) =>
        engine.DeleteInboxAsync(caller.Of(context), request, context.CancellationToken).AsTask();
}
