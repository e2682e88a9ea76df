using Roster.Server.Access;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Tests.Access;

public sealed class MethodRightsTests
{
    [Fact]
    public void PRV_01_Every_method_of_the_contract_has_a_right()
    {
        var services = typeof(Credential).Assembly.GetTypes()
            .Where(type => type.Namespace == "Roster.V1" && type.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(type => (Google.Protobuf.Reflection.FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!)
            .SelectMany(file => file.Services)
            .ToList();
        Assert.True(services.Count >= 11);
        foreach (var method in services.SelectMany(service => service.Methods))
        {
            Assert.True(MethodRights.TryFind($"/{method.Service.FullName}/{method.Name}", out _), $"{method.FullName} has no right; MethodRights says which one a method needs.");
        }
    }

    [Theory]
    [InlineData("IngestService", "Stream", Right.Ingest)]
    [InlineData("RecordService", "GetTimeline", Right.View)]
    [InlineData("RecordService", "EraseRecord", Right.Operate)]
    [InlineData("WorkflowService", "SaveWorkflow", Right.Edit)]
    [InlineData("WorkflowService", "PublishWorkflow", Right.Publish)]
    [InlineData("EnrollmentService", "Explain", Right.View)]
    [InlineData("TenantService", "UpdateSettings", Right.Admin)]
    [InlineData("WorkService", "Work", Right.Work)]
    [InlineData("AdminService", "Backup", Right.Server)]
    [InlineData("AccessService", "CreateCredential", Right.Admin)]
    public void PRV_01_A_method_needs_the_right_for_what_it_does(string service, string method, Right right)
    {
        Assert.True(MethodRights.TryFind($"/roster.v1.{service}/{method}", out var found));
        Assert.Equal(right, found);
    }
}
