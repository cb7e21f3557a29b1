namespace BackupEngine.Catalog;

/// <summary>Versions of the form of records and intents; docs/format.md "Record".</summary>
internal static class RecordVersion
{
    /// <summary>The newest version that this engine reads, and the one that it writes. A record without a version has version 1.</summary>
    public const int Current = 1;
}
