using System.Buffers;

namespace BackupEngine.ObjectStores;

/// <summary>The rule for keys that every <see cref="IObjectStore"/> keeps, so that a key means the same in a bucket and in a directory.</summary>
public static class ObjectKey
{
    /// <summary>Longest key in characters (which are also bytes); leaves room for a prefix within the 1,024 bytes that S3 allows.</summary>
    public const int MaxLength = 900;

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Refuses what is no key.</summary>
    /// <param name="key">One to <see cref="MaxLength"/> characters from <c>[A-Za-z0-9._-]</c> and <c>/</c>, without empty, <c>.</c> or <c>..</c> segments.</param>
    /// <exception cref="ArgumentException">It is no key.</exception>
    public static void Validate(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!IsValid(key))
            throw new ArgumentException($"'{Shown(key)}' is no object key: up to {MaxLength} characters from A-Z a-z 0-9 . _ - and /, no empty, '.' or '..' segment.", nameof(key));
    }

    /// <summary>Whether the text is a key.</summary>
    public static bool IsValid(ReadOnlySpan<char> key)
    {
        if (key.Length > MaxLength)
            return false;
        foreach (Range segment in key.Split('/'))
        {
            if (!IsValidSegment(key[segment]))
                return false;
        }

        return true;
    }

    internal static bool IsValidSegment(ReadOnlySpan<char> segment) =>
        !segment.IsEmpty && segment is not ("." or "..") && !segment.ContainsAnyExcept(_allowed);

    // A refused key can hold anything, a line break or a megabyte too; a message is one line.
    private static string Shown(string key) =>
        string.Concat(key.Take(80).Select(c => char.IsControl(c) ? '?' : c)) + (key.Length > 80 ? "..." : "");
}
