namespace Roster.Foreign.Tests;

/// <summary>The packages of npm that Node's tests and examples need. Nothing is downloaded by a test.</summary>
internal static class NodePackages
{
    /// <summary>The variable by which the scripts find them.</summary>
    public const string Folder = "PACKAGES";

    /// <summary>Names a folder with <c>@grpc/grpc-js</c> and <c>@grpc/proto-loader</c> in its <c>node_modules</c>.</summary>
    private const string Variable = "ROSTER_NODE_PACKAGES";

    /// <summary>The folder. Skips the test where there is none.</summary>
    public static string Require()
    {
        var packages = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(packages), $"The variable {Variable} names no folder in which `npm install` has run for samples/clients/node/package.json.");
        return packages!;
    }
}
