namespace Roster.Cli;

/// <summary>What an exit code means.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>Some lines, files or tasks failed; the rest was done.</summary>
    public const int SomeFailed = 1;

    /// <summary>The command line or an input cannot be used.</summary>
    public const int BadInput = 2;

    /// <summary>The server cannot be reached or said no.</summary>
    public const int ServerSaidNo = 3;

    /// <summary>The engine failed; a restart recovers.</summary>
    public const int EngineFailed = 70;

    /// <summary>Interrupted.</summary>
    public const int Interrupted = 130;
}

/// <summary>Ends a command with sentences for a person.</summary>
internal sealed class CliException : Exception
{
    public CliException(string sentence, int exitCode = Roster.Cli.ExitCode.BadInput)
        : this([sentence], exitCode)
    {
    }

    public CliException(IReadOnlyList<string> sentences, int exitCode = Roster.Cli.ExitCode.BadInput)
        : base(string.Join(Environment.NewLine, sentences))
    {
        Sentences = sentences;
        ExitCode = exitCode;
    }

    public IReadOnlyList<string> Sentences { get; }

    public int ExitCode { get; }
}
