namespace Roster.Foreign.Tests;

/// <summary>The packages of npm that Node's tests and examples need. Nothing is downloaded by a test.</summary>
internal static class NodePackages
{
    /// <summary>The variable by which the scripts find them.</summary>
    public const string Folder = "PACKAGES";

    /// <summary>Names a folder with <c>@grpc/grpc-js</c> and <c>@grpc/proto-loader</c> in its <c>node_modules</c>, or is <c>none</c>.</summary>
    private const string Variable = "ROSTER_NODE_PACKAGES";

    /// <summary>What the variable is where the packages cannot be had, for want of npm or of a registry.</summary>
    private const string None = "none";

    /// <summary>The folder. Skips the test where there is none; fails it on CI, unless the variable says so.</summary>
    public static string Require()
    {
        var packages = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(packages))
        {
            const string Reason = $"The variable {Variable} names no folder in which `npm install` has run for samples/clients/node/package.json.";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", Reason);
            Assert.Skip(Reason);
        }

        Assert.SkipWhen(packages == None, $"The variable {Variable} is `{None}`: the packages cannot be had here.");
        return packages;
    }
}
