using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Turns;
using Roster.Engine.Stores;

namespace Roster.Engine.Turns;

/// <summary>A dead letter as it lies in the outbox (ERR-11). What the task was is in the journal of its record.</summary>
public sealed record DeadLetterContent(int Workflow, int Version, string Queue, string Code, Timestamp FailedAt, IReadOnlyList<Attempt> Attempts, int AttemptCount);

/// <summary>Packs dead letters as message <c>roster.storage.v1.OutboxDeadLetter</c>.</summary>
public static class DeadLetterCodec
{
    /// <summary>The queue of the outbox that dead letters lie in.</summary>
    public const string Queue = "!dead";

    /// <summary>Newest attempts that are kept.</summary>
    public const int AttemptsMax = 10;

    /// <summary>Characters of what is kept of an attempt's error.</summary>
    public const int ErrorLengthMax = 200;

    /// <summary>What is kept of an error.</summary>
    public static string Cut(string error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.Length <= ErrorLengthMax ? error : error[..ErrorLengthMax];
    }

    /// <summary>
    /// The id of the dead letter of an effect, and the other way round. An id is given once in the life of a store, and no execution index is
    /// negative.
    /// </summary>
    public static EffectId IdOf(in EffectId effect) => effect with { Execution = -effect.Execution };

    /// <summary>Packs what is known when a task is given up.</summary>
    public static byte[] Pack(in JournalEntry completed, string queue, Timestamp failedAt, IReadOnlyList<Attempt> attempts, int attemptCount)
    {
        ArgumentNullException.ThrowIfNull(attempts);
        var writer = new PackedWriter(128);
        writer.Int(1, completed.Workflow);
        writer.Int(2, completed.Version);
        writer.Text(3, queue);
        writer.Text(4, completed.Text ?? string.Empty);
        writer.Time(5, failedAt);
        foreach (var attempt in attempts.TakeLast(AttemptsMax))
        {
            var start = writer.BeginMessage(6);
            writer.Time(1, attempt.At);
            writer.Text(2, Cut(attempt.Error));
            writer.EndMessage(start);
        }

        writer.Int(7, attemptCount);
        return writer.Written.ToArray();
    }

    /// <summary>Reads a dead letter.</summary>
    public static DeadLetterContent Unpack(ReadOnlySpan<byte> packed)
    {
        var numbers = new int[8];
        var (queue, code, failedAt) = (string.Empty, string.Empty, Timestamp.None);
        var attempts = new List<Attempt>();
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1 or 2 or 7: numbers[field] = reader.Int(); break;
                case 3: queue = reader.Text(); break;
                case 4: code = reader.Text(); break;
                case 5: failedAt = reader.Time(); break;
                case 6: attempts.Add(UnpackAttempt(reader.Bytes())); break;
                default: reader.Skip(); break;
            }
        }

        return new DeadLetterContent(numbers[1], numbers[2], queue, code, failedAt, attempts, numbers[7]);
    }

    private static Attempt UnpackAttempt(ReadOnlySpan<byte> packed)
    {
        var (at, error) = (Timestamp.None, string.Empty);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: at = reader.Time(); break;
                case 2: error = reader.Text(); break;
                default: reader.Skip(); break;
            }
        }

        return new Attempt(at, error);
    }
}
