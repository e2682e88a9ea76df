using Roster.Core.Filters;

namespace Roster.Core.Tests;

/// <summary>Names of codes as the API writes them.</summary>
public sealed class ApiNamesTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("On", "ON")]
    [InlineData("AlreadyActive", "ALREADY_ACTIVE")]
    [InlineData("UpdatedInLastXDays", "UPDATED_IN_LAST_X_DAYS")]
    public void A_name_is_upper_case_with_a_line_before_each_word(string name, string expected) => Assert.Equal(expected, ApiNames.Of(name));

    [Fact]
    public void FIL_20_Operators_are_named_like_every_other_code() =>
        Assert.All(Enum.GetValues<Operator>(), op => Assert.Equal(ApiNames.Of(op.ToString()), OperatorTable.NameOf(op)));
}
