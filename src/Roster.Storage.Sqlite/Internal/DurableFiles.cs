using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Roster.Core.Hashing;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>Files and folders that are there after a power failure.</summary>
internal static class DurableFiles
{
    private const int BufferBytes = 1024 * 1024;

    /// <summary>Waits until the bytes of a file are on the disk.</summary>
    public static void Flush(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>
    /// Has the system write bytes of a file soon, and does not wait for it. Nothing relies on that: a kernel that keeps them until they are half a minute old writes them all at
    /// once, and every flush of another file waits behind them. Does nothing where there is no such call.
    /// </summary>
    /// <seealso href="https://man7.org/linux/man-pages/man2/sync_file_range.2.html"/>
    public static void BeginWriting(SafeFileHandle file, long offset, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = sync_file_range(file, offset, length, SyncFileRangeWrite);
        }
    }

    /// <summary>Waits until the names in a folder are on the disk. Windows does that by itself.</summary>
    public static void FlushFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var folder = open(path, 0);
        if (folder < 0)
        {
            throw new IOException($"The folder {path} cannot be opened: error {Marshal.GetLastPInvokeError()}.");
        }

        var failed = fsync(folder) != 0;
        var error = Marshal.GetLastPInvokeError();
        _ = close(folder);
        if (failed)
        {
            throw new IOException($"The folder {path} cannot be flushed: error {error}.");
        }
    }

    /// <summary>Gives a complete folder its name. There may be an empty folder of that name.</summary>
    public static void Publish(string folder, string name)
    {
        FlushFolder(folder);
        if (Directory.Exists(name))
        {
            // Fails when it is not empty any more.
            Directory.Delete(name, recursive: false);
        }

        Directory.Move(folder, name);
        FlushFolder(Path.GetDirectoryName(name)!);
    }

    /// <summary>Copies a file, flushes the copy now and then and at its end, and returns the checksum of what was read.</summary>
    public static uint Copy(string from, string to, CancellationToken cancellationToken)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        using var copy = new FileStream(to, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        return Walk(source, cancellationToken, copy);
    }

    /// <summary>Checksum of a file.</summary>
    public static uint Checksum(string path, CancellationToken cancellationToken)
    {
        using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return Walk(source, cancellationToken, copy: null);
    }

    private static uint Walk(FileStream source, CancellationToken cancellationToken, FileStream? copy)
    {
        const int FlushBuffers = 32;
        var buffer = new byte[BufferBytes];
        var checksum = uint.MaxValue;
        for (var n = 1; source.Read(buffer) is > 0 and var count; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            checksum = Crc32C.Of(checksum, buffer.AsSpan(0, count));
            copy?.Write(buffer, 0, count);
            if (n % FlushBuffers == 0)
            {
                copy?.Flush(flushToDisk: true);
            }
        }

        copy?.Flush(flushToDisk: true);
        return checksum;
    }

    private const uint SyncFileRangeWrite = 2;

    // The names of the C library. It is in every .NET process but on Windows.
#pragma warning disable IDE1006, SA1300, SYSLIB1054, CA2101
    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int fsync(int file);

    [DllImport("libc")]
    private static extern int sync_file_range(SafeFileHandle file, long offset, long length, uint flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int file);
#pragma warning restore IDE1006, SA1300, SYSLIB1054, CA2101
}
