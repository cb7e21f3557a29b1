namespace BackupEngine.Catalog;

/// <summary>Reads the state of a record from its typed members and, where an older engine wrote it, from the sentences that engine used.</summary>
internal static class RecordState
{
    private const string OldFailedText = "the backup failed";
    private const string OldAdoptedText = "cut off, and taken over by backup ";

    /// <summary>Gets a value that indicates whether the backup is being deleted, so that nothing refers to its data on its behalf.</summary>
    public static bool IsGoing(this Backup backup) => backup.Status is BackupStatus.Deleting or BackupStatus.ErrorDeleting;

    /// <summary>Gets a value that indicates whether the record is a tombstone of an import, which stored nothing under its id. Only an import knows the digest of its manifest from the start.</summary>
    public static bool IsImportTombstone(this Backup backup) => backup.IsGoing() && backup is { ManifestKey: null, ManifestSha256: not null };

    /// <summary>
    /// Gets a value that indicates whether a repair rebuilt the record. A record that a backup wrote names its engine and its container; a rebuilt one never does, whatever
    /// engine rebuilt it.
    /// </summary>
    public static bool IsRebuilt(this Backup backup) =>
        backup.StateReason == BackupStateReason.Rebuilt || (backup is { ManifestKey: not null, EngineVersion: null, Container: null } && !backup.IsGoing());

    /// <summary>Gets a value that indicates whether the record is a tombstone that the backup's own writer put: it does not commit any more.</summary>
    public static bool IsWriterFailed(this Backup backup) =>
        backup.StateReason == BackupStateReason.WriterFailed || (backup.StateReason is null && backup.FailReason == OldFailedText);

    /// <summary>Returns the backup that adopted an interrupted one; null when the record is not a tombstone of an adopted backup.</summary>
    public static Guid? GetAdopter(this Backup backup)
    {
        if (!backup.IsGoing())
            return null;
        if (backup.StateReason is not null)
            return backup.StateReason == BackupStateReason.Adopted ? backup.AdoptedBy : null;
        return backup.FailReason is { } text && text.StartsWith(OldAdoptedText, StringComparison.Ordinal) && Guid.TryParseExact(text.AsSpan(OldAdoptedText.Length), "D", out Guid adopter)
            ? adopter
            : null;
    }
}
