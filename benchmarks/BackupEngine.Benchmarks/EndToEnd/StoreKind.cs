namespace BackupEngine.Benchmarks.EndToEnd;

/// <summary>What the end-to-end benchmarks back up to.</summary>
public enum StoreKind
{
    /// <summary>Memory of the process. The store copies each object into the managed heap, which shows as allocation.</summary>
    Memory,

    /// <summary>A directory, by default in memory too.</summary>
    Directory,
}
