using BackupEngine.Volumes;

namespace CustomVolume;

/// <summary>
/// An image that its owner writes all the time, and that can make snapshots: it stands for a hypervisor's disk or a storage array. Blocks are never changed
/// in place, so a snapshot is a copy of the table of blocks. It notes which blocks were written since the last snapshot.
/// </summary>
internal sealed class LiveImage(int blocks)
{
    public const int BlockSize = 4096;

    private readonly Lock _gate = new();
    private readonly byte[]?[] _blocks = new byte[]?[blocks];
    private readonly HashSet<int> _written = [];

    /// <summary>Writes a block.</summary>
    public void Write(int block, byte[] content)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(content.Length, BlockSize);
        lock (_gate)
        {
            _blocks[block] = content;
            _written.Add(block);
        }
    }

    /// <summary>The image as it is at this moment, and what was written since the snapshot before.</summary>
    public (SnapshotVolume Volume, IReadOnlyList<VolumeExtent> Changed) Snapshot(string name)
    {
        lock (_gate)
        {
            VolumeExtent[] changed = [.. _written.Select(block => new VolumeExtent((long)block * BlockSize, BlockSize))];
            _written.Clear();
            return (new SnapshotVolume(name, [.. _blocks]), changed);
        }
    }
}
