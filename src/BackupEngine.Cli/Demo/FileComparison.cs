namespace BackupEngine.Cli.Demo;

/// <summary>Compares files byte for byte, with nothing of the engine in between.</summary>
internal static class FileComparison
{
    private const int BufferSize = 1 << 20;

    /// <summary>Offset of the first byte in which two files differ, or null when they are the same to the last byte.</summary>
    public static async Task<long?> FindDifferenceAsync(string left, string right, CancellationToken cancellationToken)
    {
        await using FileStream a = Open(left);
        await using FileStream b = Open(right);
        byte[] fromA = new byte[BufferSize];
        byte[] fromB = new byte[BufferSize];
        for (long offset = 0; ; offset += BufferSize)
        {
            int lengthA = await a.ReadAtLeastAsync(fromA, BufferSize, throwOnEndOfStream: false, cancellationToken);
            int lengthB = await b.ReadAtLeastAsync(fromB, BufferSize, throwOnEndOfStream: false, cancellationToken);
            int same = fromA.AsSpan(0, lengthA).CommonPrefixLength(fromB.AsSpan(0, lengthB));
            if (same < lengthA || same < lengthB)
                return offset + same;
            if (lengthA < BufferSize)
                return null;
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, useAsync: true);
}
