namespace BackupEngine.Service.Catalog;

/// <summary>The statuses of a volume or snapshot that this service sets or looks at, by the API's names.</summary>
internal static class VolumeStates
{
    public const string Creating = "creating";
    public const string Available = "available";
    public const string InUse = "in-use";
    public const string BackingUp = "backing-up";
    public const string RestoringBackup = "restoring-backup";
    public const string Deleting = "deleting";
    public const string Error = "error";
    public const string ErrorRestoring = "error_restoring";
}
