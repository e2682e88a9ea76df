using Grpc.Core;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Output;

/// <summary>Failed calls as sentences.</summary>
internal static class RpcSentences
{
    public static IReadOnlyList<string> Of(RpcException error, string? server, Func<string, string>? spell = null)
    {
        spell ??= path => path;
        if (error.StatusCode == StatusCode.Unavailable && error.Trailers.Count == 0)
        {
            return [$"The server at {server} cannot be reached: {error.Status.Detail} Start one with `roster serve`, or name another with --server."];
        }

        var details = RosterErrors.Read(error);
        if (details.Problems.Count > 0)
        {
            return [.. details.Problems.Select(problem => Of(problem, spell))];
        }

        var where = details.Path.Length > 0 ? $"{spell(details.Path)}: " : "";
        var hint = details.Setting.Length > 0 && !details.Message.Contains(details.Setting, StringComparison.Ordinal) ? $" (setting `{details.Setting}`)" : "";
        var code = details.Reason.Length > 0 ? details.Reason : error.StatusCode.ToString();
        return [$"{where}{details.Message}{hint} [{code}]"];
    }

    public static string Of(DefinitionProblem problem, Func<string, string> spell)
    {
        var value = problem.Value.Length > 0 && !problem.Message.Contains(problem.Value, StringComparison.Ordinal) ? $" Value: `{problem.Value}`." : "";
        return $"{spell(problem.Path)}: {problem.Message}{value} [{problem.Code}]";
    }

    public static string Of(Refusal refusal)
    {
        var where = refusal.Path.Length > 0 ? $"{refusal.Path}: " : "";
        var value = refusal.Value.Length > 0 && !refusal.Message.Contains(refusal.Value, StringComparison.Ordinal) ? $" Value: `{refusal.Value}`." : "";
        return $"{where}{refusal.Message}{value} [{ProtoNames.Of(refusal.Reason)}]";
    }
}
