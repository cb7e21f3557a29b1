namespace BackupEngine.Format;

/// <summary>Versions of the storage format; docs/format.md describes version 1.</summary>
internal static class FormatVersion
{
    /// <summary>What this engine writes.</summary>
    public const int Current = 1;

    /// <summary>The oldest version of a reader that understands what this engine writes.</summary>
    public const int MinimumReader = 1;
}
