using System.CommandLine;
using Grpc.Core;
using Roster.Cli.Commands;
using Roster.Cli.Output;
using Roster.Engine.Moving;
using Roster.Engine.Stores;
using Roster.Server;

namespace Roster.Cli;

/// <summary>The commands of <c>roster</c>, and the one place where an exception becomes a sentence and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliConsole console)
    {
        ArgumentNullException.ThrowIfNull(args);
        var parsed = CreateRoot(console).Parse(args);
        var exitCode = await parsed.InvokeAsync(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = Timeout.InfiniteTimeSpan,
            Output = console.Out.Profile.Out.Writer,
            Error = console.Error.Profile.Out.Writer,
        });
        return parsed.Errors.Count > 0 ? ExitCode.BadInput : exitCode;
    }

    /// <summary>All commands with their options.</summary>
    public static RootCommand CreateRoot(CliConsole console)
    {
        var root = new RootCommand("Roster, an enrollment engine for CRM automation. Start with `roster demo`.");
        ConnectionOptions.AddTo(root);
        root.Add(DemoCommand.Create(console));
        root.Add(SimulateCommand.Create(console));
        root.Add(ServeCommand.Create(console));
        root.Add(ApplyCommand.Create(console));
        root.Add(ImportCommand.Create(console));
        root.Add(ExportCommand.Create(console));
        root.Add(IngestCommand.Create(console));
        root.Add(EnrollCommand.CreateEnroll(console));
        root.Add(EnrollCommand.CreateUnenroll(console));
        root.Add(RecordCommand.Create(console));
        root.Add(ExplainCommand.Create(console));
        root.Add(HistoryCommand.Create(console));
        root.Add(WorkflowCommand.Create(console));
        root.Add(ListCommand.Create(console));
        root.Add(SequenceCommand.Create(console));
        root.Add(InboxCommand.Create(console));
        root.Add(OperationsCommand.Create(console));
        root.Add(WorkCommand.Create(console));
        root.Add(QueueCommand.Create(console));
        root.Add(WebhookCommand.Create(console));
        root.Add(DeadLettersCommand.Create(console));
        root.Add(JournalCommand.Create(console));
        root.Add(StatusCommand.Create(console));
        root.Add(HealthCommand.Create(console));
        root.Add(KeyCommand.Create(console));
        root.Add(AdvanceCommand.Create(console));
        root.Add(BackupCommand.Create(console));
        root.Add(RestoreCommand.Create(console));
        root.Add(CheckCommand.Create(console));
        root.Add(MigrateCommand.Create(console));
        root.Add(TenantCommand.Create(console));
        return root;
    }

    /// <summary>Gives a command its action, with errors told as sentences.</summary>
    public static void SetActionSafely(this Command command, CliConsole console, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                return await action(result, cancellationToken);
            }
            catch (Exception error)
            {
                return Tell(console, error, result.GetValue(ConnectionOptions.Server), cancellationToken);
            }
        });

    private static int Tell(CliConsole console, Exception error, string? server, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested && error is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            return ExitCode.Interrupted;
        }

        var (sentences, exitCode) = error switch
        {
            CliException known => (known.Sentences, known.ExitCode),
            RpcException rpc => (RpcSentences.Of(rpc, server), ExitCode.ServerSaidNo),
            ServerOptionsException settings => (settings.Problems, ExitCode.BadInput),
            InvalidOperationException { InnerException: RpcException rpc } => (RpcSentences.Of(rpc, server), ExitCode.ServerSaidNo),
            IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException or StoreRefusedException => ([error.Message], ExitCode.BadInput),
            StoreCorruptException or StoreFullException or TenantFileException => ([error.Message], ExitCode.SomeFailed),
            _ => ([$"{error.GetType().Name}: {error.Message} This is a bug of roster; please report it."], ExitCode.EngineFailed),
        };
        foreach (var sentence in sentences)
        {
            console.Fail(sentence);
        }

        return exitCode;
    }
}
