using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace BackupEngine.Catalog;

/// <summary>
/// The last member of a record: XXH3-64 of all bytes before it (docs/format.md "Record"). A bit that flips in a time or a parent would still be JSON, and a prune by rules
/// would remove the wrong backup. Records without it, of earlier versions, are read as they are.
/// </summary>
internal static class RecordChecksum
{
    /// <summary>The name of the member.</summary>
    public const string Name = "checksum";

    private const int DigitCount = 16;

    private static ReadOnlySpan<byte> Before => ",\n  \"checksum\": \""u8;

    private static ReadOnlySpan<byte> After => "\"\n}"u8;

    /// <summary>Puts the member at the end of an object that has others.</summary>
    public static byte[] Append(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> content = json[..^1].TrimEnd("\r\n"u8);
        return [.. content, .. Before, .. Encoding.ASCII.GetBytes(Compute(content)), .. After];
    }

    /// <summary>Compares, when the member is there.</summary>
    /// <returns><see langword="true"/> if the record has a checksum, and therefore is as it was written.</returns>
    /// <exception cref="CorruptionException">The record is not as it was written.</exception>
    public static bool Check(string key, ReadOnlySpan<byte> json)
    {
        int length = json.Length - Before.Length - DigitCount - After.Length;
        if (length < 0 || !json[length..].StartsWith(Before) || !json.EndsWith(After))
            return false;
        string wanted = Encoding.ASCII.GetString(json.Slice(length + Before.Length, DigitCount));
        return wanted == Compute(json[..length]) ? true : throw new CorruptionException(key, null, "the record does not match its checksum");
    }

    private static string Compute(ReadOnlySpan<byte> content) => XxHash3.HashToUInt64(content).ToString("x16", CultureInfo.InvariantCulture);
}
