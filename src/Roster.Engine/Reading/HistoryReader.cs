using System.Globalization;
using Roster.Core.Records;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <summary>Enrollments and decisions of a record, of a workflow, or of a record in a workflow (HIS-01). One per call.</summary>
/// <param name="store">The journal.</param>
/// <param name="owner">The tenant.</param>
public sealed class HistoryReader(IRecordStore store, TenantOwner owner)
{
    private const int PageSizeDefault = 100;
    private const int PageSizeMax = 1_000;

    private readonly JournalReader _journal = new(store);

    /// <summary>A page, newest first. Its size bounds the turns looked at, so that a page may be empty and not the last.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="state">The record that the request names; null when there is none, or when it names none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RosterException">Neither is named, or one that does not exist, or the page token is not one that was given.</exception>
    public async Task<GetEnrollmentHistoryResponse> ReadAsync(GetEnrollmentHistoryRequest request, RecordState? state, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var size = request.PageSize is 0 ? PageSizeDefault : Math.Clamp(request.PageSize, 1, PageSizeMax);
        var before = request.PageToken.Length == 0 ? 0 : JournalReader.ParseToken(request.PageToken);
        var workflow = FindWorkflow(request);
        if (request.Ref is not null && state is null)
        {
            throw new RosterException(RosterError.NotFound, $"There is no record {Core.Refusal.Cut(request.Ref.ObjectType)}/{Core.Refusal.Cut(request.Ref.RecordId)}.");
        }

        var turns = state is null
            ? await store.ReadActivityAsync(owner.Number, workflow, before, size, cancellationToken).ConfigureAwait(false)
            : await store.ReadTimelineAsync(state.Number, before, size, cancellationToken).ConfigureAwait(false);
        var response = new GetEnrollmentHistoryResponse();
        foreach (var turn in turns)
        {
            response.Entries.AddRange(EnrollmentEntries.Of(await _journal.ToWireAsync(turn, owner, cancellationToken).ConfigureAwait(false), request.WorkflowId));
        }

        var isLast = turns.Count < size || (state is not null && turns[^1].Previous <= 0);
        response.OlderRemoved = isLast && (state is null ? store.Status.JournalBegin > 0 : turns.Count == 0 || turns[^1].Previous < 0);
        response.NextPageToken = isLast ? string.Empty : turns[^1].Position.ToString(CultureInfo.InvariantCulture);
        return response;
    }

    /// <summary>Number of the workflow, also of one that was deleted; 0 when none is named.</summary>
    private int FindWorkflow(GetEnrollmentHistoryRequest request)
    {
        if (request.WorkflowId.Length == 0)
        {
            return request.Ref is not null ? 0 : throw RosterException.Invalid("ref", string.Empty, "A history is that of a record, of a workflow, or of both: name one.");
        }

        return owner.NumberOfWorkflow(request.WorkflowId) is > 0 and var number
            ? number
            : throw new RosterException(RosterError.NotFound, $"There is no workflow '{Core.Refusal.Cut(request.WorkflowId)}'.");
    }
}
