using Roster.Core.Turns;
using Roster.V1;

namespace Roster.Engine.Hosting;

/// <summary>Results of turns as callers see them.</summary>
internal static class Results
{
    public static EventResult ToWire(in TurnResult result) => result.Status switch
    {
        TurnStatus.Applied or TurnStatus.Nothing => new EventResult { Code = EventResult.Types.Code.Applied },
        TurnStatus.Duplicate => new EventResult { Code = EventResult.Types.Code.Duplicate },
        TurnStatus.Mismatch => new EventResult { Code = EventResult.Types.Code.DuplicateMismatch },
        TurnStatus.Refused => Refused(result.Refusal!),
        _ => throw new InvalidOperationException($"A turn cannot end with {result.Status}."),
    };

    public static EventResult Refused(Core.Refusal refusal) => new()
    {
        Code = EventResult.Types.Code.Refused,
        Refusal = new Refusal
        {
            Reason = (Refusal.Types.Reason)(int)refusal.Reason,
            Path = refusal.Path,
            Value = refusal.Value,
            Message = refusal.Message,
            Setting = refusal.Setting,
        },
    };
}
