using Grpc.Core;
using Roster.Engine;

namespace Roster.Server;

/// <summary>Decides which tenant a call is for. The only place that does, so that credentials can take the decision over.</summary>
internal sealed class CallerTenant
{
    /// <summary>The metadata key that names the tenant as long as there are no credentials.</summary>
    public const string Header = "roster-tenant";

    /// <summary>The tenant of a call that names none.</summary>
    public const string Default = "default";

    private const int NameBytesMax = 100;

    /// <summary>The tenant of a call.</summary>
    /// <exception cref="RosterException">The header is not the name of a tenant.</exception>
    public string Of(ServerCallContext context)
    {
        var name = context.RequestHeaders.GetValue(Header);
        if (string.IsNullOrEmpty(name))
        {
            return Default;
        }

        foreach (var letter in name)
        {
            if (!char.IsAsciiLetterLower(letter) && !char.IsAsciiDigit(letter) && letter is not ('_' or '-'))
            {
                throw RosterException.Invalid(Header, name, $"The tenant `{name}` in the header `{Header}` has a character outside [a-z0-9_-].");
            }
        }

        return name.Length <= NameBytesMax
            ? name
            : throw RosterException.Invalid(Header, name, $"The tenant in the header `{Header}` has {name.Length} bytes; {NameBytesMax} are allowed.");
    }
}
