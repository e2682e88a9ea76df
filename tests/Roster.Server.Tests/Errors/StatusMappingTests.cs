using Google.Rpc;
using Grpc.Core;
using Roster.Client;
using Roster.Core;
using Roster.Engine;
using Roster.V1;
using Refusal = Roster.Core.Refusal;

namespace Roster.Server.Tests.Errors;

public sealed class StatusMappingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(RosterError.InvalidArgument, StatusCode.InvalidArgument)]
    [InlineData(RosterError.NotFound, StatusCode.NotFound)]
    [InlineData(RosterError.FailedPrecondition, StatusCode.FailedPrecondition)]
    [InlineData(RosterError.RevisionConflict, StatusCode.Aborted)]
    [InlineData(RosterError.Overloaded, StatusCode.ResourceExhausted)]
    [InlineData(RosterError.Unavailable, StatusCode.Unavailable)]
    [InlineData(RosterError.Unauthenticated, StatusCode.Unauthenticated)]
    [InlineData(RosterError.PermissionDenied, StatusCode.PermissionDenied)]
    public async Task Every_kind_of_refusal_has_its_status(RosterError error, StatusCode status)
    {
        var thrown = await CallAsync(new RosterException(error, "No, sorry.", new Refusal(RefusalReason.InvalidField, "a.b", "v", "No, sorry.")));
        Assert.Equal(status, thrown.StatusCode);
        Assert.Equal("No, sorry.", thrown.Status.Detail);
        var details = RosterErrors.Read(thrown);
        Assert.NotEmpty(details.Reason);
    }

    [Fact]
    public async Task A_wrong_field_is_told_as_BadRequest_and_ErrorInfo()
    {
        var refusal = new Refusal(RefusalReason.WrongType, "writes[2].value", "abc", "`abc` is not a number.", "undeclared");
        var status = Details(await CallAsync(RosterException.Invalid(refusal)));
        var violation = Assert.Single(status.Details[0].Unpack<BadRequest>().FieldViolations);
        Assert.Equal("writes[2].value", violation.Field);
        Assert.Equal("`abc` is not a number.", violation.Description);
        var info = RosterErrors.Read(await CallAsync(RosterException.Invalid(refusal)));
        Assert.Equal("WRONG_TYPE", info.Reason);
        Assert.Equal("abc", info.Value);
        Assert.Equal("undeclared", info.Setting);
    }

    [Fact]
    public async Task Problems_of_a_definition_are_told_as_violations_and_whole()
    {
        var problems = new[]
        {
            new DefinitionProblem { Path = "steps[1].next", Code = "DANGLING_STEP", Value = "nowhere", Message = "There is no step `nowhere`." },
            new DefinitionProblem { Path = "steps[2].delay", Code = "MISSING", Message = "There is no amount." },
        };
        var thrown = await CallAsync(new RosterException(RosterError.FailedPrecondition, "It cannot be published.", problems: problems));
        Assert.Equal(StatusCode.FailedPrecondition, thrown.StatusCode);
        var violations = Details(thrown).Details.Single(detail => detail.Is(BadRequest.Descriptor)).Unpack<BadRequest>().FieldViolations;
        Assert.Equal(["steps[1].next", "steps[2].delay"], violations.Select(violation => violation.Field));
        var details = RosterErrors.Read(thrown);
        Assert.Equal("DANGLING_STEP", details.Reason);
        Assert.Equal(problems, details.Problems);
    }

    [Fact]
    public async Task Very_many_problems_still_fit_into_a_trailer()
    {
        var problems = Enumerable.Range(0, 500)
            .Select(i => new DefinitionProblem { Path = $"steps[{i}]", Code = "X", Message = new string('m', 200) }).ToArray();
        var details = RosterErrors.Read(await CallAsync(new RosterException(RosterError.FailedPrecondition, "No.", problems: problems)));
        Assert.InRange(details.Problems.Count, 1, 100);
    }

    [Fact]
    public async Task A_fault_is_INTERNAL_without_its_text()
    {
        await using var server = await TestServer.StartAsync();
        server.ExpectedErrors.Add(1102);
        server.Engine.Error = new InvalidOperationException("secret");
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel));
        Assert.Equal(StatusCode.Internal, error.StatusCode);
        Assert.DoesNotContain("secret", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_record_is_NOT_FOUND()
    {
        await using var server = await TestServer.StartAsync();
        var error = await Assert.ThrowsAsync<RpcException>(async () => await server.Client.Records.GetRecordAsync(
            new GetRecordRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "nobody" } }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.Contains("contact/nobody", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_reference_names_the_field()
    {
        await using var server = await TestServer.StartAsync();
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.Records.GetRecordAsync(new GetRecordRequest(), cancellationToken: Cancel));
        Assert.Equal("MISSING_FIELD", RosterErrors.Read(error).Reason);
    }

    [Fact]
    public async Task The_header_decides_the_tenant()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient("acme-1");
        Assert.Equal("acme-1", (await client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel)).Id);
        Assert.Equal("default", (await server.Client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel)).Id);
    }

    [Fact]
    public async Task A_tenant_of_bad_characters_is_invalid()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient("Acme Inc");
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel));
        Assert.Equal("roster-tenant", RosterErrors.Read(error).Path);
    }

    private static async Task<RpcException> CallAsync(RosterException error)
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Error = error;
        return await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel));
    }

    private static Google.Rpc.Status Details(RpcException error) => Google.Rpc.Status.Parser.ParseFrom(error.Trailers.GetValueBytes("grpc-status-details-bin"));
}
