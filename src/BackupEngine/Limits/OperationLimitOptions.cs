namespace BackupEngine.Limits;

/// <summary>What all operations that share an <see cref="OperationLimits"/> may use together; null everywhere: as much as there is.</summary>
public sealed record OperationLimitOptions
{
    /// <summary>The least that <see cref="MaxMemoryBytes"/> can be, in bytes (64 MiB): every operation can run with it.</summary>
    public const long MinMemoryBytes = 64L << 20;

    /// <summary>Memory for buffers, in bytes, from <see cref="MinMemoryBytes"/>; docs/limits.md says what it covers.</summary>
    public long? MaxMemoryBytes { get; init; }

    /// <summary>Workers of backups, restores and deep verifications, from 1.</summary>
    public int? MaxWorkers { get; init; }

    /// <summary>Bytes read from volumes in a second, from 1.</summary>
    public long? ReadBytesPerSecond { get; init; }

    /// <summary>Bytes of packs and manifests sent to stores in a second, from 1.</summary>
    public long? UploadBytesPerSecond { get; init; }

    /// <summary>Bytes of packs and manifests fetched from stores in a second, from 1.</summary>
    public long? DownloadBytesPerSecond { get; init; }

    internal void Check(string name)
    {
        if (MaxMemoryBytes < MinMemoryBytes)
            throw new ArgumentException($"MaxMemoryBytes cannot be {MaxMemoryBytes}: {MinMemoryBytes} (64 MiB) is the least.", name);
        if (MaxWorkers < 1)
            throw new ArgumentException($"MaxWorkers cannot be {MaxWorkers}: 1 is the least.", name);
        CheckRate(ReadBytesPerSecond, nameof(ReadBytesPerSecond));
        CheckRate(UploadBytesPerSecond, nameof(UploadBytesPerSecond));
        CheckRate(DownloadBytesPerSecond, nameof(DownloadBytesPerSecond));

        void CheckRate(long? rate, string what)
        {
            if (rate < 1)
                throw new ArgumentException($"{what} cannot be {rate}: 1 is the least.", name);
        }
    }
}
