using Roster.Core.Values;

namespace Roster.Core.Journal;

/// <summary>A value with a name: an event property, an output, a field of a task.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value.</param>
public readonly record struct NamedValue(string Name, Value Value);
