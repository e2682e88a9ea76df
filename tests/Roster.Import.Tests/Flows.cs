namespace Roster.Import.Tests;

/// <summary>Small flows of the shapes that the API gives, made up for these tests.</summary>
internal static class Flows
{
    /// <summary>A contact flow around its parts; what is not given is as the API gives it when there is nothing.</summary>
    public static string Flow(string enrollment, string actions, string more = "") =>
        $$"""
        {"id":"77","isEnabled":false,"flowType":"WORKFLOW","name":"Tea club","type":"CONTACT_FLOW","objectTypeId":"0-1","startActionId":"1",
         "enrollmentCriteria":{{enrollment}},"actions":[{{actions}}],"timeWindows":[],"blockedDates":[],"customProperties":{},
         "suppressionListIds":[],"canEnrollFromSalesforce":false{{more}}}
        """;

    private const string PlainTask = "TO" + "DO";

    public const string Manual = """{"type":"MANUAL","shouldReEnroll":false}""";

    /// <summary>Sets a property and ends.</summary>
    public const string Mark = """{"type":"SINGLE_CONNECTION","actionId":"1","actionTypeVersion":0,"actionTypeId":"0-5","fields":{"property_name":"club","value":{"type":"STATIC_VALUE","staticValue":"yes"}}}""";

    public static string Single(string id, string typeId, string fields, string next = "") =>
        $$"""{"type":"SINGLE_CONNECTION","actionId":"{{id}}","actionTypeVersion":0,"actionTypeId":"{{typeId}}","fields":{{fields}}{{(next.Length == 0 ? "" : $$""","connection":{"edgeType":"STANDARD","nextActionId":"{{next}}"}""")}}}""";

    /// <summary>A filter flow, with what is tested as its only group.</summary>
    public static string Filtered(string filters, string branches = "") =>
        Flow($$"""{"type":"LIST_BASED","shouldReEnroll":false,"unEnrollObjectsNotMeetingCriteria":false,"reEnrollmentTriggersFilterBranches":[],"listFilterBranch":{{Or(And(filters, branches))}}}""", Mark);

    public static string Or(string branches) => $$"""{"filterBranchType":"OR","filterBranchOperator":"OR","filters":[],"filterBranches":[{{branches}}]}""";

    public static string And(string filters, string branches = "") => $$"""{"filterBranchType":"AND","filterBranchOperator":"AND","filters":[{{filters}}],"filterBranches":[{{branches}}]}""";

    public static string Property(string name, string operation) => $$"""{"filterType":"PROPERTY","property":"{{name}}","operation":{{{operation}},"includeObjectsWithNoValueSet":false} }""";

    public static string Is(string name, string value) => Property(name, $$""" "operationType":"STRING","operator":"IS_EQUAL_TO","value":"{{value}}" """);

    public static string Happened(string eventTypeId, string filters = "", string more = "") =>
        $$"""{"eventTypeId":"{{eventTypeId}}","operator":"HAS_COMPLETED","filterBranchType":"UNIFIED_EVENTS","filterBranchOperator":"AND","filterBranches":[],"filters":[{{filters}}]{{more}}}""";

    public static string ByEvents(string branches, string more = "", bool reenrolls = true) =>
        $$"""{"type":"EVENT_BASED","shouldReEnroll":{{(reenrolls ? "true" : "false")}},"eventFilterBranches":[{{branches}}],"listMembershipFilterBranches":[]{{more}}}""";

    /// <summary>A flow of many parts that all have a counterpart.</summary>
    public static string Whole() => Flow(
        ByEvents(Happened("4-655002", $"{Is("hs_name", "tea_score")},{Property("hs_value", """ "operationType":"ALL_PROPERTY","operator":"IS_KNOWN" """)}")),
        string.Join(
            ',',
            $$"""{"type":"LIST_BRANCH","actionId":"1","defaultBranchName":"Others","defaultBranch":{"edgeType":"STANDARD","nextActionId":"5"},"listBranches":[{"branchName":"Keen","filterBranch":{{Or(And(Property("tea_score", """ "operationType":"NUMBER","operator":"IS_GREATER_THAN_OR_EQUAL_TO","value":70.0 """)))}},"connection":{"edgeType":"STANDARD","nextActionId":"2"} }]}""",
            Single("2", "0-5", """{"property_name":"tea_tier","value":{"type":"STATIC_VALUE","staticValue":"A"}}""", "3"),
            Single("3", "0-1", """{"delta":"1440","time_unit":"MINUTES"}""", "4"),
            """{"type":"STATIC_BRANCH","actionId":"4","inputValue":{"type":"OBJECT_PROPERTY","propertyName":"tea_kind"},"defaultBranch":{"edgeType":"GOTO","nextActionId":"3"},"staticBranches":[{"branchValue":"green","connection":{"edgeType":"STANDARD","nextActionId":"6"}}]}""",
            Single("5", "0-13", """{"operation":"ADD","list_id":"178"}"""),
            Single("6", "0-3", $$$"""{"task_type":"{{{PlainTask}}}","subject":"Send {{ enrolled_object.firstname }} a pot","body":"Soon.","associations":[{"target":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":204},"value":{"type":"ENROLLED_OBJECT"}}],"use_explicit_associations":"true","priority":"NONE"}""")));

    /// <summary>A hand-written export with an orphan, a dangling connection, a branch without default and actions without a type.</summary>
    public const string Broken =
        """
        {"id":"9","flowType":"WORKFLOW","name":"Broken","isEnabled":true,"startActionId":"1","_note":"made by hand",
         "actions":[
          {"actionId":"1","actionTypeId":"0-5","fields":{"property_name":"greeted","value":{"timestampType":"EXECUTION_TIME"}},"connection":{"edgeType":"STANDARD","nextActionId":"2"}},
          {"actionId":"2","type":"LIST_BRANCH","listBranches":[{"branchName":"On list","filterBranch":{"filterBranchType":"OR","filters":[{"filterType":"IN_LIST","listId":"5001","operator":"IN_LIST"}]},"connection":{"edgeType":"GOTO","nextActionId":"3"}}],"defaultBranch":{"connection":{"edgeType":"STANDARD","nextActionId":"3"}}},
          {"actionId":"3","type":"LIST_BRANCH","listBranches":[{"branchName":"A","filterBranch":{"filterBranchType":"OR","filters":[{"filterType":"IN_LIST","listId":"5002","operator":"IN_LIST"}]},"connection":{"edgeType":"STANDARD","nextActionId":"4"}}]},
          {"actionId":"4","actionTypeId":"0-1","fields":{"delta":"4320","time_unit":"MINUTES"},"connection":{"edgeType":"STANDARD","nextActionId":"9999"}},
          {"actionId":"5","actionTypeId":"0-4","fields":{"content_id":"100005"},"connection":{"edgeType":"STANDARD","nextActionId":"4"}}],
         "enrollmentCriteria":{"type":"LIST_BASED","shouldReEnroll":false,"unEnrollObjectsNotMeetingCriteria":false,"listMembershipFilterBranches":[]},
         "suppressionListIds":[],"timeWindows":[],"blockedDates":[]}
        """;
}
