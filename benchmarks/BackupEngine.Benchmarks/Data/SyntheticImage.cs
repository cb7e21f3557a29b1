using BackupEngine.Volumes;

namespace BackupEngine.Benchmarks.Data;

/// <summary>Image files for end-to-end benchmarks: two thirds data, one third holes, as on a volume in use.</summary>
internal static class SyntheticImage
{
    private const int PieceLength = 1 << 20;
    private const int EditLength = 16 << 10;

    /// <summary>Makes an image.</summary>
    public static async Task CreateAsync(string path, long sizeBytes, CancellationToken cancellationToken = default)
    {
        var data = new SyntheticData(seed: 1);
        byte[] piece = new byte[PieceLength];
        await using FileVolume volume = FileVolume.Create(path, sizeBytes);
        for (long offset = 0; offset < sizeBytes; offset += PieceLength)
        {
            // Holes in stretches, as file systems leave them, not between all pieces.
            if (offset / PieceLength % 12 >= 8)
                continue;
            Memory<byte> bytes = piece.AsMemory(0, (int)Math.Min(PieceLength, sizeBytes - offset));
            data.Fill(bytes.Span);
            await volume.WriteAsync(bytes, offset, cancellationToken);
        }
    }

    /// <summary>Makes a copy of an image in which a share of the bytes is other data, in scattered places.</summary>
    /// <returns>The places.</returns>
    public static async Task<IReadOnlyList<VolumeExtent>> CopyChangedAsync(
        string path, string copy, double share, CancellationToken cancellationToken = default)
    {
        var random = new Random(2);
        var data = new SyntheticData(seed: 3);
        byte[] piece = new byte[EditLength];
        var edits = new List<VolumeExtent>();
        await CopyAsync(path, copy, cancellationToken);
        await using FileVolume volume = FileVolume.OpenWrite(copy);
        long count = Math.Max(1, (long)(volume.SizeBytes * share / EditLength));
        for (long edit = 0; edit < count; edit++)
        {
            long offset = random.NextInt64((volume.SizeBytes - EditLength) / 4096) * 4096;
            data.Fill(piece);
            await volume.WriteAsync(piece, offset, cancellationToken);
            edits.Add(new VolumeExtent(offset, EditLength));
        }

        return edits;
    }

    /// <summary>Copies an image, holes as holes.</summary>
    public static async Task CopyAsync(string path, string copy, CancellationToken cancellationToken = default)
    {
        byte[] piece = new byte[PieceLength];
        await using FileVolume source = FileVolume.OpenRead(path);
        await using FileVolume target = FileVolume.Create(copy, source.SizeBytes);
        for (long offset = 0; await source.FindAllocatedAsync(offset, cancellationToken) is { } extent;)
        {
            Memory<byte> bytes = piece.AsMemory(0, (int)Math.Min(PieceLength, extent.Length));
            await source.ReadAsync(bytes, extent.Offset, cancellationToken);
            await target.WriteAsync(bytes, extent.Offset, cancellationToken);
            offset = extent.Offset + bytes.Length;
        }
    }
}
