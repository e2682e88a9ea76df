namespace Roster.Import.Tests;

/// <summary>Real flows, which are not part of this repository: of the folder that the variable names.</summary>
public sealed class FolderTests
{
    private const string Variable = "ROSTER_HUBSPOT_FLOWS";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task IMP_01_IMP_02_Every_flow_of_the_folder_goes_through_twice_alike_and_what_is_wrong_is_what_publishing_refuses()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"The variable {Variable} names no folder with flows of HubSpot's API v4.");
        var files = Directory.EnumerateFiles(folder!, "*.json").Order(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var json = await File.ReadAllTextAsync(file, Cancel);
            var imported = new Imported(json);
            Assert.Equal(imported.Workflow, new Imported(json).Workflow);
            Assert.NotEmpty(imported.Workflow.Steps);
            Assert.NotEmpty(imported.Report.Fields);
            var errors = await imported.ErrorsAsync(Cancel);
            var isKept = !imported.Report.Remarks().Any(remark => remark.Level == Fidelity.Unsupported);
            Assert.True(!isKept || !errors.Any(), $"{file}: {string.Join("; ", errors)}");
            foreach (var remark in imported.Report.Remarks().Where(remark => remark.Code != FindingCode.Bookkeeping))
            {
                TestContext.Current.SendDiagnosticMessage("{0}", $"{Path.GetFileName(file)} {remark.LevelName} {remark.Path} {remark.Value}: {remark.Reason}");
            }
        }
    }

    [Fact]
    public async Task IMP_02_Every_part_of_a_flow_in_the_folder_goes_through_with_a_report()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        var parts = string.IsNullOrEmpty(folder) ? "" : Path.Combine(folder, "fragments");
        Assert.SkipUnless(Directory.Exists(parts), $"The variable {Variable} names no folder with a folder `fragments`.");
        foreach (var file in Directory.EnumerateFiles(parts))
        {
            Assert.NotEmpty(new Imported(await File.ReadAllTextAsync(file, Cancel)).Report.Fields);
        }
    }
}
