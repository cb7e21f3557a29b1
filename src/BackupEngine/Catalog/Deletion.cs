namespace BackupEngine.Catalog;

/// <summary>A mark that somebody is deleting the data of a backup. Every deleter has its own and takes back only that, so nobody can revoke what another relies on.</summary>
/// <param name="Key">Its object.</param>
/// <param name="DataVolumeId">The volume under whose prefix the data lies.</param>
/// <param name="DataId">The id under which the data was written.</param>
/// <param name="Deleter">Who deletes; null when the mark cannot be read.</param>
/// <param name="StoredAt">When the mark was stored, by the store's clock.</param>
internal sealed record Deletion(string Key, string DataVolumeId, Guid DataId, ProcessIdentity? Deleter, DateTimeOffset StoredAt)
{
    /// <summary>What the process that looks knows of its own writers.</summary>
    public LocalWriters Observer { get; init; } = LocalWriters.Current;

    /// <summary>Gets a value that indicates whether the mark was not refreshed for so long that its deleter is considered stale.</summary>
    public bool IsStale { get; init; }

    /// <summary>
    /// Gets a value that indicates whether the deleter has exited or is considered stale. It may be active all the same, so the mark is removed before it is disregarded: the
    /// deleter looks for it before it removes anything.
    /// </summary>
    public bool IsDead => (Deleter is not null && Observer.HasExited(Deleter, Token)) || IsStale;

    /// <summary>Who it is and since when, for messages.</summary>
    public string Describe() => $"{(Deleter is null ? "" : $" by process {Deleter.ProcessId} on {Deleter.Host}")} (since {StoredAt:u})";

    /// <summary>The deleter's own name for what it does.</summary>
    public Guid Token => Guid.ParseExact(Key.AsSpan(Key.Length - 32), "N");
}
