namespace BackupEngine.Cli.Output;

/// <summary>The warning about backups whose times are later than the store's clock was.</summary>
internal static class FutureTimestamps
{
    private const int MaxListed = 3;

    /// <returns>Null when there is none.</returns>
    public static string? Describe(IReadOnlyList<Guid> backups) => backups.Count == 0
        ? null
        : $"{backups.Count} {(backups.Count == 1 ? "backup has" : "backups have")} a time later than the store's clock when it was stored ({string.Join(", ", backups.Take(MaxListed).Select(BackupText.ShortId))}{(backups.Count > MaxListed ? ", ..." : "")}). "
            + "Such a time does not count; check the clocks of the machines that made them.";
}
