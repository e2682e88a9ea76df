using Google.Protobuf;
using Roster.Core;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Catalog;
using Roster.Engine.Commits;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.V1;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Engine.Tests.Reading;

/// <summary>The engine without threads: a tenant, its records, a store; each input is one commit.</summary>
internal sealed class Actors
{
    private readonly TurnRunner _runner;
    private readonly RecordState _state = new();
    private readonly Dictionary<string, (long Number, byte[] Head)> _heads = [];
    private int _ids;

    public Actors(IRecordStore store, ManualClock clock)
    {
        Store = store;
        Clock = clock;
        Tenants = new TenantDirectory([], Commit, clock);
        Owner = Tenants.Get("acme");
        Owner.UpdateSettings(new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare });
        _runner = new TurnRunner(77, store.NeedsHeads);
    }

    public IRecordStore Store { get; }

    public ManualClock Clock { get; }

    public TenantDirectory Tenants { get; }

    public TenantOwner Owner { get; }

    public void Publish(string json)
    {
        var workflow = JsonParser.Default.Parse<Workflow>(json);
        Owner.Save(new SaveWorkflowRequest { Workflow = workflow, Force = true });
        Owner.Publish(new PublishWorkflowRequest { WorkflowId = workflow.Id }, _ => []);
        Owner.SetState(new SetWorkflowStateRequest { WorkflowId = workflow.Id, State = Workflow.Types.State.On }, _ => []);
    }

    public TurnResult Set(string record, string name, string value)
    {
        var sent = new Event { EventId = $"e{++_ids}", ObjectType = "contact", RecordId = record };
        sent.Writes.Add(new PropertyValue { Name = name, Value = new Value { Text = value } });
        var refusal = EventReader.TryRead(sent, Owner, out var admitted);
        Assert.Null(refusal);
        return Run(record, admitted.Input);
    }

    public TurnResult Run(string record, TurnInput input)
    {
        var known = _heads.GetValueOrDefault(record, ((_heads.Count + 1) * 256L, []));
        if (known.Head.Length == 0)
        {
            _state.Reset(new RecordKey(Owner.Number, 1, record), known.Item1);
        }
        else
        {
            _state.Load(known.Head);
        }

        var open = new OpenBatch();
        var result = _runner.Run(_state, input, Owner.Catalog, new Timestamp(Clock.GetUtcNow().ToUnixTimeMilliseconds()), open);
        if (!open.Turns.IsEmpty)
        {
            Assert.True(Store.CommitAsync(open.Turns, CancellationToken.None).AsTask().IsCompletedSuccessfully);
        }

        if (result.Status == TurnStatus.Applied)
        {
            _heads[record] = (known.Item1, _runner.Head.Written.ToArray());
        }

        return result;
    }

    private void Commit(IReadOnlyList<StoredDocument> documents)
    {
        var batch = new TurnBatch();
        batch.Documents.AddRange(documents);
        Assert.True(Store.CommitAsync(batch, CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }
}
