using Roster.V1;
using static Roster.Import.Tests.Flows;

namespace Roster.Import.Tests;

/// <summary>Actions, branches, delays and their connections.</summary>
public sealed class StepTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task IMP_03_A_flow_of_known_parts_becomes_a_workflow_that_can_be_published()
    {
        var imported = new Imported(Whole());
        var branch = imported.Step("1").Branch;
        Assert.Equal(("Keen", "2", "5", "Others"), (branch.Branches[0].Name, branch.Branches[0].Next, branch.DefaultNext, branch.DefaultName));
        Assert.Equal(("tea_tier", "A", "3"), (imported.Step("2").SetProperty.Property, imported.Step("2").SetProperty.Value, imported.Step("2").Next));
        Assert.Equal((1440, Delay.Types.Unit.Minutes, "4"), (imported.Step("3").Delay.Amount, imported.Step("3").Delay.Unit, imported.Step("3").Next));
        Assert.Equal(("tea_kind", "green", "6", "4-goto"), (imported.Step("4").ValueBranch.Property, imported.Step("4").ValueBranch.Cases[0].Value, imported.Step("4").ValueBranch.Cases[0].Next, imported.Step("4").ValueBranch.DefaultNext));
        Assert.Equal("3", imported.Step("4-goto").GoTo.Step);
        Assert.Equal("178", imported.Step("5").AddToList.ListId);
        Assert.Equal(("Send {{firstname}} a pot", "Soon."), (imported.Step("6").CreateTask.Title, imported.Step("6").CreateTask.Body));
        Assert.Equal("1", imported.Workflow.FirstStep);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public void IMP_03_Two_ways_that_go_to_one_action_have_a_go_to_each()
    {
        var split = """{"type":"AB_TEST_BRANCH","actionId":"1","testBranches":[{"percentage":30,"connection":{"edgeType":"GOTO","nextActionId":"2"}},{"percentage":70,"connection":{"edgeType":"GOTO","nextActionId":"2"}}]}""";
        var imported = new Imported(Flow(Manual, $"{split},{Single("2", "0-18224765", "{}")}"));
        Assert.Equal([("Branch 1", 30, "1-goto"), ("Branch 2", 70, "1-goto-2")], imported.Step("1").RandomSplit.Paths.Select(path => (path.Name, path.Percent, path.Next)));
        Assert.Equal(["2", "2"], imported.Workflow.Steps.Where(step => step.GoTo is not null).Select(step => step.GoTo.Step));
        Assert.NotNull(imported.Step("2").DeleteRecord);
        Assert.Equal(0, imported.Report.Unsupported);
    }

    [Theory]
    [InlineData("""{"delta":"720","time_unit":"MINUTES"}""", """{ "amount": 720, "unit": "MINUTES" }""")]
    [InlineData("""{"delta":2,"time_unit":"DAYS","time_of_day":{"hour":9,"minute":5},"days_of_week":["MONDAY","FRIDAY"]}""", """{ "amount": 2, "unit": "DAYS", "timeOfDay": "09:05", "weekdays": [ "MONDAY", "FRIDAY" ] }""")]
    [InlineData("""{"time_of_day":{"hour":18,"minute":0},"days_of_week":["SUNDAY"],"time_zone_strategy":{"type":"STATIC_TIME_ZONE","timeZoneId":"Europe/Berlin"}}""", """{ "timeOfDay": "18:00", "weekdays": [ "SUNDAY" ], "timeZone": "Europe/Berlin" }""")]
    [InlineData("""{"delta":"120","time_unit":"SECONDS"}""", """{ "amount": 2, "unit": "MINUTES" }""")]
    [InlineData("""{"date":{"type":"STATIC_VALUE","staticValue":"1719446400000"},"delta":"0","time_unit":"DAYS","time_of_day":{"hour":12,"minute":0}}""", """{ "date": "2024-06-27", "timeOfDay": "12:00" }""")]
    [InlineData("""{"date":{"type":"OBJECT_PROPERTY","propertyName":"renewal"},"delta":"-3","time_unit":"DAYS"}""", """{ "property": { "property": "renewal", "offsetDays": -3 } }""")]
    public void IMP_03_Delays_of_all_kinds_are_kept(string fields, string delay)
    {
        var imported = new Imported(Flow(Manual, Single("1", "0-35", fields)));
        Assert.Equal(delay, imported.Step("1").Delay.ToString());
        Assert.Equal(0, imported.Report.Unsupported);
    }

    [Theory]
    [InlineData("""{"delta":"1","time_unit":"MONTHS"}""")]
    [InlineData("""{"delta":"-1","time_unit":"DAYS"}""")]
    [InlineData("""{"date":{"type":"FETCHED_OBJECT_PROPERTY","propertyToken":"{{ x }}"}}""")]
    [InlineData("{}")]
    [InlineData("[]")]
    public async Task IMP_05_A_delay_that_cannot_be_said_is_an_incomplete_step_with_its_source(string fields)
    {
        var imported = new Imported(Flow(Manual, Single("1", "0-1", fields)));
        Assert.Equal(Roster.V1.Step.KindOneofCase.None, imported.Step("1").KindCase);
        Assert.Equal(FindingCode.IncompleteAction, imported.At("actions[0].actionTypeId").Code);
        Assert.Contains("INCOMPLETE_STEP", (await imported.ErrorsAsync(Cancel)).Select(problem => problem.Code));
    }

    [Fact]
    public async Task IMP_05_An_unknown_action_is_an_incomplete_step_that_keeps_the_source()
    {
        var source = Single("1", "0-987654", """{"mystery":"x"}""", "2");
        var imported = new Imported(Flow(Manual, $"{source},{Single("2", "0-1", """{"delta":1,"time_unit":"DAYS"}""")}"));
        var step = imported.Step("1");
        Assert.Equal((Roster.V1.Step.KindOneofCase.None, "2"), (step.KindCase, step.Next));
        Assert.Equal(source, step.SourceJson);
        Assert.Equal((Fidelity.Unsupported, FindingCode.UnknownAction), (imported.At("actions[0].actionTypeId").Level, imported.At("actions[0].actionTypeId").Code));
        Assert.Equal(Fidelity.Unsupported, imported.At("actions[0].fields.mystery").Level);
        var error = Assert.Single(await imported.ErrorsAsync(Cancel));
        Assert.Equal(("INCOMPLETE_STEP", "steps[0]"), (error.Code, error.Path));

        // Replaced, it can be published: what it was imported from is in nobody's way.
        step.Delay = new Delay { Amount = 1, Unit = Delay.Types.Unit.Days };
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_03_An_event_wait_and_the_branch_on_its_outcome_are_kept()
    {
        var wait = Single("8", "0-29", $$"""{"event_filter_branches":[{{Happened("4-655002", Is("hs_name", "plan"))}}],"expiration_minutes":"4320"}""", "9");
        var branch = """{"actionId":"9","type":"STATIC_BRANCH","inputValue":{"actionId":"8","dataKey":"hs_event_criteria_met","type":"FIELD_DATA"},"staticBranches":[{"branchValue":"true","connection":{"edgeType":"STANDARD","nextActionId":"1"}}],"defaultBranchName":"Not met"}""";
        var imported = new Imported(Flow(Manual, $"{wait},{branch},{Mark}").Replace("\"startActionId\":\"1\"", "\"startActionId\":\"8\"", StringComparison.Ordinal));
        Assert.Equal(TimeSpan.FromDays(3), imported.Step("8").WaitFor.Timeout.ToTimeSpan());
        Assert.Equal("property_changed", imported.Step("8").WaitFor.AnyOf[0].EventType);
        Assert.Equal(("8", "hs_event_criteria_met"), (imported.Step("9").ValueBranch.OutputOf, imported.Step("9").ValueBranch.OutputName));
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Theory]
    [InlineData("""{"type":"STATIC_VALUE","staticValue":"a;b"}""", """{ "property": "p", "value": "a;b" }""")]
    [InlineData("""{"staticValue":"x"}""", """{ "property": "p", "value": "x" }""")]
    [InlineData("""{"type":"STATIC_VALUE","staticValue":""}""", """{ "property": "p", "clear": true }""")]
    [InlineData("""{"type":"STATIC_VALUE","staticValue":"Hi {{ contact.firstname | there}}"}""", """{ "property": "p", "source": { "text": "Hi {{firstname| there}}" } }""")]
    [InlineData("""{"timestampType":"EXECUTION_TIME","type":"TIMESTAMP"}""", """{ "property": "p", "mode": "TIMESTAMP" }""")]
    [InlineData("""{"type":"INCREMENT","incrementAmount":2}""", """{ "property": "p", "value": "2", "mode": "INCREMENT" }""")]
    [InlineData("""{"type":"STATIC_APPEND_VALUE","staticAppendValue":"c"}""", """{ "property": "p", "value": "c", "mode": "APPEND" }""")]
    [InlineData("""{"type":"OBJECT_PROPERTY","propertyName":"q"}""", """{ "property": "p", "source": { "property": "q" } }""")]
    [InlineData("""{"type":"FIELD_DATA","actionId":"1","dataKey":"result"}""", """{ "property": "p", "source": { "output": { "step": "1", "name": "result" } } }""")]
    [InlineData("""{"type":"RELATIVE_DATETIME","timeDelay":{"delta":2,"timeUnit":"WEEKS","daysOfWeek":[]}}""", """{ "property": "p", "source": { "now": { "offsetDays": 14 } } }""")]
    public void IMP_03_Values_from_all_sources_are_set(string value, string set)
    {
        var imported = new Imported(Flow(Manual, Single("1", "0-5", $$"""{"property_name":"p","value":{{value}}}""")));
        Assert.Equal(set, imported.Step("1").SetProperty.ToString());
        Assert.Equal(0, imported.Report.Unsupported);
    }

    [Fact]
    public async Task IMP_03_A_property_of_an_associated_record_is_set_by_a_data_source()
    {
        var imported = new Imported(Flow(Manual, Single("1", "0-5", """{"property_name":"status","association":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1},"value":{"staticValue":"WON"}}""")));
        var source = Assert.Single(imported.Workflow.DataSources);
        Assert.Equal(("primary-company", "company", "primary"), (source.Name, source.ObjectType, source.Label));
        Assert.Equal("primary-company", imported.Step("1").SetProperty.DataSource);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_03_Data_sources_are_kept_and_texts_name_them()
    {
        var imported = new Imported(Flow(
            Manual,
            Single("1", "0-3", """{"subject":"{{ fetched_objects.best.amount }} for {{ enrolled_object.firstname }}","body":""}"""),
            ""","dataSources":[{"type":"ASSOCIATION","name":"best","objectTypeId":"0-3","associationCategory":"HUBSPOT_DEFINED","associationTypeId":4,"sortBy":{"property":"amount","order":"DESC"}},{"type":"STATIC_PROPERTY_FILTER","name":"odd","propertyName":"x","staticValue":"y"}]"""));
        var source = Assert.Single(imported.Workflow.DataSources);
        Assert.Equal(("best", "deal", "", "amount", true), (source.Name, source.ObjectType, source.Label, source.SortBy, source.Descending));
        Assert.Equal("{{best.amount}} for {{firstname}}", imported.Step("1").CreateTask.Title);
        Assert.Equal(Fidelity.Unsupported, imported.At("dataSources[1].propertyName").Level);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_03_A_record_is_created_with_its_properties_and_the_link_to_the_enrolled_one()
    {
        var imported = new Imported(Flow(Manual, Single("1", "0-14", """
            {"object_type_id":"0-3","properties":[{"targetProperty":"dealname","value":{"type":"STATIC_VALUE","staticValue":"New deal"}}],
             "associations":[{"target":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":3},"value":{"type":"ENROLLED_OBJECT"}},
                             {"target":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":341},"value":{"type":"COPY_ASSOCIATION","sourceSpec":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}}}],
             "use_explicit_associations":"true"}
            """)));
        Assert.Equal("""{ "objectType": "deal", "properties": [ { "property": "dealname", "value": { "text": "New deal" } } ] }""", imported.Step("1").CreateRecord.ToString());
        Assert.Equal(FindingCode.NoCounterpart, imported.At("actions[0].fields.associations[1]").Code);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_03_Actions_that_leave_the_engine_are_tasks_of_workers()
    {
        var mail = Single("1", "0-4", """{"content_id":"1137"}""", "2");
        var notice = Single("2", "0-9", """{"user_ids":["26"],"delivery_method":"APP","subject":"New","body":"Look {{ enrolled_object.email }}"}""", "3");
        var app = Single("3", "1-2345", """{"channel":"tea"}""");
        var imported = new Imported(Flow(Manual, $"{mail},{notice},{app}"));
        Assert.Equal("""{ "channel": "MARKETING_EMAIL", "template": "1137", "queue": "mail" }""", imported.Step("1").SendMessage.ToString());
        Assert.Equal(
            """{ "channel": "NOTIFICATION", "to": [ "26" ], "subject": "New", "text": "Look {{email}}", "fields": [ { "name": "delivery_method", "text": "APP" } ], "queue": "notification" }""",
            imported.Step("2").SendMessage.ToString());
        Assert.Equal("app-1-2345", imported.Step("3").Worker.Queue);
        Assert.Equal(FindingCode.HandedToWorker, imported.At("actions[0].actionTypeId").Code);
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public void IMP_03_An_internal_message_to_nobody_in_particular_is_a_task_with_all_its_fields()
    {
        var imported = new Imported(Flow(Manual, Single("1", "0-8", """{"team_ids":["7"],"subject":"New"}""")));
        Assert.Equal("internal-mail", imported.Step("1").Worker.Queue);
        Assert.Equal(["team_ids", "subject"], imported.Step("1").Worker.Fields.Select(field => field.Name));
        Assert.Equal(0, imported.Report.Unsupported);
    }

    [Fact]
    public async Task IMP_05_Custom_code_keeps_its_source_as_it_stands_and_its_inputs()
    {
        const string source = "exports.main = async (event, callback) => { const t = `{{ not a token }}`; callback({ outputFields: { result: {{}} } }); }";
        var code = $$"""{"type":"CUSTOM_CODE","actionId":"1","runtime":"NODE18X","sourceCode":"{{source}}","inputFields":[{"name":"mail","value":{"type":"OBJECT_PROPERTY","propertyName":"email"} },{"name":"fix","value":{"type":"STATIC_VALUE","staticValue":"7"} },{"name":"else","value":{"type":"FIELD_DATA","actionId":"9"} }],"outputFields":[{"type":"ENUMERATION","name":"result","options":["a"]}],"secretNames":["KEY"]}""";
        var imported = new Imported(Flow(Manual, code));
        var step = imported.Step("1").CustomCode;
        Assert.Equal(("custom-code", "NODE18X", source), (step.Queue, step.Language, step.Source));
        Assert.Equal(["mail", "fix", "else", "outputFields", "secretNames"], step.Inputs.Select(input => input.Name));
        Assert.Equal(["{{email}}", "7"], step.Inputs.Take(2).Select(input => input.Text));
        Assert.Equal("""["KEY"]""", step.Inputs[4].Text);
        Assert.Equal(FindingCode.HandedToWorker, imported.At("actions[0].secretNames").Code);
        Assert.Equal(FindingCode.HandedToWorker, imported.At("actions[0].inputFields[2].value").Code);
        Assert.Equal(0, imported.Report.Unsupported);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_05_A_source_that_is_too_long_is_left_to_people()
    {
        var imported = new Imported(Flow(Manual, $$"""{"type":"CUSTOM_CODE","actionId":"1","runtime":"NODE18X","sourceCode":"{{new string('x', 100_001)}}"}"""));
        Assert.Equal(Step.KindOneofCase.None, imported.Step("1").KindCase);
        Assert.Equal(FindingCode.IncompleteAction, imported.At("actions[0].type").Code);
        Assert.NotEmpty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public async Task IMP_03_A_webhook_calls_an_endpoint_that_is_to_be_registered_with_the_path_and_query_of_its_address()
    {
        var hook = """{"type":"WEBHOOK","actionId":"1","method":"POST","webhookUrl":"https://api.example.org:8443/in/a%20b?k=%7B%7B1&l=x+y","queryParams":[{"name":"q","value":{"type":"STATIC_VALUE","staticValue":"1"}},{"name":"mail","value":{"type":"OBJECT_PROPERTY","propertyName":"email"}}]}""";
        var imported = new Imported(Flow(Manual, hook));
        var webhook = imported.Step("1").Webhook;
        Assert.Equal(("api-example-org-8443", Webhook.Types.Method.Post, "/in/a%20b"), (webhook.Endpoint, webhook.Method, webhook.Path));
        Assert.Equal([("k", "{{{{1"), ("l", "x y"), ("q", "1"), ("mail", "{{email}}")], webhook.Query.Select(field => (field.Name, field.Text)));
        Assert.Contains("roster webhook api-example-org-8443 --url https://api.example.org:8443", imported.At("actions[0].webhookUrl").Reason, StringComparison.Ordinal);
        Assert.Contains("all of the record", imported.At("actions[0].type").Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(imported.Report.Remarks(), remark => remark.Level == Fidelity.Unsupported);
        Assert.Empty(await imported.ErrorsAsync(Cancel));
    }

    [Theory]
    [InlineData(""" "method":"POST","webhookUrl":"ftp://example.org/in" """)]
    [InlineData(""" "method":"TRACE","webhookUrl":"https://example.org/in" """)]
    [InlineData(""" "method":"GET","webhookUrl":"https://example.org/in","queryParams":[{"name":"q","value":{"type":"FIELD_DATA","actionId":"9"}}] """)]
    public async Task IMP_05_A_webhook_that_cannot_be_said_is_left_incomplete_with_its_source(string fields)
    {
        var imported = new Imported(Flow(Manual, $$"""{"type":"WEBHOOK","actionId":"2",{{fields}}}"""));
        Assert.Equal(Step.KindOneofCase.None, imported.Step("2").KindCase);
        Assert.Contains("WEBHOOK", imported.Step("2").SourceJson, StringComparison.Ordinal);
        Assert.Equal((Fidelity.Unsupported, FindingCode.IncompleteAction), (imported.At("actions[0].type").Level, imported.At("actions[0].type").Code));
        Assert.NotEmpty(await imported.ErrorsAsync(Cancel));
    }

    [Fact]
    public void IMP_02_The_key_of_a_webhook_is_not_part_of_a_definition_and_reported()
    {
        var hook = """{"type":"WEBHOOK","actionId":"2","method":"GET","webhookUrl":"https://example.org/","authSettings":{"type":"SIGNATURE","appId":5}}""";
        var imported = new Imported(Flow(Manual, hook));
        Assert.Equal("", imported.Step("2").Webhook.Path);
        Assert.Equal(FindingCode.NoCounterpart, imported.At("actions[0].authSettings").Code);
    }

    [Fact]
    public void IMP_03_Owners_are_rotated_notes_made_and_lists_left()
    {
        var imported = new Imported(Flow(
            Manual,
            string.Join(
                ',',
                Single("1", "0-11", """{"user_ids":["1","2"],"overwrite_current_owner":"true"}""", "2"),
                Single("2", "0-169425243", """{"note_body":"Called"}""", "3"),
                Single("3", "0-63863438", """{"listId":"12"}""", "4"),
                Single("4", "0-15", """{"flow_id":"55"}"""))));
        Assert.Equal((2, true, "hubspot_owner_id"), (imported.Step("1").RotateOwner.Users.Count, imported.Step("1").RotateOwner.OverwriteCurrentOwner, imported.Step("1").RotateOwner.Property));
        Assert.Equal("Called", imported.Step("2").CreateNote.Body);
        Assert.Equal("12", imported.Step("3").RemoveFromList.ListId);
        Assert.Equal("hubspot-55", imported.Step("4").EnrollInWorkflow.WorkflowId);
        Assert.Equal(0, imported.Report.Unsupported);
    }

    [Fact]
    public void IMP_03_Actions_and_criteria_alone_become_drafts_that_have_what_they_say()
    {
        var action = new Imported("// an example\n" + Single("4", "0-13", """{"operation":"ADD","list_id":"178"}""", "5"));
        Assert.Equal("178", action.Step("4").AddToList.ListId);
        Assert.Equal(FindingCode.DanglingConnection, action.At("connection.nextActionId").Code);
        Assert.Equal(FindingCode.Missing, action.At("enrollmentCriteria").Code);
        var two = new Imported($"[{Single("8", "0-1", """{"delta":1,"time_unit":"DAYS"}""", "9")},{Single("9", "0-18224765", "{}")}]");
        Assert.Equal("9", two.Step("8").Next);
        Assert.Equal(0, two.Report.Unsupported);
        Assert.Equal("[0].actionTypeId", two.Report.Fields.First(field => field.Value == "0-1").Path);
        var criteria = new Imported($$"""{"enrollmentCriteria":{{ByEvents(Happened("4-1639801"))}}}""");
        Assert.Equal("form_submitted", criteria.Workflow.Start.Event.AnyOf[0].EventType);
        Assert.Equal(FindingCode.Missing, criteria.At("actions").Code);
    }

    [Fact]
    public void IMP_03_Sequences_are_entered_and_left_and_who_sends_is_reported()
    {
        var enroll = Single("1", "0-46510720", """{"sequenceId":"31","shouldUseContactTimeZone":"true","senderType":"CONTACT_OWNER","contactOwnerProperty":"hubspot_owner_id"}""", "2");
        var imported = new Imported(Flow(Manual, $"{enroll},{Single("2", "0-4702372", "{}")}"));
        Assert.Equal(("31", ""), (imported.Step("1").EnrollInSequence.SequenceId, imported.Step("2").UnenrollFromSequence.SequenceId));
        Assert.Equal(FindingCode.NoCounterpart, imported.At("actions[0].fields.senderType").Code);
        Assert.Equal(3, imported.Report.Unsupported);
    }

    [Fact]
    public void IMP_05_Two_actions_with_one_id_are_both_imported_and_reported()
    {
        var imported = new Imported(Flow(Manual, $"{Mark},{Mark}"));
        Assert.Equal(2, imported.Workflow.Steps.Count);
        Assert.Equal(FindingCode.DuplicateAction, imported.At("actions[1].actionId").Code);
    }
}
