using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.Server.Work;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Tasks of workflows for workers.</summary>
internal sealed class WorkApi(IRosterEngine engine, CallerTenant caller, SensitiveValues sensitive, ServerState state, TimeProvider clock) : WorkService.WorkServiceBase
{
    private const int LeaseMax = 1_000;
    private static long streams;

    public override Task Work(IAsyncStreamReader<WorkRequest> requestStream, IServerStreamWriter<WorkResponse> responseStream, ServerCallContext context)
    {
        var owner = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"stream-{Interlocked.Increment(ref streams)}");
        var who = caller.CallerOf(context);
        Confinement.RefuseConfined(who, "A queue");
        return new WorkStream(engine, state, clock, who, owner, requestStream, responseStream, context.CancellationToken).RunAsync();
    }

    public override async Task<LeaseTasksResponse> LeaseTasks(LeaseTasksRequest request, ServerCallContext context)
    {
        Check.Queue("queue", request.Queue);
        Check.Range("tasks_max", request.TasksMax, 0, LeaseMax);
        var tasks = await engine.LeaseTasksAsync(
            caller.Of(context), request.Queue, Math.Max(1, request.TasksMax), LeaseTime.Read("lease_for", request.LeaseFor), "unary", context.CancellationToken);
        return new LeaseTasksResponse { Tasks = { tasks } };
    }

    public override async Task<CompleteTaskResponse> CompleteTask(CompleteTaskRequest request, ServerCallContext context)
    {
        var completion = Check.Present("completion", request.Completion);
        return new CompleteTaskResponse { Applied = await engine.CompleteTaskAsync(caller.Of(context), completion, context.CancellationToken) };
    }

    public override Task<Queue> GetQueue(GetQueueRequest request, ServerCallContext context) =>
        engine.GetQueueAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Queue> SetQueueLimits(SetQueueLimitsRequest request, ServerCallContext context) =>
        engine.SetQueueLimitsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListDeadLettersResponse> ListDeadLetters(ListDeadLettersRequest request, ServerCallContext context) =>
        engine.ListDeadLettersAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override async Task<DeadLetter> GetDeadLetter(GetDeadLetterRequest request, ServerCallContext context)
    {
        var letter = await engine.GetDeadLetterAsync(caller.Of(context), request, context.CancellationToken);
        await sensitive.MaskAsync(caller.CallerOf(context), letter, context.CancellationToken);
        return letter;
    }

    public override Task<ResendDeadLettersResponse> ResendDeadLetters(ResendDeadLettersRequest request, ServerCallContext context) =>
        engine.ResendDeadLettersAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<DiscardDeadLettersResponse> DiscardDeadLetters(DiscardDeadLettersRequest request, ServerCallContext context) =>
        engine.DiscardDeadLettersAsync(caller.Of(context), request, context.CancellationToken).AsTask();
}
