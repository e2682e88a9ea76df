using Grpc.Core;
using Grpc.Net.Client;
using Roster.V1;

namespace Roster.LoadTests;

/// <summary>Sets the tenant up, loads the contacts, drives streams and a worker, and measures.</summary>
internal sealed class Workload(LoadOptions options, Uri address) : IDisposable
{
    private const string Queue = "load";
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress(address);
    private readonly string _run = Guid.CreateVersion7().ToString("N")[^12..];
    private readonly EventGenerator[] _generators = new EventGenerator[options.Streams];
    private long _acked;
    private long _refused;
    private long _completed;
    private volatile bool _isMeasuring;

    public LatencyHistogram Latencies { get; private set; } = new();

    public long Acked => Volatile.Read(ref _acked);

    public long Refused => Volatile.Read(ref _refused);

    public long Completed => Volatile.Read(ref _completed);

    public void Dispose() => _channel.Dispose();

    public async Task<V1.Status> StatusAsync() => await new AdminService.AdminServiceClient(_channel).GetStatusAsync(new GetStatusRequest());

    public async Task SetUpAsync()
    {
        var tenants = new TenantService.TenantServiceClient(_channel);
        var declare = new DeclarePropertiesRequest { ObjectType = "contact" };
        declare.Properties.AddRange(Enumerable.Range(0, EventGenerator.Properties).Select(i => "p" + i)
            .Concat(Enumerable.Range(0, options.Workflows).SelectMany(i => new[] { EventGenerator.Trigger(i), $"status_{i}" }))
            .Select(name => new PropertyDefinition { Name = name, Type = PropertyType.Types.Kind.String }));
        await tenants.DeclarePropertiesAsync(declare);
        var workflows = new WorkflowService.WorkflowServiceClient(_channel);
        for (var i = 0; i < options.Workflows; i++)
        {
            await workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = NewWorkflow(i), Force = true });
            await workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = $"load-{i}", State = Workflow.Types.State.On });
        }
    }

    /// <summary>Loads the contacts with their properties, firing nothing.</summary>
    public async Task LoadContactsAsync(Action<long> progress)
    {
        var done = 0L;
        await Task.WhenAll(Enumerable.Range(0, options.Streams).Select(stream => RunStreamAsync(
            new StreamDriver(_channel, options.Window), Contacts(stream), count => progress(Interlocked.Add(ref done, count)))));
    }

    /// <summary>Closed loop: each stream keeps its window full until told to stop.</summary>
    public Task DriveAsync(CancellationToken stop, double? eventsPerSecond = null) =>
        Task.WhenAll(Enumerable.Range(0, options.Streams).Select(stream => DriveStreamAsync(stream, eventsPerSecond / options.Streams, stop)));

    /// <summary>From here on counts and latencies are new.</summary>
    public void BeginMeasuring()
    {
        Latencies = new LatencyHistogram();
        Volatile.Write(ref _acked, 0);
        Volatile.Write(ref _completed, 0);
        _isMeasuring = true;
    }

    /// <summary>A worker that completes every task at once. The credit of its hello is renewed by each completion.</summary>
    public async Task WorkAsync(CancellationToken stop)
    {
        using var call = new WorkService.WorkServiceClient(_channel).Work(cancellationToken: stop);
        await call.RequestStream.WriteAsync(new WorkRequest { Hello = new WorkHello { Queue = Queue, Worker = "load", Credit = 5_000 } }, CancellationToken.None);
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync(CancellationToken.None))
            {
                Interlocked.Add(ref _completed, response.Completed.Count);
                foreach (var task in response.Tasks)
                {
                    await call.RequestStream.WriteAsync(new WorkRequest
                    {
                        Completion = new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed },
                    }, CancellationToken.None);
                }
            }
        }
        catch (Exception failure) when (stop.IsCancellationRequested && failure is RpcException or OperationCanceledException)
        {
            // Told to stop.
        }
    }

    private async Task DriveStreamAsync(int stream, double? eventsPerSecond, CancellationToken stop)
    {
        // Kept from one measurement to the next: event ids and enrolled records go on.
        var generator = _generators[stream] ??= new EventGenerator(options, stream, _run);
        await RunStreamAsync(new StreamDriver(_channel, options.Window) { EventsPerSecond = eventsPerSecond }, Endless(generator, stop), count =>
        {
            if (_isMeasuring)
            {
                Interlocked.Add(ref _acked, count);
            }
        });
    }

    private async Task RunStreamAsync(StreamDriver driver, IEnumerable<Batch> batches, Action<long> onAcked)
    {
        await driver.RunAsync(batches, (ack, latency) =>
        {
            Latencies.Add(latency);
            onAcked(ack.Events);
            Interlocked.Add(ref _refused, ack.Results.Count(r => r.Result.Code == EventResult.Types.Code.Refused));
        });
    }

    private IEnumerable<Batch> Endless(EventGenerator generator, CancellationToken stop)
    {
        var batch = generator.NewBatch();
        while (!stop.IsCancellationRequested)
        {
            generator.Fill(batch);
            yield return batch;
        }
    }

    private IEnumerable<Batch> Contacts(int stream)
    {
        for (var start = stream; start < options.Records; start += options.Streams * options.BatchEvents)
        {
            var batch = new Batch();
            for (var number = start; number < options.Records && batch.Events.Count < options.BatchEvents; number += options.Streams)
            {
                var e = new Event { EventId = "seed", ObjectType = "contact", RecordId = EventGenerator.ContactId(number), Baseline = true };
                e.Writes.AddRange(Enumerable.Range(0, EventGenerator.Properties).Select(i =>
                    new PropertyValue { Name = "p" + i, Value = new Value { Text = $"value {number % 1000} of p{i}" } }));
                batch.Events.Add(e);
            }

            yield return batch;
        }
    }

    /// <summary>One property set, one worker action, one delay of seven days.</summary>
    private static Workflow NewWorkflow(int i)
    {
        var criteria = new Criteria { AnyOf = { new FilterGroup { AllOf = { new Filter { Property = EventGenerator.Trigger(i), Operator = Filter.Types.Operator.IsEqualTo, Values = { "go" } } } } } };
        return new Workflow
        {
            Id = $"load-{i}",
            ObjectType = "contact",
            Start = new Start { Filter = new FilterStart { Criteria = criteria } },
            Steps =
            {
                new Step { Id = "mark", Next = "task", SetProperty = new SetProperty { Property = $"status_{i}", Value = "enrolled" } },
                new Step { Id = "task", Next = "wait", Worker = new WorkerAction { Queue = Queue, Fields = { new Field { Name = "template", Text = "welcome" } } } },
                new Step { Id = "wait", Delay = new Delay { Amount = 7, Unit = Delay.Types.Unit.Days } },
            },
        };
    }
}
