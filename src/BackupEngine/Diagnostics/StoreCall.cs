namespace BackupEngine.Diagnostics;

/// <summary>The kinds of calls to an object store.</summary>
internal enum StoreCall
{
    Put,
    Get,
    Head,
    List,
    Delete,
}
