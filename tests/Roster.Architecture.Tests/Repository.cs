using System.Xml.Linq;

namespace Roster.Architecture.Tests;

/// <summary>The files of the repository.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static IEnumerable<string> Projects(string folder) => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories).Where(IsSource);

    public static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories).Where(IsSource);

    public static string Name(string project) => Path.GetFileNameWithoutExtension(project);

    public static IEnumerable<string> References(string project) => Items(project, "ProjectReference").Select(p => Path.GetFileNameWithoutExtension(p.Replace('\\', '/')));

    public static IEnumerable<string> Packages(string project) => Items(project, "PackageReference");

    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> Items(string project, string kind) =>
        XDocument.Load(project).Descendants(kind).Select(e => (string?)e.Attribute("Include")).OfType<string>();

    private static bool IsSource(string path) => !Relative(path).Split('/').Any(part => part is "bin" or "obj" or "artifacts");

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
        {
            folder = folder.Parent;
        }

        // Artifacts may lie outside of the repository: then the build says where the repository is.
        return folder?.FullName ?? typeof(Repository).Assembly.GetCustomAttributes(typeof(System.Reflection.AssemblyMetadataAttribute), false)
            .Cast<System.Reflection.AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
    }
}
