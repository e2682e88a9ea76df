using Npgsql;
using Roster.Storage.Postgres.Internal;

namespace Roster.Storage.Postgres.Tests;

public sealed class FailuresTests
{
    [Theory]
    [InlineData("53100", nameof(FailureKind.Full))]
    [InlineData("53200", nameof(FailureKind.Full))]
    [InlineData("53300", nameof(FailureKind.Unavailable))]
    [InlineData("57P01", nameof(FailureKind.Unavailable))]
    [InlineData("57P02", nameof(FailureKind.Unavailable))]
    [InlineData("57P03", nameof(FailureKind.Unavailable))]
    [InlineData("25P03", nameof(FailureKind.Unavailable))]
    [InlineData("08006", nameof(FailureKind.Unavailable))]
    [InlineData("40001", nameof(FailureKind.Undone))]
    [InlineData("40P01", nameof(FailureKind.Undone))]
    [InlineData("57014", nameof(FailureKind.Undone))]
    [InlineData("XX001", nameof(FailureKind.Corrupt))]
    [InlineData("XX000", nameof(FailureKind.Fatal))]
    [InlineData("23505", nameof(FailureKind.Fatal))]
    [InlineData("42P01", nameof(FailureKind.Fatal))]
    [InlineData("28P01", nameof(FailureKind.Fatal))]
    public void A_state_says_what_to_do(string state, string kind) =>
        Assert.Equal(kind, Failures.KindOf(new PostgresException("", "ERROR", "ERROR", state)).ToString());

    [Fact]
    public void A_broken_connection_is_no_fault_of_the_statement()
    {
        Assert.Equal(FailureKind.Unavailable, Failures.KindOf(new NpgsqlException("Exception while reading from stream", new IOException())));
        Assert.Equal(FailureKind.Unavailable, Failures.KindOf(new TimeoutException()));
        Assert.Equal(FailureKind.Fatal, Failures.KindOf(new InvalidOperationException()));
    }
}
