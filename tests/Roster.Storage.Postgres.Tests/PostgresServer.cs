using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Npgsql;

namespace Roster.Storage.Postgres.Tests;

/// <summary>How a server is brought down.</summary>
public enum Stop
{
    /// <summary>Sessions are ended, transactions undone, everything is flushed.</summary>
    Fast,

    /// <summary>As in a crash: the next start recovers from the log.</summary>
    Immediate,
}

/// <summary>
/// A PostgreSQL server of its own, from the programs that the Debian package installs: data and socket in a folder under the temporary one,
/// no TCP port, gone at the end; or in a folder that stays. It ends with this process, whatever becomes of it: a shell holds the server and
/// waits for the end of its input.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Hold = """
        "$@" &
        server=$!
        read -r _
        kill -QUIT $server 2>/dev/null
        wait $server
        """;

    private readonly string _programs;
    private readonly string _folder;
    private readonly bool _isKept;
    private readonly Dictionary<string, string> _settings = new() { ["max_connections"] = "200", ["shared_buffers"] = "64MB" };
    private Process? _shell;

    private PostgresServer(string? folder, (string Name, string Value)[] settings)
    {
        _programs = Programs ?? throw new InvalidOperationException("PostgreSQL is not installed.");
        _folder = folder ?? Path.Combine(Path.GetTempPath(), $"roster-pg-{Guid.NewGuid():N}");
        _isKept = folder is not null;
        foreach (var (name, value) in settings)
        {
            _settings[name] = value;
        }
    }

    /// <summary>Folder of the programs; null where PostgreSQL is not installed.</summary>
    public static string? Programs { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql")
            .Select(version => Path.Combine(version, "bin"))
            .Where(bin => File.Exists(Path.Combine(bin, "initdb")))
            .OrderByDescending(bin => decimal.Parse(Path.GetFileName(Path.GetDirectoryName(bin)!), System.Globalization.CultureInfo.InvariantCulture))
            .FirstOrDefault()
        : null;

    /// <summary>Number of the process that all others of the server are children of.</summary>
    public int ProcessId => int.Parse(File.ReadLines(Path.Combine(_folder, "postmaster.pid")).First(), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Connects as the owner of everything; the database is <c>postgres</c>.</summary>
    public string ConnectionString => $"Host={_folder};Username=roster;Database=postgres";

    /// <summary>Path of the socket that the server listens on.</summary>
    public string Socket => Path.Combine(_folder, ".s.PGSQL.5432");

    /// <summary>Makes a new cluster and starts it.</summary>
    /// <param name="settings">Settings that differ from the defaults.</param>
    public static async Task<PostgresServer> StartNewAsync(params (string Name, string Value)[] settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var server = new PostgresServer(null, settings);
        // A cluster that is lost with the machine needs no flush while it is made.
        await server.MakeAsync("--no-sync");
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts the cluster of a folder, which is made when there is none, and stays.</summary>
    /// <param name="folder">An absolute path of at most 80 characters, because the socket is there too. The folders above it can be entered by everybody.</param>
    /// <param name="settings">Settings that differ from the defaults.</param>
    public static async Task<PostgresServer> StartInAsync(string folder, params (string Name, string Value)[] settings)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(settings);
        var server = new PostgresServer(folder, settings);
        if (!File.Exists(Path.Combine(folder, "PG_VERSION")))
        {
            Directory.CreateDirectory(folder);
            if (AsUser() is [_, _, var user, ..])
            {
                await ExecuteAsync("chown", user, folder);
            }

            await server.MakeAsync();
        }

        await server.StartAsync();
        return server;
    }

    /// <summary>Starts the server again and waits until it takes connections.</summary>
    public async Task StartAsync()
    {
        string[] settings = [.. _settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })];
        var start = new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardError = true };
        string[] arguments =
        [
            "-c", Hold, "sh", .. AsUser(), Path.Combine(_programs, "postgres"),
            "-D", _folder, "-k", _folder, "-c", "listen_addresses=", "-c", "port=5432", .. settings,
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        _shell = Process.Start(start)!;
        var said = new StringBuilder();
        while (await _shell.StandardError.ReadLineAsync() is { } line)
        {
            said.AppendLine(line);
            if (line.Contains("database system is ready to accept connections", StringComparison.Ordinal))
            {
                _ = DrainAsync(_shell.StandardError);
                return;
            }
        }

        throw new InvalidOperationException($"PostgreSQL did not start: {said}");
    }

    /// <summary>Stops the server and waits until it is down.</summary>
    public async Task StopAsync(Stop mode)
    {
        await RunAsync("pg_ctl", "stop", "--pgdata", _folder, "--wait", "--mode", mode == Stop.Fast ? "fast" : "immediate");
        await EndShellAsync();
    }

    /// <summary>Settings of the next start.</summary>
    public void Set(string name, string value) => _settings[name] = value;

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_isKept)
        {
            await StopAsync(Stop.Fast);
            return;
        }

        await EndShellAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private Task MakeAsync(params string[] options) =>
        RunAsync("initdb", ["--pgdata", _folder, "--username", "roster", "--auth", "trust", "--encoding", "UTF8", "--no-locale", .. options]);

    private async Task EndShellAsync()
    {
        if (_shell is { } shell)
        {
            _shell = null;
            shell.StandardInput.Close();
            await shell.WaitForExitAsync();
            shell.Dispose();
        }
    }

    private Task RunAsync(string program, params string[] arguments) => ExecuteAsync([.. AsUser(), Path.Combine(_programs, program), .. arguments]);

    private static async Task ExecuteAsync(params string[] words)
    {
        var start = new ProcessStartInfo(words[0]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        Array.ForEach(words[1..], start.ArgumentList.Add);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', words)} ended with {process.ExitCode}: {await output}{await errors}");
        }
    }

    /// <summary>PostgreSQL refuses to run as root; the package brings a user for it.</summary>
    private static string[] AsUser()
    {
        if (GetEffectiveUser() != 0)
        {
            return [];
        }

        var user = File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";
        return ["setpriv", "--reuid", user, "--regid", user == "nobody" ? "nogroup" : user, "--clear-groups"];
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint GetEffectiveUser();

    private static async Task DrainAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is not null)
            {
                // The pipe must not fill up.
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
        {
            // The shell is gone.
        }
    }
}
