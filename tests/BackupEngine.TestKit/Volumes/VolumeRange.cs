using BackupEngine.Volumes;

namespace BackupEngine.TestKit.Volumes;

/// <summary>The one thing that callers of volumes can get wrong.</summary>
internal static class VolumeRange
{
    public static void Check(IVolume volume, long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset > volume.SizeBytes || length > volume.SizeBytes - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at offset {offset} are not all inside {volume.Name}, which has {volume.SizeBytes} bytes");
    }
}
