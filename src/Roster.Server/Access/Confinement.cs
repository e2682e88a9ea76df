using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Access;

/// <summary>
/// Keeps callers whose credential is confined to object types to those (PRV-01): every object type that a request names, by itself, by a record, a workflow, a list or
/// an operation, must be one of them, and a request that names none is refused. What is allowed is found in the request itself, so a new method is confined without
/// being mentioned here.
/// </summary>
internal sealed class Confinement(IRosterEngine engine) : Interceptor
{
    private const string ObjectType = "object_type";

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        await CheckAsync(request, context);
        return await continuation(request, context);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await CheckAsync(request, context);
        await continuation(request, responseStream, context);
    }

    /// <summary>Checks the events of a batch. A batch with one that is not allowed is refused whole: it is a mistake in the client's setup, not in an event.</summary>
    /// <exception cref="RosterException">An event is for another object type.</exception>
    public static void Check(CallIdentity caller, IReadOnlyList<Event> events)
    {
        if (!caller.IsConfined)
        {
            return;
        }

        foreach (var item in events)
        {
            Require(caller, item.ObjectType);
            foreach (var link in item.Associations)
            {
                Require(caller, link.ObjectType);
            }
        }
    }

    /// <summary>Refuses callers that are confined: what they ask for concerns all object types.</summary>
    /// <exception cref="RosterException">The caller is confined.</exception>
    public static void RefuseConfined(CallIdentity caller, string what)
    {
        if (caller.IsConfined)
        {
            throw CallIdentity.Denied("object_types", string.Empty, $"{what} is not for one object type; the credential of `{caller.Known!.Credential.Name}` is confined to {Types(caller)}.");
        }
    }

    private async ValueTask CheckAsync<TRequest>(TRequest request, ServerCallContext context)
    {
        if (context.GetHttpContext().Features.Get<CallIdentity>() is not { IsConfined: true } caller || request is GetCallerRequest or GetTenantRequest or ListTemplatesRequest)
        {
            return;
        }

        if (request is IngestRequest { Events: var events })
        {
            Check(caller, events);
            return;
        }

        var found = Walk(caller, (IMessage)(object)request!);
        found += await CheckNamedAsync(caller, (IMessage)(object)request!, context.CancellationToken);
        if (found == 0)
        {
            RefuseConfined(caller, context.Method[(context.Method.LastIndexOf('/') + 1)..]);
        }
    }

    /// <summary>Object types anywhere in the request.</summary>
    private static int Walk(CallIdentity caller, IMessage message)
    {
        var found = 0;
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (field.FieldType == FieldType.String && field.Name == ObjectType)
            {
                var name = (string)field.Accessor.GetValue(message);
                found += name.Length > 0 ? 1 : 0;
                if (name.Length > 0)
                {
                    Require(caller, name);
                }
            }
            else if (field.FieldType == FieldType.Message && field.IsRepeated && !field.IsMap)
            {
                foreach (var item in (System.Collections.IEnumerable)field.Accessor.GetValue(message))
                {
                    found += Walk(caller, (IMessage)item);
                }
            }
            else if (field.FieldType == FieldType.Message && !field.IsRepeated && field.Accessor.GetValue(message) is IMessage inner)
            {
                found += Walk(caller, inner);
            }
        }

        return found;
    }

    /// <summary>The workflow, list or operation that the request is about.</summary>
    private async ValueTask<int> CheckNamedAsync(CallIdentity caller, IMessage request, CancellationToken cancellationToken)
    {
        var found = 0;
        if (Text(request, "operation_id") is { Length: > 0 } operation)
        {
            var job = await engine.GetOperationAsync(caller.Tenant, new GetOperationRequest { OperationId = operation }, cancellationToken);
            return await CheckNamedAsync(caller, job, cancellationToken);
        }

        if (Text(request, "workflow_id") is { Length: > 0 } workflow)
        {
            Require(caller, (await engine.GetWorkflowAsync(caller.Tenant, new GetWorkflowRequest { WorkflowId = workflow }, cancellationToken)).ObjectType);
            found++;
        }

        if (request is BatchGetWorkflowsRequest { WorkflowIds: var ids })
        {
            foreach (var id in ids)
            {
                found += await CheckNamedAsync(caller, new GetWorkflowRequest { WorkflowId = id }, cancellationToken);
            }
        }

        if (Text(request, "sequence_id").Length > 0 || request is ListSequencesRequest or SaveSequenceRequest or ValidateSequenceRequest or TestSequenceRequest)
        {
            // Sequences are of contacts.
            Require(caller, "contact");
            found++;
        }

        if (Text(request, "list_id") is { Length: > 0 } list)
        {
            Require(caller, (await engine.GetListAsync(caller.Tenant, new GetListRequest { ListId = list }, cancellationToken)).ObjectType);
            found++;
        }

        return found;
    }

    private static string Text(IMessage message, string field) =>
        message.Descriptor.FindFieldByName(field) is { FieldType: FieldType.String, IsRepeated: false } found ? (string)found.Accessor.GetValue(message) : string.Empty;

    private static void Require(CallIdentity caller, string objectType)
    {
        if (!caller.MayUse(objectType))
        {
            throw CallIdentity.Denied(
                ObjectType, objectType, $"The credential of `{caller.Known!.Credential.Name}` is confined to {Types(caller)}; the request is about `{Core.Refusal.Cut(objectType)}`.");
        }
    }

    private static string Types(CallIdentity caller) => string.Join(", ", caller.Known!.ObjectTypes.Order(StringComparer.Ordinal).Take(10));
}
