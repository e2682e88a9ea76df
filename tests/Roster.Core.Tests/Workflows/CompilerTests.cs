using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Workflows;

/// <summary>What publishing refuses and warns of (EDT-03, LIM-01): one row per problem, each alone.</summary>
public sealed class CompilerTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));
    private static readonly StepDefinition Step = Define.Set("s", "other", "x");
    private static readonly WorkflowDefinition Fine = Of(Step);

    public static TheoryData<string, string> Refusals() => new(Rows.Where(r => r.IsError).Select(r => (r.Code, r.Path)).Distinct());

    public static TheoryData<string, string> Warnings() => new(Rows.Where(r => !r.IsError).Select(r => (r.Code, r.Path)).Distinct());

    [Theory]
    [MemberData(nameof(Refusals))]
    public void EDT_03_LIM_01_ACT_09_Publishing_refuses_with_code_and_path(string code, string path)
    {
        foreach (var row in Rows.Where(r => r.IsError && r.Code == code && r.Path == path))
        {
            var problems = Problems(row.Definition);
            Assert.Contains(problems, p => p.IsError && p.Code == code && p.Path.StartsWith(path, StringComparison.Ordinal));
            Assert.All(problems, p => Assert.True(p.Message.Length > 10 && p.Message.EndsWith('.') && p.Value.Length <= 200, $"{p.Message} / {p.Value}"));
        }
    }

    [Theory]
    [MemberData(nameof(Warnings))]
    public void EDT_03_Publishing_warns_and_does_not_refuse(string code, string path)
    {
        foreach (var row in Rows.Where(r => !r.IsError && r.Code == code && r.Path == path))
        {
            var problems = Problems(row.Definition);
            Assert.Contains(problems, p => !p.IsError && p.Code == code && p.Path.StartsWith(path, StringComparison.Ordinal));
            Assert.DoesNotContain(problems, p => p.IsError);
        }
    }

    [Fact]
    public void EDT_03_A_definition_without_problems_has_none_and_everything_wrong_is_reported_at_once()
    {
        Assert.Empty(Problems(Fine));
        var problems = Problems(Fine with { Id = "", Start = null, TimeZone = "Mars", Steps = [Define.Set("s", "nothing", "x"), Define.Set("s", "score", "many", "gone")] });
        Assert.Empty(new[] { "BAD_ID", "NO_START", "UNKNOWN_TIME_ZONE", "DUPLICATE_STEP", "UNDECLARED_PROPERTY", "WRONG_TYPE", "DANGLING_STEP" }.Except(problems.Select(p => p.Code)));
        Assert.True(problems.SkipWhile(p => p.IsError).All(p => !p.IsError));
    }

    [Theory]
    [InlineData("goals_max", 10)]
    [InlineData("steps_max", 500)]
    [InlineData("if_branches_max", 20)]
    [InlineData("values_max", 250)]
    public void LIM_01_Limits_are_those_of_the_tenant(string setting, int standard)
    {
        foreach (var (settings, max) in new[] { (TenantSettings.Default, standard), (TenantSettings.Default with { GoalsMax = 3, StepsMax = 3, IfBranchesMax = 3, ValuesMax = 3 }, 3) })
        {
            Assert.DoesNotContain(Problems(With(max), settings), p => p.IsError);
            Assert.Contains(Problems(With(max + 1), settings), p => p.IsError && p.Message.Contains(setting, StringComparison.Ordinal) && p.Message.Contains($"{max}", StringComparison.Ordinal));
        }

        WorkflowDefinition With(int count) => setting switch
        {
            "goals_max" => Fine.WithGoals([.. Enumerable.Range(0, count).Select(i => new GoalDefinition($"g{i}", IsLead))]),
            "steps_max" => Of([.. Enumerable.Range(0, count).Select(i => Define.Set($"s{i}", "other", "x", i + 1 < count ? $"s{i + 1}" : ""))]),
            "if_branches_max" => Of(Define.Branch("b", "s", [.. Enumerable.Range(0, count).Select(i => ($"n{i}", IsLead, "s"))]), Step),
            _ => Of(Define.Values("b", "stage", "s", [.. Enumerable.Range(0, count).Select(i => ($"v{i}", "s"))]), Step),
        };
    }

    [Fact]
    public void GOAL_02_LIM_01_A_workflow_has_at_most_64_goal_ids_over_all_its_versions()
    {
        WorkflowCompiler.Compile(Fine.WithGoal(IsLead), Identity, Scope(), _ => 1, _ => 64, out var fine);
        Assert.Empty(fine);
        Assert.Null(WorkflowCompiler.Compile(Fine.WithGoal(IsLead), Identity, Scope(), _ => 1, _ => 65, out var problems));
        Assert.Contains(problems, p => p.Code == "TOO_MANY_GOAL_IDS");
    }

    [Theory]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    [InlineData(99)]
    public void LIM_01_Numbers_out_of_every_range_are_refused_and_never_thrown(int number)
    {
        WorkflowDefinition[] definitions =
        [
            Of(Define.Delay("s", number, DelayUnit.Days)), Of(Define.Delay("s", 1, (DelayUnit)number)),
            Of(Define.Delay("s", new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("day", number, 0, true) })),
            Of(Define.Delay("s", new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("day", 0, number, true) })),
            Of(Define.Delay("s", new DelayDefinition(1, DelayUnit.Days) { Weekdays = (Weekdays)number })),
            Of(Define.Split("s", true, ("a", number, "t"), ("b", number, "t")), Define.Set("t", "other", "x")),
            Of(Define.Put("s", "day", SetMode.Set, new NowSourceDefinition(number))), Of(Define.Put("s", "score", (SetMode)number, value: "1")),
            Of(Define.Format("s", new PropertySourceDefinition("name"), "name", "", ((FormatFunction)number, "x"))),
            Fine with { CatchUp = (CatchUp)number }, Fine with { PublishPolicy = (PublishPolicy)number },
            Define.Workflow("w", Define.OnDate("day", number, "09:00"), Step), Define.Workflow("w", Define.OnAnchor("2026-01-01"), Step.At(number, "09:00")),
            Define.Workflow("w", new StartDefinition((StartKind)number, null, true, [], false, []), Step),
            Monthly(new ScheduleDefinition(ScheduleKind.Monthly) { Days = [number], TimeOfDay = "09:00" }), Monthly(new ScheduleDefinition(ScheduleKind.Monthly) { Nth = number, Weekdays = Weekdays.Monday, TimeOfDay = "09:00" }),
            Monthly(new ScheduleDefinition(ScheduleKind.Yearly) { Month = number, Day = number, TimeOfDay = "09:00" }), Monthly(new ScheduleDefinition((ScheduleKind)number) { TimeOfDay = "09:00" }),
            Fine with { Windows = new WindowsDefinition([new WindowDefinition((Weekdays)number, "09:00", "10:00")], [], null) },
        ];
        foreach (var definition in definitions)
        {
            // A few numbers are fine in some places; none is a fault.
            Problems(definition);
        }
    }

    [Fact]
    public void EDT_03_Starts_without_their_parts_are_refused()
    {
        foreach (var kind in Enum.GetValues<StartKind>().Where(k => k != StartKind.Manual))
        {
            Assert.Contains(Problems(Define.Workflow("w", new StartDefinition(kind, null, true, [], false, []), Step)), p => p.IsError);
        }
    }

    [Fact]
    public void ACT_07_Tokens_are_checked_and_what_is_no_token_is_text()
    {
        Assert.Contains(Problems(Of(Define.Put("s", "name", SetMode.Set, new TextSourceDefinition("Hi {{nobody}}")))), p => p.Code == "UNKNOWN_TOKEN");
        Assert.Empty(Problems(Of(Define.Put("s", "name", SetMode.Set, new TextSourceDefinition("Hi {{name|you}} { } }} {{stage")))));
    }

    private static readonly IReadOnlyList<(bool IsError, string Code, string Path, WorkflowDefinition Definition)> Rows =
    [
        (true, "BAD_ID", "id", Fine with { Id = "Not An Id" }),
        (true, "UNDECLARED_OBJECT_TYPE", "objectType", Fine with { ObjectType = "spaceship" }),
        (true, "UNKNOWN_TIME_ZONE", "timeZone", Fine with { TimeZone = "Mars/Olympus" }),
        (true, "NO_START", "start", Fine with { Start = null }),
        (true, "STEP_COUNT", "steps", Of()),
        (true, "BAD_ID", "steps[0].id", Of(Step with { Id = "" })),
        (true, "DUPLICATE_STEP", "steps[1].id", Of(Step, Step)),
        (true, "DANGLING_STEP", "steps[0].next", Of(Step with { Next = "gone" })),
        (true, "DANGLING_STEP", "firstStep", Fine with { FirstStep = "gone" }),
        (true, "DANGLING_STEP", "steps[0].branch.branches[0].next", Of(Define.Branch("b", "", ("a", IsLead, "gone")))),
        (true, "DANGLING_STEP", "steps[0].branch.defaultNext", Of(Define.Branch("b", "gone", ("a", IsLead, "")))),
        (true, "DANGLING_STEP", "steps[0].waitFor.timeoutNext", Of(Define.WaitEvent("e", "clicked", "", TimeSpan.FromHours(1), "gone"))),
        (true, "DANGLING_STEP", "steps[0].delay.missedNext", Of(Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Date = "2026-01-01" }, "", "gone"))),
        (true, "DANGLING_STEP", "steps[0].goTo.step", Of(Define.GoTo("g", "gone"))),
        (true, "MISSING_FIELD", "steps[0].goTo.step", Of(Define.GoTo("g", ""))),
        (true, "NEXT_ON_BRANCH", "steps[0].next", Of(Define.Branch("b", "s", ("a", IsLead, "s")) with { Next = "s" }, Step)),
        (true, "INCOMPLETE_STEP", "steps[0]", Of(new IncompleteStepDefinition("i", ""))),
        (true, "MISSING_FIELD", "steps[0].createNote.body", Of(new CreateNoteStepDefinition("n", "", ""))),
        (true, "UNDECLARED_PROPERTY", "steps[0].createNote", Of(new CreateNoteStepDefinition("n", "", "not declared by the owner of the schema"))),
        (true, "MISSING_FIELD", "steps[0].createTask.title", Of(new CreateTaskStepDefinition("t", "", "", "", null, false))),
        (true, "NO_WAIT", "steps[0].createTask.timeout", Of(new CreateTaskStepDefinition("t", "", "x", "", null, false) { Timeout = TimeSpan.FromDays(1) })),
        (true, "UNDECLARED_OBJECT_TYPE", "steps[0].createRecord.objectType", Of(new CreateRecordStepDefinition("c", "", "house", [], ""))),
        (true, "UNDECLARED_PROPERTY", "steps[0].createRecord.properties[0].property", Of(new CreateRecordStepDefinition("c", "", "deal", [new AssignmentDefinition("none", new TextSourceDefinition("x"))], ""))),
        (true, "MISSING_FIELD", "steps[0].associate.recordId", Of(new AssociateStepDefinition("a", "", "deal", null, ""))),
        (true, "BAD_NAME", "steps[0].associate.label", Of(new AssociateStepDefinition("a", "", "deal", new TextSourceDefinition("x"), "never seen"))),
        (true, "UNDECLARED_OBJECT_TYPE", "steps[0].dissociate.objectType", Of(new DissociateStepDefinition("a", "", "house", null, ""))),
        (true, "UNKNOWN_DATA_SOURCE", "steps[0].setProperty.dataSource", Of(new SetPropertyStepDefinition("s", "", "stage", "x", false) { DataSource = "none" })),
        (true, "BRANCH_COUNT", "steps[0].branch", Of(Define.Branch("b", "s"), Step)),
        (true, "BAD_NAME", "steps[0].branch.branches[1]", Of(Define.Branch("b", "s", ("a", IsLead, "s"), ("a", IsLead, "s")), Step)),
        (true, "CASE_COUNT", "steps[0].valueBranch.cases", Of(Define.Values("b", "stage", "s"), Step)),
        (true, "WRONG_TYPE", "steps[0].valueBranch.cases[0]", Of(Define.Values("b", "score", "s", ("many", "s")), Step)),
        (true, "PROPERTY_OR_OUTPUT", "steps[0].valueBranch.property", Of(Define.Values("b", "", "s", ("a", "s")), Step)),
        (true, "PERCENT_SUM", "steps[0].randomSplit.paths", Of(Define.Split("r", true, ("a", 50, "s"), ("b", 51, "s")), Step)),
        (true, "BRANCH_COUNT", "steps[0].randomSplit.paths", Of(Define.Split("r", true, ("a", 100, "s")), Step)),
        (true, "UNDECLARED_PROPERTY", "steps[0].setProperty.property", Of(Define.Set("s", "nothing", "x"))),
        (true, "WRONG_TYPE", "steps[0].setProperty.value", Of(Define.Set("s", "score", "many"))),
        (true, "UNDECLARED_OPTION", "steps[0].setProperty.value", Of(Define.Set("s", "tags", "z"))),
        (true, "VALUE_OR_CLEAR", "steps[0].setProperty.value", Of(new SetPropertyStepDefinition("s", "", "name", "x", true))),
        (true, "VALUE_OR_CLEAR", "steps[0].setProperty.value", Of(new SetPropertyStepDefinition("s", "", "name", "", false))),
        (true, "VALUE_OR_CLEAR", "steps[0].setProperty.value", Of(Define.Put("s", "at", SetMode.Timestamp, value: "2026-01-01T00:00:00Z"))),
        (true, "WRONG_TYPE", "steps[0].setProperty.mode", Of(Define.Put("s", "name", SetMode.Increment, value: "1"))),
        (true, "WRONG_TYPE", "steps[0].setProperty.mode", Of(Define.Put("s", "score", SetMode.Append, value: "1"))),
        (true, "WRONG_TYPE", "steps[0].setProperty.mode", Of(Define.Put("s", "name", SetMode.Timestamp))),
        (true, "MISSING_FIELD", "steps[0].setProperty.mode", Of(Define.Put("s", "name", (SetMode)9, value: "1"))),
        (true, "BAD_NAME", "steps[0].worker.queue", Of(Define.Work("t", queue: "no such queue!"))),
        (true, "OUT_OF_RANGE", "steps[0].worker.timeout", Of(Define.Work("t", timeout: TimeSpan.FromDays(31)))),
        (true, "OUT_OF_RANGE", "steps[0].worker.timeout", Of(Define.Work("t", timeout: TimeSpan.FromSeconds(59)))),
        (true, "UNDECLARED_PROPERTY", "steps[0].worker.properties[0]", Of(Define.Work("t", properties: "nothing"))),
        (true, "UNKNOWN_WORKFLOW", "steps[0].enrollInWorkflow.workflowId", Of(Define.EnrollIn("e", "nobody"))),
        (true, "WORKFLOW_OF_OTHER_TYPE", "steps[0].enrollInWorkflow.workflowId", Of(Define.EnrollIn("e", "deals"))),
        (true, "WORKFLOW_OF_OTHER_TYPE", "steps[0].unenrollFromWorkflow.workflowId", Of(Define.UnenrollFrom("e", "deals"))),
        (true, "UNKNOWN_LIST", "steps[0].addToList.listId", Of(Define.AddTo("a", "nolist"))),
        (true, "ACTIVE_LIST", "steps[0].removeFromList.listId", Of(Define.RemoveFrom("a", "leads"))),
        (true, "FUNCTION_COUNT", "steps[0].formatData.functions", Of(Define.Format("f", new PropertySourceDefinition("name"), "name", ""))),
        (true, "WRONG_TYPE", "steps[0].formatData.functions[0].argument", Of(Define.Format("f", new PropertySourceDefinition("name"), "name", "", (FormatFunction.Add, "one")))),
        (true, "MISSING_FIELD", "steps[0].formatData.input", Of(new FormatStepDefinition("f", "", null, [new FormatCallDefinition(FormatFunction.Upper, "")], "name"))),
        (true, "UNKNOWN_ENDPOINT", "steps[0].webhook.endpoint", Of(new WebhookStepDefinition("h", "", "nowhere", WebhookMethod.Post, ""))),
        (true, "MISSING_FIELD", "steps[0].webhook.endpoint", Of(new WebhookStepDefinition("h", "", "", WebhookMethod.Post, ""))),
        (true, "MISSING_FIELD", "steps[0].webhook.method", Of(new WebhookStepDefinition("h", "", "crm", (WebhookMethod)9, ""))),
        (true, "NO_BODY", "steps[0].webhook.fields", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Get, "") { Properties = ["stage"] })),
        (true, "BAD_PATH", "steps[0].webhook.path", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Post, "a?b=1"))),
        (true, "UNKNOWN_TOKEN", "steps[0].webhook.path", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Post, "{{nothing}}"))),
        (true, "UNKNOWN_TOKEN", "steps[0].webhook.query[0].text", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Post, "") { Query = [KeyValuePair.Create("q", "{{nothing}}")] })),
        (true, "BAD_HEADER", "steps[0].webhook.headers[0]", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Post, "") { Headers = [KeyValuePair.Create("Host", "x")] })),
        (true, "BAD_HEADER", "steps[0].webhook.headers[0]", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Post, "") { Headers = [KeyValuePair.Create("a b", "x")] })),
        (true, "BAD_FIELD", "steps[0].webhook.fields[0]", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Post, "") { Fields = [KeyValuePair.Create(".x", "x")] })),
        (true, "OUT_OF_RANGE", "steps[0].webhook.retry.retryFor", Of(new WebhookStepDefinition("h", "", "crm", WebhookMethod.Post, "") { Retry = new RetryDefinition(TimeSpan.FromDays(8), null, null) })),
        (true, "OUT_OF_RANGE", "steps[0].worker.retry.gapFirst", Of(new WorkerStepDefinition("t", "", "q", [], [], true, null) { Retry = new RetryDefinition(null, TimeSpan.FromHours(2), null) })),
        (true, "OUT_OF_RANGE", "steps[0].worker.blockExpiry", Of(new WorkerStepDefinition("t", "", "q", [], [], true, null) { BlockExpiry = TimeSpan.FromDays(31) })),
        (true, "OUT_OF_RANGE", "steps[0].worker.leaseFor", Of(new WorkerStepDefinition("t", "", "q", [], [], true, null) { LeaseFor = TimeSpan.FromMilliseconds(4_999) })),
        (true, "OUT_OF_RANGE", "steps[0].customCode.leaseFor", Of(new CodeStepDefinition("c", "", "code", "js", "x") { LeaseFor = TimeSpan.FromMinutes(61) })),
        (true, "OUT_OF_RANGE", "steps[0].sendMessage.leaseFor", Of(new MessageStepDefinition("m", "", MessageChannel.Slack) { To = ["x"], Queue = "q", LeaseFor = TimeSpan.Zero })),
        (true, "NO_QUEUE", "steps[0].sendMessage.leaseFor", Of(new MessageStepDefinition("m", "", MessageChannel.InternalEmail) { To = ["x"], LeaseFor = TimeSpan.FromMinutes(1) })),
        (true, "MISSING_FIELD", "steps[0].sendMessage.channel", Of(new MessageStepDefinition("m", "", MessageChannel.None) { To = ["x"], Queue = "q" })),
        (true, "MISSING_FIELD", "steps[0].sendMessage.to", Of(new MessageStepDefinition("m", "", MessageChannel.InternalEmail))),
        (true, "MISSING_FIELD", "steps[0].sendMessage.queue", Of(new MessageStepDefinition("m", "", MessageChannel.Slack) { To = ["x"] })),
        (true, "UNDECLARED_PROPERTY", "steps[0].sendMessage.addressProperty", Of(new MessageStepDefinition("m", "", MessageChannel.MarketingEmail))),
        (true, "NOT_FOR_CHANNEL", "steps[0].sendMessage.to", Of(new MessageStepDefinition("m", "", MessageChannel.MarketingEmail) { To = ["x"], AddressProperty = "name" })),
        (true, "NOT_FOR_CHANNEL", "steps[0].sendMessage.dataSource", Of(new MessageStepDefinition("m", "", MessageChannel.InternalEmail) { To = ["x"], DataSource = "d" })),
        (true, "TOO_LONG", "steps[0].sendMessage.subject", Of(new MessageStepDefinition("m", "", MessageChannel.InternalEmail) { To = ["x"], Parts = [KeyValuePair.Create("subject", new string('x', 1_001))] })),
        (true, "ONE_OF", "steps[0].changeConsent", Of(new ConsentStepDefinition("c", ""))),
        (true, "MISSING_FIELD", "steps[0].changeConsent.state", Of(new ConsentStepDefinition("c", "") { Subscription = "news" })),
        (true, "MISSING_FIELD", "steps[0].customCode.source", Of(new CodeStepDefinition("c", "", "code", "js", ""))),
        (true, "TOO_MANY_FIELDS", "steps[0].customCode.inputs", Of(new CodeStepDefinition("c", "", "code", "js", "x") { Inputs = [.. Enumerable.Range(0, 51).Select(i => KeyValuePair.Create($"i{i}", "x"))] })),
        (true, "NO_ACTION", "steps[0].onFailure", Of(Define.Delay("d", 1, DelayUnit.Days) with { OnFailure = FailurePolicy.End })),
        (true, "MISSING_FIELD", "steps[0].errorNext", Of(Step with { OnFailure = FailurePolicy.Branch })),
        (true, "NO_ERROR_BRANCH", "steps[0].errorNext", Of(Step with { ErrorNext = "s" })),
        (true, "DANGLING_STEP", "steps[0].errorNext", Of(Step with { OnFailure = FailurePolicy.Branch, ErrorNext = "gone" })),
        (true, "USER_COUNT", "steps[0].rotateOwner.users", Of(Define.Rotate("r", false, ""))),
        (true, "MISSING_FIELD", "steps[0].delay.amount", Of(Define.Delay("d", new DelayDefinition(null, DelayUnit.Days)))),
        (true, "MISSING_FIELD", "steps[0].delay.unit", Of(Define.Delay("d", 1, DelayUnit.None))),
        (true, "OUT_OF_RANGE", "steps[0].delay.amount", Of(Define.Delay("d", -1, DelayUnit.Days))),
        (true, "OUT_OF_RANGE", "steps[0].delay.amount", Of(Define.Delay("d", 3_651, DelayUnit.Days))),
        (true, "TWO_KINDS", "steps[0].delay", Of(Define.Delay("d", new DelayDefinition(1, DelayUnit.Days) { Date = "2026-01-01" }))),
        (true, "TWO_OFFSETS", "steps[0].delay.property", Of(Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("day", 1, 1, true) }))),
        (true, "BAD_DATE", "steps[0].delay.date", Of(Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Date = "tomorrow" }))),
        (true, "BAD_TIME", "steps[0].delay.timeOfDay", Of(Define.Delay("d", new DelayDefinition(1, DelayUnit.Days) { TimeOfDay = "25:00" }))),
        (true, "WRONG_TYPE", "steps[0].delay.property.property", Of(Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("stage", 0, 0, true) }))),
        (true, "WRONG_TYPE", "steps[0].delay.timeZoneProperty", Of(Define.Delay("d", new DelayDefinition(1, DelayUnit.Days) { TimeZoneProperty = "score" }))),
        (true, "EVENTS_OR_CRITERIA", "steps[0].waitFor", Of(new WaitStepDefinition("e", "", [], null))),
        (true, "OUT_OF_RANGE", "steps[0].waitFor.timeout", Of(Define.WaitEvent("e", "clicked", timeout: TimeSpan.FromSeconds(59)))),
        (true, "OUT_OF_RANGE", "steps[0].waitFor.timeout", Of(Define.WaitEvent("e", "clicked", timeout: TimeSpan.FromDays(3_651)))),
        (true, "EVENT_COUNT", "start.event.anyOf", Define.Workflow("w", Define.OnEvents(false), Step)),
        (true, "UNKNOWN_LIST", "start.event.anyOf[0].where", Define.Workflow("w", Define.OnEvent("list_joined", where: Define.Eq("list", "nolist")), Step)),
        (true, "UNKNOWN_WORKFLOW", "start.event.anyOf[0].where", Define.Workflow("w", Define.OnEvent("workflow_completed", where: Define.Eq("workflow", "nobody")), Step)),
        (true, "UNDECLARED_PROPERTY", "start.event.anyOf[0].where", Define.Workflow("w", Define.OnEvent("property_changed", where: Define.Eq("property", "nothing")), Step)),
        (true, "BAD_NAME", "start.event.anyOf[0].eventType", Define.Workflow("w", Define.OnEvent(""), Step)),
        (true, "CRITERIA_OR_ALL", "start.schedule.criteria", Monthly(new ScheduleDefinition(ScheduleKind.Daily) { TimeOfDay = "09:00", AllRecords = false })),
        (true, "BAD_DATE", "start.schedule.once", Monthly(new ScheduleDefinition(ScheduleKind.Once) { Once = "soon" })),
        (true, "NO_SCHEDULE", "start.schedule.monthly", Monthly(new ScheduleDefinition(ScheduleKind.Monthly) { TimeOfDay = "09:00" })),
        (true, "OUT_OF_RANGE", "start.schedule.yearly", Monthly(new ScheduleDefinition(ScheduleKind.Yearly) { Month = 2, Day = 30, TimeOfDay = "09:00" })),
        (true, "MISSING_FIELD", "start.schedule.weekly", Monthly(new ScheduleDefinition(ScheduleKind.Weekly) { TimeOfDay = "09:00" })),
        (true, "BAD_TIME", "start.schedule.timeOfDay", Monthly(new ScheduleDefinition(ScheduleKind.Daily))),
        (true, "UNKNOWN_LIST", "suppressionLists[0]", Fine with { SuppressionLists = ["nolist"] }),
        (true, "TOO_MANY", "suppressionLists", Fine with { SuppressionLists = [.. Enumerable.Repeat("vip", 101)] }),
        (true, "UNKNOWN_WORKFLOW", "unenrollFrom.workflowIds[0]", Fine with { UnenrollFrom = ["nobody"] }),
        (true, "ALL_OR_SOME", "unenrollFrom", Fine with { UnenrollFrom = ["other"], UnenrollFromAll = true }),
        (true, "NOT_FOR_START", "unenrollIfNotMeeting", Fine with { UnenrollIfNotMeeting = true }),
        (true, "DUPLICATE_GOAL", "goals[1].id", Fine.WithGoals(new GoalDefinition("g", IsLead), new GoalDefinition("g", IsLead))),
        (true, "BAD_ID", "goals[0].id", Fine.WithGoals(new GoalDefinition("", IsLead))),
        (true, "NO_CRITERIA", "goals[0].criteria", Fine.WithGoals(new GoalDefinition("g", null))),
        (true, "OUT_OF_RANGE", "catchUpGrace", Fine with { CatchUpGrace = TimeSpan.FromDays(8) }),
        (true, "OUT_OF_RANGE", "catchUpSpread", Fine with { CatchUpSpread = TimeSpan.FromSeconds(59) }),
        (true, "OUT_OF_RANGE", "executionWindows.spread", Fine with { Windows = Define.Open("09:00", "10:00", TimeSpan.FromHours(25)) }),
        (true, "TOO_MANY", "executionWindows.windows", Fine with { Windows = new WindowsDefinition([.. Enumerable.Repeat(new WindowDefinition(Weekdays.All, "09:00", "10:00"), 71)], [], null) }),
        (true, "TOO_MANY", "executionWindows.blockedDates", Fine with { Windows = Define.Open("09:00", "10:00", blocked: [.. Enumerable.Repeat("2026-01-01", 367)]) }),
        (true, "BAD_DATE", "executionWindows.blockedDates[0]", Fine with { Windows = Define.Open("09:00", "10:00", blocked: "02-30") }),
        (true, "BAD_TIME", "executionWindows.windows[0].start", Fine with { Windows = Define.Open("9", "10:00") }),
        (true, "MISSING_FIELD", "executionWindows.windows[0].weekdays", Fine with { Windows = Define.Open("09:00", "10:00", days: Weekdays.None) }),
        (true, "REENROLL_NOT_FOR_START", "start.reenrollWhen", Define.Workflow("w", Define.ByHand() with { ReenrollWhen = [IsLead] }, Step)),
        (false, "UNREACHABLE_STEP", "steps[1]", Of(Step, Define.Set("t", "name", "x"))),
        (false, "LOOP_WITHOUT_DELAY", "steps[", Of(Define.Set("a", "name", "x", "b"), Define.Set("b", "name", "y", "a"))),
        (false, "NO_DEFAULT", "steps[0].branch.defaultNext", Of(Define.Branch("b", "", ("a", IsLead, "s")), Step)),
        (false, "NO_DEFAULT", "steps[0].valueBranch.defaultNext", Of(Define.Values("b", "stage", "", ("a", "s")), Step)),
        (false, "GOAL_IMPLIED_BY_START", "goals[0].criteria", Define.Workflow("w", Define.OnFilter(IsLead), Step).WithGoal(IsLead)),
        (false, "SUPPRESSION_IMPLIED_BY_START", "unenrollWhen", Define.Workflow("w", Define.OnFilter(IsLead), Step) with { UnenrollWhen = IsLead }),
        (false, "REENROLL_BY_HAND_ONLY", "start.reenrollWhen", Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true), Step)),
        (false, "ENROLLMENT_CYCLE", "steps[0].enrollInWorkflow", Of(Define.EnrollIn("e", "back"))),
    ];

    private static readonly WorkflowIdentity Identity = new("w", 1, 1, WorkflowState.On, World.Start);

    private static WorkflowDefinition Of(params StepDefinition[] steps) => Define.Workflow("w", Define.ByHand(), steps);

    private static WorkflowDefinition Monthly(ScheduleDefinition schedule) =>
        Define.Workflow("w", new StartDefinition(StartKind.Schedule, null, true, [], false, []) { Schedule = schedule with { AllRecords = schedule.Kind != ScheduleKind.Daily || schedule.TimeOfDay.Length == 0 } }, Step);

    private static DefinitionScope Scope(TenantSettings? settings = null) => new(
        new World(settings).Schema,
        [new ListInfo("vip", 1, 1, false), new ListInfo("leads", 2, 1, true)],
        [new WorkflowInfo("other", 2, 1, [], []), new WorkflowInfo("deals", 3, 3, [], []), new WorkflowInfo("back", 4, 1, [], ["w"])],
        ["crm"]);

    internal static IReadOnlyList<WorkflowProblem> Problems(WorkflowDefinition definition, TenantSettings? settings = null)
    {
        var numbers = new Dictionary<string, int>();
        var compiled = WorkflowCompiler.Compile(definition, Identity, Scope(settings), id => numbers.TryGetValue(id, out var n) ? n : numbers[id] = numbers.Count + 1, _ => 1, out var problems);
        Assert.Equal(problems.Any(p => p.IsError), compiled is null);
        return problems;
    }
}
