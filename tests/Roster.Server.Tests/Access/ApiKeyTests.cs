using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Roster.Client;
using Roster.Engine;
using Roster.Engine.Access;
using Roster.Server.Access;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Tests.Access;

public sealed class ApiKeyTests
{
    private static readonly RecordRef Ada = new() { ObjectType = "contact", RecordId = "ada" };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("Basic abc")]
    [InlineData("Bearer ")]
    [InlineData("Bearer roster_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public async Task PRV_01_A_call_without_a_key_in_force_is_UNAUTHENTICATED_with_details(string header)
    {
        await using var server = await AccessTestKit.StartAsync();
        var headers = header.Length > 0 ? new Metadata { { "authorization", header } } : [];
        var details = await AccessTestKit.RefusedAsync(server.Client.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, headers, cancellationToken: Cancel));
        Assert.Equal((StatusCode.Unauthenticated, "UNAUTHENTICATED"), (details.Code, details.Reason));
        Assert.DoesNotContain(server.LoggedMessages, message => header.Length > 20 && message.Contains(header[7..], StringComparison.Ordinal));
    }

    [Fact]
    public async Task PRV_01_Refused_credentials_are_in_the_log_and_do_not_fill_it()
    {
        await using var server = await AccessTestKit.StartAsync();
        for (var i = 0; i < 30; i++)
        {
            await AccessTestKit.RefusedAsync(server.Client.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, cancellationToken: Cancel));
        }

        var logged = server.LoggedMessages.Where(message => message.Contains("/roster.v1.RecordService/GetRecord was refused: Unauthenticated, from 127.0.0.1", StringComparison.Ordinal)).ToList();
        Assert.Equal(LogBudget.PerMinute, logged.Count);
    }

    [Fact]
    public void PRV_01_After_a_minute_refused_credentials_are_logged_again_with_how_many_were_left_out()
    {
        var clock = new ManualClock(DateTimeOffset.UnixEpoch.AddYears(56));
        var budget = new LogBudget(clock);
        for (var i = 0; i < LogBudget.PerMinute + 7; i++)
        {
            Assert.Equal(i < LogBudget.PerMinute, budget.TryTake(out var none));
            Assert.True(none == 0 || i > LogBudget.PerMinute);
        }

        clock.MoveTo(clock.GetUtcNow().AddMinutes(1));
        Assert.True(budget.TryTake(out var heldBack));
        Assert.Equal(7, heldBack);
        Assert.True(budget.TryTake(out heldBack));
        Assert.Equal(0, heldBack);
    }

    [Fact]
    public async Task PRV_01_The_tenant_comes_from_the_key_and_a_header_of_another_is_refused()
    {
        await using var server = await AccessTestKit.StartAsync();
        var key = server.Make("acme", [Right.Ingest]).Key;
        using var client = server.ClientOf(key);
        await client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New("e1") } }, cancellationToken: Cancel);
        Assert.Equal("acme", Assert.Single(server.Engine.Ingested).Tenant);
        var other = new Metadata { { "roster-tenant", "globex" } };
        var details = await AccessTestKit.RefusedAsync(client.Ingest.IngestAsync(new IngestRequest(), other, cancellationToken: Cancel));
        Assert.Equal((StatusCode.PermissionDenied, "PERMISSION_DENIED", "roster-tenant"), (details.Code, details.Reason, details.Path));
        await client.Ingest.IngestAsync(new IngestRequest(), new Metadata { { "roster-tenant", "acme" } }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task PRV_01_A_right_that_is_missing_is_named()
    {
        await using var server = await AccessTestKit.StartAsync();
        using var client = server.ClientOf(server.Make("acme", [Right.View]).Key);
        await client.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, cancellationToken: Cancel);
        var details = await AccessTestKit.RefusedAsync(client.Records.EraseRecordAsync(new EraseRecordRequest { Ref = Ada, RequestId = "r" }, cancellationToken: Cancel));
        Assert.Equal((StatusCode.PermissionDenied, "rights", "OPERATE"), (details.Code, details.Path, details.Value));
        Assert.Contains("EraseRecord", details.Message, StringComparison.Ordinal);
        Assert.Equal("SERVER", (await AccessTestKit.RefusedAsync(client.Admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: Cancel))).Value);
        Assert.Empty(server.Engine.Calls);
    }

    [Fact]
    public async Task Health_needs_no_credential()
    {
        await using var server = await AccessTestKit.StartAsync();
        await server.Client.Health.CheckAsync(new Grpc.Health.V1.HealthCheckRequest(), cancellationToken: Cancel);
    }

    [Fact]
    public async Task PRV_01_Another_spelling_of_the_path_is_no_way_around()
    {
        await using var server = await AccessTestKit.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler());
        foreach (var path in new[] { "/roster.v1.AdminService/GetStatus", "/ROSTER.V1.adminservice/getstatus", "/roster.v1.AdminService/GetStatus/", "/roster.v1.AdminService/%47etStatus" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Server.GrpcAddress, path)) { Version = new Version(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Content = new ByteArrayContent([0, 0, 0, 0, 0]);
            request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
            request.Headers.TryAddWithoutValidation("te", "trailers");
            using var response = await http.SendAsync(request, Cancel);
            await response.Content.ReadAsByteArrayAsync(Cancel);
            var status = response.Headers.TryGetValues("grpc-status", out var early) ? early.Single() : response.TrailingHeaders.GetValues("grpc-status").Single();
            Assert.Contains(status, new[] { "16", "12" });
        }
    }

    [Fact]
    public async Task A_stream_ends_at_the_batch_after_its_key_was_revoked()
    {
        await using var server = await AccessTestKit.StartAsync();
        var made = server.Make("acme", [Right.Ingest]);
        using var client = server.ClientOf(made.Key);
        using var call = client.Ingest.Stream(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new StreamRequest { Hello = new Hello() }, Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        await call.RequestStream.WriteAsync(new StreamRequest { Batch = new Batch { Sequence = 1, Events = { TestEvents.New("e1") } } }, Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        server.Engine.Credentials.Revoke("acme", made.Credential.Id);
        await call.RequestStream.WriteAsync(new StreamRequest { Batch = new Batch { Sequence = 2, Events = { TestEvents.New("e2") } } }, Cancel);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
        Assert.Equal("e1", Assert.Single(server.Engine.Ingested).Event.EventId);
    }

    [Fact]
    public async Task A_key_ends_when_it_expires_also_in_the_middle_of_a_workers_stream()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var timed = await TestServer.StartAsync(
            options =>
            {
                options.Auth = AuthKind.Required;
                options.RealTime = clock;
            },
            new FakeEngine { Credentials = new CredentialDirectory([], _ => { }, _ => 1, clock) });
        var made = timed.Engine.Credentials.Create(
            "acme", new Credential { Name = "w", Rights = { Right.Work }, ExpiresAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow().AddHours(1)) }, "");
        using var client = timed.ClientOf(made.Key);
        using var call = client.Work.Work(cancellationToken: Cancel);
        timed.Engine.AddTask(new WorkTask { Key = "k", Queue = "mail" });
        await call.RequestStream.WriteAsync(new WorkRequest { Hello = new WorkHello { Queue = "mail", Credit = 1 } }, Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        clock.MoveTo(clock.GetUtcNow().AddHours(1));
        await call.RequestStream.WriteAsync(new WorkRequest { Heartbeat = new Heartbeat() }, Cancel);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
    }

    [Fact]
    public async Task The_key_of_the_settings_makes_the_first_credentials_of_any_tenant()
    {
        var key = ApiKey.New(ApiKey.NewId());
        await using var server = await AccessTestKit.StartAsync(options => options.AdminKeySha256 = Convert.ToHexString(ApiKey.Hash(key)));
        using var root = server.ClientOf(key);
        var made = await root.Access.CreateCredentialAsync(
            new CreateCredentialRequest { Tenant = "acme", Credential = new Credential { Name = "boss", Rights = { Right.Admin, Right.View } } }, cancellationToken: Cancel);
        using var boss = server.ClientOf(made.Key);
        var caller = await boss.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel);
        Assert.Equal(("acme", "boss", ""), (caller.Tenant, caller.Credential.Name, caller.Credential.CreatedBy));
        var second = await boss.Access.CreateCredentialAsync(
            new CreateCredentialRequest { Credential = new Credential { Name = "crm", Rights = { Right.Ingest } } }, cancellationToken: Cancel);
        Assert.Equal(("acme", made.Credential.Id), (second.Credential.Tenant, second.Credential.CreatedBy));
        var listed = await boss.Access.ListCredentialsAsync(new ListCredentialsRequest(), cancellationToken: Cancel);
        Assert.Equal(["boss", "crm"], listed.Credentials.Select(c => c.Name));
        Assert.Equal("crm", (await boss.Access.RevokeCredentialAsync(new RevokeCredentialRequest { CredentialId = second.Credential.Id }, cancellationToken: Cancel)).Name);
        Assert.DoesNotContain(server.LoggedMessages, message => message.Contains(made.Key, StringComparison.Ordinal) || message.Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_tenants_admin_gives_no_right_over_the_server_and_sees_no_other_tenant()
    {
        await using var server = await AccessTestKit.StartAsync();
        using var client = server.ClientOf(server.Make("acme", [Right.Admin]).Key);
        var create = new CreateCredentialRequest { Credential = new Credential { Name = "x", Rights = { Right.Server } } };
        Assert.Equal(StatusCode.PermissionDenied, (await AccessTestKit.RefusedAsync(client.Access.CreateCredentialAsync(create, cancellationToken: Cancel))).Code);
        var list = new ListCredentialsRequest { Tenant = "globex" };
        Assert.Equal(StatusCode.PermissionDenied, (await AccessTestKit.RefusedAsync(client.Access.ListCredentialsAsync(list, cancellationToken: Cancel))).Code);
        var other = server.Engine.Credentials.Create("globex", new Credential { Name = "x", Rights = { Right.View } }, "").Credential.Id;
        var revoke = new RevokeCredentialRequest { CredentialId = other };
        Assert.Equal(StatusCode.NotFound, (await AccessTestKit.RefusedAsync(client.Access.RevokeCredentialAsync(revoke, cancellationToken: Cancel))).Code);
    }

    [Fact]
    public async Task A_call_that_is_refused_takes_no_room_and_a_flood_of_bad_keys_lets_nobody_in()
    {
        await using var server = await AccessTestKit.StartAsync(options => options.CallBytesInFlightMax = 64 * 1024);
        server.Engine.IsHolding = true;
        var request = new IngestRequest { Events = { TestEvents.New("e1") } };
        for (var i = 0; i < 500; i++)
        {
            using var wrong = server.Client.Ingest.IngestAsync(request, new Metadata { { "authorization", $"Bearer {ApiKey.New(ApiKey.NewId())}" } }, cancellationToken: Cancel);
            Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(async () => await wrong)).StatusCode);
        }

        Assert.Empty(server.Engine.Ingested);
        server.Engine.IsHolding = false;
        using var client = server.ClientOf(server.Make("acme", [Right.Ingest]).Key);
        await client.Ingest.IngestAsync(request, cancellationToken: Cancel);
    }
}
