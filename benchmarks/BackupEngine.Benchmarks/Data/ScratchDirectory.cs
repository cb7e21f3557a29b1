using BackupEngine.Benchmarks.Running;

namespace BackupEngine.Benchmarks.Data;

/// <summary>A directory for the time of a benchmark.</summary>
internal sealed class ScratchDirectory : IDisposable
{
    public ScratchDirectory() =>
        Root = Directory.CreateDirectory(Path.Combine(Scale.ScratchRoot, $"backup-engine-benchmark-{Guid.NewGuid():N}")).FullName;

    public string Root { get; }

    public string PathOf(string name) => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
