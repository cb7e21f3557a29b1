using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BackupEngine.Chunking;
using BackupEngine.Format;

namespace BackupEngine.Catalog;

/// <summary>The JSON of records, intents, exported records and the repository file: snake_case, indented. Unknown members are kept, or ignored where nothing is rewritten.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Backup))]
[JsonSerializable(typeof(ExportedRecord))]
[JsonSerializable(typeof(DeletionMark))]
[JsonSerializable(typeof(Intent))]
[JsonSerializable(typeof(RepositoryFile))]
internal sealed partial class CatalogJson : JsonSerializerContext
{
    /// <summary>As <see cref="Default"/>, and people's own letters stay as they are: records are no part of any web page.</summary>
    public static CatalogJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>More than any record; longer ones are refused before they are read.</summary>
    public const int MaxLength = 4 << 20;

    /// <summary>What a backup's name, description, metadata and the like may take: room is left for what is added to a record later.</summary>
    private const int MaxDraftLength = 1 << 20;

    /// <summary>Refuses to begin what could not be read again.</summary>
    /// <exception cref="ArgumentException">The record would be too long.</exception>
    /// <exception cref="RecordFormatException">So it would be, and it is an exported one.</exception>
    public static void CheckLength(Intent intent)
    {
        int length = Write(intent).Length;
        if (intent.IsImport && length > MaxLength)
            throw new RecordFormatException($"The record has {length} bytes, and {MaxLength} are the most.");
        if (!intent.IsImport && length > MaxDraftLength)
            throw new ArgumentException($"The record of the backup would have {length} bytes, and {MaxDraftLength} are the most: its name, description or metadata are too long.", nameof(intent));
    }

    /// <summary>Reads a record.</summary>
    /// <returns>
    /// The record. One that a newer engine wrote is returned with <see cref="Backup.IsNewer"/>: its version is higher than this engine knows, or its checksum is right and
    /// it has values that this engine does not know.
    /// </returns>
    /// <exception cref="CorruptionException">The record is damaged.</exception>
    public static Backup ReadBackup(string key, ReadOnlySpan<byte> json)
    {
        bool isIntact = RecordChecksum.Check(key, json);
        try
        {
            Backup backup = WithoutChecksum(JsonSerializer.Deserialize(json, Default.Backup) ?? throw new CorruptionException(key, null, "the record is empty"));
            if (backup.RecordVersion > RecordVersion.Current)
                return NewerRecord.Of(backup);
            if (IsPossible(backup))
                return backup;
            return isIntact ? NewerRecord.Of(backup) : throw new CorruptionException(key, null, DescribeImpossible(backup));
        }
        catch (JsonException e)
        {
            return NewerRecord.TryRead(key, json, isIntact) ?? throw new CorruptionException(key, null, $"the record cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a record that is not stored as an object of its own, and has no checksum that must be right.</summary>
    /// <exception cref="JsonException">It is not a record.</exception>
    public static Backup? ReadExported(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, Default.Backup) is { } backup ? WithoutChecksum(backup) : null;

    /// <summary>The checksum is the only member that belongs to the stored bytes and not to the backup. Every write computes it.</summary>
    private static Backup WithoutChecksum(Backup backup)
    {
        backup.OtherMembers?.Remove(RecordChecksum.Name);
        return backup;
    }

    /// <summary>Whether a volume can have such a size, and such chunks: what operations set aside for a backup is reckoned by them.</summary>
    public static bool IsPossible(Backup backup) => ChunkSizes.IsValid(backup.ChunkSize) && new VolumeGeometry(backup.SizeBytes, backup.ChunkSize).IsSupported;

    public static string DescribeImpossible(Backup backup) => $"the record says that the volume has {backup.SizeBytes} bytes in chunks of {backup.ChunkSize}, which cannot be";

    /// <summary>Reads an intent.</summary>
    /// <exception cref="CorruptionException">It is not one.</exception>
    /// <exception cref="RepositoryException">A newer engine wrote it.</exception>
    public static Intent ReadIntent(string key, ReadOnlySpan<byte> json)
    {
        bool isIntact = RecordChecksum.Check(key, json);
        try
        {
            Intent intent = JsonSerializer.Deserialize(json, Default.Intent) ?? throw new CorruptionException(key, null, "the intent is empty");
            intent.OtherMembers?.Remove(RecordChecksum.Name);
            return intent.Backup.RecordVersion <= RecordVersion.Current ? intent : throw NewerRecord.CreateException(key, intent.Backup.RecordVersion);
        }
        catch (JsonException e)
        {
            int? version = NewerRecord.TryReadVersion(json, "backup");
            if (isIntact || version > RecordVersion.Current)
                throw NewerRecord.CreateException(key, version ?? 1);
            throw new CorruptionException(key, null, $"the intent cannot be read: {e.Message}", e);
        }
    }

    public static byte[] Write(Intent intent) => RecordChecksum.Append(JsonSerializer.SerializeToUtf8Bytes(intent, Default.Intent));

    /// <summary>Reads a mark.</summary>
    /// <exception cref="CorruptionException">It cannot be read.</exception>
    public static DeletionMark ReadMark(string key, ReadOnlySpan<byte> json)
    {
        try
        {
            RecordChecksum.Check(key, json);
            return JsonSerializer.Deserialize(json, Default.DeletionMark) ?? throw new CorruptionException(key, null, "the mark is empty");
        }
        catch (JsonException e)
        {
            throw new CorruptionException(key, null, $"the mark cannot be read: {e.Message}", e);
        }
    }

    public static byte[] Write(DeletionMark mark) => RecordChecksum.Append(JsonSerializer.SerializeToUtf8Bytes(mark, Default.DeletionMark));

    public static byte[] Write(Backup backup) =>
        RecordChecksum.Append(JsonSerializer.SerializeToUtf8Bytes(backup with { HasDependentBackups = null }, Readable.Backup));
}
