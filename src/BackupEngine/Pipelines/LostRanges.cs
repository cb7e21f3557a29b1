using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>Collects the ranges of a volume that cannot be restored; added to by all workers.</summary>
internal sealed class LostRanges
{
    private readonly Lock _lock = new();
    private readonly List<LostRange> _ranges = [];

    /// <summary>Adds a range.</summary>
    public void Add(VolumeExtent range, CorruptionException why)
    {
        if (range.Length == 0)
            return;
        lock (_lock)
            _ranges.Add(new LostRange(range.Offset, range.Length, why.Key, why.Problem));
    }

    /// <summary>Returns the ranges in order of their offsets; neighbours that are lost with the same object are one.</summary>
    public IReadOnlyList<LostRange> ToList()
    {
        List<LostRange> joined = [];
        lock (_lock)
        {
            foreach (LostRange range in _ranges.OrderBy(range => range.Offset))
            {
                if (joined.Count > 0 && joined[^1] is var last && last.Offset + last.Length == range.Offset && last.Key == range.Key)
                    joined[^1] = last with { Length = last.Length + range.Length };
                else
                    joined.Add(range);
            }
        }

        return joined;
    }
}
