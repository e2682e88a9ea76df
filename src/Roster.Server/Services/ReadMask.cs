using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine;

namespace Roster.Server.Services;

/// <summary>The fields of an answer that a caller wants.</summary>
/// <typeparam name="T">The message that has the fields.</typeparam>
internal readonly struct ReadMask<T>
    where T : class, IMessage<T>, new()
{
    private readonly FieldMask? _mask;

    private ReadMask(FieldMask? mask) => _mask = mask;

    /// <summary>Reads a mask; none, or an empty one, stands for all fields.</summary>
    /// <exception cref="RosterException">It names a field that there is not.</exception>
    public static ReadMask<T> Of(FieldMask? mask)
    {
        if (mask is null || mask.Paths.Count == 0)
        {
            return default;
        }

        var descriptor = new T().Descriptor;
        return mask.Paths.FirstOrDefault(path => !FieldMask.IsValid(descriptor, path)) is { } unknown
            ? throw RosterException.Invalid("read_mask", unknown, $"{descriptor.Name} has no field `{Core.Refusal.Cut(unknown)}`.")
            : new ReadMask<T>(mask);
    }

    /// <summary>The message with these fields only.</summary>
    public T Apply(T message)
    {
        if (_mask is null)
        {
            return message;
        }

        var wanted = new T();
        _mask.Merge(message, wanted);
        return wanted;
    }

    /// <summary>The messages with these fields only, in place.</summary>
    public void Apply(RepeatedField<T> messages)
    {
        for (var i = 0; _mask is not null && i < messages.Count; i++)
        {
            messages[i] = Apply(messages[i]);
        }
    }
}
