namespace BackupEngine.Volumes;

/// <summary>A volume that a backup can be restored to.</summary>
public interface IWritableVolume : IVolume
{
    /// <summary>Whether every byte is known to be zero still, because the volume was just made: zeros need no writing then.</summary>
    bool IsZeroed { get; }

    /// <summary>Writes all of <paramref name="source"/> at <paramref name="offset"/>; offset plus length is at most <see cref="IVolume.SizeBytes"/>. Who reads, flushes or zeroes the same bytes awaits it first.</summary>
    /// <exception cref="VolumeException">The volume could not be written.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default);

    /// <summary>Makes <paramref name="length"/> bytes from <paramref name="offset"/> read as zeros, by the cheapest means (a hole where the volume can have one).</summary>
    /// <exception cref="VolumeException">The volume could not be written.</exception>
    ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default);

    /// <summary>Makes all that was written durable.</summary>
    /// <exception cref="VolumeException">The volume could not be written.</exception>
    ValueTask FlushAsync(CancellationToken cancellationToken = default);
}
