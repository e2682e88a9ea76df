using Roster.Cli.Output;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary>What became of a request by hand.</summary>
internal static class CommandResult
{
    /// <summary>Ends the command when the request was not applied.</summary>
    /// <exception cref="CliException">It was refused, or its id was used for something else.</exception>
    public static void Check(EventResult? result)
    {
        if (result?.Refusal is { } refusal)
        {
            throw new CliException(RpcSentences.Of(refusal), ExitCode.ServerSaidNo);
        }

        if (result?.Code == EventResult.Types.Code.DuplicateMismatch)
        {
            throw new CliException("The --request-id was used before for something else.", ExitCode.ServerSaidNo);
        }
    }

    /// <summary>Added to what is told when the request was handled before.</summary>
    public static string Repeated(EventResult? result) => result?.Code == EventResult.Types.Code.Duplicate ? " (this request was handled before)" : "";
}
