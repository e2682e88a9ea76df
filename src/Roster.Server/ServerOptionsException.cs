namespace Roster.Server;

/// <summary>The settings of a server break rules: one sentence for each.</summary>
public sealed class ServerOptionsException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ServerOptionsException(IReadOnlyList<string> problems)
        : base(string.Join(Environment.NewLine, problems ?? throw new ArgumentNullException(nameof(problems))))
    {
        Problems = problems;
    }

    /// <summary>One sentence per broken rule, with the setting and its value.</summary>
    public IReadOnlyList<string> Problems { get; }
}
