using BackupEngine.Volumes;

namespace BackupEngine.Service.Volumes;

/// <summary>Copies files and leaves their holes holes.</summary>
internal static class SparseCopy
{
    private const int BufferSize = 1 << 20;

    public static async Task CopyAsync(string source, string destination, CancellationToken cancellationToken)
    {
        File.Delete(destination);
        await using FileVolume from = FileVolume.OpenRead(source);
        await using FileVolume to = FileVolume.Create(destination, from.SizeBytes);
        byte[] buffer = new byte[BufferSize];
        long offset = 0;
        while (await from.FindAllocatedAsync(offset, cancellationToken) is { } extent)
        {
            for (offset = extent.Offset; offset < extent.End;)
            {
                Memory<byte> piece = buffer.AsMemory(0, (int)Math.Min(BufferSize, extent.End - offset));
                await from.ReadAsync(piece, offset, cancellationToken);
                await to.WriteAsync(piece, offset, cancellationToken);
                offset += piece.Length;
            }
        }

        await to.FlushAsync(cancellationToken);
    }
}
