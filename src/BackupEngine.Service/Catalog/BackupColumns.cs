using System.Collections.Frozen;

namespace BackupEngine.Service.Catalog;

/// <summary>
/// The columns of backups, by the names that lists are filtered and sorted by. A deletion changes the status and the time of a backup, but not its place in a
/// list: otherwise whoever deletes the last one of a page and asks for the next would miss others, or see them twice.
/// </summary>
internal static class BackupColumns
{
    public static readonly FrozenDictionary<string, Column<BackupRow>> All = new Dictionary<string, Column<BackupRow>>
    {
        ["id"] = Column<BackupRow>.Text(row => row.Id),
        ["status"] = Column<BackupRow>.Text(
            row => row.Status, row => row.StatusBefore != null && (row.Status == BackupStates.Deleting || row.DeletedAt != null) ? row.StatusBefore : row.Status),
        ["size"] = Column<BackupRow>.Number(row => row.Size),
        ["object_count"] = Column<BackupRow>.Number(row => row.ObjectCount),
        ["created_at"] = Column<BackupRow>.Time(row => row.CreatedAt),
        ["updated_at"] = Column<BackupRow>.Time(
            row => row.UpdatedAt ?? DateTime.UnixEpoch,
            row => (row.StatusBefore != null && (row.Status == BackupStates.Deleting || row.DeletedAt != null) ? row.UpdatedBefore : row.UpdatedAt) ?? DateTime.UnixEpoch),
        ["data_timestamp"] = Column<BackupRow>.Time(row => row.DataTimestamp ?? DateTime.UnixEpoch),
        ["volume_id"] = Column<BackupRow>.Text(row => row.VolumeId),
        ["snapshot_id"] = Column<BackupRow>.Text(row => row.SnapshotId),
        ["parent_id"] = Column<BackupRow>.Text(row => row.ParentId),
        ["restore_volume_id"] = Column<BackupRow>.Text(row => row.RestoreVolumeId),
        ["container"] = Column<BackupRow>.Text(row => row.Container),
        ["availability_zone"] = Column<BackupRow>.Text(row => row.AvailabilityZone),
        ["project_id"] = Column<BackupRow>.Text(row => row.ProjectId),
        ["user_id"] = Column<BackupRow>.Text(row => row.UserId),
        ["display_name"] = Column<BackupRow>.Text(row => row.Name),
        ["display_description"] = Column<BackupRow>.Text(row => row.Description),
        ["fail_reason"] = Column<BackupRow>.Text(row => row.FailReason),
    }.ToFrozenDictionary();

    public static Column<BackupRow> Named(string name) => All[name];
}
