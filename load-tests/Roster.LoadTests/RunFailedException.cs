namespace Roster.LoadTests;

/// <summary>A run cannot go on for a reason that its user can do something about.</summary>
internal sealed class RunFailedException(string message) : Exception(message);
