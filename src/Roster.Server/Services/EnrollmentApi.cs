using Grpc.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Enrolling and unenrolling by hand.</summary>
internal sealed class EnrollmentApi(IRosterEngine engine, CallerTenant caller) : EnrollmentService.EnrollmentServiceBase
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
}
