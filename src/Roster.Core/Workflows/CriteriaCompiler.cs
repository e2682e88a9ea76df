using NodaTime;
using Roster.Core.Filters;
using Roster.Core.Schema;

namespace Roster.Core.Workflows;

/// <summary>
/// Checks criteria against what a definition may refer to, and compiles them. Everything wrong is reported, not only the first thing
/// (EDT-03); what is compiled in spite of an error must not be used.
/// </summary>
/// <param name="scope">What may be referred to. Event types that are not in it have never occurred.</param>
/// <param name="type">The object type of the records that are judged.</param>
/// <param name="zone">Zone of day-based operators without one of their own (FIL-08).</param>
/// <param name="report">Takes each problem.</param>
public sealed partial class CriteriaCompiler(DefinitionScope scope, ObjectTypeDefinition type, DateTimeZone zone, Action<WorkflowProblem> report)
{
    /// <summary>Most days that a filter adds or counts, and most units: about a hundred years of days.</summary>
    public const int DaysMax = 36_500;

    private TenantSettings Settings => scope.Schema.Settings;

    /// <summary>Compiles criteria. Null is a problem: they are required.</summary>
    /// <param name="definition">The criteria.</param>
    /// <param name="path">JSON path of the criteria, for problems.</param>
    public Criteria Compile(CriteriaDefinition? definition, string path)
    {
        if (definition is null)
        {
            Error(path, "NO_CRITERIA", string.Empty, "Criteria are required here.");
            return new Criteria([]);
        }

        if (definition.AnyOf.Count == 0)
        {
            Error(Join(path, "anyOf"), "EMPTY_CRITERIA", string.Empty, "Criteria without a group never hold (FIL-02).");
        }

        CheckCount(definition.AnyOf.Sum(g => CountOf(g.AllOf)), path);
        var groups = new FilterGroup[definition.AnyOf.Count];
        for (var g = 0; g < groups.Length; g++)
        {
            var group = definition.AnyOf[g];
            if (!Enum.IsDefined(group.Match))
            {
                Error(Join(path, $"anyOf[{g}].match"), "UNKNOWN_MATCH", $"{(int)group.Match}", "The match of a group is ALL, NOT_ALL or NOT_ANY (FIL-02).");
            }

            groups[g] = new FilterGroup(group.Match, CompileAll(group.AllOf, new Place(path, $"anyOf[{g}].allOf", type, IsCopy: false)));
        }

        return new Criteria(groups);
    }

    private Filter[] CompileAll(IReadOnlyList<FilterDefinition> filters, Place place) =>
        [.. filters.Select((filter, f) => CompileFilter(filter, place with { Relative = $"{place.Relative}[{f}]" })).OfType<Filter>()];

    private Filter? CompileFilter(FilterDefinition filter, Place place)
    {
        switch (filter)
        {
            case PropertyFilterDefinition property:
                return CompileProperty(property, place);
            case ListFilterDefinition list:
                return CompileList(list, place);
            case EventHistoryFilterDefinition events when !place.IsCopy:
                return CompileEvents(events, place);
            case EventPairFilterDefinition pair when !place.IsCopy:
                return CompilePair(pair, place);
            case WorkflowFilterDefinition workflow when !place.IsCopy:
                return CompileWorkflow(workflow, place);
            case AssociatedFilterDefinition associated when !place.IsCopy || ReachesThrough(associated, place):
                return CompileAssociated(associated, place);
            case ConstantFilterDefinition constant when !place.IsCopy:
                return new ConstantFilter(Label(place, filter), constant.Accepts);
            case ConsentFilterDefinition consent when !place.IsCopy:
                return CompileConsent(consent, place);
            case IncompleteFilterDefinition:
                Error(place.Path, "INCOMPLETE_FILTER", string.Empty, "A filter names a property, or is of another kind.");
                return null;
            case AssociatedFilterDefinition nested:
                Error($"{place.Path}.associated", "TWO_HOPS", nested.ObjectType, "Only direct associations count: one hop. A filter on contacts may reach line items through deals (ASC-03).");
                return null;
            default:
                Error(place.Path, "NOT_IN_ASSOCIATED", KindOf(filter), "A filter on an associated record is about its properties or lists (ASC-01).");
                return null;
        }
    }

    /// <summary>A filter counts, and so does each filter inside it (FIL-01).</summary>
    private static int CountOf(IReadOnlyList<FilterDefinition> filters) => filters.Sum(filter => 1 + filter switch
    {
        EventHistoryFilterDefinition events => CountOf(events.Where),
        EventPairFilterDefinition pair => CountOf(pair.Happened.Where) + CountOf(pair.Missing.Where),
        AssociatedFilterDefinition associated => CountOf(associated.AllOf),
        _ => 0,
    });

    private void CheckCount(int count, string path)
    {
        if (count > Settings.FiltersMax)
        {
            Error(path, "TOO_MANY_FILTERS", $"{count}", $"At most {Settings.FiltersMax} filters, nested ones included (setting filters_max, FIL-01).");
        }
    }

    private DateTimeZone Zone(string path, string name)
    {
        if (name.Length == 0)
        {
            return zone;
        }

        if (TimeZones.Find(name) is { } own)
        {
            return own;
        }

        Error(path, "UNKNOWN_TIME_ZONE", name, $"'{Refusal.Cut(name)}' is no IANA zone name.");
        return zone;
    }

    private static FilterLabel Label(Place place, FilterDefinition filter) => new(place.Relative, TextOf(filter));

    private static string Join(string path, string field) => path.Length == 0 ? field : $"{path}.{field}";

    private void Error(string path, string code, string value, string message) =>
        report(new WorkflowProblem(IsError: true, path, code, Refusal.Cut(value), message));

    /// <summary>Where a filter stands.</summary>
    /// <param name="Root">JSON path of the criteria.</param>
    /// <param name="Relative">Path inside the criteria.</param>
    /// <param name="Type">Object type of the record it is about.</param>
    /// <param name="IsCopy">Whether that is an associated record.</param>
    private sealed record Place(string Root, string Relative, ObjectTypeDefinition Type, bool IsCopy)
    {
        public string Path => Join(Root, Relative);
    }
}
