namespace BackupEngine.Volumes;

/// <summary>
/// Implemented beside <see cref="IVolume"/> by volumes that can tell whether their content may change while it is read. A backup asks before it reads the volume and
/// again when it has read it.
/// </summary>
public interface IVolumeVersion
{
    /// <summary>Returns a token that differs from every earlier one as soon as the content may have changed.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The token, compared ordinally; null when the volume cannot tell at the moment.</returns>
    /// <exception cref="VolumeException">The volume could not be asked.</exception>
    ValueTask<string?> GetChangeTokenAsync(CancellationToken cancellationToken = default);

    /// <summary>Describes what may write to the volume at this moment, such as "it is mounted read-write at /srv".</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A clause for an error message; null when nothing is known to write.</returns>
    /// <exception cref="VolumeException">The volume could not be asked.</exception>
    ValueTask<string?> FindWriterAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult<string?>(null);
}
