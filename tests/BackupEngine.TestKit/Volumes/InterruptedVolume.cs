using BackupEngine.Volumes;

namespace BackupEngine.TestKit.Volumes;

/// <summary>A volume during whose first read something else happens.</summary>
public sealed class InterruptedVolume(byte[] content, Func<Task> interruption) : IVolume
{
    private readonly MemoryVolume _inner = new(content.AsSpan());
    private Task? _interrupted;

    public string Name => "interrupted";

    public long SizeBytes => _inner.SizeBytes;

    public async ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        await (_interrupted ??= interruption());
        await _inner.ReadAsync(destination, offset, cancellationToken);
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) => _inner.FindAllocatedAsync(offset, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
