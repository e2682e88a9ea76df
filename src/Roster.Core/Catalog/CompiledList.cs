using Roster.Core.Filters;
using Roster.Core.Workflows;

namespace Roster.Core.Catalog;

/// <summary>A list, ready to be computed (LST-01). Immutable.</summary>
/// <param name="Info">Its id, number and object type.</param>
/// <param name="Criteria">Criteria of an active list; null for a static one.</param>
public sealed record CompiledList(ListInfo Info, Criteria? Criteria);
