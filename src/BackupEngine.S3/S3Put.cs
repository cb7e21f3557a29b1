using System.Security.Cryptography;
using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>One object to be stored, over as many attempts as it takes.</summary>
internal sealed class S3Put
{
    private const int HashOnPoolFromBytes = 256 * 1024;

    private S3Put(string key, ReadOnlyMemory<byte> content, PutCondition condition, string contentSha256)
    {
        Key = key;
        Content = content;
        ContentSha256 = contentSha256;
        Expected = condition.Expected;
        IsMismatch = condition.IsMismatch;
        Id = condition.IsAbsent || Expected is not null ? Guid.NewGuid().ToString("N") : null;
    }

    public string Key { get; }

    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>SHA-256 in lower-case hexadecimal digits, as signatures want it.</summary>
    public string ContentSha256 { get; }

    /// <summary>Stored with an object that is put on a condition: tells its own earlier attempt from another writer's object, even of the same content. Null when there is none.</summary>
    public string? Id { get; }

    /// <summary>The bytes of the object that it replaces; null when it replaces any or none.</summary>
    public ReadOnlyMemory<byte>? Expected { get; }

    /// <summary>Gets a value that indicates whether the server must refuse the put, whatever object is there.</summary>
    public bool IsMismatch { get; }

    /// <summary>Whether an attempt has ended without a clear answer.</summary>
    public bool MayBeStored { get; set; }

    public static async ValueTask<S3Put> PrepareAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken)
    {
        // A pack takes tens of milliseconds: not on the caller's thread.
        string hash = content.Length < HashOnPoolFromBytes
            ? Hash(content)
            : await Task.Run(() => Hash(content), cancellationToken).ConfigureAwait(false);
        return new S3Put(key, content, condition, hash);
    }

    private static string Hash(ReadOnlyMemory<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content.Span));
}
