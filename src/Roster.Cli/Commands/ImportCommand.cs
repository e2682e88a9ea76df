using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Roster.Cli.Json;
using Roster.Import;
using Roster.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster import</c>: definitions of another system as definitions here.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string[]> Files = new("FILE")
    {
        Description = "Files with a flow in the JSON of HubSpot's Automation API v4, with a part of one, or with the answer of a batch read.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> Out = new("--out") { Description = "Writes the workflows to this file, for `roster apply`. Default: to the output.", HelpName = "FILE" };
    private static readonly Option<string?> Report = new("--report") { Description = "Writes what became of each field to this file, as JSON.", HelpName = "FILE" };
    private static readonly Option<string?> Id = new("--id") { Description = "Id of the workflow, for one flow. Default: hubspot-NUMBER." };
    private static readonly Option<bool> Draft = new("--draft") { Description = "Saves the drafts on the server. A workflow that is there already stays as it is." };
    private static readonly Option<bool> Strict = new("--strict") { Description = "Exit code 1 when anything is unsupported." };

    private static readonly Option<bool> Schema = new("--schema")
    {
        Description = "Adds the properties and lists that the workflows name, with guessed types. Look through them: the type of a property never changes.",
    };

    public static Command Create(CliConsole console)
    {
        var hubspot = new Command("hubspot", "Turns flows of HubSpot into drafts, and tells of each field how well it is kept. Turns nothing on.")
        {
            Files, Out, Report, Id, Schema, Draft, Strict,
        };
        hubspot.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return new Command("import", "Imports definitions of another system.") { hubspot };
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var files = result.GetValue(Files)!;
        if (result.GetValue(Id) is not null && files.Length > 1)
        {
            throw new CliException("--id is for one file.");
        }

        if (result.GetValue(Schema) && result.GetValue(Draft) && result.GetValue(Out) is null)
        {
            throw new CliException("--schema goes into a file, and --draft saves workflows only: name a file with --out too.");
        }

        var import = new HubSpotImport();
        var imported = new List<(string File, ImportedWorkflow Imported)>();
        var failed = 0;
        foreach (var file in files)
        {
            try
            {
                var json = await File.ReadAllTextAsync(file, cancellationToken);
                imported.AddRange(import.Import(json, result.GetValue(Id)).Select(one => (file, one)));
            }
            catch (Exception error) when (error is ImportException or IOException or UnauthorizedAccessException)
            {
                // The other files go on.
                failed++;
                console.Fail(error is ImportException ? $"{file}: {error.Message}" : error.Message);
            }
        }

        imported.ForEach(one => Tell(one.File, one.Imported, console));
        WarnOfDoubles(imported, console);
        if (result.GetValue(Report) is { } report)
        {
            await File.WriteAllTextAsync(report, ReportOf(imported) + "\n", cancellationToken);
        }

        failed += await WriteAsync(result, import, [.. imported.Select(one => one.Imported.Workflow)], console, cancellationToken);
        var isKept = !imported.Any(one => one.Imported.Report.Remarks().Any(remark => remark.Level == Fidelity.Unsupported));
        return failed == 0 && (isKept || !result.GetValue(Strict)) ? ExitCode.Success : failed == files.Length && imported.Count == 0 ? ExitCode.BadInput : ExitCode.SomeFailed;
    }

    private static async Task<int> WriteAsync(
        ParseResult result, HubSpotImport import, IReadOnlyList<Workflow> workflows, CliConsole console, CancellationToken cancellationToken)
    {
        if (workflows.Count == 0)
        {
            return 0;
        }

        var isSchema = result.GetValue(Schema);
        var document = ApplyDocument.Write(isSchema ? import.Schema : null, isSchema ? import.Lists : [], workflows, []);
        if (result.GetValue(Out) is { } file)
        {
            await File.WriteAllTextAsync(file, document + "\n", cancellationToken);
        }
        else if (!result.GetValue(Draft))
        {
            await console.Plain.WriteLineAsync(document);
        }

        return result.GetValue(Draft) ? await SaveAsync(result, workflows, console, cancellationToken) : 0;
    }

    private static async Task<int> SaveAsync(ParseResult result, IReadOnlyList<Workflow> workflows, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result);
        var failed = 0;
        foreach (var workflow in workflows)
        {
            try
            {
                var saved = await client.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = workflow }, cancellationToken: cancellationToken);
                await console.Plain.WriteLineAsync($"workflow {saved.Id}: draft saved, revision {saved.Revision}");
            }
            catch (Grpc.Core.RpcException error) when (error.StatusCode is Grpc.Core.StatusCode.Aborted or Grpc.Core.StatusCode.InvalidArgument or Grpc.Core.StatusCode.FailedPrecondition)
            {
                failed++;
                var hint = error.StatusCode == Grpc.Core.StatusCode.Aborted ? " It is left as it is; --id gives the import another id." : "";
                console.Fail($"workflow {workflow.Id}: {error.Status.Detail}{hint}");
            }
        }

        return failed;
    }

    // What people read goes to the error output, so that the output can be piped into a file.
    private static void Tell(string file, ImportedWorkflow imported, CliConsole console)
    {
        var (workflow, report) = (imported.Workflow, imported.Report);
        var lines = console.Error.Profile.Out.Writer;
        lines.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{file}: workflow {workflow.Id}: {workflow.Steps.Count} steps; {report.Fields.Count} fields: {report.Exact} exact, {report.Adapted} adapted, {report.Unsupported} unsupported"));
        foreach (var remark in report.Remarks().Where(remark => remark.Code != FindingCode.Bookkeeping))
        {
            var value = remark.Value.Length > 0 ? $" `{remark.Value}`" : "";
            lines.WriteLine($"  {remark.LevelName,-11} {remark.Path}{value}: {remark.Reason} [{remark.CodeName}]");
        }
    }

    private static void WarnOfDoubles(List<(string File, ImportedWorkflow Imported)> imported, CliConsole console)
    {
        foreach (var same in imported.GroupBy(one => one.Imported.Workflow.Id, StringComparer.Ordinal).Where(same => same.Count() > 1))
        {
            console.Warn($"{same.Count()} flows become workflow `{same.Key}`: {string.Join(", ", same.Select(one => one.File))}.");
        }
    }

    private static string ReportOf(IEnumerable<(string File, ImportedWorkflow Imported)> imported) =>
        ApplyDocument.Text(new JsonArray([.. imported.Select(one => (JsonNode)ReportOf(one.File, one.Imported))]));

    private static JsonObject ReportOf(string file, ImportedWorkflow imported) => new()
    {
        ["file"] = file,
        ["workflow"] = imported.Workflow.Id,
        ["exact"] = imported.Report.Exact,
        ["adapted"] = imported.Report.Adapted,
        ["unsupported"] = imported.Report.Unsupported,
        ["notes"] = Findings(imported.Report.Notes),
        ["fields"] = Findings(imported.Report.Fields),
    };

    private static JsonArray Findings(IEnumerable<Finding> findings) => new([.. findings.Select(finding =>
    {
        var json = new JsonObject { ["path"] = finding.Path, ["level"] = finding.LevelName };
        if (finding.Value.Length > 0)
        {
            json.Add("value", finding.Value);
        }

        if (finding.Code != FindingCode.None)
        {
            json.Add("code", finding.CodeName);
            json.Add("reason", finding.Reason);
        }

        return (JsonNode)json;
    })]);
}
