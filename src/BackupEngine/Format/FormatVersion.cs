namespace BackupEngine.Format;

/// <summary>Versions of the storage format; docs/format.md describes them.</summary>
internal static class FormatVersion
{
    /// <summary>The newest version that this engine reads, and the version of the repositories that it creates.</summary>
    public const int Current = 2;

    /// <summary>The oldest version of a reader that can read the repositories that this engine creates.</summary>
    public const int MinimumReader = 2;

    /// <summary>The version of a repository, and of a manifest, whose chain has a hash with a key of 32 bytes.</summary>
    public const int KeyedHash = 2;
}
