namespace BackupEngine.Volumes;

/// <summary>
/// A run of bytes that can be backed up: a block device, a disk image, a snapshot.
/// Its size and content must not change while the engine reads it; a volume that also implements <see cref="IVolumeVersion"/> lets the engine notice when they do.
/// All members are safe to call from many threads at once.
/// </summary>
/// <remarks>
/// Failures are <see cref="VolumeException"/>s. The engine wraps other exceptions in one; so it does with an <see cref="OperationCanceledException"/> that the token passed
/// to the call did not ask for, such as an HTTP timeout.
/// </remarks>
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
    /// A volume that does not know its holes answers with all that is left. An extent that is empty, starts before <paramref name="offset"/>, or does not end inside the
    /// volume fails the operation with a <see cref="VolumeException"/>.
    /// </summary>
    /// <param name="offset">Where to look from, 0 to <see cref="SizeBytes"/>; the extent starts here or later.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default);
}
