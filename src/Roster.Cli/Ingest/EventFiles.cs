namespace Roster.Cli.Ingest;

/// <summary>Opens the files of a command line as sources, with their maps.</summary>
internal static class EventFiles
{
    /// <exception cref="CliException">A file is missing, or its kind is not known.</exception>
    public static IReadOnlyList<IEventSource> Open(IReadOnlyList<string> files, IReadOnlyList<string> maps)
    {
        var byFile = maps.Where(map => map.Contains('=', StringComparison.Ordinal)).Select(map => map.Split('=', 2)).ToList();
        var forAll = maps.Where(map => !map.Contains('=', StringComparison.Ordinal)).ToList();
        if (forAll.Count > 1)
        {
            throw new CliException($"--map is given {forAll.Count} times for all files; name the file: `--map deals.csv={forAll[1]}`.");
        }

        foreach (var pair in byFile)
        {
            if (!files.Any(file => IsNamed(file, pair[0])))
            {
                throw new CliException($"--map `{pair[0]}={pair[1]}` names a file that is not ingested.");
            }
        }

        return [.. files.Select(file => Open(file, byFile.FirstOrDefault(pair => IsNamed(file, pair[0]))?[1] ?? forAll.FirstOrDefault()))];
    }

    private static IEventSource Open(string file, string? map)
    {
        if (file == "-")
        {
            return new JsonLinesSource("stdin", Console.OpenStandardInput);
        }

        if (!File.Exists(file))
        {
            throw new CliException($"There is no file `{file}`.");
        }

        var extension = Path.GetExtension(file).ToLowerInvariant();
        if (extension is ".csv" or ".tsv")
        {
            return map is null
                ? throw new CliException($"`{file}` is CSV: --map says how its columns become events.")
                : new CsvSource(file, () => File.OpenRead(file), CsvMap.Parse(File.ReadAllText(map), map));
        }

        return extension is ".jsonl" or ".ndjson" or ".json"
            ? new JsonLinesSource(file, () => File.OpenRead(file))
            : throw new CliException($"`{file}` is neither JSON lines (.jsonl, .ndjson, .json) nor CSV (.csv, .tsv).");
    }

    private static bool IsNamed(string file, string name) =>
        string.Equals(file, name, StringComparison.Ordinal) || string.Equals(Path.GetFileName(file), name, StringComparison.Ordinal);
}
