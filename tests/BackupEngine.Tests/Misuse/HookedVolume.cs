using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;

namespace BackupEngine.Tests.Misuse;

/// <summary>A custom volume whose answers a test can falsify.</summary>
internal sealed class HookedVolume(MemoryVolume inner) : IWritableVolume
{
    public Func<long>? Size { get; set; }

    public Func<long, ValueTask<VolumeExtent?>>? Find { get; set; }

    /// <summary>Gets or sets what happens before a read, with its offset.</summary>
    public Func<long, ValueTask>? BeforeRead { get; set; }

    public Func<ValueTask>? BeforeWrite { get; set; }

    public string Name => "custom volume 7";

    public long SizeBytes => Size?.Invoke() ?? inner.SizeBytes;

    public bool IsZeroed => inner.IsZeroed;

    public async ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        if (BeforeRead is { } hook)
            await hook(offset);
        await inner.ReadAsync(destination, offset, cancellationToken);
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) =>
        Find?.Invoke(offset) ?? inner.FindAllocatedAsync(offset, cancellationToken);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        if (BeforeWrite is { } hook)
            await hook();
        await inner.WriteAsync(source, offset, cancellationToken);
    }

    public ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default) => inner.WriteZerosAsync(offset, length, cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
