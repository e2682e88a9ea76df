using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <content>Criteria as triggers that fire on each occurrence and on each join (REN-03).</content>
public sealed partial class Criteria
{
    /// <summary>
    /// Whether it holds and an occurrence of the round passes a filter on events in it: such a re-enrollment trigger fires on each
    /// occurrence (REN-03). Needs <see cref="RecordState.Before"/>.
    /// </summary>
    public bool HoldsForOccurrence(in Judging judging)
    {
        foreach (var group in _groups)
        {
            if (group.HasNewOccurrence(judging) && group.Accepts(judging))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether it holds and a filter in it is about being in one of the lists that were joined in the round (REN-03).</summary>
    public bool HoldsForJoin(in Judging judging, IReadOnlyList<int> joined)
    {
        foreach (var group in _groups)
        {
            if (group.HasJoin(joined) && group.Accepts(judging))
            {
                return true;
            }
        }

        return false;
    }
}
