namespace BackupEngine.TestKit.Volumes;

/// <summary>A directory for one test, removed with all that is in it.</summary>
public sealed class ScratchDirectory : IDisposable
{
    /// <summary>Makes the directory.</summary>
    /// <param name="parent">Where; null: in the system's directory for temporary files.</param>
    public ScratchDirectory(string? parent = null)
    {
        Path = System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), $"backup-engine-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
