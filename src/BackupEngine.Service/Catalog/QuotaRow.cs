namespace BackupEngine.Service.Catalog;

/// <summary>A limit that an administrator set for a project, in place of the configured one.</summary>
internal sealed class QuotaRow
{
    public required string ProjectId { get; init; }

    public required string Resource { get; init; }

    /// <summary>The most that is allowed; -1 for no limit.</summary>
    public long Limit { get; set; }
}
