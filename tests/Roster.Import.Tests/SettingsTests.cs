using Roster.V1;
using static Roster.Import.Tests.Flows;

namespace Roster.Import.Tests;

/// <summary>Who enrolls, what ends it, when it may run.</summary>
public sealed class SettingsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void IMP_01_Importing_the_same_text_twice_gives_two_drafts_of_equal_content()
    {
        var (one, other) = (new HubSpotImport().Import(Whole(), "one")[0], new HubSpotImport().Import(Whole(), "other")[0]);
        Assert.Equal(("one", "other"), (one.Workflow.Id, other.Workflow.Id));
        one.Workflow.Id = "other";
        Assert.Equal(other.Workflow, one.Workflow);
        Assert.Equal(Workflow.Types.State.Unspecified, one.Workflow.State);
    }

    [Fact]
    public void IMP_01_Platform_flows_and_contact_flows_keep_their_object_type_and_a_batch_gives_each()
    {
        var deal = Flow(Manual, Mark).Replace("CONTACT_FLOW", "PLATFORM_FLOW", StringComparison.Ordinal).Replace("\"0-1\"", "\"0-3\"", StringComparison.Ordinal);
        var custom = Flow(Manual, Mark).Replace("\"0-1\"", "\"2-123\"", StringComparison.Ordinal).Replace("\"77\"", "\"78\"", StringComparison.Ordinal);
        var drafts = new HubSpotImport().Import($$"""{"status":"COMPLETE","results":[{{deal}},{{custom}}]}""");
        Assert.Equal([("hubspot-77", "deal"), ("hubspot-78", "2-123")], drafts.Select(draft => (draft.Workflow.Id, draft.Workflow.ObjectType)));
    }

    [Fact]
    public async Task IMP_04_A_change_of_a_property_is_the_trigger_that_names_it()
    {
        var imported = new Imported(Whole());
        var trigger = Assert.Single(imported.Workflow.Start.Event.AnyOf);
        Assert.True(imported.Workflow.Start.Reenroll);
        Assert.Equal("property_changed", trigger.EventType);
        Assert.Equal([("property", Filter.Types.Operator.IsEqualTo), ("value", Filter.Types.Operator.IsKnown)], trigger.Where.Select(filter => (filter.Property, filter.Operator)));
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_04_Refinement_and_association_filters_are_the_only_if_of_each_trigger()
    {
        var association = """{"filterBranchType":"ASSOCIATION","filterBranchOperator":"AND","objectTypeId":"0-2","operator":"IN_LIST","associationTypeId":279,"associationCategory":"HUBSPOT_DEFINED","filterBranches":[],"filters":[{"filterType":"PROPERTY","property":"tier","operation":{"operator":"IS_ANY_OF","operationType":"ENUMERATION","includeObjectsWithNoValueSet":true,"values":["t1","t2"]}}]}""";
        var refinement = Or(And(Property("email", """ "operator":"DOES_NOT_CONTAIN","operationType":"MULTISTRING","values":["@example.com"] """), association));
        var imported = new Imported(Flow(
            ByEvents($"{Happened("4-1639801", Property("hs_form_id", """ "operator":"IS_ANY_OF","operationType":"ENUMERATION","values":["f-1"] """))},{Happened("6-900")}", $",\"refinementCriteria\":{refinement}"), Mark));
        var triggers = imported.Workflow.Start.Event.AnyOf;
        Assert.Equal(["form_submitted", "6-900"], triggers.Select(trigger => trigger.EventType));
        Assert.Equal(("form_id", Filter.Types.Operator.IsEqualTo, "f-1"), (triggers[0].Where[0].Property, triggers[0].Where[0].Operator, triggers[0].Where[0].Values[0]));
        Assert.Equal(triggers[0].OnlyIf, triggers[1].OnlyIf);
        var group = Assert.Single(triggers[0].OnlyIf.AnyOf);
        var inner = group.AllOf[1].Associated;
        Assert.Equal(("company", "", "tier", true), (inner.ObjectType, inner.Label, inner.AllOf[0].Property, inner.AllOf[0].IncludeUnknown));
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_04_Joining_lists_enrolls_by_the_last_that_is_joined()
    {
        var branch = And("""{"filterType":"IN_LIST","listId":"1","operator":"IN_LIST"},{"filterType":"IN_LIST","listId":"2","operator":"IN_LIST"}""");
        var imported = new Imported(Flow($$"""{"type":"EVENT_BASED","shouldReEnroll":false,"eventFilterBranches":[],"listMembershipFilterBranches":[{{branch}}]}""", Mark));
        var triggers = imported.Workflow.Start.Event.AnyOf;
        Assert.Equal([("list_joined", "1", "2"), ("list_joined", "2", "1")], triggers.Select(trigger => (trigger.EventType, trigger.Where[0].Values[0], trigger.OnlyIf.AnyOf[0].AllOf[0].List.ListId)));
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_04_Criteria_reenrollment_triggers_and_leaving_are_kept()
    {
        var change = And($"{Is("hs_name", "city")},{Property("hs_value", """ "operator":"IS_EQUAL_TO","operationType":"STRING","value":"Cork" """)}");
        var again = And("""{"filterType":"IN_LIST","listId":"9","operator":"IN_LIST"}""");
        var imported = new Imported(Flow($$"""{"type":"LIST_BASED","shouldReEnroll":true,"unEnrollObjectsNotMeetingCriteria":true,"reEnrollmentTriggersFilterBranches":[{{change}},{{again}}],"listFilterBranch":{{Or(And(Is("city", "Dublin")))}}}""", Mark));
        var start = imported.Workflow.Start;
        Assert.Equal(("city", "Dublin"), (start.Filter.Criteria.AnyOf[0].AllOf[0].Property, start.Filter.Criteria.AnyOf[0].AllOf[0].Values[0]));
        Assert.True(start.Reenroll && imported.Workflow.UnenrollIfNotMeeting);
        Assert.Equal(("city", "Cork"), (start.ReenrollWhen[0].AnyOf[0].AllOf[0].Property, start.ReenrollWhen[0].AnyOf[0].AllOf[0].Values[0]));
        Assert.Equal("9", start.ReenrollWhen[1].AnyOf[0].AllOf[0].List.ListId);
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Theory]
    [InlineData(""" "operator":"IS_ANY_OF","operationType":"ENUMERATION","values":["a","b"] """)]
    [InlineData(""" "operator":"IS_NOT_EQUAL_TO","operationType":"STRING","value":"a" """)]
    [InlineData(""" "operator":"IS_LESS_THAN_X_DAYS_AGO","operationType":"ROLLING_DATE_RANGE","numberOfDays":3 """)]
    public async Task IMP_05_A_reenrollment_trigger_that_is_not_allowed_is_left_out_and_reported(string operation)
    {
        var imported = new Imported(Flow($$"""{"type":"LIST_BASED","shouldReEnroll":true,"unEnrollObjectsNotMeetingCriteria":false,"reEnrollmentTriggersFilterBranches":[{{And(Property("city", operation))}}],"listFilterBranch":{{Or(And(Is("town", "Dublin")))}}}""", Mark));
        Assert.Empty(imported.Workflow.Start.ReenrollWhen);
        Assert.Equal(FindingCode.NotInReenrollment, imported.At("enrollmentCriteria.reEnrollmentTriggersFilterBranches[0]").Code);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_05_Enrollment_by_a_data_set_is_a_manual_start_and_unsupported()
    {
        var imported = new Imported(Flow("""{"type":"DATASET","datasetId":5,"shouldReEnroll":false}""", Mark));
        Assert.NotNull(imported.Workflow.Start.Manual);
        Assert.Equal(Fidelity.Unsupported, imported.At("enrollmentCriteria.datasetId").Level);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Theory]
    [InlineData("""{"type":"DAILY","timeOfDay":{"hour":6,"minute":30}}""", """ "daily": { }""")]
    [InlineData("""{"type":"WEEKLY","daysOfWeek":["MONDAY","FRIDAY"],"timeOfDay":{"hour":6,"minute":30}}""", """ "weekly": { "weekdays": [ "MONDAY", "FRIDAY" ] }""")]
    [InlineData("""{"type":"MONTHLY_SPECIFIC_DAYS","daysOfMonth":[1,15],"timeOfDay":{"hour":6,"minute":30}}""", """ "monthly": { "days": [ 1, 15 ] }""")]
    [InlineData("""{"type":"MONTHLY_RELATIVE_DAYS","monthlyRelativeDays":"FIRST_MONDAY_OF_MONTH","timeOfDay":{"hour":6,"minute":30}}""", """ "monthly": { "nth": 1, "weekday": "MONDAY" }""")]
    [InlineData("""{"type":"MONTHLY_RELATIVE_DAYS","monthlyRelativeDays":"LAST_DAY_OF_MONTH","timeOfDay":{"hour":6,"minute":30}}""", """ "monthly": { "lastDay": true }""")]
    [InlineData("""{"type":"YEARLY","month":"MARCH","dayOfMonth":17,"timeOfDay":{"hour":6,"minute":30}}""", """ "yearly": { "month": 3, "day": 17 }""")]
    [InlineData("""{"type":"PROPERTY_BASED","dateProperty":"birth","daysDelta":-2,"yearly":true,"timeOfDay":{"hour":6,"minute":30}}""", """ "date": { "property": "birth", "offsetDays": -2, "yearly": true }""")]
    public async Task IMP_04_Schedules_of_all_kinds_take_the_criteria(string schedule, string kept)
    {
        var imported = new Imported(Filtered(Is("city", "Dublin")).Replace("\"timeWindows\"", $"\"enrollmentSchedule\":{schedule},\"timeWindows\"", StringComparison.Ordinal));
        Assert.Contains(kept, imported.Workflow.Start.Schedule.ToString(), StringComparison.Ordinal);
        Assert.Equal("06:30", imported.Workflow.Start.Schedule.TimeOfDay);
        Assert.Equal("Dublin", imported.Workflow.Start.Schedule.Criteria.AnyOf[0].AllOf[0].Values[0]);
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public void IMP_04_Anchors_are_kept_and_delays_around_them_are_left_incomplete()
    {
        var fixedDate = new Imported(Flow(Manual, Mark, ""","eventAnchor":{"type":"STATIC_DATE_ANCHOR","month":"DECEMBER","dayOfMonth":24,"year":2027}"""));
        Assert.Equal("2027-12-24", fixedDate.Workflow.Start.DateAnchor.Date);
        var property = new Imported(Flow(Manual, Single("1", "0-1", """{"delta":1,"time_unit":"DAYS"}"""), ""","eventAnchor":{"type":"CONTACT_PROPERTY_ANCHOR","contactProperty":"renewal"}"""));
        Assert.Equal("renewal", property.Workflow.Start.DateAnchor.Property);
        Assert.Equal(FindingCode.IncompleteAction, property.At("actions[0].actionTypeId").Code);
    }

    [Fact]
    public async Task IMP_04_Goal_suppression_kick_out_windows_and_dates_are_kept()
    {
        var imported = new Imported(Flow(Manual, Mark)
            .Replace("\"suppressionListIds\":[]", $$"""
                "suppressionListIds":[41,42],"goalFilterBranch":{{Or(And(Is("stage", "customer")))}},"suppressionFilterBranch":{{And(Is("stage", "gone"))}},
                "unEnrollmentSetting":{"type":"SELECTIVE","flowIds":["5"]}
                """, StringComparison.Ordinal)
            .Replace("\"timeWindows\":[]", """ "timeWindows":[{"day":"MONDAY","startTime":{"hour":9,"minute":0},"endTime":{"hour":17,"minute":30}}] """, StringComparison.Ordinal)
            .Replace("\"blockedDates\":[]", """ "blockedDates":[{"month":"DECEMBER","dayOfMonth":25},{"month":"MAY","dayOfMonth":1,"year":2027}] """, StringComparison.Ordinal)
            .Replace("\"canEnrollFromSalesforce\":false", "\"canEnrollFromSalesforce\":true", StringComparison.Ordinal));
        var workflow = imported.Workflow;
        Assert.Equal(["41", "42"], workflow.SuppressionLists);
        Assert.Equal("customer", workflow.Goals[0].Criteria.AnyOf[0].AllOf[0].Values[0]);
        Assert.Equal("gone", workflow.UnenrollWhen.AnyOf[0].AllOf[0].Values[0]);
        Assert.Equal("hubspot-5", Assert.Single(workflow.UnenrollFrom.WorkflowIds));
        Assert.Equal(("09:00", "17:30"), (workflow.ExecutionWindows.Windows[0].Start, workflow.ExecutionWindows.Windows[0].End));
        Assert.Equal(["12-25", "2027-05-01"], workflow.ExecutionWindows.BlockedDates);
        Assert.True(workflow.AllowExternalCrm);
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.Equal(["UNKNOWN_WORKFLOW"], (await imported.ErrorsAsync(Cancel)).Select(problem => problem.Code));
    }

    [Theory]
    [InlineData("\"timeWindows\":[]", """ "timeWindows":[{"day":"SOMEDAY","startTime":{"hour":9,"minute":0},"endTime":{"hour":17,"minute":0}}] """)]
    [InlineData("\"timeWindows\":[]", """ "timeWindows":[{"day":"MONDAY","startTime":{"hour":29,"minute":0},"endTime":{"hour":17,"minute":0}}] """)]
    [InlineData("\"blockedDates\":[]", """ "blockedDates":[{"month":"SMARCH","dayOfMonth":1}] """)]
    [InlineData("\"suppressionListIds\":[]", """ "unEnrollmentSetting":{"type":"SOME"} """)]
    [InlineData("\"suppressionListIds\":[]", """ "enrollmentSchedule":{"type":"WEEKLY","daysOfWeek":["MONDAY","NEVERDAY"],"timeOfDay":{"hour":9,"minute":0}} """)]
    public async Task IMP_05_A_setting_that_cannot_be_said_is_in_the_way_of_publishing(string place, string setting)
    {
        var imported = new Imported(Filtered(Is("city", "Dublin")).Replace(place, setting, StringComparison.Ordinal));
        Assert.True(imported.Report.Unsupported > 0);
        Assert.NotEmpty(await imported.ErrorsAsync(Cancel));
    }
}
