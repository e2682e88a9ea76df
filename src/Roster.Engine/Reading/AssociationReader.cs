using System.Globalization;
using Roster.Core.Records;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <summary>Reads the links of a record, leaf by leaf.</summary>
public sealed class AssociationReader(IRecordStore store)
{
    private const int PageSizeDefault = 100;
    private const int PageSizeMax = 1_000;

    /// <summary>Reads a page. A page goes on from a place in the order of hashes, so links that change meanwhile neither repeat nor hide others.</summary>
    /// <exception cref="RosterException">The page token is no token of this call.</exception>
    public async Task<ListAssociationsResponse> ReadAsync(TenantOwner owner, RecordState state, ListAssociationsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(request);
        var size = request.PageSize is 0 ? PageSizeDefault : Math.Clamp(request.PageSize, 1, PageSizeMax);
        var type = request.ObjectType.Length == 0 ? 0 : owner.Schema.FindObjectType(request.ObjectType)?.Number ?? -1;
        var from = ReadToken(request.PageToken);
        var response = new ListAssociationsResponse();
        while (true)
        {
            if (!await LoadAsync(store, state, from, cancellationToken).ConfigureAwait(false))
            {
                throw new RosterException(RosterError.Unavailable, "The record changed while it was read: read it again.");
            }

            var (links, next) = state.ReadAssociations(from);
            foreach (var link in links.OrderBy(l => l.Hash).Where(l => type == 0 || l.ObjectType == type))
            {
                if (response.Associations.Count == size)
                {
                    response.NextPageToken = link.Hash.ToString("x16", CultureInfo.InvariantCulture);
                    return response;
                }

                response.Associations.Add(ToWire(link, owner));
            }

            if (next == 0)
            {
                return response;
            }

            from = next;
        }
    }

    /// <summary>Gives a state the sections that <see cref="RecordState.ReadAssociations"/> needs; false when one is not there any more.</summary>
    internal static async Task<bool> LoadAsync(IRecordStore store, RecordState state, ulong from, CancellationToken cancellationToken)
    {
        while (state.FindMissingAssociation(from) is > 0 and var missing)
        {
            if (await store.LoadSectionAsync(state.Number, missing, cancellationToken).ConfigureAwait(false) is not { } content)
            {
                return false;
            }

            state.AddSection(missing, content);
        }

        return true;
    }

    private static ulong ReadToken(string token)
    {
        if (token.Length == 0)
        {
            return 0;
        }

        return ulong.TryParse(token, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var from)
            ? from
            : throw RosterException.Invalid("page_token", token, "The page token is not one of this call.");
    }

    private static V1.Association ToWire(Core.Records.Association link, TenantOwner owner) => new()
    {
        Ref = new RecordRef { ObjectType = owner.Schema.ObjectType(link.ObjectType).Name, RecordId = link.Id },
        Labels = { link.Labels.Select(owner.Schema.LabelName) },
        Since = ValueMapping.ToWire(link.Since),
    };
}
