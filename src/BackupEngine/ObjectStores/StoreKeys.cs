using System.Globalization;

namespace BackupEngine.ObjectStores;

/// <summary>The keys of everything that a container holds; docs/format.md "Keys".</summary>
internal static class StoreKeys
{
    public const string Repository = "backup-engine.json";
    public const string Records = "records/";
    public const string Intents = "intents/";
    public const string Volumes = "volumes/";

    /// <summary>Begins the keys of the objects by which <see cref="ObjectStoreProbe"/> checks a store; they are removed within seconds and mean nothing.</summary>
    public const string Probes = "backup-engine.probe-";

    private const string RecordSuffix = ".json";
    private const string DeletionInfix = ".deleting-";

    /// <summary>Returns a key that no other probe uses.</summary>
    public static string NewProbe() => $"{Probes}{Guid.NewGuid():N}";

    public static string RecordsOf(string volumeId) => $"{Records}{volumeId}/";

    public static string Record(string volumeId, Guid backupId) => $"{Records}{volumeId}/{backupId:D}{RecordSuffix}";

    public static string IntentsOf(string volumeId) => $"{Intents}{volumeId}/";

    public static string Intent(string volumeId, Guid backupId) => $"{Intents}{volumeId}/{backupId:D}{RecordSuffix}";

    /// <summary>Says that one deleter (named by its token) is at the data of a backup.</summary>
    public static string Deletion(string dataVolumeId, Guid dataId, Guid token) => $"{Intents}{dataVolumeId}/{dataId:D}{DeletionInfix}{token:N}";

    public static string Manifest(string volumeId, Guid backupId) => $"{Volumes}{volumeId}/manifests/{backupId:D}";

    public static string ManifestsOf(string volumeId) => $"{Volumes}{volumeId}/manifests/";

    public static string PacksOf(string volumeId) => $"{Volumes}{volumeId}/packs/";

    public static string PacksOf(string volumeId, Guid backupId) => $"{Volumes}{volumeId}/packs/{backupId:D}/";

    public static string Pack(string volumeId, Guid backupId, uint sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{Volumes}{volumeId}/packs/{backupId:D}/{sequence:D8}");

    /// <summary>Takes the key of a record or an intent apart.</summary>
    public static bool TryParseRecord(string key, out string volumeId, out Guid backupId)
    {
        volumeId = "";
        backupId = default;
        string[] parts = key.Split('/');
        if (parts.Length != 3 || !parts[2].EndsWith(RecordSuffix, StringComparison.Ordinal))
            return false;
        volumeId = parts[1];
        return Guid.TryParseExact(parts[2].AsSpan(0, parts[2].Length - RecordSuffix.Length), "D", out backupId);
    }

    /// <summary>Takes the key of a manifest apart.</summary>
    public static bool TryParseManifest(string key, out string volumeId, out Guid backupId)
    {
        volumeId = "";
        backupId = default;
        string[] parts = key.Split('/');
        if (parts.Length != 4 || $"{parts[0]}/" != Volumes || parts[2] != "manifests" || !IsValidVolumeId(parts[1]))
            return false;
        volumeId = parts[1];
        return Guid.TryParseExact(parts[3], "D", out backupId);
    }

    /// <summary>Takes the key of a deletion's mark apart.</summary>
    public static bool TryParseDeletion(string key, out string dataVolumeId, out Guid dataId)
    {
        dataVolumeId = "";
        dataId = default;
        string[] parts = key.Split('/');
        int infix = parts.Length == 3 ? parts[2].IndexOf(DeletionInfix, StringComparison.Ordinal) : -1;
        if (infix < 0 || $"{parts[0]}/" != Intents)
            return false;
        dataVolumeId = parts[1];
        return Guid.TryParseExact(parts[2].AsSpan(0, infix), "D", out dataId)
            && Guid.TryParseExact(parts[2].AsSpan(infix + DeletionInfix.Length), "N", out _);
    }

    /// <summary>
    /// Gets a value that indicates whether an operation that frees space puts such objects before it does: marks of deletions, records that change or stand for what was
    /// interrupted, and the repository file, by which every process checks the store first.
    /// </summary>
    public static bool IsNeededToFreeSpace(string key) =>
        key == Repository || key.StartsWith(Records, StringComparison.Ordinal) || TryParseDeletion(key, out _, out _);

    /// <summary>Takes the key of a pack apart.</summary>
    public static bool TryParsePack(string key, out string volumeId, out Guid backupId, out uint sequence)
    {
        volumeId = "";
        backupId = default;
        sequence = 0;
        string[] parts = key.Split('/');
        if (parts.Length != 5 || $"{parts[0]}/" != Volumes || parts[2] != "packs" || !IsValidVolumeId(parts[1]))
            return false;
        volumeId = parts[1];
        return Guid.TryParseExact(parts[3], "D", out backupId)
            && uint.TryParse(parts[4], NumberStyles.None, CultureInfo.InvariantCulture, out sequence)
            && key == Pack(volumeId, backupId, sequence);
    }

    /// <summary>Whether a text may be a volume's id: 1 to 128 of <c>[A-Za-z0-9._-]</c>, the first a letter or digit.</summary>
    public static bool IsValidVolumeId(string? volumeId) =>
        volumeId is { Length: >= 1 and <= 128 }
        && char.IsAsciiLetterOrDigit(volumeId[0])
        && volumeId.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
