namespace Roster.Engine.Turns;

/// <summary>What input a turn handled. Stored.</summary>
public enum TurnCause
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>An event.</summary>
    Event = 1,

    /// <summary>A request by hand.</summary>
    Command = 2,

    /// <summary>A timer.</summary>
    Timer = 3,

    /// <summary>A completion of a task.</summary>
    Completion = 4,

    /// <summary>A job, because definitions changed.</summary>
    Refresh = 5,

    /// <summary>A message between records.</summary>
    Message = 6,
}
