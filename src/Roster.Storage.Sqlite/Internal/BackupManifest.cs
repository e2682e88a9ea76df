using System.Text.Json;
using System.Text.Json.Serialization;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>What a backup says of itself, in <c>backup.json</c>.</summary>
/// <param name="Format">Version of this file.</param>
/// <param name="Store">Id that its files bear: no other store has it.</param>
/// <param name="Origin">Id of the store that it was taken from.</param>
/// <param name="TakenAt">When.</param>
/// <param name="Position">Position of the newest turn.</param>
/// <param name="Records">Records.</param>
/// <param name="Files">Its files.</param>
internal sealed record BackupManifest(
    int Format, string Store, string Origin, DateTimeOffset TakenAt, long Position, long Records, IReadOnlyList<BackupFile> Files)
{
    public const string FileName = "backup.json";
    public const int FormatVersion = 1;

    public static void Write(string folder, BackupManifest manifest)
    {
        var path = Path.Combine(folder, FileName);
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJson.Default.BackupManifest));
        DurableFiles.Flush(path);
    }

    /// <summary>Reads the file of a folder.</summary>
    /// <exception cref="StoreRefusedException">There is none, or it is of a later version.</exception>
    /// <exception cref="StoreCorruptException">It cannot be read.</exception>
    public static BackupManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new StoreRefusedException($"{folder} is no backup: there is no {FileName} in it.");
        }

        try
        {
            var manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), ManifestJson.Default.BackupManifest);
            if (manifest?.Files is null)
            {
                throw new StoreCorruptException($"{path} is damaged. Use another backup.");
            }

            return manifest.Format == FormatVersion
                ? manifest
                : throw new StoreRefusedException($"{path} has format {manifest.Format}; this program reads format {FormatVersion}. Use the version that wrote it, or a later one.");
        }
        catch (JsonException e)
        {
            throw new StoreCorruptException($"{path} is damaged: {e.Message} Use another backup.", e);
        }
    }
}

/// <summary>A file of a backup.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Crc32C">Its checksum.</param>
internal sealed record BackupFile(string Name, long Bytes, uint Crc32C);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
