namespace BackupEngine.Chunking;

/// <summary>Finds out whether memory is all zeros.</summary>
internal static class ZeroScan
{
    /// <summary>Whether every byte is zero; stops at the first that is not, so data costs next to nothing.</summary>
    public static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
