namespace BackupEngine.Service.Jobs;

/// <summary>What a job does to a backup.</summary>
internal static class JobKinds
{
    public const string Create = "create";
    public const string Restore = "restore";
    public const string Delete = "delete";
    public const string Import = "import";
}
