namespace BackupEngine.S3;

/// <summary>How a server wants entity tags in <c>If-Match</c>.</summary>
internal enum S3TagForm
{
    /// <summary>In quotation marks, as the HTTP standard says.</summary>
    Quoted,

    /// <summary>Without quotation marks, as Ceph up to version 16 wants them.</summary>
    Unquoted,
}
