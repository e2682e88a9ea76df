using Roster.V1;
using static Roster.Import.Tests.Flows;

namespace Roster.Import.Tests;

/// <summary>Filters, operations and the trees around them.</summary>
public sealed class CriteriaTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(""" "operationType":"ALL_PROPERTY","operator":"IS_UNKNOWN" """, """ "operator": "IS_UNKNOWN" }""")]
    [InlineData(""" "operationType":"alltypes","operator":"IS_KNOWN" """, """ "operator": "IS_KNOWN" }""")]
    [InlineData(""" "operationType":"STRING","operator":"STARTS_WITH","value":"Du" """, """ "operator": "STARTS_WITH", "values": [ "Du" ] }""")]
    [InlineData(""" "operationType":"multistring","operator":"IS_EQUAL_TO","values":["AU","NZ"] """, """ "operator": "IS_EQUAL_TO", "values": [ "AU", "NZ" ] }""")]
    [InlineData(""" "operationType":"NUMBER","operator":"IS_LESS_THAN","value":15.0 """, """ "operator": "IS_LESS_THAN", "values": [ "15" ] }""")]
    [InlineData(""" "operationType":"NUMBER_RANGED","operator":"IS_BETWEEN","lowerBound":40,"upperBound":69.5 """, """ "operator": "IS_BETWEEN", "values": [ "40", "69.5" ] }""")]
    [InlineData(""" "operationType":"BOOL","operator":"IS_EQUAL_TO","value":true """, """ "operator": "IS_EQUAL_TO", "values": [ "true" ] }""")]
    [InlineData(""" "operationType":"ENUMERATION","operator":"CONTAINS_ALL","values":["a","b"] """, """ "operator": "CONTAINS_ALL", "values": [ "a", "b" ] }""")]
    [InlineData(""" "operationType":"DATE","operator":"IS_AFTER_DATE","year":2026,"month":"MARCH","day":5 """, """ "operator": "IS_AFTER_DATE", "values": [ "2026-03-05" ] }""")]
    [InlineData(""" "operationType":"DATETIME","operator":"IS_EQUAL_TO","timestamp":1719446400000,"requiresTimeZoneConversion":false """, """ "operator": "IS_EQUAL_TO", "values": [ "2024-06-27T00:00:00Z" ] }""")]
    [InlineData(""" "operationType":"ranged-date","operator":"IS_BETWEEN","lowerBound":1719446400000,"upperBound":1719619199999,"requiresTimeZoneConversion":true """, """ "operator": "IS_BETWEEN", "from": { "date": "2024-06-27" }, "to": { "date": "2024-06-28" } }""")]
    [InlineData(""" "operationType":"ROLLING_DATE_RANGE","operator":"IS_MORE_THAN_X_DAYS_AGO","numberOfDays":30,"requiresTimeZoneConversion":false """, """ "operator": "IS_MORE_THAN_X_DAYS_AGO", "values": [ "30" ] }""")]
    [InlineData(""" "operationType":"ROLLING_PROPERTY_UPDATED","operator":"UPDATED_IN_LAST_X_DAYS","numberOfDays":7 """, """ "operator": "UPDATED_IN_LAST_X_DAYS", "values": [ "7" ] }""")]
    [InlineData(""" "operationType":"CALENDAR_DATE","operator":"IN_LAST_TIME_UNIT","timeUnit":"QUARTER","timeUnitCount":2,"useFiscalYear":true,"fiscalYearStart":"APRIL" """, """ "operator": "IN_LAST_TIME_UNIT", "values": [ "2" ], "unit": "QUARTER", "fiscalYearStart": 4 }""")]
    [InlineData(""" "operationType":"COMPARATIVE_DATE","operator":"IS_BEFORE","comparisonPropertyName":"other" """, """ "operator": "IS_BEFORE", "compareWith": "other" }""")]
    [InlineData(""" "operationType":"COMPARATIVE_PROPERTY_UPDATED","operator":"IS_AFTER","comparisonPropertyName":"other" """, """ "operator": "IS_AFTER", "compareWith": "other", "useUpdatedAt": true }""")]
    [InlineData(""" "operationType":"TIME_POINT","operator":"IS_AFTER","endpointBehavior":"EXCLUSIVE","propertyParser":"VALUE","type":"TIME_POINT","timePoint":{"timeType":"INDEXED","zoneId":"Europe/Dublin","timezoneSource":"CUSTOM","indexReference":{"referenceType":"TODAY"},"offset":{"weeks":-1,"days":-1}} """, """ "operator": "IS_AFTER", "timeZone": "Europe/Dublin", "from": { "index": "TODAY", "offsetDays": -8, "exclusive": true } }""")]
    [InlineData(""" "operationType":"TIME_RANGED","operator":"IS_BETWEEN","propertyParser":"UPDATED_AT","type":"TIME_RANGED","lowerBoundEndpointBehavior":"INCLUSIVE","upperBoundEndpointBehavior":"INCLUSIVE","lowerBoundTimePoint":{"timeType":"DATE","year":2026,"month":1,"day":2,"zoneId":"UTC"},"upperBoundTimePoint":{"timeType":"INDEXED","zoneId":"UTC","indexReference":{"referenceType":"TODAY","hour":23,"minute":59,"second":59,"millisecond":999}} """, """ "operator": "IS_BETWEEN", "timeZone": "UTC", "from": { "date": "2026-01-02" }, "to": { "index": "TODAY", "offsetDays": 1, "exclusive": true }, "useUpdatedAt": true }""")]
    public void IMP_04_Operations_of_all_types_are_kept_in_both_spellings(string operation, string kept)
    {
        var (group, imported) = Imported.Filters(Property("p", operation));
        Assert.Equal($$"""{ "property": "p",{{kept}}""", group.AllOf[0].ToString());
        Assert.Equal(0, imported.Report.Unsupported);
    }

    [Theory]
    [InlineData(""" "operationType":"NUMBER","operator":"IS_EQUAL_TO","value":1 """, PropertyType.Types.Kind.Number)]
    [InlineData(""" "operationType":"ENUMERATION","operator":"IS_ANY_OF","values":["b","a"] """, PropertyType.Types.Kind.Enumeration)]
    [InlineData(""" "operationType":"TIME_POINT","operator":"IS_AFTER","timePoint":{"timeType":"INDEXED","indexReference":{"referenceType":"NOW"}} """, PropertyType.Types.Kind.Datetime)]
    [InlineData(""" "operationType":"ALL_PROPERTY","operator":"IS_KNOWN" """, PropertyType.Types.Kind.String)]
    public void IMP_04_What_a_filter_compares_says_the_type_of_its_property(string operation, PropertyType.Types.Kind kind)
    {
        var import = new HubSpotImport();
        import.Import(Filtered(Property("p", operation)));
        var property = import.Schema.ObjectTypes.Single().Properties.Single(one => one.Name == "p");
        Assert.Equal(kind, property.Type);
        Assert.Equal(kind == PropertyType.Types.Kind.Enumeration ? ["a", "b"] : [], property.Options);
    }

    [Theory]
    [InlineData("10", "-0.5", PropertyType.Types.Kind.Number)]
    [InlineData("true", "false", PropertyType.Types.Kind.Bool)]
    [InlineData("10", "true", PropertyType.Types.Kind.String)]
    [InlineData("10", "007", PropertyType.Types.Kind.String)]
    public void IMP_04_Without_a_filter_the_values_that_are_written_say_the_type(string one, string other, PropertyType.Types.Kind kind)
    {
        var import = new HubSpotImport();
        string Write(string id, string value, string next) => Single(id, "0-5", $$$"""{"property_name":"p","value":{"type":"STATIC_VALUE","staticValue":"{{{value}}}"}}""", next);
        import.Import(Flow(Manual, $"{Write("1", one, "2")},{Write("2", other, "")}"));
        Assert.Equal(kind, import.Schema.ObjectTypes.Single().Properties.Single().Type);
    }

    [Theory]
    [InlineData("""{"filterType":"IN_LIST","listId":"5","operator":"NOT_IN_LIST"}""", """{ "list": { "listId": "5", "negate": true } }""")]
    [InlineData("""{"filterType":"IN_LIST","listId":"5","operator":"IN_LIST","metadata":{"id":"88","inListType":"WORKFLOWS_ACTIVE"}}""", """{ "workflow": { "workflowId": "hubspot-88", "status": "ACTIVE" } }""")]
    [InlineData("""{"filterType":"FORM_SUBMISSION","formId":"f","operator":"NOT_FILLED_OUT"}""", """{ "form": { "formId": "f", "negate": true } }""")]
    [InlineData("""{"filterType":"PAGE_VIEW","operator":"HAS_PAGEVIEW_CONTAINS","pageUrl":"tea","coalescingRefineBy":{"type":"NUM_OCCURRENCES","minOccurrences":2}}""", """{ "page": { "operator": "HAS_PAGEVIEW_CONTAINS", "url": "tea", "refine": { "occurrences": { "min": 2 } } } }""")]
    [InlineData("""{"filterType":"CTA","operator":"HAS_CLICKED_CTA","ctaName":"c"}""", """{ "cta": { "operator": "HAS_CLICKED_CTA", "id": "c" } }""")]
    [InlineData("""{"filterType":"EMAIL_EVENT","operator":"RECEIVED_BUT_NOT_OPENED","emailId":"9","appId":"0","level":"CAMPAIGN"}""", """{ "email": { "operator": "RECEIVED_BUT_NOT_OPENED", "emailId": "9" } }""")]
    [InlineData("""{"filterType":"EMAIL_EVENT","operator":"LINK_CLICKED","emailId":"9","clickUrl":"https://x"}""", """{ "events": { "eventType": "email_clicked", "where": [ { "property": "url", "operator": "IS_EQUAL_TO", "values": [ "https://x" ] }, { "property": "email_id", "operator": "IS_EQUAL_TO", "values": [ "9" ] } ] } }""")]
    [InlineData("""{"filterType":"EMAIL_SUBSCRIPTION","subscriptionIds":["12"],"acceptedStatuses":["SUBSCRIBED"]}""", """{ "consent": { "subscription": "12", "anyOf": [ "SUBSCRIBED" ] } }""")]
    [InlineData("""{"filterType":"PRIVACY","operator":"PRIVACY_CONSENT_NOT_GRANTED","privacyName":"gdpr"}""", """{ "consent": { "subscription": "gdpr", "anyOf": [ "NOT_GRANTED" ] } }""")]
    [InlineData("""{"filterType":"CONSTANT","shouldAccept":true}""", """{ "constant": true }""")]
    [InlineData("""{"filterType":"UNIFIED_EVENTS","eventTypeId":"4-96000","filterLines":[],"pruningRefineBy":{"type":"RELATIVE_COMPARATIVE","comparison":"AFTER","timeOffset":{"amount":2,"offsetDirection":"PAST","timeUnit":"WEEKS"}}}""", """{ "events": { "eventType": "page_visited", "refine": { "time": { "kind": "AFTER", "from": { "weeks": -2 } } } } }""")]
    [InlineData("""{"filterType":"ASSOCIATION","listId":"5","operator":"IN_LIST","associationCategory":"HUBSPOT_DEFINED","associationTypeId":279,"toObjectTypeId":"0-2"}""", """{ "associated": { "objectType": "company", "allOf": [ { "list": { "listId": "5" } } ] } }""")]
    public async Task IMP_04_Filters_of_all_kinds_are_kept(string filter, string kept)
    {
        var (group, imported) = Imported.Filters(filter);
        Assert.Equal(kept, group.AllOf[0].ToString());
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.All(await imported.ErrorsAsync(Cancel), error => Assert.Equal("UNKNOWN_WORKFLOW", error.Code));
    }

    [Fact]
    public async Task IMP_04_A_count_within_a_time_is_said_with_the_time_of_the_event()
    {
        var (group, imported) = Imported.Filters("", Happened("4-666440", "", ""","pruningRefineBy":{"type":"RELATIVE_COMPARATIVE","comparison":"AFTER","timeOffset":{"amount":7,"offsetDirection":"PAST","timeUnit":"DAYS"}},"coalescingRefineBy":{"type":"NUM_OCCURRENCES","minOccurrences":3}"""));
        var events = group.AllOf[0].Events;
        Assert.Equal(3, events.Refine.Occurrences.Min);
        Assert.Equal("""{ "property": "occurred_at", "operator": "IS_AFTER", "from": { "index": "TODAY", "offsetDays": -6 } }""", events.Where[0].ToString());
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Theory]
    [InlineData("""{"filterType":"WEBINAR","operator":"HAS_WEBINAR_REGISTRATION","webinarId":"1"}""")]
    [InlineData("""{"filterType":"NEW_KIND"}""")]
    [InlineData("""{"property":"p"}""")]
    [InlineData("""{"filterType":"PAGE_VIEW","operator":"SMELLED","pageUrl":"x"}""")]
    [InlineData("""{"filterType":"PROPERTY","property":"p","operation":{"operationType":"STRING","operator":"RHYMES_WITH","value":"x"}}""")]
    [InlineData("""{"filterType":"PROPERTY","property":"p","operation":{"operationType":"TELEPATHY","operator":"IS_EQUAL_TO","value":"x"}}""")]
    [InlineData("""{"filterType":"PROPERTY","property":"p"}""")]
    [InlineData("""{"filterType":"PROPERTY","property":"p","operation":{"operationType":"NUMBER_RANGED","operator":"IS_BETWEEN","lowerBound":1}}""")]
    [InlineData("""{"filterType":"PROPERTY","property":"p","operation":{"operationType":"MULTISTRING","operator":"IS_EQUAL_TO","values":["a",["b"]]}}""")]
    [InlineData("""{"filterType":"PROPERTY","property":"p","operation":{"operationType":"TIME_POINT","operator":"IS_AFTER","timePoint":{"timeType":"INDEXED","indexReference":{"referenceType":"WEEK","dayOfWeek":"FRIDAY"}}}}""")]
    [InlineData("""{"filterType":"IN_LIST","listId":"5","operator":"NEAR_LIST"}""")]
    [InlineData("""{"filterType":"EVENT","eventId":"4-96000","operator":"MIGHT_COMPLETE"}""")]
    [InlineData("""{"filterType":"EMAIL_SUBSCRIPTION","subscriptionIds":["1","2"],"acceptedStatuses":["SUBSCRIBED"]}""")]
    [InlineData("""{"filterType":"FORM_SUBMISSION","formId":"f","operator":"FILLED_OUT","coalescingRefineBy":{"type":"SET_OCCURRENCES","setType":"ALL"}}""")]
    public async Task IMP_05_A_filter_that_cannot_be_said_stays_incomplete_so_that_nobody_enrolls_by_less(string filter)
    {
        var (group, imported) = Imported.Filters($"{filter},{Is("city", "Dublin")}");
        Assert.Equal(2, group.AllOf.Count);
        Assert.Contains(imported.Report.Remarks(), remark => remark.Level == Fidelity.Unsupported && remark.Path.StartsWith("enrollmentCriteria.listFilterBranch.filterBranches[0].filters[0]", StringComparison.Ordinal));
        Assert.NotEmpty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_05_Restricted_branches_and_changes_in_the_history_are_unsupported()
    {
        var restricted = new Imported(Filtered(Is("city", "Dublin"), """{"filterBranchType":"RESTRICTED","filterBranchOperator":"AND","filters":[],"filterBranches":[]}"""));
        Assert.Equal(FindingCode.NoCounterpart, restricted.At("enrollmentCriteria.listFilterBranch.filterBranches[0].filterBranches[0]").Code);
        Assert.Contains("INCOMPLETE_FILTER", (await restricted.ErrorsAsync(Cancel)).Select(problem => problem.Code));
        var changed = new Imported(Filtered("", Happened("4-655002", Is("hs_name", "city"))));
        Assert.Contains("INCOMPLETE_FILTER", (await changed.ErrorsAsync(Cancel)).Select(problem => problem.Code));
    }

    [Fact]
    public void FIL_02_An_or_inside_of_an_and_is_multiplied_out()
    {
        var (_, imported) = Imported.Filters(Is("a", "1"), $"{Or($"{And(Is("b", "1"))},{And(Is("b", "2"))}")},{Or($"{And(Is("c", "1"))},{And(Is("c", "2"))}")}");
        var groups = imported.Workflow.Start.Filter.Criteria.AnyOf.Select(group => string.Join(' ', group.AllOf.Select(filter => $"{filter.Property}{filter.Values[0]}")));
        Assert.Equal(["a1 b1 c1", "a1 b1 c2", "a1 b2 c1", "a1 b2 c2"], groups);
        Assert.Equal(FindingCode.Rewritten, imported.At("enrollmentCriteria.listFilterBranch.filterBranches[0].filterBranches[0].filterBranchType").Code);
    }

    [Fact]
    public void FIL_02_Negated_groups_are_kept_and_one_beside_other_filters_is_unsupported()
    {
        var not = $$"""{"filterBranchType":"NOT_ANY","filterBranchOperator":"AND","filters":[{{Is("a", "1")}}],"filterBranches":[{{And(Is("b", "1"))}}]}""";
        var alone = new Imported(Filtered("", not));
        var group = Assert.Single(alone.Workflow.Start.Filter.Criteria.AnyOf);
        Assert.Equal((FilterGroup.Types.Match.NotAny, 2), (group.Match, group.AllOf.Count));
        Assert.Equal(0, alone.Report.Unsupported);
        Assert.True(new Imported(Filtered(Is("c", "1"), not)).Report.Unsupported > 0);
    }
}
