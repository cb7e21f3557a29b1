using BackupEngine.Format;

namespace BackupEngine.Pruning;

/// <summary>What is alive in one pack: every frame that any backup refers to, counted once.</summary>
internal sealed class PackLife(long sizeBytes)
{
    private readonly Dictionary<uint, LiveFrame> _frames = [];

    public long SizeBytes => sizeBytes;

    /// <summary>The live frames by their offset.</summary>
    public IReadOnlyDictionary<uint, LiveFrame> Frames => _frames;

    /// <summary>Bytes of the live frames, and of a pack around them: when all of it is alive, that is the pack's size.</summary>
    public long LiveBytes { get; private set; } = PackFormat.MinPackSize;

    /// <summary>The most that the references of a single backup add up to. Where no chunk repeats, that much is alive at least; where many do, a pack looks fuller than it is and is left alone.</summary>
    public long MostUsedBytes { get; set; }

    /// <summary>Bytes of the pages that would have to be written anew to move the live frames; a page that refers to several such packs is counted for one of them.</summary>
    public long PageBytes { get; set; }

    /// <summary>What moving the live frames would store anew.</summary>
    public long CostBytes => LiveBytes + PageBytes;

    public void Add(uint offset, LiveFrame frame)
    {
        if (_frames.TryAdd(offset, frame))
            LiveBytes += frame.Length + FrameFormat.HeaderSize; // and its entry in the index
    }
}

/// <summary>A frame that is needed.</summary>
/// <param name="Length">Bytes of header and stored bytes.</param>
/// <param name="IsPage">Whether it holds a page; those are not moved as they are, but written anew with whatever moved in them.</param>
internal readonly record struct LiveFrame(uint Length, bool IsPage);
