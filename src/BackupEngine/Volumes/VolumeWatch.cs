namespace BackupEngine.Volumes;

/// <summary>Notices that a volume changed, or may have changed, while a backup read it.</summary>
internal sealed class VolumeWatch
{
    private readonly CheckedVolume _volume;
    private readonly bool _allowInconsistent;
    private readonly string? _token;
    private string? _reason;

    private VolumeWatch(CheckedVolume volume, bool allowInconsistent, string? token, string? reason)
    {
        _volume = volume;
        _allowInconsistent = allowInconsistent;
        _token = token;
        _reason = reason;
    }

    /// <summary>Gets why the backup is inconsistent; null while no change is known.</summary>
    public string? Reason => _reason;

    /// <summary>Begins to watch, before the first byte is read.</summary>
    /// <exception cref="VolumeException">Something may write to the volume, and inconsistent backups are not allowed.</exception>
    public static async Task<VolumeWatch> BeginAsync(CheckedVolume volume, bool allowInconsistent, CancellationToken cancellationToken)
    {
        string? token = await volume.GetChangeTokenAsync(cancellationToken).ConfigureAwait(false);
        string? writer = await volume.FindWriterAsync(cancellationToken).ConfigureAwait(false);
        if (writer is not null && !allowInconsistent)
        {
            throw new VolumeException(
                volume.Name, $"{volume.Name} is in use ({writer}), so it may change while it is read; release it, back up a snapshot of it, or allow an inconsistent backup (AllowInconsistent, --allow-inconsistent)");
        }

        return new VolumeWatch(volume, allowInconsistent, token, writer);
    }

    /// <summary>Looks once more, after the last byte was read.</summary>
    /// <exception cref="VolumeException">The volume changed, and inconsistent backups are not allowed.</exception>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        string? token = await _volume.GetChangeTokenAsync(cancellationToken).ConfigureAwait(false);
        if (token == _token)
            return;
        if (!_allowInconsistent)
        {
            throw new VolumeException(
                _volume.Name, $"{_volume.Name} changed while it was read, so the backup would be inconsistent; stop what writes to it, back up a snapshot of it, or allow an inconsistent backup (AllowInconsistent, --allow-inconsistent)");
        }

        _reason ??= "it changed while it was read";
    }
}
