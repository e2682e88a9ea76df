using System.Text.Json;

namespace Roster.Cli.Tests.Simulate;

public sealed class SimulateCommandTests : IDisposable
{
    private const string Schema =
        """{"object_types":[{"name":"contact","properties":[{"name":"stage","type":"STRING"},{"name":"size","type":"NUMBER"}]},{"name":"deal"}]}""";

    /// <summary>A mail that is waited for, a day, a call that is not waited for.</summary>
    private const string Welcome =
        """
        {"id":"welcome","display_name":"Welcome","object_type":"contact",
         "start":{"event":{"any_of":[{"event_type":"signed_up","allow_new_record":true}]}},
         "steps":[
           {"id":"mail","next":"day","worker":{"queue":"mail","fields":[{"name":"template","text":"hello"}],"properties":["stage","size"]}},
           {"id":"day","next":"call","delay":{"amount":1,"unit":"DAYS"}},
           {"id":"call","worker":{"queue":"sales","wait":false}}]}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-simulate-tests-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Schedules have no end: their samples say where the clock stops.
    private static readonly Dictionary<string, string[]> Ends = new()
    {
        ["newsletter"] = ["--until", "2026-04-02T00:00:00Z"],
        ["won-deals"] = ["--until", "2026-03-01T00:00:00Z"],
        ["birthday"] = ["--until", "2027-06-01T00:00:00Z"],
    };

    public static TheoryData<string> Samples() =>
        ["ebook-download", "lead-nurturing", "onboarding", "trial", "big-customers", "lead-again", "newsletter", "birthday", "office-hours", "won-deals", "no-show-follow-up", "job-titles", "cart-abandoned", "human-step", "big-orders"];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_does_what_its_expectation_says(string sample)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "samples", sample);
        var (exitCode, output, error) = await RunAsync(
            [Path.Combine(folder, "workflow.json"), "--events", Path.Combine(folder, "events.jsonl"), "--expect", Path.Combine(folder, "expect.json"), .. EndOf(sample)]);
        Assert.Equal("", error);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("values as expected", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ERR_02_A_webhook_of_a_sample_that_fails_goes_the_other_way()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "samples", "big-orders");
        var document = await RunJsonAsync(Path.Combine(folder, "workflow.json"), "--events", Path.Combine(folder, "events.jsonl"), "--complete", "fail");
        var steps = document.GetProperty("workflows").GetProperty("big-orders").GetProperty("steps");
        Assert.Equal((3, 3, 3), (steps.GetProperty("tell").GetInt32(), steps.GetProperty("by-hand").GetInt32(), steps.GetProperty("call").GetInt32()));
        Assert.False(steps.TryGetProperty("told", out _));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Equal_runs_give_equal_bytes_and_meet_what_the_first_wrote_as_its_expectation(string sample)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "samples", sample);
        string[] args = [Path.Combine(folder, "workflow.json"), "--events", Path.Combine(folder, "events.jsonl"), "--timeline", "all", .. EndOf(sample)];
        var (first, second) = (InFolder("first.json"), InFolder("second.json"));
        var one = await RunAsync([.. args, "--write-expect", first]);
        var other = await RunAsync([.. args, "--write-expect", second, "--expect", first]);
        Assert.Equal((ExitCode.Success, ""), (other.ExitCode, other.Error));
        Assert.Equal(await File.ReadAllBytesAsync(first, Cancel), await File.ReadAllBytesAsync(second, Cancel));
        Assert.StartsWith(one.Output[..one.Output.IndexOf("expectation written", StringComparison.Ordinal)], other.Output, StringComparison.Ordinal);
        Assert.Equal((await RunAsync([.. args, "--json"])).Output, (await RunAsync([.. args, "--json"])).Output);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task What_is_folded_from_the_journal_agrees_with_the_counters_of_the_engine(string sample)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "samples", sample);
        var document = await RunJsonAsync([Path.Combine(folder, "workflow.json"), "--events", Path.Combine(folder, "events.jsonl"), .. EndOf(sample)]);
        foreach (var workflow in document.GetProperty("workflows").EnumerateObject().Select(property => property.Value))
        {
            foreach (var step in workflow.GetProperty("funnel").EnumerateArray())
            {
                var folded = workflow.GetProperty("steps").TryGetProperty(step.GetProperty("step").GetString()!, out var count) ? count.GetInt64() : 0;
                Assert.Equal(step.GetProperty("entered").GetInt64(), folded);
            }
        }
    }

    [Fact]
    public async Task A_task_is_done_at_the_instant_that_asks_for_it_however_far_the_next_event_is()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up", """{"stage":"lead","size":12.50}"""), Event("e2", "bob", "2027-01-01T08:00:00Z", "signed_up"));
        var document = await RunJsonAsync(Definitions(Welcome), "--events", events);
        Assert.Equal(
            [
                ("2026-01-01T08:00:00Z", "contact/ada", "mail", "mail"),
                ("2026-01-02T08:00:00Z", "contact/ada", "call", "sales"),
                ("2027-01-01T08:00:00Z", "contact/bob", "mail", "mail"),
                ("2027-01-02T08:00:00Z", "contact/bob", "call", "sales"),
            ],
            document.GetProperty("sent").EnumerateArray().Select(task => (Text(task, "at"), Text(task, "record"), Text(task, "step"), Text(task, "queue"))));
        var first = document.GetProperty("sent")[0];
        Assert.Equal("""{"template":"hello"}""", Compact(first.GetProperty("fields")));
        Assert.Equal("""{"stage":"lead","size":12.5}""", Compact(first.GetProperty("properties")));
        Assert.Equal("2027-01-02T08:00:00Z", Text(document, "until"));
        Assert.True(document.GetProperty("run_out").GetBoolean());
    }

    [Fact]
    public async Task The_clock_stops_at_every_timer_on_the_way_so_that_delays_after_a_task_count_from_its_own_instant()
    {
        var workflow =
            """
            {"id":"chain","object_type":"contact","start":{"event":{"any_of":[{"event_type":"signed_up","allow_new_record":true}]}},
             "steps":[
               {"id":"day-1","next":"mail-1","delay":{"amount":1,"unit":"DAYS"}},
               {"id":"mail-1","next":"day-2","worker":{"queue":"mail"}},
               {"id":"day-2","next":"mail-2","delay":{"amount":1,"unit":"DAYS"}},
               {"id":"mail-2","worker":{"queue":"mail"}}]}
            """;
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"), Event("e2", "bob", "2026-01-02T20:00:00Z", "seen"), Event("e3", "bob", "2027-01-01T08:00:00Z", "seen"));
        var document = await RunJsonAsync(Definitions(workflow), "--events", events);
        Assert.Equal(
            [("2026-01-02T08:00:00Z", "mail-1"), ("2026-01-03T08:00:00Z", "mail-2")],
            document.GetProperty("sent").EnumerateArray().Select(task => (Text(task, "at"), Text(task, "step"))));
        var last = document.GetProperty("timeline").EnumerateArray().Last();
        Assert.Equal(("2026-01-03T08:00:00Z", "ended", "COMPLETED"), (Text(last, "at"), Text(last, "what"), Text(last, "detail")));
    }

    private const string Every =
        """
        {"id":"daily","object_type":"contact","start":{"schedule":{"daily":{},"time_of_day":"09:00","all_records":true},"reenroll":true},
         "steps":[{"id":"mail","next":"hour","worker":{"queue":"mail"}},{"id":"hour","next":"call","delay":{"amount":1,"unit":"HOURS"}},{"id":"call","worker":{"queue":"sales"}}]}
        """;

    [Fact]
    public async Task The_clock_stops_at_every_run_of_a_schedule_so_that_its_tasks_are_done_there()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "seen"));
        var document = await RunJsonAsync(Definitions(Every), "--events", events, "--for", "50h");
        Assert.Equal(
            [
                ("2026-01-01T09:00:00Z", "mail"), ("2026-01-01T10:00:00Z", "call"), ("2026-01-02T09:00:00Z", "mail"),
                ("2026-01-02T10:00:00Z", "call"), ("2026-01-03T09:00:00Z", "mail"), ("2026-01-03T10:00:00Z", "call"),
            ],
            document.GetProperty("sent").EnumerateArray().Select(task => (Text(task, "at"), Text(task, "step"))));
    }

    [Fact]
    public async Task A_schedule_alone_does_not_keep_the_clock_going_and_is_told()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "seen"));
        var (exitCode, output, _) = await RunAsync(Definitions(Every), "--events", events);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("workflow daily: its schedule comes next at 2026-01-01 09:00:00; --until or --for goes on to it", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASC_03_A_contact_is_enrolled_by_a_line_item_of_its_deal()
    {
        var definitions = Write(
            "definitions.json",
            """
            {"tenant":{"object_types":[{"name":"contact"},{"name":"deal","properties":[{"name":"stage","type":"STRING"}]},{"name":"line_item","properties":[{"name":"sku","type":"STRING"}]}]},
             "workflows":[{"id":"shoes","object_type":"contact","start":{"filter":{"criteria":{"any_of":[{"all_of":[{"associated":{"object_type":"deal","all_of":[
               {"associated":{"object_type":"line_item","all_of":[{"property":"sku","operator":"IS_EQUAL_TO","values":["shoe"]}]}}]}}]}]}}},
               "steps":[{"id":"mail","worker":{"queue":"mail","wait":false}}]}]}
            """);
        var events = Write(
            "events.jsonl",
            """{"id":"e1","object":"deal","record":"d1","at":"2026-01-01T08:00:00Z","set":{"stage":"open"},"link":{"contact/ada":"buyer"}}""",
            """{"id":"e2","object":"line_item","record":"l1","at":"2026-01-01T09:00:00Z","set":{"sku":"hat"},"link":{"deal/d1":""}}""",
            """{"id":"e3","object":"line_item","record":"l1","at":"2026-01-01T10:00:00Z","set":{"sku":"shoe"}}""");
        var document = await RunJsonAsync(definitions, "--events", events);
        Assert.Equal(
            [("2026-01-01T10:00:00Z", "contact/ada", "mail")],
            document.GetProperty("sent").EnumerateArray().Select(task => (Text(task, "at"), Text(task, "record"), Text(task, "step"))));
    }

    [Fact]
    public async Task Lists_are_applied_before_workflows_whatever_order_the_files_come_in()
    {
        var list = Write("leads.json", """{"id":"leads","object_type":"contact","criteria":{"any_of":[{"all_of":[{"property":"stage","operator":"IS_EQUAL_TO","values":["lead"]}]}]}}""");
        var workflow = Write(
            "workflow.json",
            """
            {"id":"care","object_type":"contact","start":{"filter":{"criteria":{"any_of":[{"all_of":[{"list":{"list_id":"leads"}}]}]}}},
             "steps":[{"id":"mail","worker":{"queue":"mail","wait":false}}]}
            """);
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "seen", """{"stage":"lead"}"""));
        var (exitCode, output, _) = await RunAsync(workflow, list, Write("schema.json", Schema), "--events", events);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("joined list", output, StringComparison.Ordinal);
        Assert.Contains("enrolled 1 (1 records)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_may_name_the_goal_of_a_workflow_that_is_new_too()
    {
        const string Converted = """{"id":"converted","object_type":"contact","criteria":{"any_of":[{"all_of":[{"workflow":{"workflow_id":"sell","status":"GOAL","goal_id":"won"}}]}]}}""";
        const string Thank = """{"id":"thank","object_type":"contact","start":{"filter":{"criteria":{"any_of":[{"all_of":[{"list":{"list_id":"converted"}}]}]}}},"steps":[{"id":"mail","worker":{"queue":"mail","wait":false}}]}""";
        var sell =
            """
            {"id":"sell","object_type":"contact","start":{"event":{"any_of":[{"event_type":"signed_up","allow_new_record":true}]}},
             "goals":[{"id":"won","criteria":{"any_of":[{"all_of":[{"property":"stage","operator":"IS_EQUAL_TO","values":["won"]}]}]}}],
             "steps":[{"id":"day","delay":{"amount":1,"unit":"DAYS"}}]}
            """;
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"), Event("e2", "ada", "2026-01-01T09:00:00Z", "seen", """{"stage":"won"}"""));
        var (exitCode, output, error) = await RunAsync(Write("list.json", Converted), Definitions(Thank, sell), "--events", events);
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains("joined list", output, StringComparison.Ordinal);
        Assert.Contains("sent         thank / mail", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workflows_may_name_each_other()
    {
        const string Manual = """{"id":"second","object_type":"contact","start":{"manual":{}},"unenroll_from":{"workflow_ids":["first"]},"steps":[{"id":"call","worker":{"queue":"sales","wait":false}}]}""";
        var first =
            """
            {"id":"first","object_type":"contact","start":{"event":{"any_of":[{"event_type":"signed_up","allow_new_record":true}]}},
             "steps":[{"id":"on","next":"day","enroll_in_workflow":{"workflow_id":"second"}},{"id":"day","delay":{"amount":1,"unit":"DAYS"}}]}
            """;
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"));
        var (exitCode, output, error) = await RunAsync(Definitions(first, Manual), "--events", events);
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains("ENROLLED_IN_OTHER, second", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tasks_that_nobody_takes_time_out_where_they_are_waited_for()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"));
        var (_, output, _) = await RunAsync(Definitions(Welcome), "--events", events, "--complete", "none");
        Assert.Contains("2026-01-08 08:00:00  contact/ada  task finished  welcome / mail  FAILED, TIMEOUT", output, StringComparison.Ordinal);
        Assert.Contains("2 tasks that would have been sent, none of which was taken", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tasks_can_be_made_to_fail()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"));
        var document = await RunJsonAsync(Definitions(Welcome), "--events", events, "--complete", "fail");
        var mail = document.GetProperty("workflows").GetProperty("welcome").GetProperty("funnel")[0];
        Assert.Equal(("mail", 1, 0), (Text(mail, "step"), mail.GetProperty("failed").GetInt32(), mail.GetProperty("succeeded").GetInt32()));
    }

    [Fact]
    public async Task A_task_that_its_own_turn_withdraws_is_never_sent()
    {
        var workflow =
            """
            {"id":"quick","object_type":"contact","start":{"event":{"any_of":[{"event_type":"signed_up","allow_new_record":true}]}},
             "goals":[{"id":"won","criteria":{"any_of":[{"all_of":[{"property":"stage","operator":"IS_EQUAL_TO","values":["won"]}]}]}}],
             "steps":[
               {"id":"mail","next":"win","worker":{"queue":"mail","wait":false}},
               {"id":"win","next":"never","set_property":{"property":"stage","value":"won"}},
               {"id":"never","worker":{"queue":"mail"}}]}
            """;
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"));
        var (_, output, _) = await RunAsync(Definitions(workflow), "--events", events);
        Assert.Contains("0 tasks that would have been sent", output, StringComparison.Ordinal);
        Assert.Contains("task withdrawn  quick / mail", output, StringComparison.Ordinal);
        Assert.Contains("goal met        quick         won", output, StringComparison.Ordinal);
        Assert.Contains("unenrolled 1: GOAL_MET 1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Until_ends_the_clock_and_leaves_later_events_out()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"), Event("e2", "bob", "2026-01-05T08:00:00Z", "signed_up"));
        var document = await RunJsonAsync(Definitions(Welcome), "--events", events, "--until", "2026-01-02T07:00:00Z");
        Assert.Equal("2026-01-02T07:00:00Z", Text(document, "until"));
        Assert.Equal((1, 1), (document.GetProperty("events").GetProperty("applied").GetInt32(), document.GetProperty("events").GetProperty("left_out").GetInt32()));
        Assert.Equal(1, document.GetProperty("workflows").GetProperty("welcome").GetProperty("active").GetInt32());
    }

    [Fact]
    public async Task For_goes_on_after_the_last_event_and_from_starts_before_the_first()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"));
        var document = await RunJsonAsync(Definitions(Welcome), "--events", events, "--from", "2025-12-31T00:00:00Z", "--for", "36h");
        Assert.Equal(("2025-12-31T00:00:00Z", "2026-01-02T20:00:00Z"), (Text(document, "from"), Text(document, "until")));
        Assert.Equal(2, document.GetProperty("sent").GetArrayLength());
    }

    [Fact]
    public async Task Events_from_before_the_start_are_applied_at_the_time_of_the_clock()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T08:00:00Z", "signed_up"));
        var (exitCode, output, _) = await RunAsync(Definitions(Welcome), "--events", events, "--from", "2026-02-01T00:00:00Z");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("1 events lie before the start", output, StringComparison.Ordinal);
        Assert.Contains("2026-02-01 00:00:00  contact/ada  enrolled", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_any_time_the_clock_starts_where_a_manual_clock_does()
    {
        var events = Write("events.jsonl", """{"id":"e1","object":"contact","record":"ada","type":"signed_up"}""");
        var (_, output, _) = await RunAsync(Definitions(Welcome), "--events", events);
        Assert.Contains("2000-01-01 00:00:00  contact/ada  enrolled", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_workflow_without_end_stops_after_ten_years()
    {
        var workflow =
            """
            {"id":"yearly","object_type":"contact","start":{"event":{"any_of":[{"event_type":"signed_up","allow_new_record":true}]}},
             "steps":[{"id":"year","next":"mail","delay":{"amount":365,"unit":"DAYS"}},{"id":"mail","next":"year","worker":{"queue":"mail","wait":false}}]}
            """;
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up"));
        var (exitCode, output, error) = await RunAsync(Definitions(workflow), "--events", events);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("10 tasks that would have been sent", output, StringComparison.Ordinal);
        Assert.Contains("still active 1", output, StringComparison.Ordinal);
        Assert.Contains("even after 3,660 days", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workflows_are_considered_in_the_order_of_the_files()
    {
        var (last, first) = (Definitions(Named("z")), Write("a.json", Named("a")));
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up"));
        var document = await RunJsonAsync(last, first, "--events", events);
        Assert.Equal(["z", "a"], document.GetProperty("timeline").EnumerateArray().Where(line => Text(line, "what") == "enrolled").Select(line => Text(line, "workflow")));

        static string Named(string id) => Welcome.Replace("\"welcome\"", $"\"{id}\"", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_draft_is_on_and_that_is_said()
    {
        var file = Write("draft.json", $$"""{"tenant":{{Schema}},"workflows":[{{Welcome}}],"on":false}""");
        var (_, output, _) = await RunAsync(file, "--events", Write("events.jsonl", Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up")));
        Assert.Contains("workflow welcome: its file leaves it a draft; it is on in this simulation", output, StringComparison.Ordinal);
        Assert.Contains("considered 1, enrolled 1 (1 records), refused 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACT_13_ACT_60_Webhooks_and_messages_are_done_by_the_made_up_worker_and_nothing_is_sent()
    {
        const string Told =
            """
            {"id":"told","object_type":"contact","start":{"event":{"any_of":[{"event_type":"signed_up","allow_new_record":true}]}},
             "steps":[{"id":"hook","next":"mail","webhook":{"endpoint":"crm","path":"contacts/{{stage|new}}"}},
                      {"id":"mail","send_message":{"channel":"INTERNAL_EMAIL","to":["sales@example.org"],"subject":"{{stage:upper|NEW}} on {{now:dd.MM.yyyy}}"}}]}
            """;
        var (exitCode, output, error) = await RunAsync(Definitions(Told), "--events", Write("events.jsonl", Event("e1", "ada", "2026-01-03T08:00:00Z", "signed_up")), "--timeline", "all");
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains("to !webhook/crm, /POST=contacts/new", output, StringComparison.Ordinal);
        Assert.Contains("NEW on 03.01.2026", output, StringComparison.Ordinal);
        Assert.Contains("completed 1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_files_are_merged_with_others_by_time()
    {
        var table = Write("people.csv", "name,when", "ada,2026-01-02 08:00", "cleo,2026-01-04 08:00");
        var map = Write(
            "people.map.json",
            """{"events":[{"object":"contact","record":"name","type":{"value":"signed_up"},"at":{"column":"when","format":"uuuu-MM-dd HH:mm"}}]}""");
        var lines = Write("events.jsonl", Event("e1", "bob", "2026-01-03T08:00:00Z", "signed_up"));
        var document = await RunJsonAsync(Definitions(Welcome), "--events", table, "--events", lines, "--map", $"people.csv={map}");
        Assert.Equal(
            ["contact/ada", "contact/bob", "contact/cleo"],
            document.GetProperty("sent").EnumerateArray().Where(task => Text(task, "step") == "mail").Select(task => Text(task, "record")));
    }

    [Fact]
    public async Task Events_that_are_not_applied_are_told_with_their_lines_and_fail_the_run()
    {
        var events = Write(
            "events.jsonl",
            Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up", """{"unknown":1}"""),
            "oops",
            Event("e3", "bob", "2026-01-01T00:00:00Z", "signed_up"));
        var (exitCode, output, error) = await RunAsync(Definitions(Welcome), "--events", events);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains($"{events}:1: writes[0].name: ", error, StringComparison.Ordinal);
        Assert.Contains($"{events}:2:", error, StringComparison.Ordinal);
        Assert.Contains("Not every event was applied: 1 refused, 1 malformed lines.", error, StringComparison.Ordinal);
        Assert.Contains("2 events (1 applied, 1 refused, 1 malformed lines)", output, StringComparison.Ordinal);
        (exitCode, _, _) = await RunAsync(Definitions(Welcome), "--events", Write("one.jsonl", Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up", """{"unknown":1}""")), "--declare");
        Assert.Equal(ExitCode.Success, exitCode);
    }

    [Fact]
    public async Task Differences_from_the_expectation_are_told_by_path_and_fail_the_run()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up"), Event("e2", "ada", "2026-01-01T01:00:00Z", "signed_up"));
        var expect = Write(
            "expect.json",
            """
            {"workflows":{"welcome":{"enrolled":2,"considered":2,"refused":{"ALREADY_ACTIVE":1,"SUPPRESSED":1},"sent":{"mail":2}}},
             "records":{"contact/ada":{"welcome":{"sent":["mail"],"ended":["COMPLETED"],"goals":[]}},"contact/adda":{"welcome":{"enrolled":0}}}}
            """);
        var (exitCode, output, error) = await RunAsync(Definitions(Welcome), "--events", events, "--expect", expect);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Equal(
            [
                $"error {expect}: workflows.welcome.enrolled: expected 2, actual 1",
                $"error {expect}: workflows.welcome.refused.SUPPRESSED: expected 1, actual 0",
                $"error {expect}: workflows.welcome.sent.mail: expected 2, actual 1",
                $"error {expect}: records.contact/ada.welcome.sent: expected [\"mail\"], actual [\"mail\", \"call\"]",
                $"error {expect}: records.contact/adda: expected a record, actual no such record. Did you mean `contact/ada`?",
            ],
            error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("5 of 9 values differ", output, StringComparison.Ordinal);
        var document = await RunJsonAsync(Definitions(Welcome), "--events", events, "--expect", expect);
        Assert.Equal(5, document.GetProperty("differences").GetArrayLength());
    }

    [Fact]
    public async Task A_written_expectation_has_everything_and_one_line_per_record_and_workflow()
    {
        var events = Write("events.jsonl", Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up"), Event("e2", "ada", "2026-01-01T01:00:00Z", "signed_up"), Event("e3", "idle", "2026-01-01T02:00:00Z", "seen"));
        var expect = InFolder("expect.json");
        await RunAsync(Definitions(Welcome), "--events", events, "--write-expect", expect);
        Assert.Equal(
            """
            {
              "workflows": {
                "welcome": {
                  "considered": 2,
                  "enrolled": 1,
                  "active": 0,
                  "refused": {"ALREADY_ACTIVE": 1},
                  "ended": {"COMPLETED": 1},
                  "steps": {"call": 1, "day": 1, "mail": 1},
                  "sent": {"call": 1, "mail": 1}
                }
              },
              "records": {
                "contact/ada": {
                  "welcome": {"enrolled": 1, "active": 0, "refused": {"ALREADY_ACTIVE": 1}, "ended": ["COMPLETED"], "steps": ["mail", "day", "call"], "sent": ["mail", "call"]}
                }
              }
            }

            """.ReplaceLineEndings("\n"),
            await File.ReadAllTextAsync(expect, Cancel));
    }

    [Fact]
    public async Task Explain_tells_everything_about_one_record_and_who_never_considered_it()
    {
        var deals = """{"id":"deals","object_type":"deal","start":{"manual":{}},"steps":[{"id":"day","delay":{"amount":1,"unit":"DAYS"}}]}""";
        var byHand = """{"id":"by-hand","object_type":"contact","start":{"manual":{}},"steps":[{"id":"day","delay":{"amount":1,"unit":"DAYS"}}]}""";
        var events = Write(
            "events.jsonl",
            Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up", """{"stage":"lead"}"""),
            Event("e2", "ada", "2026-01-03T00:00:00Z", "signed_up"),
            Event("e3", "bob", "2026-01-03T00:00:00Z", "signed_up"));
        var (_, output, _) = await RunAsync(Definitions(Welcome, deals, byHand), "--events", events, "--explain", "contact/ada", "--timeline", "1");
        Assert.Contains("2026-01-01 00:00:00  event signed_up", output, StringComparison.Ordinal);
        Assert.Contains("stage = lead", output, StringComparison.Ordinal);
        Assert.Contains("REENROLLMENT_OFF, it was enrolled before, and re-enrollment is off", output, StringComparison.Ordinal);
        Assert.Contains("deals: never considered; it is for deal records", output, StringComparison.Ordinal);
        Assert.Contains("by-hand: never considered; none of its triggers fired", output, StringComparison.Ordinal);
        Assert.DoesNotContain("bob", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_timeline_is_cut_and_the_tables_are_not()
    {
        var events = Write("events.jsonl", [.. Enumerable.Range(0, 300).Select(i => Event($"e{i}", $"p{i}", "2026-01-01T00:00:00Z", "signed_up"))]);
        var cut = (await RunAsync(Definitions(Welcome), "--events", events)).Output;
        Assert.Equal(200, cut.Split('\n').Count(line => line.Contains("  contact/p", StringComparison.Ordinal)));
        Assert.Contains("… 1,300 more lines: --timeline all", cut, StringComparison.Ordinal);
        Assert.Contains("considered 300, enrolled 300 (300 records), refused 0", cut, StringComparison.Ordinal);
        var all = (await RunAsync(Definitions(Welcome), "--events", events, "--timeline", "all")).Output;
        Assert.Equal(1_500, all.Split('\n').Count(line => line.Contains("  contact/p", StringComparison.Ordinal)));
        Assert.DoesNotContain("more lines", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no file `missing.json`.", "missing.json", "--events", "EVENTS")]
    [InlineData("There is no file `missing.jsonl`.", "WORKFLOWS", "--events", "missing.jsonl")]
    [InlineData("There is no file `missing.json`; --write-expect makes one.", "WORKFLOWS", "--events", "EVENTS", "--expect", "missing.json")]
    [InlineData("There is no workflow in `SCHEMA`.", "SCHEMA", "--events", "EVENTS")]
    [InlineData("steps[0].next: ", "DANGLING", "--events", "EVENTS")]
    [InlineData("--until and --for exclude each other", "WORKFLOWS", "--events", "EVENTS", "--until", "2026-02-01T00:00:00Z", "--for", "1d")]
    [InlineData("--until 2025-01-01T00:00:00Z lies before the start of the simulation, 2026-01-01T00:00:00Z.", "WORKFLOWS", "--events", "EVENTS", "--until", "2025-01-01T00:00:00Z")]
    [InlineData("--from `soon` is not an instant", "WORKFLOWS", "--events", "EVENTS", "--from", "soon")]
    [InlineData("--for `soon` is not a time span", "WORKFLOWS", "--events", "EVENTS", "--for", "soon")]
    [InlineData("--complete `maybe` is not `success`, `fail` or `none`.", "WORKFLOWS", "--events", "EVENTS", "--complete", "maybe")]
    [InlineData("--timeline `few` is not a number of lines, nor `all`.", "WORKFLOWS", "--events", "EVENTS", "--timeline", "few")]
    [InlineData("there is no folder", "WORKFLOWS", "--events", "EVENTS", "--write-expect", "nowhere/expect.json")]
    [InlineData("`ada` does not name a record", "WORKFLOWS", "--events", "EVENTS", "--explain", "ada")]
    [InlineData("there is no record `contact/adda` in this simulation. Did you mean `contact/ada`?", "WORKFLOWS", "--events", "EVENTS", "--explain", "contact/adda")]
    public async Task Bad_input_is_a_sentence_and_exit_code_2(string sentence, params string[] args)
    {
        var files = new Dictionary<string, string>
        {
            ["WORKFLOWS"] = Definitions(Welcome),
            ["SCHEMA"] = Write("schema.json", Schema),
            ["DANGLING"] = Write("dangling.json", """{"id":"w","object_type":"contact","start":{"manual":{}},"steps":[{"id":"a","next":"b","delay":{"amount":1,"unit":"DAYS"}}]}"""),
            ["EVENTS"] = Write("events.jsonl", Event("e1", "ada", "2026-01-01T00:00:00Z", "signed_up")),
        };
        var (exitCode, output, error) = await RunAsync([.. args.Select(arg => files.GetValueOrDefault(arg, arg))]);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Equal("", output);
        Assert.StartsWith("error ", error, StringComparison.Ordinal);
        Assert.Contains(sentence.Replace("`SCHEMA`", $"`{files["SCHEMA"]}`", StringComparison.Ordinal), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_has_help_and_needs_events()
    {
        var (exitCode, output, _) = await RunAsync("--help");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("--write-expect", output, StringComparison.Ordinal);
        (exitCode, _, var error) = await RunAsync(Definitions(Welcome));
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains("--events", error, StringComparison.Ordinal);
    }

    private static string[] EndOf(string sample) => Ends.GetValueOrDefault(sample, []);

    private static string Event(string id, string record, string at, string type, string? set = null) =>
        $$"""{"id":"{{id}}","object":"contact","record":"{{record}}","type":"{{type}}","at":"{{at}}"{{(set is null ? "" : $",\"set\":{set}")}}}""";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var exitCode = await CommandLine.RunAsync(["simulate", .. args], CliConsole.Capture(output, error));
        return (exitCode, output.ToString(), error.ToString());
    }

    private static async Task<JsonElement> RunJsonAsync(params string[] args)
    {
        var (_, output, _) = await RunAsync([.. args, "--json"]);
        using var document = JsonDocument.Parse(output);
        return document.RootElement.Clone();
    }

    private string Definitions(params string[] workflows) => Write("workflows.json", $$"""{"tenant":{{Schema}},"workflows":[{{string.Join(",", workflows)}}]}""");

    private string InFolder(string name) => Path.Combine(_folder.FullName, name);

    private string Write(string name, params string[] lines)
    {
        File.WriteAllLines(InFolder(name), lines);
        return InFolder(name);
    }
}
