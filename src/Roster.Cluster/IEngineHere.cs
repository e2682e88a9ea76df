namespace Roster.Cluster;

/// <summary>Whoever has the engine of this process over the shared store: its silo, or a front door without one.</summary>
public interface IEngineHere
{
    /// <summary>The engine.</summary>
    /// <exception cref="InvalidOperationException">It has not begun yet.</exception>
    SiloEngine Engine { get; }
}
