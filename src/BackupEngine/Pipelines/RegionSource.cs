using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>
/// Hands out the regions of a volume (256 chunks, one page of the manifest) in order, to whichever worker is free. Regions that are holes
/// now and were holes in the parent are never handed out, so the cost of a sparse volume is that of its data.
/// </summary>
internal sealed class RegionSource : IDisposable
{
    private readonly IVolume _volume;
    private readonly VolumeGeometry _geometry;
    private readonly PageTable? _parentPages;
    private readonly IReadOnlyList<VolumeExtent>? _changedExtents;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _nextPage;
    private int _nextChanged;
    private VolumeExtent? _allocated;
    private bool _noMoreAllocated;

    /// <summary>Makes a source.</summary>
    /// <param name="volume">The volume to be backed up.</param>
    /// <param name="geometry">How it is cut.</param>
    /// <param name="parentPages">What the parent has; null for a full.</param>
    /// <param name="changedExtents">All that may have changed: sorted, disjoint, on chunk boundaries. Null: anything.</param>
    public RegionSource(IVolume volume, VolumeGeometry geometry, PageTable? parentPages, IReadOnlyList<VolumeExtent>? changedExtents)
    {
        _volume = volume;
        _geometry = geometry;
        _parentPages = parentPages;
        _changedExtents = changedExtents;
    }

    /// <summary>Takes the next region.</summary>
    /// <param name="actions">Takes what is to be done with each of its 256 chunks.</param>
    /// <returns>The region's page, or -1 when there is none left.</returns>
    public async ValueTask<long> NextAsync(ChunkAction[] actions, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            long page = await FindPageAsync(cancellationToken).ConfigureAwait(false);
            if (page >= _geometry.PageCount)
            {
                _nextPage = _geometry.PageCount;
                return -1;
            }

            MarkCandidates(page, actions);
            await MarkAllocatedAsync(page, actions, cancellationToken).ConfigureAwait(false);
            _nextPage = page + 1;
            return page;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async ValueTask<long> FindPageAsync(CancellationToken cancellationToken)
    {
        long offset = _nextPage * _geometry.PageSize;
        if (_changedExtents is not null)
        {
            while (_nextChanged < _changedExtents.Count && _changedExtents[_nextChanged].End <= offset)
                _nextChanged++;
            return _nextChanged == _changedExtents.Count
                ? _geometry.PageCount
                : Math.Max(offset, _changedExtents[_nextChanged].Offset) / _geometry.PageSize;
        }

        if (_nextPage >= _geometry.PageCount)
            return _geometry.PageCount;
        VolumeExtent? allocated = await FindAllocatedAsync(offset, cancellationToken).ConfigureAwait(false);
        long dataPage = allocated is { } extent ? Math.Max(extent.Offset, offset) / _geometry.PageSize : _geometry.PageCount;
        long parentPage = _parentPages?.FindMapped(_nextPage) ?? _geometry.PageCount;
        return Math.Min(dataPage, parentPage);
    }

    private void MarkCandidates(long page, ChunkAction[] actions)
    {
        if (_changedExtents is null)
        {
            actions.AsSpan().Fill(ChunkAction.Zero);
            return;
        }

        actions.AsSpan().Clear(); // Keep
        long start = page * _geometry.PageSize;
        for (int index = _nextChanged; index < _changedExtents.Count && _changedExtents[index].Offset < start + _geometry.PageSize; index++)
            Mark(actions, start, _changedExtents[index], ChunkAction.Keep, ChunkAction.Zero);
    }

    private async ValueTask MarkAllocatedAsync(long page, ChunkAction[] actions, CancellationToken cancellationToken)
    {
        long start = page * _geometry.PageSize;
        long end = Math.Min(start + _geometry.PageSize, _geometry.SizeBytes);
        for (long offset = start; offset < end;)
        {
            if (await FindAllocatedAsync(offset, cancellationToken).ConfigureAwait(false) is not { } extent || extent.Offset >= end)
                break;
            Mark(actions, start, extent, ChunkAction.Zero, ChunkAction.Read);
            offset = extent.End;
        }
    }

    private void Mark(ChunkAction[] actions, long pageStart, VolumeExtent extent, ChunkAction from, ChunkAction to)
    {
        long first = Math.Max(0, extent.Offset - pageStart) / _geometry.ChunkSize;
        long end = Math.Min(PageFormat.ChunksPerPage, (extent.End - pageStart + _geometry.ChunkSize - 1) / _geometry.ChunkSize);
        for (long chunk = first; chunk < end; chunk++)
        {
            if (actions[chunk] == from)
                actions[chunk] = to;
        }
    }

    private async ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken)
    {
        if (_allocated is { } known && known.Offset <= offset && known.End > offset)
            return known;
        if (_noMoreAllocated)
            return null;
        if (_allocated is not { } ahead || ahead.Offset < offset)
            _allocated = await _volume.FindAllocatedAsync(offset, cancellationToken).ConfigureAwait(false);
        _noMoreAllocated = _allocated is null;
        return _allocated;
    }
}
