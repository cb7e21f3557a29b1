namespace BackupEngine.Service.Catalog;

/// <summary>The statuses of a backup, by the API's names.</summary>
internal static class BackupStates
{
    public const string Creating = "creating";
    public const string Available = "available";
    public const string Restoring = "restoring";
    public const string Deleting = "deleting";
    public const string Error = "error";
    public const string ErrorDeleting = "error_deleting";
}
