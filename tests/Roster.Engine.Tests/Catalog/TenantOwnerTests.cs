using Google.Protobuf;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Engine.Tests.Catalog;

public sealed class TenantOwnerTests
{
    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Dictionary<(int, string, string), StoredDocument> _documents = [];
    private readonly TenantOwner _owner;
    private bool _isFull;

    public TenantOwnerTests() => _owner = Open();

    [Fact]
    public void EDT_02_A_save_or_publish_must_name_the_present_revision()
    {
        var saved = Save(Chain("a"), 0);
        Assert.Equal(1, saved.Revision);
        Assert.Equal(RosterError.RevisionConflict, Fails(() => Save(Chain("a"), 0)).Error);
        Assert.Equal(RosterError.RevisionConflict, Fails(() => _owner.Publish(new PublishWorkflowRequest { WorkflowId = "w", Revision = 7 }, _ => [])).Error);
        Assert.Equal(2, Save(Chain("b"), 1).Revision);
        Assert.Equal("b", Assert.Single(_owner.Get("w", 0).Steps).Id);
    }

    [Fact]
    public void EDT_01_A_draft_can_only_be_switched_on_and_turning_on_publishes_what_was_never_published()
    {
        Save(Chain("a"), 0);
        Assert.Equal(RosterError.FailedPrecondition, Fails(() => Switch(Workflow.Types.State.Off)).Error);
        Assert.Equal((Workflow.Types.State.On, 1), (Switch(Workflow.Types.State.On).State, _owner.Get("w", 0).Version));
        Assert.Equal(Workflow.Types.State.Off, Switch(Workflow.Types.State.Off).State);
    }

    [Fact]
    public void EDT_03_A_publish_with_an_error_changes_nothing_and_tells_the_problems()
    {
        Save(Chain("a"), 0);
        Switch(Workflow.Types.State.On);
        var broken = Chain("a");
        broken.Steps[0].Next = "gone";
        Save(broken, 2);
        var failure = Fails(() => _owner.Publish(new PublishWorkflowRequest { WorkflowId = "w" }, _ => []));
        Assert.Equal((RosterError.FailedPrecondition, "steps[0].next"), (failure.Error, failure.Problems[0].Path));
        Assert.Equal(1, _owner.Get("w", 0).Version);
        Assert.Equal(1, _owner.Catalog.Workflows.Single().Version);
    }

    [Fact]
    public void A_step_id_keeps_its_number_in_every_version_and_after_a_restart()
    {
        Save(Chain("a", "b", "c"), 0);
        Switch(Workflow.Types.State.On);
        var before = Numbers(_owner);
        Save(Chain("x", "c", "a"), 2);
        _owner.Publish(new PublishWorkflowRequest { WorkflowId = "w" }, _ => []);
        var after = Numbers(_owner);
        Assert.Equal((before["a"], before["c"]), (after["a"], after["c"]));
        Assert.DoesNotContain(after["x"], before.Values);
        Assert.Equal(after, Numbers(Open()));
        Assert.Equal("b", Open().StepId(1, before["b"]));
    }

    [Fact]
    public void EDT_09_Occupants_of_a_removed_step_go_to_its_surviving_successor()
    {
        Save(Chain("a", "b", "c", "d"), 0);
        Switch(Workflow.Types.State.On);
        var numbers = Numbers(_owner);
        Publish(Chain("a", "d"));
        var moved = _owner.Catalog.Workflows.Single().Moved;
        Assert.Equal((numbers["d"], numbers["d"]), (moved[numbers["b"]], moved[numbers["c"]]));
        Publish(Chain("a"));
        moved = _owner.Catalog.Workflows.Single().Moved;
        Assert.Equal((0, 0, 0), (moved[numbers["b"]], moved[numbers["c"]], moved[numbers["d"]]));
        Publish(Chain("a", "c"));
        Assert.Equal(numbers["c"], _owner.Catalog.Workflows.Single().Moved[numbers["b"]]);
    }

    [Fact]
    public void EDT_09_A_removed_branch_sends_its_occupants_to_the_default_else_the_first_branch()
    {
        foreach (var (defaultNext, expected) in new[] { ("d", "d"), ("", "f") })
        {
            var id = $"w{expected}";
            var first = Chain("s", "f", "d");
            first.Id = id;
            first.Steps[0].Next = "b";
            var all = new Criteria { AnyOf = { new FilterGroup() } };
            first.Steps.Add(new Step { Id = "b", Branch = new Branch { DefaultNext = defaultNext, Branches = { new IfBranch { Name = "one", Next = "f", Criteria = all } } } });
            _owner.Save(new SaveWorkflowRequest { Workflow = first });
            _owner.SetState(new SetWorkflowStateRequest { WorkflowId = id, State = Workflow.Types.State.On }, _ => []);
            var numbers = Numbers(_owner, id);
            first.Steps.RemoveAt(3);
            first.Steps[0].Next = "f";
            _owner.Save(new SaveWorkflowRequest { Workflow = first, Force = true });
            _owner.Publish(new PublishWorkflowRequest { WorkflowId = id }, _ => []);
            Assert.Equal(numbers[expected], _owner.Catalog.Workflows.Single(w => w.Identity.Id == id).Moved[numbers["b"]]);
        }
    }

    [Fact]
    public void A_change_that_is_not_durable_is_seen_by_nobody()
    {
        Save(Chain("a"), 0);
        var version = _owner.Catalog.Version;
        _isFull = true;
        Assert.Throws<StoreFullException>(() => Save(Chain("b"), 1));
        Assert.Throws<StoreFullException>(() => Switch(Workflow.Types.State.On));
        Assert.Throws<StoreFullException>(() => _owner.DeclareObjectType("spaceship"));
        _isFull = false;
        Assert.Equal((version, "a", 1L), (_owner.Catalog.Version, _owner.Get("w", 0).Steps[0].Id, _owner.Get("w", 0).Revision));
        Assert.Null(_owner.Catalog.Schema.FindObjectType("spaceship"));
        Assert.Equal(2, Save(Chain("b"), 1).Revision);
    }

    [Fact]
    public void REC_18_A_type_cannot_change_and_options_only_grow()
    {
        Declare("tags", PropertyType.Types.Kind.Enumeration, "a");
        Declare("tags", PropertyType.Types.Kind.Enumeration, "b");
        Assert.Equal(["a", "b"], _owner.Catalog.Schema.FindObjectType("contact")!.Find("tags")!.Options);
        Assert.Equal("properties[0].type", Fails(() => Declare("tags", PropertyType.Types.Kind.String)).Refusal!.Path);
    }

    [Fact]
    public void TRG_01_The_object_type_of_a_workflow_never_changes()
    {
        Save(Chain("a"), 0);
        var other = Chain("a");
        other.ObjectType = "deal";
        Assert.Equal("workflow.object_type", Fails(() => Save(other, 1)).Refusal!.Path);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(100_001)]
    public void LIM_01_A_setting_out_of_its_range_is_refused_and_changes_nothing(int ids)
    {
        Assert.Contains("dedupe_ids", Fails(() => _owner.UpdateSettings(new TenantSettings { DedupeIds = ids })).Message, StringComparison.Ordinal);
        Assert.Equal(1_000, _owner.Catalog.Schema.Settings.DedupeIds);
    }

    [Fact]
    public void DLY_06_A_business_day_that_is_no_day_is_refused_by_its_value()
    {
        var failure = Fails(() => _owner.UpdateSettings(new TenantSettings { BusinessDays = { Weekday.Sunday, (Weekday)9 } }));
        Assert.Equal(("settings.business_days", "9"), (failure.Refusal!.Path, failure.Refusal.Value));
        Assert.Equal([Weekday.Monday, Weekday.Sunday], _owner.UpdateSettings(new TenantSettings { BusinessDays = { Weekday.Sunday, Weekday.Monday } }).Settings.BusinessDays);
    }

    [Fact]
    public void LST_04_A_list_with_errors_is_refused_with_the_first_of_them_in_the_message()
    {
        var list = new List { Id = "l", ObjectType = "contact", Criteria = new Criteria { AnyOf = { new FilterGroup { AllOf = { new Filter { List = new ListFilter { ListId = "gone" } } } } } } };
        var failure = Fails(() => _owner.SaveList(new SaveListRequest { List = list }, _ => []));
        var first = failure.Problems.First(p => p.Severity == DefinitionProblem.Types.Severity.Error);
        Assert.Equal($"List 'l' cannot be saved: {first.Path}: {first.Message}", failure.Message);
    }

    [Fact]
    public void A_change_of_the_tenants_zone_holds_for_workflows_without_one()
    {
        Save(Chain("a"), 0);
        Switch(Workflow.Types.State.On);
        _owner.UpdateSettings(new TenantSettings { TimeZone = "America/New_York" });
        Assert.Equal("America/New_York", _owner.Catalog.Workflows.Single().Zone.Id);
    }

    private static Workflow Chain(params string[] steps)
    {
        var workflow = new Workflow { Id = "w", ObjectType = "contact", Start = new Start { Manual = new ManualStart() } };
        for (var i = 0; i < steps.Length; i++)
        {
            workflow.Steps.Add(new Step { Id = steps[i], Next = i + 1 < steps.Length ? steps[i + 1] : "", Delay = new Delay { Amount = 1, Unit = Delay.Types.Unit.Days } });
        }

        return workflow;
    }

    private static Dictionary<string, int> Numbers(TenantOwner owner, string id = "w") => owner.Catalog.Workflows.Single(w => w.Identity.Id == id).Steps.ToDictionary(s => s.Id, s => s.Number);

    private static RosterException Fails(Action action) => Assert.Throws<RosterException>(action);

    private TenantOwner Open() => new TenantDirectory([.. _documents.Values], Commit, _clock).Get("acme");

    private void Commit(IReadOnlyList<StoredDocument> documents)
    {
        if (_isFull)
        {
            throw new StoreFullException("full");
        }

        foreach (var document in documents)
        {
            _documents[(document.Tenant, document.Kind, document.Id)] = document;
        }
    }

    private Workflow Save(Workflow workflow, long revision)
    {
        workflow.Revision = revision;
        return _owner.Save(new SaveWorkflowRequest { Workflow = workflow });
    }

    private Workflow Switch(Workflow.Types.State state) => _owner.SetState(new SetWorkflowStateRequest { WorkflowId = "w", State = state }, _ => []);

    private void Publish(Workflow workflow)
    {
        _owner.Save(new SaveWorkflowRequest { Workflow = workflow, Force = true });
        _owner.Publish(new PublishWorkflowRequest { WorkflowId = "w" }, _ => []);
    }

    private void Declare(string name, PropertyType.Types.Kind kind, params string[] options) => _owner.DeclareProperties(
        new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = name, Type = kind, Options = { options } } } });
}
