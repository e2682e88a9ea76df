using Roster.V1;

namespace Roster.Import.Internal;

/// <summary>
/// Trees of filter branches as criteria: an OR of AND groups (FIL-01, FIL-02). What has no counterpart becomes an incomplete filter, so that
/// publishing refuses it: leaving it out would let in more records, or fewer, than before.
/// </summary>
internal sealed partial class CriteriaReader(SchemaGuess guess)
{
    // A tree is multiplied out into groups; beyond so many nobody can read them.
    private const int GroupsMax = 100;

    public Criteria Read(Node branch, string objectType) => new() { AnyOf = { Groups(branch, objectType) } };

    private List<FilterGroup> Groups(Node branch, string objectType)
    {
        var type = TypeOf(branch);
        switch (type)
        {
            case "OR":
                return
                [
                    .. branch["filters"].Items().Select(filter => Alone(One(filter, objectType))),
                    .. branch["filterBranches"].Items().SelectMany(child => Groups(child, objectType)),
                ];
            case "AND":
                return And(branch, objectType);
            case "NOT_ALL":
                return [Not(branch, FilterGroup.Types.Match.NotAll, objectType)];
            case "NOT_ANY":
                return [Not(branch, FilterGroup.Types.Match.NotAny, objectType)];
            case "ASSOCIATION":
                return [Alone(Association(branch))];
            case "UNIFIED_EVENTS":
                return [Alone(Events(branch))];
            case "":
                branch.Unsupported(FindingCode.Missing, "There are no criteria here. An incomplete filter stands for them.");
                return [Alone(new Filter())];
            default:
                branch.Unsupported(FindingCode.NoCounterpart, $"Criteria of kind {type} have no counterpart. An incomplete filter stands for them.");
                return [Alone(new Filter())];
        }
    }

    private static string TypeOf(Node branch)
    {
        var type = branch["filterBranchType"].Word();
        var op = branch["filterBranchOperator"].Word();
        if (type.Length > 0 && op.Length > 0 && op != type && op != "AND")
        {
            branch["filterBranchOperator"].Adapted(FindingCode.Rewritten, $"The branch is of kind {type}, and that counts.");
        }

        return type.Length > 0 ? type : op;
    }

    private static FilterGroup Alone(Filter filter) => new() { AllOf = { filter } };

    private List<FilterGroup> And(Node branch, string objectType)
    {
        var groups = new List<FilterGroup> { new() { AllOf = { branch["filters"].Items().Select(filter => One(filter, objectType)) } } };
        foreach (var child in branch["filterBranches"].Items())
        {
            var alternatives = Groups(child, objectType);
            if (Multiply(groups, alternatives) is { } product)
            {
                groups = product;
                if (alternatives.Count > 1)
                {
                    child["filterBranchType"].Adapted(FindingCode.Rewritten, "An OR inside of an AND is multiplied out: each alternative is a group of its own.");
                }

                continue;
            }

            child.Unsupported(FindingCode.NoCounterpart, $"A negated branch beside other filters, or more than {GroupsMax} groups when multiplied out, cannot be said. An incomplete filter stands for it.");
            groups.ForEach(group => group.AllOf.Add(new Filter()));
        }

        return groups;
    }

    public static List<FilterGroup>? Multiply(List<FilterGroup> left, List<FilterGroup> right)
    {
        if (left.Count * right.Count > GroupsMax)
        {
            return null;
        }

        var product = new List<FilterGroup>();
        foreach (var one in left)
        {
            foreach (var other in right)
            {
                // A group is negated whole, so a negated one stands alone.
                if ((IsNegated(one) && other.AllOf.Count > 0) || (IsNegated(other) && one.AllOf.Count > 0))
                {
                    return null;
                }

                product.Add(IsNegated(one) ? one.Clone() : new FilterGroup { Match = other.Match, AllOf = { one.AllOf.Concat(other.AllOf).Select(filter => filter.Clone()) } });
            }
        }

        return product;
    }

    private static bool IsNegated(FilterGroup group) => group.Match is FilterGroup.Types.Match.NotAll or FilterGroup.Types.Match.NotAny;

    /// <summary>Not(a and (b and c)) and not(a or (b or c)) have the same children one level up; other mixtures cannot be said.</summary>
    private FilterGroup Not(Node branch, FilterGroup.Types.Match match, string objectType)
    {
        var group = new FilterGroup { Match = match, AllOf = { branch["filters"].Items().Select(filter => One(filter, objectType)) } };
        foreach (var child in branch["filterBranches"].Items())
        {
            var inner = Groups(child, objectType);
            var isFlat = !inner.Any(IsNegated) && (inner.Count == 1 ? match == FilterGroup.Types.Match.NotAll || inner[0].AllOf.Count == 1 : match == FilterGroup.Types.Match.NotAny && inner.All(one => one.AllOf.Count == 1));
            if (isFlat)
            {
                group.AllOf.AddRange(inner.SelectMany(one => one.AllOf));
                continue;
            }

            child.Unsupported(FindingCode.NoCounterpart, "This branch cannot be inside of a negated one. An incomplete filter stands for it.");
            group.AllOf.Add(new Filter());
        }

        return group;
    }

    private Filter Association(Node branch)
    {
        var known = AssociationTypes.Read(branch);
        var type = branch["objectTypeId"].Exists ? AssociationTypes.ObjectType(branch["objectTypeId"]) : known?.To ?? "";
        var result = new AssociatedFilter { ObjectType = type, Label = AssociationTypes.LabelOf(branch) };
        if (branch["operator"].Word() is not ("IN_LIST" or ""))
        {
            branch["operator"].Unsupported(FindingCode.UnknownValue, "An associated record is looked for with IN_LIST only. An incomplete filter stands for it.");
            result.AllOf.Add(new Filter());
        }

        result.AllOf.AddRange(branch["filters"].Items().Select(filter => One(filter, type)));
        foreach (var child in branch["filterBranches"].Items())
        {
            var inner = Groups(child, type);
            if (inner.Count == 1 && !IsNegated(inner[0]))
            {
                result.AllOf.AddRange(inner[0].AllOf);
                continue;
            }

            child.Unsupported(FindingCode.NoCounterpart, "The filters on an associated record are AND-ed (ASC-01). An incomplete filter stands for this branch.");
            result.AllOf.Add(new Filter());
        }

        return new Filter { Associated = result };
    }

    private Filter Events(Node branch)
    {
        var type = EventTypes.Read(branch["eventTypeId"]);
        if (type == EventTypes.PropertyChanged)
        {
            branch.Unsupported(FindingCode.NoCounterpart, "Changes of properties are no occurrences in the event history (FIL-09). An incomplete filter stands for it.");
            return new Filter();
        }

        return History(branch, type);
    }

    private Filter History(Node owner, string eventType)
    {
        var events = new EventHistoryFilter { EventType = eventType };
        events.Where.AddRange(Where(owner, eventType));
        if (!RefineEvents(owner, events) || Negates(owner["operator"], "HAS_COMPLETED", "HAS_NOT_COMPLETED") is not { } negate)
        {
            return new Filter();
        }

        events.Negate = negate;
        return new Filter { Events = events };
    }

    /// <summary>Whether an operator says no; null for one that says neither. None at all says yes.</summary>
    private static bool? Negates(Node op, string yes, string no)
    {
        var word = op.Word();
        if (word == yes || word.Length == 0)
        {
            return false;
        }

        if (word == no)
        {
            return true;
        }

        op.Unsupported(FindingCode.UnknownValue, $"The operator is {yes} or {no}. An incomplete filter stands for it.");
        return null;
    }

    /// <summary>The filters of a branch on an event's properties. They are AND-ed.</summary>
    private List<Filter> Where(Node branch, string eventType)
    {
        var where = branch["filters"].Items().Concat(branch["filterLines"].Items()).Select(filter => OfEvent(filter, eventType)).ToList();
        foreach (var child in branch["filterBranches"].Items())
        {
            if (TypeOf(child) == "AND")
            {
                where.AddRange(Where(child, eventType));
                continue;
            }

            child.Unsupported(FindingCode.NoCounterpart, "Filters on an event are AND-ed. An incomplete filter stands for this branch.");
            where.Add(new Filter());
        }

        return where;
    }

    private Filter OfEvent(Node filter, string eventType)
    {
        // A filter line has no filterType.
        if (filter["filterType"].Word() is not ("PROPERTY" or ""))
        {
            return Unknown(filter, "A filter on an event is about its properties.");
        }

        var result = new Filter { Property = EventTypes.PropertyOf(eventType, filter["property"]) };
        Operation(filter["operation"], result);
        if (eventType != EventTypes.PropertyChanged)
        {
            AsText(filter["operation"]["operator"], result);
        }

        if (result.Property == "workflow" && eventType.StartsWith("workflow_", StringComparison.Ordinal))
        {
            var ids = result.Values.Select(Ids.OfFlow).ToList();
            result.Values.Clear();
            result.Values.AddRange(ids);
            filter["operation"].Adapted(FindingCode.Renamed, "Imported workflows have the id hubspot-NUMBER.");
        }

        return result;
    }

    /// <summary>Events carry choices as texts, of which one of several is said with IS_EQUAL_TO (FIL-22).</summary>
    private static void AsText(Node op, Filter filter)
    {
        var isOne = filter.Values.Count == 1;
        var text = filter.Operator switch
        {
            Filter.Types.Operator.IsAnyOf => Filter.Types.Operator.IsEqualTo,
            Filter.Types.Operator.IsNoneOf => Filter.Types.Operator.IsNotEqualTo,
            Filter.Types.Operator.IsExactly when isOne => Filter.Types.Operator.IsEqualTo,
            Filter.Types.Operator.IsNotExactly when isOne => Filter.Types.Operator.IsNotEqualTo,
            _ => filter.Operator,
        };
        if (text != filter.Operator)
        {
            filter.Operator = text;
            op.Adapted(FindingCode.Rewritten, "Events carry it as text, so it is compared with IS_EQUAL_TO or IS_NOT_EQUAL_TO (FIL-22).");
        }
    }

    private static Filter Unknown(Node filter, string reason)
    {
        filter.Unsupported(FindingCode.NoCounterpart, $"{reason} An incomplete filter stands for it.");
        return new Filter();
    }
}
