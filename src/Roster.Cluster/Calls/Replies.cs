using Google.Protobuf;
using Roster.Cluster.Contracts;
using Roster.Engine;
using Roster.V1;

namespace Roster.Cluster.Calls;

/// <summary>Answers of grains, and what they mean to the caller.</summary>
internal static class Replies
{
    /// <summary>Runs what answers with one message.</summary>
    public static async Task<GrainReply> OfAsync(Func<ValueTask<IMessage>> run)
    {
        try
        {
            return new GrainReply { Content = (await run()).ToByteArray() };
        }
        catch (RosterException refusal)
        {
            return Of(refusal);
        }
    }

    /// <summary>Runs what answers with a list.</summary>
    public static async Task<GrainReply> OfListAsync<T>(Func<ValueTask<IReadOnlyList<T>>> run)
        where T : IMessage
    {
        try
        {
            return new GrainReply { Parts = [.. (await run()).Select(message => message.ToByteArray())] };
        }
        catch (RosterException refusal)
        {
            return Of(refusal);
        }
    }

    /// <summary>Awaits a grain; when it cannot be reached the caller may try again, here or elsewhere.</summary>
    /// <exception cref="RosterException">What the engine there threw; or the grain could not be reached, and what was asked for may have happened or not.</exception>
    public static async Task<GrainReply> FromAsync(Task<GrainReply> call, CancellationToken cancellationToken = default)
    {
        GrainReply reply;
        try
        {
            reply = await call.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsUnreachable(failure) && !cancellationToken.IsCancellationRequested)
        {
            throw Unreachable(failure);
        }

        return reply.Content is null && reply.Parts is null ? throw ToException(reply) : reply;
    }

    public static bool IsUnreachable(Exception failure) => failure is OrleansException or TimeoutException or ObjectDisposedException or OperationCanceledException;

    public static RosterException Unreachable(Exception failure) =>
        new(RosterError.Unavailable, $"The silo that has it could not be reached ({failure.GetType().Name}); what was sent may have been applied. Send it again with the same ids.");

    private static GrainReply Of(RosterException refusal) => new()
    {
        Error = (int)refusal.Error,
        Message = refusal.Message,
        Refusal = refusal.Refusal is { } field
            ? new Refusal { Reason = (Refusal.Types.Reason)(int)field.Reason, Path = field.Path, Value = field.Value, Message = field.Message, Setting = field.Setting }.ToByteArray()
            : null,
        Problems = refusal.Problems.Count > 0 ? new ValidateWorkflowResponse { Problems = { refusal.Problems } }.ToByteArray() : null,
        RetryAfterMs = (long)refusal.RetryAfter.TotalMilliseconds,
    };

    private static RosterException ToException(GrainReply reply)
    {
        Core.Refusal? refusal = null;
        if (reply.Refusal is { } bytes)
        {
            var field = Refusal.Parser.ParseFrom(bytes);
            refusal = new Core.Refusal((Core.RefusalReason)(int)field.Reason, field.Path, field.Value, field.Message, field.Setting);
        }

        var problems = reply.Problems is { } found ? ValidateWorkflowResponse.Parser.ParseFrom(found).Problems : null;
        return new RosterException((RosterError)reply.Error, reply.Message, refusal, problems) { RetryAfter = TimeSpan.FromMilliseconds(reply.RetryAfterMs) };
    }
}
