using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Temporary files that are used again and again: to remove a large one gives its blocks back to the file system at once, and every commit
/// waits meanwhile (measured: 150 to 300 milliseconds for some hundred megabytes on ext4).
/// </summary>
/// <remarks>A file has no name where the operating system allows that, so nothing is left of it when the process ends. Thread-safe.</remarks>
internal sealed class ScratchFiles(string folder) : IDisposable
{
    private const string Prefix = "evicted-";
    private const string Suffix = ".tmp";
    private readonly Lock _lock = new();
    private readonly Stack<ScratchFile> _free = new();
    private int _made;
    private int _forgotten;
    private bool _isDisposed;

    /// <summary>Removes files that a killed process left. Where files are made without a name there are none.</summary>
    public static void RemoveLeftovers(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, $"{Prefix}*{Suffix}"))
        {
            File.Delete(path);
        }
    }

    /// <summary>A file of one's own, with anything in it.</summary>
    /// <exception cref="IOException">None could be made.</exception>
    /// <exception cref="UnauthorizedAccessException">None could be made.</exception>
    public ScratchFile Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out var free))
            {
                return free;
            }

            var path = System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{++_made}{Suffix}"));
            var hasName = OperatingSystem.IsWindows();
            var handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, hasName ? FileOptions.DeleteOnClose : FileOptions.None);
            if (!hasName)
            {
                File.Delete(path);
            }

            return new ScratchFile(handle, _forgotten);
        }
    }

    /// <summary>Takes a file back.</summary>
    public void Return(ScratchFile file)
    {
        lock (_lock)
        {
            if (_isDisposed || file.MadeAfter != _forgotten)
            {
                file.Handle.Dispose();
            }
            else
            {
                file.Heads.Clear();
                _free.Push(file);
            }
        }
    }

    /// <summary>What is in the files now goes with them: at once, or when they come back.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _forgotten++;
            CloseFree();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            CloseFree();
        }
    }

    private void CloseFree()
    {
        while (_free.TryPop(out var file))
        {
            file.Handle.Dispose();
        }
    }
}

/// <summary>A temporary file, and where the heads are in it.</summary>
/// <param name="Handle">To read and write it.</param>
/// <param name="MadeAfter">How often files had been forgotten when it was made.</param>
internal sealed record ScratchFile(SafeFileHandle Handle, int MadeAfter)
{
    /// <summary>Heads in the file, by record; empty whenever the file is rented.</summary>
    public HeadIndex Heads { get; } = new();
}
