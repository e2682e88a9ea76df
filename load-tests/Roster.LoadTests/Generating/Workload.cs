using Grpc.Core;
using Grpc.Net.Client;
using Roster.LoadTests.Measuring;
using Roster.LoadTests.Reporting;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>Sets the tenant up, loads the contacts, drives streams and a worker. Streams take turns at the front doors; everything else asks the first.</summary>
internal sealed class Workload(LoadOptions options, EventMix mix, IReadOnlyList<Uri> addresses) : IDisposable
{
    private const string Queue = "load";
    private readonly Dictionary<StatusCode, int> _breaks = [];
    private readonly EventGenerator?[] _generators = new EventGenerator?[options.Streams];
    private GrpcChannel[] _channels = Connect(addresses);

    public GrpcChannel Channel => _channels[0];

    /// <summary>Part of ids that differs from run to run, also on the same data folder.</summary>
    public string Run { get; } = Guid.CreateVersion7().ToString("N")[^12..];

    public Meter Meter { get; } = new();

    public WorkflowService.WorkflowServiceClient Workflows => new(Channel);

    public void Dispose() => Array.ForEach(_channels, channel => channel.Dispose());

    /// <summary>The server is elsewhere now.</summary>
    public void Reconnect(IReadOnlyList<Uri> to)
    {
        Dispose();
        _channels = Connect(to);
    }

    private static GrpcChannel[] Connect(IReadOnlyList<Uri> addresses) => [.. addresses.Select(GrpcChannel.ForAddress)];

    private GrpcChannel ChannelOf(int stream) => _channels[stream % _channels.Length];

    public async Task<V1.Status> StatusAsync() => await new AdminService.AdminServiceClient(Channel).GetStatusAsync(new GetStatusRequest());

    public async Task<WorkflowStats> StatsAsync(string workflow) => await Workflows.GetWorkflowStatsAsync(new GetWorkflowStatsRequest { WorkflowId = workflow });

    /// <summary>Declares what is written, switches off what former runs left, and switches the workflows of this run on.</summary>
    public async Task SetUpAsync()
    {
        var triggers = Enumerable.Range(0, options.Workflows).Select(EventGenerator.Trigger).Distinct().ToList();
        await DeclareAsync(PropertyType.Types.Kind.String, [.. Enumerable.Range(0, EventGenerator.Properties).Select(i => "p" + i), .. triggers, .. triggers.Select(Status)]);
        var settings = new TenantSettings { WorkflowsMax = 10_000, EnrollmentsPerHourMax = 10_000 };
        await new TenantService.TenantServiceClient(Channel).UpdateSettingsAsync(new UpdateSettingsRequest { Settings = settings });
        await SwitchFormerOffAsync();
        await CancelOperationsAsync();
        if (mix is { Enrolling: Enrolling.ByEvent, EnrollPercent: > 0 })
        {
            await SwitchOnAsync(NewEventWorkflow());
        }

        for (var i = 0; i < options.Workflows; i++)
        {
            await SwitchOnAsync(NewFilterWorkflow(i));
        }
    }

    /// <summary>Declares properties of contacts.</summary>
    public async Task DeclareAsync(PropertyType.Types.Kind type, params IEnumerable<string> names)
    {
        var declare = new DeclarePropertiesRequest { ObjectType = "contact" };
        declare.Properties.AddRange(names.Select(name => new PropertyDefinition { Name = name, Type = type }));
        await new TenantService.TenantServiceClient(Channel).DeclarePropertiesAsync(declare);
    }

    /// <summary>Saves a workflow and switches it on.</summary>
    public async Task SwitchOnAsync(Workflow workflow, bool enrollExisting = false)
    {
        await Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = workflow, Force = true });
        await Workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = workflow.Id, State = Workflow.Types.State.On, EnrollExisting = enrollExisting });
    }

    /// <summary>Switches a workflow off, so that it does not weigh on what is measured next.</summary>
    public async Task SwitchOffAsync(string workflow) =>
        await Workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = workflow, State = Workflow.Types.State.Off });

    /// <summary>Whether all contacts are there: the last one of each stream was written last.</summary>
    public async Task<bool> HasContactsAsync()
    {
        var request = new BatchGetRecordsRequest();
        request.Refs.AddRange(Enumerable.Range(1, Math.Min(options.Streams, options.Records))
            .Select(i => new RecordRef { ObjectType = "contact", RecordId = EventGenerator.ContactId(options.Records - i) }));
        var found = await new RecordService.RecordServiceClient(Channel).BatchGetRecordsAsync(request);
        return found.Records.Count(record => record.Properties.Count >= EventGenerator.Properties) == request.Refs.Count;
    }

    /// <summary>Loads the contacts with their properties, firing nothing.</summary>
    public Task LoadContactsAsync(Action<long> progress) => SendAsync(Contacts, progress);

    /// <summary>Sends batches on all streams in a closed loop, outside of any measurement.</summary>
    public async Task SendAsync(Func<int, IEnumerable<EncodedRequest>> batchesOf, Action<long>? progress = null)
    {
        var done = 0L;
        await Task.WhenAll(Enumerable.Range(0, options.Streams).Select(stream => new StreamDriver(ChannelOf(stream), options.Window).RunAsync(batchesOf(stream), (ack, _) =>
        {
            if (ack.Results.FirstOrDefault(r => r.Result.Code == EventResult.Types.Code.Refused) is { } refused)
            {
                throw new RunFailedException($"An event was refused: {refused.Result.Refusal}");
            }

            progress?.Invoke(Interlocked.Add(ref done, ack.Events));
        })));
    }

    /// <summary>Events on all streams until told to stop. A closed loop keeps the window of each stream full; an open one sends at a rate.</summary>
    /// <param name="stop">Ends it; what is on its way is waited for.</param>
    /// <param name="eventsPerSecond">The rate of an open loop; null is a closed loop.</param>
    /// <param name="window">Unacknowledged batches per stream, in place of the one of the options.</param>
    /// <param name="onWritten">Hears how long each write was held.</param>
    public Task DriveAsync(CancellationToken stop, double? eventsPerSecond = null, int? window = null, Action<TimeSpan>? onWritten = null) =>
        Task.WhenAll(Enumerable.Range(0, options.Streams).Select(stream =>
        {
            var driver = new StreamDriver(ChannelOf(stream), window ?? options.Window)
            {
                Schedule = eventsPerSecond is { } rate ? new OpenLoopSchedule(rate, options.Streams, stream, options.BatchEvents) : null,
                OnWritten = onWritten,
            };
            return driver.RunAsync(Endless(Generator(stream), stop), (ack, latency) =>
                Meter.Acked(ack.Events, ack.Results.Count(r => r.Result.Code == EventResult.Types.Code.Refused), latency));
        }));

    /// <summary>The generator of a stream, kept from one phase to the next: event ids and enrolled records go on.</summary>
    public EventGenerator Generator(int stream) => _generators[stream] ??= new EventGenerator(options, mix, stream, Run);

    /// <summary>
    /// A worker that completes every task at once. The credit of its hello is renewed by each completion. Told to stop it takes no more tasks, and
    /// ends when what it has completed is durable. When the server ends its stream it opens another one, as workers do.
    /// </summary>
    public async Task WorkAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await WorkOnceAsync(stop);
            }
            catch (RpcException broken)
            {
                _breaks[broken.Status.StatusCode] = _breaks.GetValueOrDefault(broken.Status.StatusCode) + 1;
                await Task.Delay(100, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Says how often the server ended the stream of the worker.</summary>
    public void NoteBreaks(RunResult result) => result.Notes.AddRange(_breaks.Select(b => $"The server ended the worker's stream {b.Value:N0} times with {b.Key}; the worker opened another one."));

    private async Task WorkOnceAsync(CancellationToken stop)
    {
        using var call = new WorkService.WorkServiceClient(Channel).Work(cancellationToken: CancellationToken.None);
        await call.RequestStream.WriteAsync(new WorkRequest { Hello = new WorkHello { Queue = Queue, Worker = "load", Credit = 5_000 } }, CancellationToken.None);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var turn = new SemaphoreSlim(1);
        var ending = EndAsync(call.RequestStream, turn, over.Token);
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync(CancellationToken.None))
            {
                Meter.Completed(response.Completed.Count);
                await turn.WaitAsync(CancellationToken.None);
                try
                {
                    await CompleteAsync(call.RequestStream, stop.IsCancellationRequested ? [] : response.Tasks);
                }
                finally
                {
                    turn.Release();
                }
            }
        }
        finally
        {
            await over.CancelAsync();
            await ending;
        }
    }

    private static async Task CompleteAsync(IClientStreamWriter<WorkRequest> requests, IEnumerable<WorkTask> tasks)
    {
        try
        {
            foreach (var task in tasks)
            {
                var completion = new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed };
                await requests.WriteAsync(new WorkRequest { Completion = completion }, CancellationToken.None);
            }
        }
        catch (RpcException)
        {
            // The stream is over; the responses end with the reason.
        }
    }

    private static async Task EndAsync(IClientStreamWriter<WorkRequest> requests, SemaphoreSlim turn, CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await turn.WaitAsync(CancellationToken.None);
        try
        {
            await requests.CompleteAsync();
        }
        catch (Exception over) when (over is RpcException or InvalidOperationException)
        {
            // The server ended it first.
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task SwitchFormerOffAsync()
    {
        var request = new ListWorkflowsRequest { PageSize = 1_000 };
        do
        {
            var page = await Workflows.ListWorkflowsAsync(request);
            foreach (var former in page.Workflows.Where(w => w.State == Workflow.Types.State.On && w.Id.StartsWith("load-", StringComparison.Ordinal)))
            {
                await SwitchOffAsync(former.Id);
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    /// <summary>Ends the jobs that switching off began: they look at every record for those that former runs left in a delay.</summary>
    private async Task CancelOperationsAsync()
    {
        var operations = new OperationService.OperationServiceClient(Channel);
        var listed = await operations.ListOperationsAsync(new ListOperationsRequest { PageSize = 1_000 });
        foreach (var operation in listed.Operations.Where(o => o.State == Operation.Types.State.Running))
        {
            await operations.CancelOperationAsync(new CancelOperationRequest { OperationId = operation.Id });
        }
    }

    private static IEnumerable<EncodedRequest> Endless(EventGenerator generator, CancellationToken stop)
    {
        var batch = new EncodedRequest();
        while (!stop.IsCancellationRequested)
        {
            generator.Fill(batch);
            yield return batch;
        }
    }

    /// <summary>What loads a contact.</summary>
    public static Event Contact(int number)
    {
        var e = new Event { EventId = "seed", ObjectType = "contact", RecordId = EventGenerator.ContactId(number), Baseline = true };
        e.Writes.AddRange(Enumerable.Range(0, EventGenerator.Properties).Select(i =>
            new PropertyValue { Name = "p" + i, Value = new Value { Text = $"value {number % 1000} of p{i}" } }));
        return e;
    }

    private IEnumerable<EncodedRequest> Contacts(int stream) => Batches(stream, options.Records, Contact);

    /// <summary>The events of the numbers below a count that fall to a stream, in batches.</summary>
    public IEnumerable<EncodedRequest> Batches(int stream, int count, Func<int, Event> newEvent)
    {
        var batch = new List<Event>();
        for (var number = stream; number < count; number += options.Streams)
        {
            batch.Add(newEvent(number));
            if (batch.Count == options.BatchEvents || number + options.Streams >= count)
            {
                yield return EncodedRequest.Of(batch);
                batch.Clear();
            }
        }
    }

    private static string Status(string trigger) => trigger.Replace("trigger", "status", StringComparison.Ordinal);

    /// <summary>One property set, one worker action, one delay of seven days.</summary>
    private Workflow NewFilterWorkflow(int i)
    {
        var filter = new Filter { Property = EventGenerator.Trigger(i), Operator = Filter.Types.Operator.IsEqualTo, Values = { EventGenerator.Go(Run) } };
        return new Workflow
        {
            Id = $"load-{Run}-{i}",
            ObjectType = "contact",
            Start = new Start { Filter = new FilterStart { Criteria = new Criteria { AnyOf = { new FilterGroup { AllOf = { filter } } } } } },
            Steps =
            {
                new Step { Id = "mark", Next = "task", SetProperty = new SetProperty { Property = Status(EventGenerator.Trigger(i)), Value = "enrolled" } },
                new Step { Id = "task", Next = "wait", Worker = new WorkerAction { Queue = Queue, Fields = { new Field { Name = "template", Text = "welcome" } } } },
                new Step { Id = "wait", Delay = new Delay { Amount = 7, Unit = Delay.Types.Unit.Days } },
            },
        };
    }

    /// <summary>Enrolls at every event of the type: one property set, one worker action that is not waited for.</summary>
    private Workflow NewEventWorkflow() => new()
    {
        Id = $"load-{Run}-event",
        ObjectType = "contact",
        Start = new Start { Event = new EventStart { AnyOf = { new EventTrigger { EventType = EventGenerator.EnrollType } } }, Reenroll = true },
        Steps =
        {
            new Step { Id = "mark", Next = "task", SetProperty = new SetProperty { Property = Status(EventGenerator.Trigger(0)), Value = "enrolled" } },
            new Step { Id = "task", Worker = new WorkerAction { Queue = Queue, Wait = false, Fields = { new Field { Name = "template", Text = "welcome" } } } },
        },
    };
}
