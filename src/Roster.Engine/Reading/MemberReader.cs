using System.Globalization;
using Roster.Core.Records;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <summary>Members of a list: a scan of the records, in the order of their numbers.</summary>
public sealed class MemberReader(IRecordStore store)
{
    private const int ChunkMax = 1_000;

    /// <summary>A page of members.</summary>
    public async Task<ListMembersResponse> ReadAsync(TenantOwner owner, ListMembersRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(request);
        var list = owner.GetCompiledList(request.ListId);
        var size = request.PageSize is 0 ? 100 : Math.Clamp(request.PageSize, 1, 1_000);
        var cursor = request.PageToken.Length == 0 ? 0 : Parse(request.PageToken);
        var type = owner.Catalog.Schema.ObjectType(list.Info.ObjectType).Name;
        var response = new ListMembersResponse();
        var state = new RecordState();
        while (await store.ScanRecordsAsync(cursor, ChunkMax, cancellationToken).ConfigureAwait(false) is { Count: > 0 } chunk)
        {
            foreach (var record in chunk)
            {
                state.Load(record.Head.Span);
                cursor = record.Number;
                if (state.Tenant != owner.Number || !state.IsLive || !state.IsMember(list.Info.Number))
                {
                    continue;
                }

                response.Members.Add(new RecordRef { ObjectType = type, RecordId = state.Id });
                if (response.Members.Count == size)
                {
                    response.NextPageToken = cursor.ToString(CultureInfo.InvariantCulture);
                    return response;
                }
            }
        }

        return response;
    }

    private static long Parse(string token) => long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor)
        ? cursor
        : throw RosterException.Invalid("page_token", token, "The page token is not one that was given.");
}
