using System.CommandLine;
using System.Globalization;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster enroll</c> and <c>roster unenroll</c>: by hand, one record at once or many as a job.</summary>
internal static class EnrollCommand
{
    private static readonly Argument<string[]> Names = new("RECORD... WORKFLOW")
    {
        Description = "Records, by object type and id such as `contact/ada@example.org`, and last the id of the workflow. Several records are a job.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> List = new("--list") { Description = "All members of this list, as a job, instead of RECORD." };
    private static readonly Option<bool> All = new("--all") { Description = "All records that are active in the workflow, as a job, instead of RECORD." };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static Command CreateEnroll(CliConsole console)
    {
        var command = new Command("enroll", "Enrolls records in a workflow, ignoring its triggers.")
        {
            Names, List, RequestOptions.RequestId, RequestOptions.Caller, RequestOptions.NoWait, Json,
        };
        command.SetActionSafely(console, (result, cancellationToken) => EnrollAsync(result, console, cancellationToken));
        return command;
    }

    public static Command CreateUnenroll(CliConsole console)
    {
        var command = new Command("unenroll", "Takes records out of a workflow.")
        {
            Names, List, All, RequestOptions.RequestId, RequestOptions.Caller, RequestOptions.NoWait, Json,
        };
        command.SetActionSafely(console, (result, cancellationToken) => UnenrollAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> EnrollAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var wanted = Wanted.Read(result, all: false);
        using var client = ConnectionOptions.Connect(result);
        if (wanted.IsMany)
        {
            var bulk = new BulkEnrollRequest
            {
                WorkflowId = wanted.Workflow,
                Refs = { wanted.Records },
                ListId = wanted.List,
                RequestId = RequestOptions.NewId(result),
                Caller = result.GetValue(RequestOptions.Caller)!,
            };
            return await FollowAsync(client, await client.Operations.BulkEnrollAsync(bulk, cancellationToken: cancellationToken), result, console, cancellationToken);
        }

        var request = new EnrollRequest
        {
            Ref = wanted.Records[0],
            WorkflowId = wanted.Workflow,
            RequestId = RequestOptions.NewId(result),
            Caller = result.GetValue(RequestOptions.Caller)!,
        };
        var answer = await client.Enrollments.EnrollAsync(request, cancellationToken: cancellationToken);
        CommandResult.Check(answer.Result);
        var isEnrolled = answer.Decision == Decision.Types.Code.Enrolled;
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(answer));
        }
        else if (isEnrolled)
        {
            console.Out.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"enrolled, number {answer.EnrollmentNumber}{CommandResult.Repeated(answer.Result)}"));
        }
        else
        {
            console.Out.MarkupLine($"not enrolled: [yellow]{ProtoNames.Of(answer.Decision)}[/]");
        }

        return isEnrolled ? ExitCode.Success : ExitCode.SomeFailed;
    }

    private static async Task<int> UnenrollAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var wanted = Wanted.Read(result, result.GetValue(All));
        using var client = ConnectionOptions.Connect(result);
        if (wanted.IsMany)
        {
            var bulk = new BulkUnenrollRequest
            {
                WorkflowId = wanted.Workflow,
                Refs = { wanted.Records },
                ListId = wanted.List,
                RequestId = RequestOptions.NewId(result),
                Caller = result.GetValue(RequestOptions.Caller)!,
            };
            return await FollowAsync(client, await client.Operations.BulkUnenrollAsync(bulk, cancellationToken: cancellationToken), result, console, cancellationToken);
        }

        var request = new UnenrollRequest
        {
            Ref = wanted.Records[0],
            WorkflowId = wanted.Workflow,
            RequestId = RequestOptions.NewId(result),
            Caller = result.GetValue(RequestOptions.Caller)!,
        };
        var answer = await client.Enrollments.UnenrollAsync(request, cancellationToken: cancellationToken);
        CommandResult.Check(answer.Result);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(answer));
        }
        else
        {
            console.Out.MarkupLine((answer.Unenrolled ? "unenrolled" : "was not active") + CommandResult.Repeated(answer.Result));
        }

        return ExitCode.Success;
    }

    private static Task<int> FollowAsync(RosterClient client, Operation operation, ParseResult result, CliConsole console, CancellationToken cancellationToken) =>
        OperationWatch.FollowAsync(client, operation, !result.GetValue(RequestOptions.NoWait), result.GetValue(Json), console, cancellationToken);

    /// <summary>Who and where: some records, a list, or all.</summary>
    private sealed record Wanted(IReadOnlyList<RecordRef> Records, string List, bool IsAll, string Workflow)
    {
        public bool IsMany => IsAll || List.Length > 0 || Records.Count > 1;

        public static Wanted Read(ParseResult result, bool all)
        {
            var names = result.GetValue(Names)!;
            var list = result.GetValue(EnrollCommand.List) ?? "";
            var records = names.SkipLast(1).Select(RecordName.Parse).ToList();
            var ways = (records.Count > 0 ? 1 : 0) + (list.Length > 0 ? 1 : 0) + (all ? 1 : 0);
            return ways switch
            {
                1 => new Wanted(records, list, all, names[^1]),
                0 => throw new CliException($"`{names[^1]}` names the workflow; who is it about? Name records before it, such as `contact/ada@example.org`, or a list with --list."),
                _ => throw new CliException("Records, --list and --all exclude each other; give one of them."),
            };
        }
    }
}
