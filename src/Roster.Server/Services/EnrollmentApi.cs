using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Enrolling and unenrolling by hand, and why a record is enrolled or not.</summary>
internal sealed class EnrollmentApi(IRosterEngine engine, CallerTenant caller, SensitiveValues sensitive) : EnrollmentService.EnrollmentServiceBase
{
    public override Task<EnrollResponse> Enroll(EnrollRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.EnrollAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<UnenrollResponse> Unenroll(UnenrollRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.UnenrollAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override async Task<ListEnrollmentsResponse> ListEnrollments(ListEnrollmentsRequest request, ServerCallContext context)
    {
        var reference = Check.Reference(request.Ref);
        var record = await engine.GetRecordAsync(caller.Of(context), reference, context.CancellationToken)
            ?? throw new RosterException(RosterError.NotFound, $"There is no record `{reference.ObjectType}/{reference.RecordId}`.");
        return new ListEnrollmentsResponse { Enrollments = { record.Enrollments } };
    }

    // Of a record, of a workflow, or of both: which of them are there is for the engine to say.
    public override Task<GetEnrollmentHistoryResponse> GetEnrollmentHistory(GetEnrollmentHistoryRequest request, ServerCallContext context) =>
        engine.GetEnrollmentHistoryAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override async Task<Explanation> Explain(ExplainRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        var who = caller.CallerOf(context);
        var explanation = await engine.ExplainAsync(who.Tenant, request, context.CancellationToken);
        sensitive.Mask(who, explanation);
        return explanation;
    }
}
