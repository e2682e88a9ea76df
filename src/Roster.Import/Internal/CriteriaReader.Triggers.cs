using Roster.V1;
using Kind = Roster.V1.PropertyType.Types.Kind;
using Operator = Roster.Core.Filters.Operator;
using OperatorTable = Roster.Core.Filters.OperatorTable;

namespace Roster.Import.Internal;

/// <content>What enrolls: events (TRG-05, TRG-20 to TRG-31), list membership (TRG-22) and re-enrollment triggers (REN-02).</content>
internal sealed partial class CriteriaReader
{
    /// <summary>One event that enrolls or releases a wait.</summary>
    public EventTrigger Trigger(Node branch, string objectType)
    {
        branch["filterBranchType"].Text();
        branch["filterBranchOperator"].Text();
        var trigger = new EventTrigger { EventType = EventTypes.Read(branch["eventTypeId"]) };
        if (Negates(branch["operator"], "HAS_COMPLETED", "HAS_NOT_COMPLETED") is not false)
        {
            branch["operator"].Unsupported(FindingCode.NoCounterpart, "Only what has happened is an event. An incomplete filter stands for it.");
            trigger.Where.Add(new Filter());
        }

        foreach (var name in (string[])["pruningRefineBy", "coalescingRefineBy"])
        {
            if (!RefineBy(branch[name], out var refine) || refine is not null)
            {
                branch[name].Unsupported(FindingCode.NoCounterpart, "An event that enrolls has no refine-by. An incomplete filter stands for it.");
                trigger.Where.Add(new Filter());
            }
        }

        trigger.Where.AddRange(Where(branch, trigger.EventType));
        if (trigger.EventType == EventTypes.PropertyChanged)
        {
            NoteProperty(branch, trigger.Where, objectType);
        }

        return trigger;
    }

    private void NoteProperty(Node branch, IEnumerable<Filter> where, string objectType)
    {
        var filters = where.ToList();
        var names = filters.Where(filter => filter.Property == "property").SelectMany(filter => filter.Values);
        var kind = branch["filters"].Items().Where(filter => filter["property"].Text() == "hs_value")
            .Select(filter => KindOf(filter["operation"]["operationType"].Word().Replace("_", "", StringComparison.Ordinal))).FirstOrDefault();
        var values = filters.Where(filter => filter.Property == "value" && kind == Kind.Enumeration).SelectMany(filter => filter.Values).ToList();
        foreach (var name in names)
        {
            guess.Property(objectType, name, kind, values);
        }
    }

    /// <summary>
    /// Members of lists enroll when they join. A branch of several lists is met by whoever joins the last of them: a trigger on each, if the
    /// record is on the others.
    /// </summary>
    public IEnumerable<EventTrigger> Memberships(Node branch, string objectType)
    {
        var groups = Groups(branch, objectType);
        foreach (var group in groups)
        {
            var lists = group.AllOf.Where(filter => filter.List is not null).ToList();
            if (IsNegated(group) || lists.Count == 0)
            {
                branch.Unsupported(FindingCode.NoCounterpart, "List membership enrolls by lists that are joined or left. An incomplete filter stands for it.");
                yield return new EventTrigger { EventType = "list_joined", Where = { new Filter() } };
                continue;
            }

            if (lists.Count > 1 || groups.Count > 1)
            {
                branch.Adapted(FindingCode.Rewritten, "A trigger on each list, if the record is on the others.");
            }

            foreach (var list in lists)
            {
                var rest = group.AllOf.Where(filter => !ReferenceEquals(filter, list)).Select(filter => filter.Clone()).ToList();
                yield return new EventTrigger
                {
                    EventType = list.List.Negate ? "list_left" : "list_joined",
                    Where = { Equal("list", list.List.ListId) },
                    OnlyIf = rest.Count == 0 ? null : new Criteria { AnyOf = { new FilterGroup { AllOf = { rest } } } },
                };
            }
        }
    }

    /// <summary>A re-enrollment trigger; null for one that is not allowed here (REN-06), which is marked.</summary>
    public Criteria? Reenrollment(Node branch, string objectType)
    {
        var filters = branch["filters"].Items();
        var isChange = filters.Any(filter => filter["property"].Text() == "hs_name");
        var criteria = isChange ? Change(branch, objectType) : Read(branch, objectType);
        var why = criteria.AnyOf.SelectMany(group => group.AllOf).Select(WhyNot).FirstOrDefault(reason => reason is not null)
            ?? (criteria.AnyOf.Any(IsNegated) ? "a negated group" : null);
        if (why is null)
        {
            return criteria;
        }

        branch.Unsupported(FindingCode.NotInReenrollment, $"Left out: {why} is not allowed in a re-enrollment trigger (REN-06).");
        return null;
    }

    /// <summary>A property that changes, optionally to a value: known, or that value (REN-04).</summary>
    private Criteria Change(Node branch, string objectType)
    {
        TypeOf(branch);
        branch["eventTypeId"].Text();
        branch["operator"].Text();
        var result = new Filter { Operator = Filter.Types.Operator.IsKnown };
        foreach (var filter in branch["filters"].Items())
        {
            filter["filterType"].Text();
            if (filter["property"].Text() == "hs_name")
            {
                var name = new Filter();
                Operation(filter["operation"], name);
                result.Property = name.Values.Count == 1 && name.Operator == Filter.Types.Operator.IsEqualTo ? name.Values[0] : "";
                if (result.Property.Length == 0)
                {
                    filter.Unsupported(FindingCode.UnknownValue, "A change is of one named property.");
                }
            }
            else
            {
                var kind = Operation(filter["operation"], result);
                guess.Property(objectType, result.Property, kind, kind == Kind.Enumeration ? result.Values : []);
            }
        }

        if (branch["filterBranches"].Items() is { Count: > 0 })
        {
            branch["filterBranches"].Unsupported(FindingCode.NoCounterpart, "A change has no further branches.");
        }

        guess.Property(objectType, result.Property);
        return new Criteria { AnyOf = { Alone(result) } };
    }

    private static string? WhyNot(Filter filter)
    {
        var op = (Operator)(int)filter.Operator;
        return filter.OtherCase switch
        {
            Filter.OtherOneofCase.Associated => "a filter on associated records",
            Filter.OtherOneofCase.Workflow => "a filter on workflows",
            Filter.OtherOneofCase.List when filter.List.Negate => "a negative operator",
            Filter.OtherOneofCase.Events when filter.Events.Negate => "a negative operator",
            Filter.OtherOneofCase.Form when filter.Form.Negate => "a negative operator",
            Filter.OtherOneofCase.Events => filter.Events.Where.Select(WhyNot).FirstOrDefault(reason => reason is not null),
            Filter.OtherOneofCase.Consent when filter.Consent.AnyOf.Count > 1 => "any-of with more than one value",
            Filter.OtherOneofCase.None when op == Operator.None => "what cannot be said here",
            Filter.OtherOneofCase.None when OperatorTable.IsClockBased(op) => "a clock-based operator",
            Filter.OtherOneofCase.None when OperatorTable.IsNegative(op) => "a negative operator",
            Filter.OtherOneofCase.None when filter.Values.Count > 1 && op is not (Operator.IsExactly or Operator.HasEverBeenExactly or Operator.IsBetween) => "an operator with more than one value",
            _ => null,
        };
    }
}
