using BackupEngine.Buffers;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>
/// Opens packs and sends finished ones to the store while the workers go on. How many are open or on their way is bounded by the buffer pool.
/// The first upload that fails aborts the backup.
/// </summary>
internal sealed class PackUploader(
    IObjectStore store, BufferPool buffers, string volumeId, Guid backupId, uint ordinal, ProgressMeter meter, CancellationTokenSource abort)
{
    private readonly Lock _lock = new();
    private readonly List<Task> _uploads = [];
    private uint _lastSequence;

    /// <summary>Keys of all packs begun so far, whether they arrived or not.</summary>
    public IReadOnlyList<string> Keys => [.. Enumerable.Range(1, (int)_lastSequence).Select(sequence => StoreKeys.Pack(volumeId, backupId, (uint)sequence))];

    /// <summary>Opens an empty pack; waits while too many are open or on their way.</summary>
    public async ValueTask<PackWriter> OpenAsync(CancellationToken cancellationToken)
    {
        NativeBuffer buffer = await buffers.RentAsync(cancellationToken).ConfigureAwait(false);
        return new PackWriter(buffer, new PackId(ordinal, Interlocked.Increment(ref _lastSequence)), backupId);
    }

    /// <summary>Finishes a pack and sends it off.</summary>
    /// <returns>Size of the pack in bytes.</returns>
    public int Submit(PackWriter pack)
    {
        ReadOnlyMemory<byte> content = pack.Finish();
        lock (_lock)
        {
            _uploads.RemoveAll(upload => upload.IsCompletedSuccessfully);
            _uploads.Add(Task.Run(() => UploadAsync(pack, content)));
        }

        return content.Length;
    }

    /// <summary>Gives up a pack that was not submitted.</summary>
    public void Discard(PackWriter pack) => buffers.Return(pack.Buffer);

    /// <summary>Waits until no upload is under way, whether they arrived or not.</summary>
    public async Task WaitAsync()
    {
        Task[] uploads;
        lock (_lock)
            uploads = [.. _uploads];
        await Task.WhenAll(uploads).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Throws what went wrong with the first upload that failed.</summary>
    /// <exception cref="ObjectStoreException">An upload failed.</exception>
    public void ThrowIfFailed()
    {
        lock (_lock)
        {
            Task? failed = _uploads.Find(upload => upload.IsFaulted) ?? _uploads.Find(upload => upload.IsCanceled);
            failed?.GetAwaiter().GetResult();
        }
    }

    private async Task UploadAsync(PackWriter pack, ReadOnlyMemory<byte> content)
    {
        bool arrived = false;
        try
        {
            string key = StoreKeys.Pack(volumeId, backupId, pack.Id.Sequence);
            await store.PutAsync(key, content, PutCondition.IfAbsent, abort.Token).ConfigureAwait(false);
            meter.AddStored(content.Length);
            arrived = true;
        }
        finally
        {
            buffers.Return(pack.Buffer);
            if (!arrived)
                await abort.CancelAsync().ConfigureAwait(false);
        }
    }
}
