using BackupEngine.S3;

namespace BackupEngine.Cli.Stores;

/// <summary>Where a store is, as written after <c>--store</c>: a directory, <c>file:///directory</c> or <c>s3://bucket/prefix</c>.</summary>
internal sealed record StoreAddress
{
    private const string FileScheme = "file://";
    private const string S3Scheme = "s3://";

    private StoreAddress(string text, string? directory, S3ObjectStoreOptions? s3 = null)
    {
        Text = text;
        Directory = directory;
        S3 = s3;
    }

    /// <summary>As the user wrote it.</summary>
    public string Text { get; }

    /// <summary>Full path of the directory; null when the store is in S3.</summary>
    public string? Directory { get; }

    /// <summary>Bucket and prefix; null when the store is a directory.</summary>
    public S3ObjectStoreOptions? S3 { get; }

    public static bool TryParse(string text, out StoreAddress address, out string problem)
    {
        address = null!;
        problem = $"'{text}' is no store: write a directory, file:///directory, or s3://bucket/prefix.";
        if (text.StartsWith(S3Scheme, StringComparison.OrdinalIgnoreCase))
        {
            try
            {
                address = new StoreAddress(text, directory: null, S3ObjectStoreOptions.Parse(text));
                return true;
            }
            catch (FormatException e)
            {
                problem = e.Message;
                return false;
            }
        }

        if (text.StartsWith(FileScheme, StringComparison.OrdinalIgnoreCase))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Host.Length > 0)
                return false;
            address = new StoreAddress(text, Path.GetFullPath(uri.LocalPath));
            return true;
        }

        // http://..., s3:bucket and the like would otherwise become directories of that name.
        if (string.IsNullOrWhiteSpace(text) || text.Contains("://", StringComparison.Ordinal) || text.StartsWith("s3:", StringComparison.OrdinalIgnoreCase) || text.Contains('\0'))
            return false;
        address = new StoreAddress(text, Path.GetFullPath(text));
        return true;
    }
}
