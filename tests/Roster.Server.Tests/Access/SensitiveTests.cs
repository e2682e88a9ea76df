using Grpc.Core;
using Roster.Client;
using Roster.Engine.Access;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Tests.Access;

/// <summary>Sensitive properties (PRV-01), over a real engine.</summary>
public sealed class SensitiveTests : IAsyncLifetime
{
    private const string Secret = "84000";
    private static readonly RecordRef Ada = new() { ObjectType = "contact", RecordId = "ada" };
    private static readonly string RootKey = ApiKey.New(ApiKey.NewId());

    private readonly List<RosterClient> _clients = [];
    private RosterServer _server = null!;
    private RosterClient _root = null!;
    private RosterClient _plain = null!;
    private int _names;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RosterServer.StartAsync(
            new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0, Auth = AuthKind.Required, AdminKeySha256 = Convert.ToHexString(ApiKey.Hash(RootKey)) },
            cancellationToken: Cancel);
        _root = ClientOf(RootKey);
        await _root.Tenants.DeclarePropertiesAsync(
            new DeclarePropertiesRequest
            {
                ObjectType = "contact",
                Properties =
                {
                    new PropertyDefinition { Name = "salary", Type = PropertyType.Types.Kind.Number, Sensitive = true },
                    new PropertyDefinition { Name = "city", Type = PropertyType.Types.Kind.String },
                },
            },
            cancellationToken: Cancel);
        var item = new Event { EventId = "e1", ObjectType = "contact", RecordId = "ada" };
        item.Writes.Add(new PropertyValue { Name = "salary", Value = new Value { Number = Secret } });
        item.Writes.Add(new PropertyValue { Name = "city", Value = new Value { Text = "Turin" } });
        Assert.Equal(EventResult.Types.Code.Applied, (await _root.Ingest.IngestAsync(new IngestRequest { Events = { item } }, cancellationToken: Cancel)).Results[0].Code);
        _plain = await NewClientAsync(Right.View, Right.Edit, Right.Publish, Right.Admin);
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task PRV_01_Values_are_masked_in_records_timelines_and_journals()
    {
        var record = await _plain.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, cancellationToken: Cancel);
        Assert.True(record.Properties.Single(p => p.Name == "salary") is { Masked: true, Value: null });
        Assert.Equal("Turin", record.Properties.Single(p => p.Name == "city").Value.Text);
        var timeline = await _plain.Records.GetTimelineAsync(new GetTimelineRequest { Ref = Ada }, cancellationToken: Cancel);
        Assert.DoesNotContain(Secret, timeline.ToString(), StringComparison.Ordinal);
        Assert.Contains(timeline.Entries, entry => entry is { Name: "salary", Masked: true, Value: null });
        Assert.Contains("Turin", timeline.ToString(), StringComparison.Ordinal);
        using var journal = _plain.Journal.ReadJournal(new ReadJournalRequest(), cancellationToken: Cancel);
        while (await journal.ResponseStream.MoveNext(Cancel))
        {
            Assert.DoesNotContain(Secret, journal.ResponseStream.Current.ToString(), StringComparison.Ordinal);
        }

        Assert.Contains(Secret, (await _root.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, cancellationToken: Cancel)).ToString(), StringComparison.Ordinal);
        using var seeing = await NewClientAsync(Right.View, Right.Sensitive);
        Assert.Contains(Secret, (await seeing.Records.GetTimelineAsync(new GetTimelineRequest { Ref = Ada }, cancellationToken: Cancel)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PRV_01_A_definition_with_a_sensitive_property_is_put_in_force_only_with_the_right()
    {
        await _plain.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = OnSalary("w") }, cancellationToken: Cancel);
        await RefusedAsync(async () => await _plain.Workflows.PublishWorkflowAsync(new PublishWorkflowRequest { WorkflowId = "w" }, cancellationToken: Cancel));
        await RefusedAsync(async () => await _plain.Workflows.SetWorkflowStateAsync(
            new SetWorkflowStateRequest { WorkflowId = "w", State = Workflow.Types.State.On }, cancellationToken: Cancel));
        await RefusedAsync(async () => await _plain.Workflows.TestWorkflowAsync(new TestWorkflowRequest { WorkflowId = "w", Ref = Ada }, cancellationToken: Cancel));
        await RefusedAsync(async () => await _plain.Workflows.PreviewEnrollmentAsync(
            new PreviewEnrollmentRequest { ObjectType = "contact", Criteria = OnSalary("w").Start.Filter.Criteria }, cancellationToken: Cancel));
        await RefusedAsync(async () => await _plain.Lists.SaveListAsync(
            new SaveListRequest { List = new List { Id = "rich", ObjectType = "contact", Criteria = OnSalary("w").Start.Filter.Criteria } }, cancellationToken: Cancel));
        using var allowed = await NewClientAsync(Right.View, Right.Edit, Right.Publish, Right.Sensitive);
        Assert.Equal(1, (await allowed.Workflows.PublishWorkflowAsync(new PublishWorkflowRequest { WorkflowId = "w" }, cancellationToken: Cancel)).Workflow.Version);
        var other = OnSalary("other");
        other.Start.Filter.Criteria.AnyOf[0].AllOf[0].Property = "city";
        other.Start.Filter.Criteria.AnyOf[0].AllOf[0].Operator = Filter.Types.Operator.IsKnown;
        other.Start.Filter.Criteria.AnyOf[0].AllOf[0].Values.Clear();
        await _plain.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = other }, cancellationToken: Cancel);
        await _plain.Workflows.PublishWorkflowAsync(new PublishWorkflowRequest { WorkflowId = "other" }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task PRV_01_HIS_05_A_walk_of_a_contact_through_a_sequence_with_a_sensitive_property_needs_the_right()
    {
        var sequence = new Sequence { Id = "s", Owner = "olga", Steps = { new SequenceStep { Id = "one", Email = new SequenceEmail { Variants = { new EmailVariant { Subject = "{{salary}}" } } } } } };
        await RefusedAsync(async () => await _plain.Sequences.TestSequenceAsync(new TestSequenceRequest { Sequence = sequence, Ref = Ada }, cancellationToken: Cancel));
        await _root.Sequences.SaveSequenceAsync(new SaveSequenceRequest { Sequence = sequence }, cancellationToken: Cancel);
        await RefusedAsync(async () => await _plain.Sequences.TestSequenceAsync(new TestSequenceRequest { SequenceId = "s", Ref = Ada }, cancellationToken: Cancel));
        var walk = await _root.Sequences.TestSequenceAsync(new TestSequenceRequest { SequenceId = "s", Ref = Ada }, cancellationToken: Cancel);
        Assert.Equal(Decision.Types.Code.SenderNotConnected, walk.Decision);
    }

    [Fact]
    public async Task PRV_01_An_explanation_does_not_tell_what_a_filter_found()
    {
        await _root.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = OnSalary("w") }, cancellationToken: Cancel);
        await _root.Workflows.PublishWorkflowAsync(new PublishWorkflowRequest { WorkflowId = "w" }, cancellationToken: Cancel);
        var request = new ExplainRequest { Ref = Ada, WorkflowId = "w" };
        Assert.Contains(Secret, (await _root.Enrollments.ExplainAsync(request, cancellationToken: Cancel)).ToString(), StringComparison.Ordinal);
        var explanation = await _plain.Enrollments.ExplainAsync(request, cancellationToken: Cancel);
        Assert.DoesNotContain(Secret, explanation.ToString(), StringComparison.Ordinal);
        Assert.Equal("(masked)", explanation.Criteria.Groups[0].Filters[0].Actual);
    }

    [Fact]
    public async Task PRV_01_A_dead_letter_shows_neither_sensitive_properties_nor_texts_made_of_them()
    {
        await FailAsync("secret", """[ { "name": "note", "text": "earns {{salary}}" } ]""", """[ "salary", "city" ]""");
        await FailAsync("open", """[ { "name": "note", "text": "lives in {{city}}" } ]""", """[ "city" ]""");
        using var operating = await NewClientAsync(Right.View, Right.Operate);
        foreach (var letter in (await operating.Work.ListDeadLettersAsync(new ListDeadLettersRequest(), cancellationToken: Cancel)).DeadLetters)
        {
            var request = new GetDeadLetterRequest { Key = letter.Key };
            var seen = await operating.Work.GetDeadLetterAsync(request, cancellationToken: Cancel);
            Assert.DoesNotContain(Secret, seen.ToString(), StringComparison.Ordinal);
            Assert.All(seen.Task.Properties, p => Assert.Equal(p.Name == "salary", p.Masked));
            Assert.Equal("Turin", seen.Task.Properties.Single(p => p.Name == "city").Value.Text);
            Assert.Equal(letter.WorkflowId == "open" ? "lives in Turin" : null, seen.Task.Fields.Single(p => p.Name == "note").Value?.Text);
            Assert.Equal(letter.WorkflowId == "secret", (await _root.Work.GetDeadLetterAsync(request, cancellationToken: Cancel)).ToString().Contains(Secret, StringComparison.Ordinal));
        }

        // A version that is not there any more cannot say what its texts are made of.
        await _root.Workflows.DeleteWorkflowAsync(new DeleteWorkflowRequest { WorkflowId = "open" }, cancellationToken: Cancel);
        var left = (await operating.Work.ListDeadLettersAsync(new ListDeadLettersRequest(), cancellationToken: Cancel)).DeadLetters.Where(letter => letter.WorkflowId == "open");
        foreach (var letter in left)
        {
            Assert.True((await operating.Work.GetDeadLetterAsync(new GetDeadLetterRequest { Key = letter.Key }, cancellationToken: Cancel)).Task.Fields.All(field => field.Masked));
        }
    }

    [Fact]
    public async Task PRV_01_The_mark_stays_over_other_declarations_and_is_taken_away_only_with_the_right()
    {
        var again = new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "salary", Type = PropertyType.Types.Kind.Number } } };
        var declared = await _plain.Tenants.DeclarePropertiesAsync(again, cancellationToken: Cancel);
        Assert.True(declared.Properties.Single(p => p.Name == "salary").Sensitive);
        again.Properties[0].Sensitive = false;
        await RefusedAsync(async () => await _plain.Tenants.DeclarePropertiesAsync(again, cancellationToken: Cancel));
        declared = await _root.Tenants.DeclarePropertiesAsync(again, cancellationToken: Cancel);
        Assert.False(declared.Properties.Single(p => p.Name == "salary").HasSensitive);
        Assert.Contains(Secret, (await _plain.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, cancellationToken: Cancel)).ToString(), StringComparison.Ordinal);
    }

    /// <summary>A task of a workflow of this id that its worker gives up.</summary>
    private async Task FailAsync(string workflow, string fields, string properties)
    {
        var definition = Workflow.Parser.ParseJson($$"""
            { "id": "{{workflow}}", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "{{workflow}}" } ] } },
              "steps": [ { "id": "task", "worker": { "queue": "{{workflow}}", "fields": {{fields}}, "properties": {{properties}} } } ] }
            """);
        await _root.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = definition }, cancellationToken: Cancel);
        await _root.Workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = workflow, State = Workflow.Types.State.On }, cancellationToken: Cancel);
        var item = new Event { EventId = workflow, ObjectType = "contact", RecordId = "ada", Type = workflow };
        Assert.Equal(EventResult.Types.Code.Applied, (await _root.Ingest.IngestAsync(new IngestRequest { Events = { item } }, cancellationToken: Cancel)).Results[0].Code);
        var tasks = new List<WorkTask>();
        while (tasks.Count == 0)
        {
            // It is offered right after the commit that the caller was answered for.
            tasks.AddRange((await _root.Work.LeaseTasksAsync(new LeaseTasksRequest { Queue = workflow, TasksMax = 1 }, cancellationToken: Cancel)).Tasks);
        }

        var failed = new TaskCompletion { Key = tasks[0].Key, Outcome = TaskCompletion.Types.Outcome.Failed, Error = "no such thing" };
        Assert.True((await _root.Work.CompleteTaskAsync(new CompleteTaskRequest { Completion = failed }, cancellationToken: Cancel)).Applied);
    }

    private static Workflow OnSalary(string id) => Workflow.Parser.ParseJson($$"""
        { "id": "{{id}}", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "salary", "operator": "IS_GREATER_THAN", "values": ["100000"] } ] } ] } } },
          "steps": [ { "id": "set", "setProperty": { "property": "city", "value": "Rome" } } ] }
        """);

    private static async Task RefusedAsync(Func<Task> call)
    {
        var details = RosterErrors.Read(await Assert.ThrowsAsync<RpcException>(call));
        Assert.Equal((StatusCode.PermissionDenied, "SENSITIVE"), (details.Code, details.Value));
    }

    private async Task<RosterClient> NewClientAsync(params Right[] rights)
    {
        var made = await _root.Access.CreateCredentialAsync(
            new CreateCredentialRequest { Credential = new Credential { Name = $"c{++_names}", Rights = { rights } } }, cancellationToken: Cancel);
        return ClientOf(made.Key);
    }

    private RosterClient ClientOf(string key)
    {
        var client = new RosterClient(new RosterClientOptions { Address = _server.GrpcAddress, ApiKey = key });
        _clients.Add(client);
        return client;
    }
}
