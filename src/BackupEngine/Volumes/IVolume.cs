namespace BackupEngine.Volumes;

/// <summary>
/// A run of bytes that can be backed up: a block device, a disk image, a snapshot.
/// Its size and content must not change while the engine reads it. All members are safe to call from many threads at once.
/// </summary>
public interface IVolume : IAsyncDisposable
{
    /// <summary>What messages call this volume, such as its path.</summary>
    string Name { get; }

    /// <summary>Size in bytes, of any value from 0; no multiple of anything.</summary>
    long SizeBytes { get; }

    /// <summary>Fills <paramref name="destination"/> with the bytes from <paramref name="offset"/> on.</summary>
    /// <param name="destination">Where the bytes go; filled to its end.</param>
    /// <param name="offset">First byte, from 0; offset plus length is at most <see cref="SizeBytes"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="VolumeException">The volume could not be read, or ended early.</exception>
    ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default);

    /// <summary>
    /// The first extent at or after <paramref name="offset"/> that may hold anything but zeros; null when there is none up to the end.
    /// A volume that does not know its holes answers with all that is left.
    /// </summary>
    /// <param name="offset">Where to look from, 0 to <see cref="SizeBytes"/>; the extent starts here or later.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default);
}
