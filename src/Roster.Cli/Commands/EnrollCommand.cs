using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster enroll</c> and <c>roster unenroll</c>: by hand.</summary>
internal static class EnrollCommand
{
    private static readonly Argument<string> Record = new("RECORD") { Description = "Object type and id, such as `contact/ada@example.org`." };
    private static readonly Argument<string> Workflow = new("WORKFLOW") { Description = "Id of the workflow." };

    private static readonly Option<string?> RequestId = new("--request-id")
    {
        Description = "Deduplicates: the same id has its effect once. Default: a new one per run.",
    };

    private static readonly Option<string> Caller = new("--caller") { Description = "Who asks, for the journal.", DefaultValueFactory = _ => "roster cli" };

    public static Command CreateEnroll(CliConsole console)
    {
        var command = new Command("enroll", "Enrolls a record in a workflow, ignoring its triggers.") { Record, Workflow, RequestId, Caller };
        command.SetActionSafely(console, (result, cancellationToken) => EnrollAsync(result, console, cancellationToken));
        return command;
    }

    public static Command CreateUnenroll(CliConsole console)
    {
        var command = new Command("unenroll", "Takes a record out of a workflow.") { Record, Workflow, RequestId, Caller };
        command.SetActionSafely(console, (result, cancellationToken) => UnenrollAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> EnrollAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var reference = RecordName.Parse(result.GetValue(Record)!);
        using var client = ConnectionOptions.Connect(result);
        var request = new EnrollRequest
        {
            Ref = reference,
            WorkflowId = result.GetValue(Workflow)!,
            RequestId = NewId(result),
            Caller = result.GetValue(Caller)!,
        };
        var answer = await client.Enrollments.EnrollAsync(request, cancellationToken: cancellationToken);
        CheckApplied(answer.Result);
        if (answer.Decision != Decision.Types.Code.Enrolled)
        {
            console.Out.MarkupLine($"not enrolled: [yellow]{ProtoNames.Of(answer.Decision)}[/]");
            return ExitCode.SomeFailed;
        }

        console.Out.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"enrolled, number {answer.EnrollmentNumber}{Repeated(answer.Result)}"));
        return ExitCode.Success;
    }

    private static async Task<int> UnenrollAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var reference = RecordName.Parse(result.GetValue(Record)!);
        using var client = ConnectionOptions.Connect(result);
        var request = new UnenrollRequest
        {
            Ref = reference,
            WorkflowId = result.GetValue(Workflow)!,
            RequestId = NewId(result),
            Caller = result.GetValue(Caller)!,
        };
        var answer = await client.Enrollments.UnenrollAsync(request, cancellationToken: cancellationToken);
        CheckApplied(answer.Result);
        console.Out.MarkupLine((answer.Unenrolled ? "unenrolled" : "was not active") + Repeated(answer.Result));
        return ExitCode.Success;
    }

    private static string NewId(ParseResult result) => result.GetValue(RequestId) ?? Guid.NewGuid().ToString("N");

    private static string Repeated(EventResult? result) => result?.Code == EventResult.Types.Code.Duplicate ? " (this request was handled before)" : "";

    private static void CheckApplied(EventResult? result)
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
}
