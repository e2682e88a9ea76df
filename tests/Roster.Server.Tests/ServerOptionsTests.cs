namespace Roster.Server.Tests;

public sealed class ServerOptionsTests
{
    [Fact]
    public void Settings_are_read_by_their_names()
    {
        var options = ServerOptions.Read(new Dictionary<string, string?> { ["store"] = "volatile", ["clock"] = "manual", ["event_bytes_max"] = "2048" });
        Assert.Equal(StoreKind.Volatile, options.Store);
        Assert.Equal(ClockKind.Manual, options.Clock);
        Assert.Equal(2_048, options.EventBytesMax);
    }

    [Theory]
    [InlineData("event_byte_max", "1", "event_byte_max")]
    [InlineData("grpc_port", "many", "`many`")]
    [InlineData("grpc_port", "70000", "from 0 to 65535")]
    [InlineData("store", "1", "`sqlite` or `volatile`")]
    [InlineData("store", "postgres", "ROSTER__POSTGRES")]
    [InlineData("postgres", "Hots=somewhere;Password=secret", "`postgres` cannot be read")]
    [InlineData("clock_start", "yesterday", "an instant")]
    [InlineData("data_folder", "", "data_folder")]
    [InlineData("http_port", "7400", "HTTP/2 without TLS")]
    [InlineData("message_bytes_max", "65536", "event_bytes_max")]
    [InlineData("call_bytes_in_flight_max", "1000", "from 65536 to 1073741824")]
    [InlineData("call_receive_seconds_max", "0", "from 1 to 3600")]
    [InlineData("journal_keep_days", "-1", "from 0 to 36500")]
    [InlineData("webhook_allow", "10.0.0.0/8,inside", "'inside' is no range")]
    [InlineData("deliveries_in_flight_max", "0", "from 1 to 10000")]
    [InlineData("smtp_host", "mail.example", "`smtp_from`")]
    [InlineData("smtp_connections_max", "0", "from 1 to 100")]
    [InlineData("journal_keep_bytes", "1000", "0 or at least 67108864")]
    [InlineData("silo_port", "0", "from 1 to 65535")]
    [InlineData("silo_address", "here", "not an IP address")]
    [InlineData("cluster_id", "", "1 to 100 characters")]
    [InlineData("gateway_port", "7402", "`gateway_port` and `silo_port` are both 7402")]
    [InlineData("gateway_port", "-1", "from 0 to 65535")]
    [InlineData("role", "door", "only a process of the host `cluster`")]
    [InlineData("role", "guard", "`both` or `silo` or `door`")]
    public void A_broken_setting_is_told_in_one_sentence(string setting, string value, string expected)
    {
        var error = Assert.Throws<ServerOptionsException>(() => ServerOptions.Read(new Dictionary<string, string?> { [setting] = value }));
        Assert.Contains(expected, Assert.Single(error.Problems), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HIS_08_A_limit_of_the_journal_that_the_store_or_the_clock_cannot_keep_is_refused()
    {
        var bytes = new Dictionary<string, string?> { ["store"] = "postgres", ["postgres"] = "Host=db", ["journal_keep_bytes"] = "100000000" };
        Assert.Contains("use `journal_keep_days`", Assert.Single(Assert.Throws<ServerOptionsException>(() => ServerOptions.Read(bytes)).Problems), StringComparison.Ordinal);
        var days = new Dictionary<string, string?> { ["clock"] = "manual", ["journal_keep_days"] = "30" };
        Assert.Contains("counts real days", Assert.Single(Assert.Throws<ServerOptionsException>(() => ServerOptions.Read(days)).Problems), StringComparison.Ordinal);
        var both = ServerOptions.Read(new Dictionary<string, string?> { ["journal_keep_days"] = "30", ["journal_keep_bytes"] = "100000000" });
        Assert.Equal((30, 100_000_000L), (both.JournalKeepDays, both.JournalKeepBytes));
    }

    [Fact]
    public void A_silo_needs_the_shared_database_and_the_time_of_its_machine()
    {
        var settings = new Dictionary<string, string?> { ["host"] = "cluster", ["clock"] = "manual" };
        var problems = Assert.Throws<ServerOptionsException>(() => ServerOptions.Read(settings)).Problems;
        Assert.Contains(problems, p => p.Contains("`store` must be `postgres`", StringComparison.Ordinal));
        Assert.Contains(problems, p => p.Contains("`clock` must be `real`", StringComparison.Ordinal));
        Assert.Equal(!EngineFactory.HasCluster, problems.Any(p => p.Contains("without Microsoft Orleans", StringComparison.Ordinal)));
    }

    [Fact]
    public void Where_the_database_is_is_told_without_secrets()
    {
        var settings = new Dictionary<string, string?> { ["store"] = "postgres", ["postgres"] = "Host=db;Database=roster;Username=me;Password=secret" };
        var described = ServerOptionsReader.Describe(ServerOptions.Read(settings));
        Assert.Contains("store=postgres, postgres=me@db:5432/roster,", described, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", described, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_goes_over_an_encrypted_connection_only_and_is_not_told()
    {
        var settings = new Dictionary<string, string?> { ["smtp_host"] = "mail.example", ["smtp_from"] = "a@b.example", ["smtp_user"] = "me", ["smtp_password"] = "secret" };
        Assert.DoesNotContain("secret", ServerOptionsReader.Describe(ServerOptions.Read(settings)), StringComparison.Ordinal);
        settings["smtp_security"] = "none";
        Assert.Contains("smtp_password", Assert.Single(Assert.Throws<ServerOptionsException>(() => ServerOptions.Read(settings)).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACT_60_The_server_says_where_webhooks_may_go()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains(server.LoggedMessages, message => message.Contains("public addresses only", StringComparison.Ordinal));
        await using var open = await TestServer.StartAsync(options => options.WebhookAllow = "10.1.0.0/16, 127.0.0.1");
        Assert.Contains(open.LoggedMessages, message => message.Contains("(`webhook_allow`): 10.1.0.0/16, 127.0.0.1/32", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.168.1.7")]
    public async Task Without_credentials_an_address_that_is_not_loopback_is_refused(string address)
    {
        var options = new ServerOptions { Store = StoreKind.Volatile, GrpcAddress = address };
        var error = await Assert.ThrowsAsync<ServerOptionsException>(
            () => RosterServer.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("loopback only", Assert.Single(error.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_server_says_that_it_listens_on_loopback_only_and_with_which_settings()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains(server.LoggedMessages, message => message.Contains("loopback only", StringComparison.Ordinal));
        Assert.Contains(server.LoggedMessages, message => message.Contains("event_bytes_max=262144", StringComparison.Ordinal));
    }
}
