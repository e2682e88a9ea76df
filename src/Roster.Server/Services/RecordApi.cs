using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.Server.Ingest;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Records and their timelines.</summary>
internal sealed class RecordApi(IRosterEngine engine, CallerTenant caller, SensitiveValues sensitive, ServerOptions options) : RecordService.RecordServiceBase
{
    private const int BatchMax = 1_000;

    public override async Task<UpsertRecordResponse> UpsertRecord(UpsertRecordRequest request, ServerCallContext context)
    {
        var reference = Check.Reference(request.Ref);
        var item = new Event { EventId = request.RequestId, ObjectType = reference.ObjectType, RecordId = reference.RecordId };
        item.Writes.AddRange(request.Writes);
        var batch = CheckedBatch.Check([item], options, "writes");
        var results = batch.Merge(await engine.IngestAsync(caller.Of(context), batch.Events, context.CancellationToken));
        return new UpsertRecordResponse
        {
            Result = results.Count == 0 ? new EventResult { Code = EventResult.Types.Code.Applied } : results[0].Result,
        };
    }

    public override async Task<ChangeAssociationResponse> ChangeAssociation(ChangeAssociationRequest request, ServerCallContext context)
    {
        var reference = Check.Reference(request.Ref);
        if (request.Change is null)
        {
            throw RosterException.Invalid("change", string.Empty, "change is required.");
        }

        var item = new Event { EventId = request.RequestId, ObjectType = reference.ObjectType, RecordId = reference.RecordId, Associations = { request.Change } };
        var batch = CheckedBatch.Check([item], options, "change");
        var results = batch.Merge(await engine.IngestAsync(caller.Of(context), batch.Events, context.CancellationToken));
        return new ChangeAssociationResponse
        {
            Result = results.Count == 0 ? new EventResult { Code = EventResult.Types.Code.Applied } : results[0].Result,
        };
    }

    public override Task<MergeRecordsResponse> MergeRecords(MergeRecordsRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        Check.Reference(request.Survivor);
        return engine.MergeRecordsAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<ListAssociationsResponse> ListAssociations(ListAssociationsRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.ListAssociationsAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override async Task<Record> GetRecord(GetRecordRequest request, ServerCallContext context)
    {
        var reference = Check.Reference(request.Ref);
        var who = caller.CallerOf(context);
        var mask = ReadMask<Record>.Of(request.ReadMask);
        return await engine.GetRecordAsync(who.Tenant, reference, context.CancellationToken) is { } record
            ? mask.Apply(sensitive.Mask(who, record))
            : throw new RosterException(RosterError.NotFound, $"There is no record `{reference.ObjectType}/{reference.RecordId}`.");
    }

    public override async Task<BatchGetRecordsResponse> BatchGetRecords(BatchGetRecordsRequest request, ServerCallContext context)
    {
        Check.Range("refs", request.Refs.Count, 0, BatchMax);
        var who = caller.CallerOf(context);
        var mask = ReadMask<Record>.Of(request.ReadMask);
        var response = new BatchGetRecordsResponse();
        foreach (var reference in request.Refs)
        {
            if (await engine.GetRecordAsync(who.Tenant, reference, context.CancellationToken) is { } record)
            {
                response.Records.Add(mask.Apply(sensitive.Mask(who, record)));
            }
        }

        return response;
    }

    public override Task<DeleteRecordResponse> DeleteRecord(DeleteRecordRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.DeleteRecordAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<RestoreRecordResponse> RestoreRecord(RestoreRecordRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.RestoreRecordAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<EraseRecordResponse> EraseRecord(EraseRecordRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.EraseRecordAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override async Task<GetTimelineResponse> GetTimeline(GetTimelineRequest request, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        var who = caller.CallerOf(context);
        var timeline = await engine.GetTimelineAsync(who.Tenant, request, context.CancellationToken);
        sensitive.Mask(who, timeline.Entries);
        return timeline;
    }
}
