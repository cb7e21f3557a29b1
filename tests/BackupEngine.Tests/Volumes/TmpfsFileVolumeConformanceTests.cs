using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Tests.Volumes;

/// <summary>An image file in memory, on Linux's tmpfs; elsewhere where temporary files are.</summary>
public sealed class TmpfsFileVolumeConformanceTests()
    : FileVolumeConformanceTests(new ScratchDirectory(Directory.Exists("/dev/shm") ? "/dev/shm" : null));
