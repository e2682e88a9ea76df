using System.Text.Json;
using System.Text.Json.Serialization;

namespace Roster.Cli.Ingest;

/// <summary>
/// How far an ingest of certain files has come: <c>--resume</c>. It only saves time: event ids are stable, so what is sent again has
/// no effect.
/// </summary>
internal sealed class ResumeState
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>The files, in the order given.</summary>
    public required IReadOnlyList<ResumeFile> Files { get; init; }

    /// <summary>Events from the start, in the order in which they are sent, that all have a result.</summary>
    public long Acknowledged { get; set; }

    /// <summary>Where the state is kept.</summary>
    [JsonIgnore]
    public string Path { get; private set; } = "";

    /// <summary>Reads the state, or begins one.</summary>
    /// <exception cref="CliException">The state is of other files.</exception>
    public static ResumeState Open(string path, IReadOnlyList<string> files)
    {
        var present = files.Select(file => new ResumeFile(file, new FileInfo(file).Length)).ToArray();
        if (!File.Exists(path))
        {
            return new ResumeState { Files = present, Path = path };
        }

        ResumeState state;
        try
        {
            state = JsonSerializer.Deserialize<ResumeState>(File.ReadAllText(path), Options) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException error)
        {
            throw new CliException($"{path} is not a resume state: {error.Message} Delete it to start again.");
        }

        state.Path = path;
        return state.Files.SequenceEqual(present)
            ? state
            : throw new CliException($"{path} is the resume state of other files, or of files that have changed since. Delete it to start again.");
    }

    /// <summary>Writes the state, whole or not at all.</summary>
    public void Save()
    {
        var temporary = Path + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, Options));
        File.Move(temporary, Path, overwrite: true);
    }
}

/// <summary>A file as it was.</summary>
internal sealed record ResumeFile(string Name, long Bytes);
