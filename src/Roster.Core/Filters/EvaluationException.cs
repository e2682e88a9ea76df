namespace Roster.Core.Filters;

/// <summary>Criteria that cannot be evaluated (ENG-12).</summary>
internal sealed class EvaluationException(string message, Exception? inner = null) : Exception(message, inner);
