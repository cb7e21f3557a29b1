namespace BackupEngine.Cli.Demo;

/// <summary>
/// A disk image for the tour, with what real volumes have: text, incompressible data, written zeros and holes that were never written.
/// The same size gives the same bytes every time.
/// </summary>
internal static class SampleVolume
{
    private const int BlockSize = 256 << 10;

    /// <summary>One block of this many is changed.</summary>
    private const int ChangeEvery = 25;

    /// <summary>Makes the image.</summary>
    public static async Task CreateAsync(string path, long size, CancellationToken cancellationToken)
    {
        await using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0, useAsync: true);
        file.SetLength(size);
        byte[] block = new byte[BlockSize];
        for (long index = 0; index * BlockSize < size; index++)
        {
            // Of ten blocks four are holes, three text, two random and one zeros.
            switch (index % 10)
            {
                case 1 or 4 or 7:
                    SampleData.FillWithText(block, (ulong)index);
                    break;
                case 2 or 8:
                    SampleData.FillWithRandom(block, (ulong)index);
                    break;
                case 5:
                    Array.Clear(block);
                    break;
                default:
                    continue;
            }

            await WriteBlockAsync(file, index, block, size, cancellationToken);
        }
    }

    /// <summary>Changes a few blocks all over the image: new data, a small edit, zeros over data.</summary>
    public static async Task ChangeAsync(string path, CancellationToken cancellationToken)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0, useAsync: true);
        byte[] block = new byte[BlockSize];
        long blocks = (file.Length + BlockSize - 1) / BlockSize;
        for (long index = 1; index < blocks; index += ChangeEvery)
        {
            Memory<byte> change = block;
            switch (index / ChangeEvery % 3)
            {
                // Data in the parent, zeros in the child: block 1 is text.
                case 0:
                    Array.Clear(block);
                    break;
                case 1:
                    SampleData.FillWithRandom(block, (ulong)~index);
                    break;
                default:
                    SampleData.FillWithText(block, (ulong)~index);
                    change = change[..100];
                    break;
            }

            await WriteBlockAsync(file, index, change, file.Length, cancellationToken);
        }
    }

    private static async Task WriteBlockAsync(FileStream file, long index, ReadOnlyMemory<byte> block, long size, CancellationToken cancellationToken)
    {
        long offset = index * BlockSize;
        int length = (int)Math.Min(block.Length, size - offset);
        await RandomAccess.WriteAsync(file.SafeFileHandle, block[..length], offset, cancellationToken);
    }
}
