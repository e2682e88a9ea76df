using Google.Protobuf;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Embedded.Tests;
using Roster.Engine.Reading;
using Roster.Engine.Stores;
using Roster.V1;
using Code = Roster.V1.Decision.Types.Code;

namespace Roster.Engine.Tests.Reading;

/// <summary>HIS-07 and HIS-01 over a store: names, paths, the entry that decided, pages.</summary>
public sealed class ExplainerTests
{
    private readonly FaultStore _store = new(new VolatileRecordStore());
    private readonly Actors _actors;

    public ExplainerTests()
    {
        _actors = new Actors(_store, new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        _actors.Set("seed", "stage", "x");
        _actors.Set("seed", "name", "Seed");
        _actors.Owner.SaveList(new SaveListRequest { List = new List { Id = "quiet", ObjectType = "contact" } }, _ => []);
        _actors.Publish("""
            { "id": "w", "objectType": "contact",
              "start": {
                "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } },
                "reenroll": true, "reenrollWhen": [ { "anyOf": [ { "allOf": [ { "property": "name", "operator": "IS_KNOWN" } ] } ] } ] },
              "goals": [ { "id": "won", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["won"] } ] } ] } } ],
              "unenrollWhen": { "anyOf": [ { "match": "NOT_ANY", "allOf": [ { "property": "stage", "operator": "IS_KNOWN" } ] } ] },
              "suppressionLists": ["quiet"],
              "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
            """);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HIS_07_Criteria_have_their_paths_in_the_definition_and_actual_values()
    {
        _actors.Set("ada", "stage", "won");
        var told = await ExplainAsync("ada");
        Assert.Equal((Code.CriteriaNotMet, Code.GoalAlreadyMet, true, "w", 1, "on"), (told.Decision, told.DecisionByHand, told.RecordExists, told.WorkflowId, told.Version, told.WorkflowState));
        Assert.Equal(18, told.Checks.Count);
        Assert.Equal(("anyOf[0].allOf[0]: stage IS_EQUAL_TO lead, but it is won", false), (told.Checks[11].Found, told.Checks[11].Passes));
        Assert.Equal((false, "start.filter.criteria.anyOf[0].allOf[0]", "ALL"), (told.Criteria.Holds, told.Criteria.FirstFailing, told.Criteria.Groups[0].Match));
        Assert.Equal(
            new ExplainedFilter { Path = "start.filter.criteria.anyOf[0].allOf[0]", Test = "stage IS_EQUAL_TO lead", Actual = "won", Accepts = false }, told.Criteria.Groups[0].Filters[0]);
        Assert.Equal((false, "NOT_ANY", "unenrollWhen.anyOf[0].allOf[0]"), (told.UnenrollWhen.Holds, told.UnenrollWhen.Groups[0].Match, told.UnenrollWhen.Groups[0].Filters[0].Path));
        Assert.Equal(("won", true, false, true, "goals[0].criteria.anyOf[0].allOf[0]"), (told.Goals[0].GoalId, told.Goals[0].Exit, told.Goals[0].Counted, told.Goals[0].Criteria.Holds, told.Goals[0].Criteria.Groups[0].Filters[0].Path));
        Assert.Equal("start.reenrollWhen[0].anyOf[0].allOf[0]", Assert.Single(told.ReenrollWhen).FirstFailing);
        Assert.Equal(["goal won must stop to hold: set stage so that it is not true that stage IS_EQUAL_TO won", "set stage to 'lead'"], told.SmallestChange);
        Assert.Equal(
            "contact/ada would not be enrolled in w: CRITERIA_NOT_MET, anyOf[0].allOf[0]: stage IS_EQUAL_TO lead, but it is won; by hand it would be GOAL_ALREADY_MET.", told.Summary);
        Assert.Null(told.Active);
        Assert.Null(told.LastDecision);
    }

    [Fact]
    public async Task HIS_07_The_active_enrollment_its_history_and_the_entry_that_decided_are_told()
    {
        _actors.Set("ada", "stage", "lead");
        Enroll("ada", "by me");
        _actors.Set("ada", "other", "1");
        var told = await ExplainAsync("ada");
        Assert.Equal((Code.AlreadyActive, Code.AlreadyActive), (told.Decision, told.DecisionByHand));
        Assert.Equal((1, "d", true, 1), (told.Active.Number, told.Active.StepId, told.History.Active, told.History.TimesEnrolled));
        Assert.Equal((Code.AlreadyActive, "manual", "by me", "ada"), (told.LastDecision.Decision, told.LastDecision.Trigger, told.LastDecision.Detail, told.LastDecision.Ref.RecordId));
        Assert.Equal("contact/ada would not be enrolled in w: ALREADY_ACTIVE, enrollment number 1 is active since 2026-01-01T00:00:00Z; by hand neither.", told.Summary);
        Unenroll("ada", "me again");
        told = await ExplainAsync("ada");
        Assert.Equal((Code.Unspecified, Enrollment.Types.EndReason.Manual, "me again", 1), (told.LastDecision.Decision, told.LastDecision.EndReason, told.LastDecision.Detail, told.LastDecision.EnrollmentNumber));
        Assert.Equal((Code.ReenrollmentTriggerNotSelected, Code.Enrolled), (told.Decision, told.DecisionByHand));
        Assert.Equal(["set name"], told.SmallestChange);
        Assert.EndsWith("; by hand it would be enrolled.", told.Summary, StringComparison.Ordinal);
        _actors.Set("ada", "name", "Ada");
        Assert.Equal((Code.Enrolled, "filter", 2), ((await ExplainAsync("ada")).LastDecision.Decision, (await ExplainAsync("ada")).LastDecision.Trigger, (await ExplainAsync("ada")).LastDecision.EnrollmentNumber));
    }

    [Fact]
    public async Task HIS_07_The_entry_that_decided_is_looked_for_in_a_bounded_number_of_turns()
    {
        _actors.Set("ada", "stage", "lead");

        // A turn that asks for a section is not applied here, so turns are counted.
        var turns = 1;
        for (var i = 0; turns < Explainer.TurnsMax; i++)
        {
            turns += _actors.Set("ada", "other", $"{i}").Status == TurnStatus.Applied ? 1 : 0;
        }

        Assert.NotNull((await ExplainAsync("ada")).LastDecision);
        while (_actors.Set("ada", "other", "last").Status != TurnStatus.Applied)
        {
        }

        Assert.Null((await ExplainAsync("ada")).LastDecision);
    }

    [Fact]
    public async Task HIS_07_A_record_that_does_not_exist_is_one_without_values_and_nothing_is_declared()
    {
        var told = await ExplainAsync("nobody");
        Assert.Equal((Code.UnenrollmentTriggerMet, false, "nobody"), (told.DecisionByHand, told.RecordExists, told.Ref.RecordId));
        Assert.Equal(("the record does not exist and would be created", "unknown"), (told.Checks[0].Found, told.Criteria.Groups[0].Filters[0].Actual));
        var request = new ExplainRequest { WorkflowId = "w", Ref = new RecordRef { ObjectType = "spaceship", RecordId = "x" } };
        Assert.Equal(RosterError.NotFound, (await FailsAsync(request)).Error);
        Assert.Null(_actors.Owner.Schema.FindObjectType("spaceship"));
        Assert.Equal(RosterError.InvalidArgument, (await FailsAsync(new ExplainRequest { WorkflowId = "w" })).Error);
        request.Ref = new RecordRef { ObjectType = "contact", RecordId = new string('é', 200) };
        Assert.Equal("ref.record_id", (await FailsAsync(request)).Refusal!.Path);
    }

    [Fact]
    public async Task HIS_07_Drafts_versions_and_workflows_that_are_off_are_explained()
    {
        _actors.Set("ada", "stage", "new");
        var draft = _actors.Owner.Get("w", 0);
        draft.Start.Filter.Criteria.AnyOf[0].AllOf[0].Values[0] = "new";
        _actors.Owner.Save(new SaveWorkflowRequest { Workflow = draft });
        var told = await ExplainAsync("ada", -1);
        Assert.Equal((Code.Enrolled, 0), (told.Decision, told.Version));
        Assert.Equal(["publish the draft with enroll_existing"], told.SmallestChange);
        Assert.Equal("Every check lets contact/ada into the draft of w, but for this: publish the draft with enroll_existing.", told.Summary);
        Assert.Equal((Code.CriteriaNotMet, 1), ((await ExplainAsync("ada")).Decision, (await ExplainAsync("ada")).Version));
        _actors.Owner.SetState(new SetWorkflowStateRequest { WorkflowId = "w", State = Workflow.Types.State.Off }, _ => []);
        told = await ExplainAsync("ada", 1);
        Assert.Equal((Code.WorkflowOff, Code.WorkflowOff, "off"), (told.Decision, told.DecisionByHand, told.WorkflowState));
        Assert.Equal(["switch the workflow on", "set stage to 'lead'"], told.SmallestChange);
        Assert.Equal(RosterError.NotFound, (await FailsAsync(Ask("ada", 9))).Error);
        Assert.Equal(RosterError.NotFound, (await FailsAsync(new ExplainRequest { WorkflowId = "none", Ref = Ask("ada").Ref })).Error);
    }

    [Fact]
    public async Task HIS_07_A_draft_that_does_not_compile_is_refused_with_its_problems_and_one_never_published_only_needs_the_switch()
    {
        _actors.Set("ada", "stage", "x");
        Save("""{ "id": "new", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "d", "next": "gone", "delay": { "amount": 1, "unit": "DAYS" } } ] }""");
        var failure = await FailsAsync(new ExplainRequest { WorkflowId = "new", Ref = Ask("ada").Ref });
        Assert.Equal((RosterError.FailedPrecondition, "steps[0].next"), (failure.Error, failure.Problems[0].Path));
        Save("""{ "id": "new", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }""");
        var told = await ExplainAsync("ada", workflow: "new");
        Assert.Equal((Code.WorkflowOff, 0, "draft"), (told.Decision, told.Version, told.WorkflowState));
        Assert.Equal(["switch the workflow on", "enroll the record by hand"], told.SmallestChange);
    }

    [Fact]
    public async Task HIS_07_The_only_if_of_event_triggers_are_one_tree()
    {
        _actors.Set("ada", "stage", "x");
        _actors.Publish("""
            { "id": "e", "objectType": "contact", "start": { "event": { "anyOf": [
                { "eventType": "clicked", "where": [ { "property": "url", "operator": "IS_EQUAL_TO", "values": ["a"] } ], "onlyIf": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } },
                { "eventType": "bought", "onlyIf": { "anyOf": [ { "allOf": [ { "property": "name", "operator": "IS_KNOWN" } ] } ] } } ] } },
              "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
            """);
        var told = await ExplainAsync("ada", workflow: "e");
        Assert.Equal((Code.RefinementNotMet, false, 2, "start.event.anyOf[0].onlyIf.anyOf[0].allOf[0]"), (told.Decision, told.Criteria.Holds, told.Criteria.Groups.Count, told.Criteria.FirstFailing));
        Assert.Equal("clicked where url IS_EQUAL_TO a, if its \"only if\" holds, of a record that existed before", told.EventTriggers[0]);
        _actors.Set("ada", "name", "Ada");
        told = await ExplainAsync("ada", workflow: "e");
        Assert.Equal((Code.Enrolled, true, ""), (told.Decision, told.Criteria.Holds, told.Criteria.FirstFailing));
    }

    [Fact]
    public async Task HIS_07_Former_values_and_occurrences_that_moved_out_of_the_head_are_read()
    {
        _actors.Publish("""
            { "id": "h", "objectType": "contact",
              "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "HAS_EVER_BEEN_EQUAL_TO", "values": ["first"] }, { "property": "name", "operator": "IS_KNOWN" } ] } ] } } },
              "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
            """);
        _actors.Set("ada", "stage", "first");
        for (var i = 0; i < 60; i++)
        {
            _actors.Set("ada", "stage", $"s{i}");
        }

        var told = await ExplainAsync("ada", workflow: "h");
        Assert.Equal([true, false], told.Criteria.Groups[0].Filters.Select(f => f.Accepts));
        Assert.Equal(["set name"], told.SmallestChange);
    }

    [Fact]
    public async Task HIS_01_The_history_of_a_record_has_all_decisions_and_ends_newest_first()
    {
        _actors.Set("ada", "stage", "lead");
        Enroll("ada", "me");
        Unenroll("ada", "you");
        AddToQuiet("ada");
        Enroll("ada", "me");
        var history = await HistoryAsync(new GetEnrollmentHistoryRequest { Ref = Ask("ada").Ref });
        Assert.Equal(
            ["Suppressed manual 0 quiet", "ended Manual 1 you", "AlreadyActive manual 0 me", "Enrolled filter 1 "],
            history.Entries.Select(Line));
        Assert.Equal(("contact", "ada", "w", 1), (history.Entries[0].Ref.ObjectType, history.Entries[0].Ref.RecordId, history.Entries[0].WorkflowId, history.Entries[0].Version));
        Assert.True(history.Entries[0].Position > history.Entries[1].Position);
        Assert.Empty(history.NextPageToken);
    }

    [Fact]
    public async Task HIS_01_Pages_of_a_record_and_of_a_workflow_give_each_entry_once()
    {
        _actors.Publish("""{ "id": "other", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }""");
        foreach (var record in new[] { "ada", "bob", "cyd" })
        {
            _actors.Set(record, "stage", "lead");
            Enroll(record, "me", "other");
            _actors.Set(record, "other", "x");
            Unenroll(record, "me");
        }

        var ofRecord = await AllAsync(new GetEnrollmentHistoryRequest { Ref = Ask("bob").Ref, PageSize = 1 });
        Assert.Equal(["bob w ended", "bob other Enrolled", "bob w Enrolled"], ofRecord);
        var ofWorkflow = await AllAsync(new GetEnrollmentHistoryRequest { WorkflowId = "w", PageSize = 2 });
        Assert.Equal(["cyd w ended", "cyd w Enrolled", "bob w ended", "bob w Enrolled", "ada w ended", "ada w Enrolled"], ofWorkflow);
        var ofBoth = await AllAsync(new GetEnrollmentHistoryRequest { Ref = Ask("bob").Ref, WorkflowId = "other", PageSize = 3 });
        Assert.Equal(["bob other Enrolled"], ofBoth);

        async Task<List<string>> AllAsync(GetEnrollmentHistoryRequest request)
        {
            var entries = new List<string>();
            do
            {
                var page = await HistoryAsync(request);
                entries.AddRange(page.Entries.Select(e => $"{e.Ref.RecordId} {e.WorkflowId} {(e.Decision == Code.Unspecified ? "ended" : e.Decision)}"));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            return entries;
        }
    }

    [Fact]
    public async Task HIS_01_A_history_names_a_record_or_a_workflow_that_exists()
    {
        Assert.Equal("ref", (await HistoryFailsAsync(new GetEnrollmentHistoryRequest())).Refusal!.Path);
        Assert.Equal(RosterError.NotFound, (await HistoryFailsAsync(new GetEnrollmentHistoryRequest { WorkflowId = "none" })).Error);
        Assert.Equal(RosterError.NotFound, (await HistoryFailsAsync(new GetEnrollmentHistoryRequest { Ref = Ask("nobody").Ref })).Error);
        Assert.Equal("page_token", (await HistoryFailsAsync(new GetEnrollmentHistoryRequest { WorkflowId = "w", PageToken = "x" })).Refusal!.Path);

        async Task<RosterException> HistoryFailsAsync(GetEnrollmentHistoryRequest request) => await Assert.ThrowsAsync<RosterException>(() => HistoryAsync(request));
    }

    private static string Line(EnrollmentHistoryEntry entry) => entry.Decision == Code.Unspecified
        ? $"ended {entry.EndReason} {entry.EnrollmentNumber} {entry.Detail}"
        : $"{entry.Decision} {entry.Trigger} {entry.EnrollmentNumber} {entry.Detail}";

    private static ExplainRequest Ask(string record, int version = 0, string workflow = "w") =>
        new() { Ref = new RecordRef { ObjectType = "contact", RecordId = record }, WorkflowId = workflow, Version = version };

    private void Save(string json) => _actors.Owner.Save(new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(json), Force = true });

    private int Number(string workflow) => _actors.Owner.FindWorkflowNumber(workflow);

    private int _requests;

    private void Enroll(string record, string caller, string workflow = "w") => _actors.Run(record, new CommandInput(CommandKind.Enroll, Number(workflow), $"r{++_requests}", caller));

    private void Unenroll(string record, string caller) => _actors.Run(record, new CommandInput(CommandKind.Unenroll, Number("w"), $"r{++_requests}", caller));

    private void AddToQuiet(string record) => _actors.Run(record, new CommandInput(CommandKind.AddToList, 1, $"r{++_requests}", "me"));

    private async Task<RecordState?> LoadAsync(RecordRef? reference)
    {
        if (reference is null || _actors.Owner.Schema.FindObjectType(reference.ObjectType) is not { } type)
        {
            return null;
        }

        var loaded = new List<LoadedRecord>();
        await _store.LoadAsync([new RecordKey(_actors.Owner.Number, type.Number, reference.RecordId)], loaded, Cancel);
        if (!loaded[0].Found)
        {
            return null;
        }

        var state = new RecordState();
        state.Load(loaded[0].Head.Span);
        return state;
    }

    private Task<Explanation> ExplainAsync(string record, int version = 0, string workflow = "w") => ExplainAsync(Ask(record, version, workflow));

    private async Task<Explanation> ExplainAsync(ExplainRequest request) =>
        await new Explainer(_store, _actors.Owner, _actors.Clock).ExplainAsync(request, await LoadAsync(request.Ref), Cancel);

    private async Task<RosterException> FailsAsync(ExplainRequest request) => await Assert.ThrowsAsync<RosterException>(() => ExplainAsync(request));

    private async Task<GetEnrollmentHistoryResponse> HistoryAsync(GetEnrollmentHistoryRequest request) =>
        await new HistoryReader(_store, _actors.Owner).ReadAsync(request, await LoadAsync(request.Ref), Cancel);
}
