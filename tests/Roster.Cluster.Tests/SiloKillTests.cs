using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Roster.Crash.Tests;
using Roster.Storage.Postgres.Tests;
using Roster.V1;

namespace Roster.Cluster.Tests;

/// <summary>
/// Real silos in processes of their own, with membership in PostgreSQL: <c>kill -9</c> and <c>SIGSTOP</c> of one of three under load. What was acknowledged is
/// there, nothing happened twice, and ingest goes on (X13, P1, P2, P4, P9). <c>ROSTER_TEST_KILLS</c> sets how often; the default keeps the test short.
/// </summary>
public sealed class SiloKillTests
{
    private const int Records = 300;
    private const int BatchEvents = 60;
    private const int BatchesBetweenKills = 20;

    private const string Workflow = """
        {
          "id": "crash", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "steps": [
            { "id": "mark", "next": "mail", "setProperty": { "property": "marked", "value": "yes" } },
            { "id": "mail", "worker": { "queue": "mail", "wait": false } }
          ]
        }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>How long a silo is frozen or cut off at least. Default: as long as it takes the others to go on, or its clients to notice.</summary>
    private static TimeSpan AwayFor => TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("ROSTER_TEST_AWAY_SECONDS") ?? "0", CultureInfo.InvariantCulture));

    [Fact]
    public async Task Silos_killed_under_load_lose_nothing_and_ingest_goes_on()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable("ROSTER_TEST_KILLS") ?? "3", CultureInfo.InvariantCulture);
        Databases.Require(ownServer: true);
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var silos = await Silos.StartAsync(postgres.ConnectionString);
        await SetUpAsync(silos.Channel(0));
        var load = new Load(silos, writers: 3);
        for (var kill = 0; kill < kills; kill++)
        {
            await load.AckedAsync(BatchesBetweenKills);
            await silos.KillAsync(kill % 3);
            var clock = Stopwatch.StartNew();
            await load.AckedAsync(BatchesBetweenKills);
            TestContext.Current.TestOutputHelper?.WriteLine($"kill {kill}: every front door had {BatchesBetweenKills} more batches acknowledged after {clock.Elapsed.TotalSeconds:F1} s");
            await silos.RestartAsync(kill % 3);
        }

        await CheckAsync(silos, await load.StopAsync());
    }

    [Fact]
    public async Task A_frozen_silo_that_wakes_up_after_it_was_replaced_commits_nothing()
    {
        Databases.Require(ownServer: true);
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var silos = await Silos.StartAsync(postgres.ConnectionString);
        await SetUpAsync(silos.Channel(0));
        var load = new Load(silos, writers: 3);
        await load.AckedAsync(BatchesBetweenKills);
        silos.Signal(1, "STOP");
        var clock = Stopwatch.StartNew();
        do
        {
            await load.AckedAsync(BatchesBetweenKills);
        }
        while (clock.Elapsed < AwayFor);
        TestContext.Current.TestOutputHelper?.WriteLine($"frozen for {clock.Elapsed.TotalSeconds:F0} s");
        silos.Signal(1, "CONT");
        await silos.WaitForExitAsync(1);
        await silos.RestartAsync(1);
        await CheckAsync(silos, await load.StopAsync());
    }

    [Fact]
    public async Task A_silo_cut_off_from_the_database_commits_nothing_stale_when_it_is_back()
    {
        Databases.Require(ownServer: true);
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var relay = new DatabaseRelay(postgres.ConnectionString);
        await using var silos = await Silos.StartAsync(postgres.ConnectionString, relay.ConnectionString);
        await SetUpAsync(silos.Channel(0));
        var load = new Load(silos, writers: 3);
        await load.AckedAsync(BatchesBetweenKills);
        relay.Cut();
        var clock = Stopwatch.StartNew();
        do
        {
            // Its own records wait or are refused; what else is asked of it meanwhile says when it has noticed.
            await load.FailedAsync(more: 3);
        }
        while (clock.Elapsed < AwayFor);
        TestContext.Current.TestOutputHelper?.WriteLine($"cut off for {clock.Elapsed.TotalSeconds:F0} s");
        relay.Heal();
        await load.AckedAsync(BatchesBetweenKills);
        await CheckAsync(silos, await load.StopAsync());
    }

    [Fact]
    public async Task A_rolling_restart_under_load_ends_calls_with_UNAVAILABLE_only_and_loses_nothing()
    {
        Databases.Require(ownServer: true);
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var silos = await Silos.StartAsync(postgres.ConnectionString);
        await SetUpAsync(silos.Channel(0));
        var load = new Load(silos, writers: 3);
        for (var silo = 0; silo < 3; silo++)
        {
            await load.AckedAsync(BatchesBetweenKills);
            silos.Signal(silo, "TERM");
            await silos.WaitForExitAsync(silo);
            await silos.RestartAsync(silo);
        }

        await load.AckedAsync(BatchesBetweenKills);
        var sent = await load.StopAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"sent again after: {string.Join(", ", load.Failures.Select(f => $"{f.Key} {f.Value}"))}");
        Assert.All(load.Failures.Keys, status => Assert.Equal(StatusCode.Unavailable, status));
        await CheckAsync(silos, sent);
    }

    private static async Task SetUpAsync(ChannelBase channel)
    {
        var declare = new DeclarePropertiesRequest { ObjectType = "contact" };
        foreach (var name in new[] { "w0", "w1", "w2" })
        {
            declare.Properties.Add(new PropertyDefinition { Name = name, Type = PropertyType.Types.Kind.Number });
        }

        declare.Properties.Add(new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String });
        declare.Properties.Add(new PropertyDefinition { Name = "marked", Type = PropertyType.Types.Kind.String });
        var tenant = new TenantService.TenantServiceClient(channel);
        await tenant.DeclarePropertiesAsync(declare, cancellationToken: Token);

        // A call that lay in the socket of a frozen silo is taken up when it wakes, after its events were sent again elsewhere. A record gets some 2,000 more in two minutes here;
        // 1,000 ids, the default, would have forgotten them by then (REC-08).
        await tenant.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = new TenantSettings { DedupeIds = 100_000 } }, cancellationToken: Token);
        var workflows = new WorkflowService.WorkflowServiceClient(channel);
        await workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(Workflow) }, cancellationToken: Token);
        await workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = "crash", State = V1.Workflow.Types.State.On }, cancellationToken: Token);
    }

    private static async Task CheckAsync(Silos silos, long sent)
    {
        var admin = new AdminService.AdminServiceClient(silos.Channel(0));
        var verified = await admin.VerifyAsync(new VerifyRequest(), cancellationToken: Token);
        Assert.Empty(verified.Differences);
        Assert.Equal(verified.StateHash, verified.ReplayHash);
        var status = await admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: Token);
        Assert.Equal((sent, Records), (status.Events.Applied, status.Records));
        TestContext.Current.TestOutputHelper?.WriteLine($"{sent} events applied, {status.Events.Duplicate} sent again after they were");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        using var call = new JournalService.JournalServiceClient(silos.Channel(1)).ReadJournal(new ReadJournalRequest(), cancellationToken: Token);
        await foreach (var entry in call.ResponseStream.ReadAllAsync(Token).SelectMany(r => r.Entries))
        {
            var key = entry.Kind switch
            {
                JournalEntry.Types.Kind.EventReceived => $"event {entry.EventId}",
                JournalEntry.Types.Kind.Enrolled => $"enrolled {entry.Ref.RecordId}",
                JournalEntry.Types.Kind.EffectRequested => $"task {entry.Ref.RecordId} {entry.EnrollmentNumber} {entry.StepId}",
                _ => null,
            };
            Assert.True(key is null || seen.Add(key), $"{key} twice");
        }

        Assert.Equal(sent, seen.LongCount(k => k.StartsWith("event ", StringComparison.Ordinal)));
        Assert.Equal(Records, seen.Count(k => k.StartsWith("enrolled ", StringComparison.Ordinal)));
    }

    /// <summary>Three silos; a dead one can be started again under its address.</summary>
    private sealed class Silos : IAsyncDisposable
    {
        private readonly Dictionary<string, string>[] _settings;
        private readonly ServerUnderTest?[] _servers = new ServerUnderTest?[3];

        private Silos(string database) => _settings = [.. Enumerable.Range(0, 3).Select(_ => new Dictionary<string, string>
        {
            ["host"] = "cluster",
            ["clock"] = "real",
            ["store"] = "postgres",
            ["postgres"] = database,
            ["silo_port"] = ServerUnderTest.FreePort().ToString(CultureInfo.InvariantCulture),
        })];

        /// <param name="database">Connection string.</param>
        /// <param name="second">That of the second silo, if it has one of its own.</param>
        public static async Task<Silos> StartAsync(string database, string? second = null)
        {
            var silos = new Silos(database);
            silos._settings[1]["postgres"] = second ?? database;
            try
            {
                for (var i = 0; i < 3; i++)
                {
                    await silos.RestartAsync(i);
                }

                return silos;
            }
            catch
            {
                // Those that did come up would outlive the test.
                await silos.DisposeAsync();
                throw;
            }
        }

        public ChannelBase Channel(int index) => Volatile.Read(ref _servers[index])!.Channel;

        public async Task RestartAsync(int index)
        {
            var former = _servers[index];
            Volatile.Write(ref _servers[index], await ServerUnderTest.StartAsync(_settings[index], Token));
            if (former is not null)
            {
                await former.DisposeAsync();
            }
        }

        public Task KillAsync(int index) => _servers[index]!.KillAsync();

        public void Signal(int index, string signal)
        {
            using var kill = Process.Start("kill", [$"-{signal}", _servers[index]!.ProcessId.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }

        public Task WaitForExitAsync(int index) => _servers[index]!.WaitForExitAsync(Token);

        public async ValueTask DisposeAsync()
        {
            foreach (var server in _servers.OfType<ServerUnderTest>())
            {
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>Writers that send batch after batch, each until it is acknowledged, at whichever front door answers.</summary>
    private sealed class Load
    {
        private readonly Silos _silos;
        private readonly Task<long>[] _writers;
        private readonly int[] _acked;
        private readonly Lock _gate = new();
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Load(Silos silos, int writers)
        {
            _silos = silos;
            _acked = new int[writers];
            _writers = [.. Enumerable.Range(0, writers).Select(w => Task.Run(() => WriteAsync(w), Token))];
        }

        /// <summary>How often a batch had to be sent again, by the status that it got.</summary>
        public ConcurrentDictionary<StatusCode, int> Failures { get; } = new();

        /// <summary>Completes when every writer has had so many more batches acknowledged.</summary>
        public async Task AckedAsync(int more)
        {
            int[] wanted;
            lock (_gate)
            {
                wanted = [.. _acked.Select(a => a + more)];
            }

            while (true)
            {
                Task progress;
                lock (_gate)
                {
                    if (_acked.Zip(wanted).All(p => p.First >= p.Second))
                    {
                        return;
                    }

                    progress = _progress.Task;
                }

                // A writer ends before it is told to only with a failure.
                var all = new List<Task> { progress };
                all.AddRange(_writers);
                var first = await Task.WhenAny(all).WaitAsync(Token);
                await first;
            }
        }

        /// <summary>Completes when batches had to be sent again so many more times.</summary>
        public async Task FailedAsync(int more)
        {
            var wanted = Failures.Values.Sum() + more;
            while (Failures.Values.Sum() < wanted)
            {
                Task progress;
                lock (_gate)
                {
                    progress = _progress.Task;
                }

                if (Failures.Values.Sum() < wanted)
                {
                    var all = new List<Task> { progress };
                    all.AddRange(_writers);
                    await await Task.WhenAny(all).WaitAsync(Token);
                }
            }
        }

        /// <summary>Lets each writer end its batch; returns how many events were sent.</summary>
        public async Task<long> StopAsync()
        {
            await _stop.CancelAsync();
            var sent = await Task.WhenAll(_writers);
            _stop.Dispose();
            return sent.Sum();
        }

        private async Task<long> WriteAsync(int writer)
        {
            var door = writer;
            var number = 0L;
            while (!_stop.IsCancellationRequested)
            {
                var request = new IngestRequest();
                for (var i = 0; i < BatchEvents; i++)
                {
                    request.Events.Add(NewEvent(writer, number++));
                }

                while (!await TrySendAsync(door, request))
                {
                    door = (door + 1) % 3;
                }

                lock (_gate)
                {
                    _acked[writer]++;
                    Pulse_NeedsGate();
                }
            }

            return number;
        }

        private void Pulse_NeedsGate()
        {
            _progress.TrySetResult();
            _progress = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        private async Task<bool> TrySendAsync(int door, IngestRequest request)
        {
            try
            {
                var response = await new IngestService.IngestServiceClient(_silos.Channel(door)).IngestAsync(request, deadline: DateTime.UtcNow.AddSeconds(20), cancellationToken: Token);
                Assert.All(response.Results, r => Assert.True(r.Code is EventResult.Types.Code.Applied or EventResult.Types.Code.Duplicate, $"{r}"));
                return true;
            }
            catch (RpcException failure) when (failure.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted or StatusCode.Cancelled or StatusCode.Internal)
            {
                // Killed, frozen or not yet noticed: the next door. INTERNAL is what a broken connection may look like.
                Failures.AddOrUpdate(failure.StatusCode, 1, (_, count) => count + 1);
                lock (_gate)
                {
                    Pulse_NeedsGate();
                }

                return false;
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
        }

        private static Event NewEvent(int writer, long number)
        {
            var record = number % Records;
            var e = new Event { EventId = $"{writer}-{number}", ObjectType = "contact", RecordId = $"c{record}", Source = $"writer{writer}" };
            e.Writes.Add(new PropertyValue { Name = $"w{writer}", Value = new Value { Number = number.ToString(CultureInfo.InvariantCulture) } });
            if (writer == 0 && number < Records)
            {
                e.Writes.Add(new PropertyValue { Name = "stage", Value = new Value { Text = "lead" } });
            }

            return e;
        }
    }
}
