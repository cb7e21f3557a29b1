using System.Collections.Concurrent;

namespace BackupEngine.S3;

/// <summary>What was learned about a server and bucket, in which servers differ. All stores of this process that use the bucket share it.</summary>
internal sealed class S3Dialect
{
    private static readonly ConcurrentDictionary<string, S3Dialect> _known = new(StringComparer.Ordinal);

    private volatile object? _tagForm;
    private volatile object? _deletesInBatches;
    private volatile bool _isTagFormConfirmed;

    /// <summary>Gets or sets how the server wants entity tags; null while that is not known.</summary>
    public S3TagForm? TagForm
    {
        get => (S3TagForm?)_tagForm;
        set => _tagForm = value;
    }

    /// <summary>Gets or sets a value that indicates whether the server has refused a wrong tag of <see cref="TagForm"/>, so that it is known not to drop tags of that form.</summary>
    public bool IsTagFormConfirmed
    {
        get => _isTagFormConfirmed;
        set => _isTagFormConfirmed = value;
    }

    /// <summary>Gets or sets a value that indicates whether the server deletes several objects by one request; null while that is not known.</summary>
    public bool? DeletesInBatches
    {
        get => (bool?)_deletesInBatches;
        set => _deletesInBatches = value;
    }

    /// <summary>Gets the dialect of a bucket.</summary>
    /// <param name="serverId">The address of the bucket.</param>
    public static S3Dialect Of(string serverId) => _known.GetOrAdd(serverId, _ => new S3Dialect());

    /// <summary>Writes an entity tag as a form wants it.</summary>
    /// <param name="tag">The tag, as the server told it or bare.</param>
    /// <param name="form">The form.</param>
    public static string Write(string tag, S3TagForm form) =>
        form == S3TagForm.Unquoted ? tag.Trim('"') : tag.StartsWith("W/", StringComparison.Ordinal) ? tag : $"\"{tag.Trim('"')}\"";
}
