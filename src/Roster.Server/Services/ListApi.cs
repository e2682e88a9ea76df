using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Lists and their members.</summary>
internal sealed class ListApi(IRosterEngine engine, CallerTenant caller, SensitiveValues sensitive) : ListService.ListServiceBase
{
    public override Task<SaveListResponse> SaveList(SaveListRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        // A list has no publish: its criteria are in force when it is saved.
        sensitive.RequireFor(who, Check.Present("list", request.List));
        return engine.SaveListAsync(who.Tenant, request, context.CancellationToken).AsTask();
    }

    public override Task<List> GetList(GetListRequest request, ServerCallContext context) =>
        engine.GetListAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override async Task<ListListsResponse> ListLists(ListListsRequest request, ServerCallContext context)
    {
        var mask = ReadMask<List>.Of(request.ReadMask);
        var page = await engine.ListListsAsync(caller.Of(context), request, context.CancellationToken);
        mask.Apply(page.Lists);
        return page;
    }

    public override Task<DeleteListResponse> DeleteList(DeleteListRequest request, ServerCallContext context) =>
        engine.DeleteListAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ChangeMembershipResponse> AddToList(ChangeMembershipRequest request, ServerCallContext context) =>
        ChangeAsync(request, adds: true, context);

    public override Task<ChangeMembershipResponse> RemoveFromList(ChangeMembershipRequest request, ServerCallContext context) =>
        ChangeAsync(request, adds: false, context);

    public override Task<ListMembersResponse> ListMembers(ListMembersRequest request, ServerCallContext context) =>
        engine.ListMembersAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    private Task<ChangeMembershipResponse> ChangeAsync(ChangeMembershipRequest request, bool adds, ServerCallContext context)
    {
        Check.Reference(request.Ref);
        return engine.ChangeMembershipAsync(caller.Of(context), request, adds, context.CancellationToken).AsTask();
    }
}
