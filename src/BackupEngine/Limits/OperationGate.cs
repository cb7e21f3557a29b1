using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Limits;

/// <summary>Where an operation waits before it moves bytes: for its turn by the rates that all share, and while it is paused.</summary>
internal sealed class OperationGate(OperationLimits? limits, PauseSwitch? pause)
{
    /// <summary>The store, behind this gate if there is anything to wait for.</summary>
    public IObjectStore Guard(IObjectStore store) => pause is null && limits is not { Upload: not null } and not { Download: not null } ? store : new GatedObjectStore(store, this);

    /// <summary>The volume, behind this gate if there is anything to wait for.</summary>
    public IVolume Guard(IVolume volume) => pause is null && limits?.Read is null ? volume : new GatedVolume(volume, this);

    /// <inheritdoc cref="Guard(IVolume)"/>
    public IWritableVolume Guard(IWritableVolume volume) => pause is null && limits?.Read is null ? volume : new GatedWritableVolume(volume, this);

    /// <summary>Waits while the operation is paused.</summary>
    public ValueTask PassAsync(CancellationToken cancellationToken) => PassAsync(null, 0, cancellationToken);

    /// <summary>Waits to read from the volume.</summary>
    public ValueTask PassReadAsync(long bytes, CancellationToken cancellationToken) => PassAsync(limits?.Read, bytes, cancellationToken);

    /// <summary>Waits to send to the store.</summary>
    public ValueTask PassUploadAsync(long bytes, CancellationToken cancellationToken) => PassAsync(limits?.Upload, bytes, cancellationToken);

    /// <summary>Waits to fetch from the store.</summary>
    public ValueTask PassDownloadAsync(long bytes, CancellationToken cancellationToken) => PassAsync(limits?.Download, bytes, cancellationToken);

    /// <summary>Says how many of the bytes that were to be fetched were not there.</summary>
    public void GiveBackDownload(long bytes) => limits?.Download?.GiveBack(bytes);

    private async ValueTask PassAsync(RateLimit? rate, long bytes, CancellationToken cancellationToken)
    {
        // The pause comes last: it may have begun while the rate was waited for.
        if (rate is not null)
            await rate.WaitAsync(bytes, cancellationToken).ConfigureAwait(false);
        if (pause is not null)
            await pause.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
