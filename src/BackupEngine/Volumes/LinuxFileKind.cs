namespace BackupEngine.Volumes;

/// <summary>What a path leads to, as far as volumes are concerned.</summary>
internal enum LinuxFileKind
{
    Regular,
    BlockDevice,
    Directory,
    Other,
}
