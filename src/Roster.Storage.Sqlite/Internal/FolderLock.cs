using System.Globalization;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>One process per data folder: a file that is held open exclusively. The operating system lets go of it when a process dies.</summary>
internal sealed class FolderLock : IDisposable
{
    public const string FileName = "LOCK";

    /// <summary>The locked file cannot be read by others, so who holds it is said beside it.</summary>
    public const string HolderFileName = "LOCK.holder";

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    public static FolderLock Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(Path.Combine(folder, HolderFileName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new FolderLock(file);
        }
        catch (IOException e)
        {
            throw new StoreRefusedException($"The data folder {folder} is in use by {Holder(folder)}. One process at a time may open it.", e);
        }
    }

    public void Dispose() => _file.Dispose();

    private static string Holder(string folder)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(folder, HolderFileName));
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? $"process {id}" : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
