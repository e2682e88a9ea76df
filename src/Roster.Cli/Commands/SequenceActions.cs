using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Cli.Commands;

/// <summary>What is done with sequences by hand: <c>roster sequence enroll</c>, <c>unenroll</c>, <c>status</c>, <c>lift</c>, <c>edit</c>, <c>delete</c>.</summary>
internal static class SequenceActions
{
    private static readonly Argument<string[]> Names = new("CONTACT... SEQUENCE")
    {
        Description = "Contacts, such as `contact/ada@example.org`, and last the id of the sequence.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Argument<string> Contact = new("CONTACT") { Description = "A contact, such as `contact/ada@example.org`." };
    private static readonly Argument<string> Id = new("SEQUENCE") { Description = "Id of the sequence." };
    private static readonly Argument<string?> MaybeId = new("SEQUENCE") { Description = "Id of the sequence. Default: the one it is active in, else the latest.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> Step = new("STEP") { Description = "Id of the e-mail step." };
    private static readonly Option<string?> User = new("--user") { Description = "The user who enrolls: a meeting with whom ends it. Default: the owner." };
    private static readonly Option<bool> ByHand = new("--by-hand") { Description = "The first step ignores the send window, as when a person enrolls." };
    private static readonly Option<string?> FirstStep = new("--first-step") { Description = "The step to begin at. Default: the first." };
    private static readonly Option<DateTimeOffset?> StartAt = new("--start-at") { Description = "When to begin. Default: at once." };
    private static readonly Option<string?> Subject = new("--subject") { Description = "The subject for this contact." };
    private static readonly Option<string?> Body = new("--body") { Description = "The text for this contact." };
    private static readonly Option<bool> EndActive = new("--end-active") { Description = "Ends active enrollments. Without it a sequence that has some is not deleted." };
    private static readonly Option<bool> Json = new("--json") { Description = "Prints JSON instead." };

    public static void AddTo(Command command, CliConsole console)
    {
        Add(command, console, new Command("enroll", "Enrolls contacts; several are a bulk enrollment, whose e-mails are slower.") { Names, User, ByHand, FirstStep, StartAt, RequestOptions.RequestId, Json }, EnrollAsync);
        Add(command, console, new Command("unenroll", "Takes a contact out.") { Contact, Id, RequestOptions.RequestId, RequestOptions.Caller, Json }, UnenrollAsync);
        Add(command, console, new Command("status", "Tells where a contact stands, and what became of the e-mails.") { Contact, MaybeId, Json }, StatusAsync);
        Add(command, console, new Command("lift", "Lifts the pause that a contact stands in.") { Contact, Id, RequestOptions.RequestId, RequestOptions.Caller, Json }, LiftAsync);
        Add(command, console, new Command("edit", "Edits an e-mail that is still to be sent, for one contact.") { Contact, Id, Step, Subject, Body, RequestOptions.RequestId, RequestOptions.Caller, Json }, EditAsync);
        Add(command, console, new Command("delete", "Deletes a sequence.") { Id, EndActive, RequestOptions.NoWait, Json }, DeleteAsync);
    }

    private static void Add(Command parent, CliConsole console, Command command, Func<ParseResult, CliConsole, CancellationToken, Task<int>> action)
    {
        command.SetActionSafely(console, (result, cancellationToken) => action(result, console, cancellationToken));
        parent.Add(command);
    }

    private static async Task<int> EnrollAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var names = result.GetValue(Names)!;
        var contacts = names.SkipLast(1).Select(RecordName.Parse).ToList();
        if (contacts.Count == 0)
        {
            throw new CliException($"`{names[^1]}` names the sequence; who is to be enrolled? Name contacts before it, such as `contact/ada@example.org`.");
        }

        using var client = ConnectionOptions.Connect(result);
        var startAt = result.GetValue(StartAt) is { } start ? Timestamp.FromDateTimeOffset(start) : null;
        if (contacts.Count == 1)
        {
            var one = new EnrollInSequenceRequest
            {
                Ref = contacts[0],
                SequenceId = names[^1],
                RequestId = RequestOptions.NewId(result),
                User = result.GetValue(User) ?? "",
                ByHand = result.GetValue(ByHand),
                FirstStep = result.GetValue(FirstStep) ?? "",
                StartAt = startAt,
            };
            return await TellAsync(contacts, [await client.Sequences.EnrollInSequenceAsync(one, cancellationToken: cancellationToken)], result, console);
        }

        var many = new BulkEnrollInSequenceRequest
        {
            Refs = { contacts },
            SequenceId = names[^1],
            RequestId = RequestOptions.NewId(result),
            User = result.GetValue(User) ?? "",
            ByHand = result.GetValue(ByHand),
            FirstStep = result.GetValue(FirstStep) ?? "",
            StartAt = startAt,
        };
        return await TellAsync(contacts, (await client.Sequences.BulkEnrollInSequenceAsync(many, cancellationToken: cancellationToken)).Answers, result, console);
    }

    private static async Task<int> TellAsync(IReadOnlyList<RecordRef> contacts, IReadOnlyList<EnrollResponse> answers, ParseResult result, CliConsole console)
    {
        var isEachEnrolled = true;
        for (var i = 0; i < answers.Count; i++)
        {
            var answer = answers[i];
            var isEnrolled = answer.Decision == Decision.Types.Code.Enrolled;
            isEachEnrolled &= isEnrolled;
            if (result.GetValue(Json))
            {
                await console.Plain.WriteLineAsync(JsonOutput.Line(answer));
                continue;
            }

            if (answers.Count == 1)
            {
                CommandResult.Check(answer.Result);
            }

            var told = isEnrolled ? string.Create(CultureInfo.InvariantCulture, $"enrolled, number {answer.EnrollmentNumber}{CommandResult.Repeated(answer.Result)}")
                : answer.Result?.Refusal is { } refusal ? $"refused: {RpcSentences.Of(refusal)}"
                : $"not enrolled: {ProtoNames.Of(answer.Decision)}";
            console.Out.MarkupLine(Markup.Escape($"{RecordName.Of(contacts[i])}: {told}"));
        }

        return isEachEnrolled ? ExitCode.Success : ExitCode.SomeFailed;
    }

    private static async Task<int> UnenrollAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var request = new UnenrollFromSequenceRequest
        {
            Ref = RecordName.Parse(result.GetValue(Contact)!),
            SequenceId = result.GetValue(Id)!,
            RequestId = RequestOptions.NewId(result),
            Caller = result.GetValue(RequestOptions.Caller)!,
        };
        var answer = await client.Sequences.UnenrollFromSequenceAsync(request, cancellationToken: cancellationToken);
        return await TellAsync(answer, answer.Result, answer.Unenrolled ? "unenrolled" : "was not active", result, console);
    }

    private static async Task<int> LiftAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var request = new LiftPauseRequest
        {
            Ref = RecordName.Parse(result.GetValue(Contact)!),
            SequenceId = result.GetValue(Id)!,
            RequestId = RequestOptions.NewId(result),
            Caller = result.GetValue(RequestOptions.Caller)!,
        };
        var answer = await client.Sequences.LiftPauseAsync(request, cancellationToken: cancellationToken);
        return await TellAsync(answer, answer.Result, answer.Lifted ? "lifted" : "stands in no pause", result, console);
    }

    private static async Task<int> EditAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var request = new EditScheduledEmailRequest
        {
            Ref = RecordName.Parse(result.GetValue(Contact)!),
            SequenceId = result.GetValue(Id)!,
            StepId = result.GetValue(Step)!,
            Subject = result.GetValue(Subject) ?? "",
            Body = result.GetValue(Body) ?? "",
            RequestId = RequestOptions.NewId(result),
            Caller = result.GetValue(RequestOptions.Caller)!,
        };
        var answer = await client.Sequences.EditScheduledEmailAsync(request, cancellationToken: cancellationToken);
        return await TellAsync(answer, answer.Result, answer.Edited ? "edited" : "is not to be sent any more", result, console);
    }

    private static async Task<int> TellAsync(IMessage answer, EventResult? outcome, string told, ParseResult result, CliConsole console)
    {
        CommandResult.Check(outcome);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(answer));
        }
        else
        {
            console.Out.MarkupLine(told + CommandResult.Repeated(outcome));
        }

        return ExitCode.Success;
    }

    private static async Task<int> StatusAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var request = new GetSequenceStatusRequest { Ref = RecordName.Parse(result.GetValue(Contact)!), SequenceId = result.GetValue(MaybeId) ?? "" };
        var status = await client.Sequences.GetSequenceStatusAsync(request, cancellationToken: cancellationToken);
        if (result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync(JsonOutput.Whole(status));
            return ExitCode.Success;
        }

        foreach (var line in Lines(status))
        {
            console.Out.MarkupLine(Markup.Escape(line));
        }

        return ExitCode.Success;
    }

    /// <summary>Where a contact stands, in words.</summary>
    public static IEnumerable<string> Lines(SequenceStatus status)
    {
        if (status.EnrollmentNumber == 0)
        {
            yield return status.SequenceId.Length > 0 ? $"never enrolled in {status.SequenceId}" : "never enrolled in a sequence";
            yield break;
        }

        yield return string.Create(CultureInfo.InvariantCulture, $"{status.SequenceId}, enrollment number {status.EnrollmentNumber} of {Show.Time(status.EnrolledAt)}");
        yield return status.Active is { } active
            ? $"active, {(active.StepId.Length > 0 ? $"in step {active.StepId}" : "before the first step")}{(active.DueAt is null ? "" : $", until {Show.Time(active.DueAt)}")}"
            : $"ended with {ProtoNames.Of(status.EndReason)}, {Show.Time(status.EndedAt)}";
        if (status.Signals.Count > 0)
        {
            yield return $"e-mails: {string.Join(", ", status.Signals).ToLowerInvariant().Replace('_', ' ')}";
        }
    }

    private static async Task<int> DeleteAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var request = new DeleteSequenceRequest { SequenceId = result.GetValue(Id)!, EndActive = result.GetValue(EndActive) };
        var operation = await client.Sequences.DeleteSequenceAsync(request, cancellationToken: cancellationToken);
        return await OperationWatch.FollowAsync(client, operation, !result.GetValue(RequestOptions.NoWait), result.GetValue(Json), console, cancellationToken);
    }
}
