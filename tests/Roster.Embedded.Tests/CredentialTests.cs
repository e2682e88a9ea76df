using Roster.V1;

namespace Roster.Embedded.Tests;

public sealed class CredentialTests
{
    [Fact]
    public async Task PRV_01_A_credential_is_kept_by_the_store_and_its_tenant_is_made()
    {
        var store = await EngineHarness.OpenStore();
        string key;
        await using (var harness = await EngineHarness.StartAsync(store: store))
        {
            key = harness.Engine.Credentials.Create("new-tenant", new Credential { Name = "crm", Rights = { Credential.Types.Right.View } }, "").Key;
        }

        await using var again = await EngineHarness.StartAsync(store: store);
        Assert.Equal("new-tenant", again.Engine.Credentials.FindKey(key)!.Credential.Tenant);
        Assert.Empty((await again.Engine.VerifyAsync(TestContext.Current.CancellationToken)).Differences);
    }
}
