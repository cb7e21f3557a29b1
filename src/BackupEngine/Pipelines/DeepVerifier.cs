using System.Collections.Concurrent;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>
/// Reads and checks every chunk that a manifest has and the one before it in the chain has not, and counts whether the pack table says what the pages say.
/// Memory: a few megabytes for each worker, and a number for each pack; nothing for each frame.
/// </summary>
internal sealed class DeepVerifier
{
    internal const int MaxRangeLength = 4 << 20;

    /// <summary>Requests under way at once, at least: reading waits for answers more than for the processor.</summary>
    private const int MinWorkers = 4;

    private readonly IObjectStore _store;
    private readonly Guid _backupId;
    private readonly Manifest _manifest;
    private readonly CheckedManifest? _previous;
    private readonly double _sample;
    private readonly int _workers;
    private readonly ProgressMeter _meter;
    private readonly PageReader _pages;
    private readonly PageReader? _previousPages;
    private readonly ConcurrentDictionary<long, IReadOnlyList<VerifyFinding>> _damage = new();
    private readonly ConcurrentDictionary<PackId, long> _usedBytes;
    private readonly ConcurrentBag<VerifyFinding> _findings = [];
    private volatile bool _isCountable;

    /// <summary>Makes a verifier.</summary>
    /// <param name="previous">A manifest that was checked before; used when it is of the same chain.</param>
    /// <param name="sample">The part of all pages to look at, to 1.</param>
    /// <param name="workers">How many fetch and check at once.</param>
    public DeepVerifier(IObjectStore store, Guid backupId, Manifest manifest, CheckedManifest? previous, double sample, int workers, ProgressMeter meter)
    {
        _workers = workers;
        _store = store;
        _backupId = backupId;
        _manifest = manifest;
        _previous = previous is not null && previous.IsComparableTo(manifest) ? previous : null;
        _sample = sample;
        _meter = meter;
        _pages = new PageReader(store, manifest, PageReader.WalkLookAhead);
        _previousPages = _previous is null ? null : new PageReader(store, _previous.Manifest, PageReader.WalkLookAhead);
        _isCountable = sample >= 1 && (_previous is null || _previous.UsedBytes is not null);
        _usedBytes = _isCountable && _previous is not null ? new(_previous.UsedBytes!) : new();
    }

    /// <summary>Workers when nobody says how many.</summary>
    public static int DefaultWorkers => Math.Max(MinWorkers, Environment.ProcessorCount);

    public IEnumerable<VerifyFinding> Findings => _findings.Concat(_damage.Values.SelectMany(findings => findings));

    public async Task<CheckedManifest> RunAsync(CancellationToken cancellationToken)
    {
        using IEnumerator<long> numbers = NumbersToCheck().GetEnumerator();
        var next = new Lock();
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] workers = [.. Enumerable.Range(0, _workers).Select(_ => Task.Run(WorkAsync, CancellationToken.None))];
        await WorkerGroup.RunAsync(abort, workers, cancellationToken).ConfigureAwait(false);
        if (_isCountable)
            CheckPackTable();
        return new CheckedManifest(_manifest, _damage, _isCountable ? _usedBytes : null);

        async Task WorkAsync()
        {
            using var chunks = new ChunkVerifier(_store, _backupId, _manifest, MaxRangeLength, _meter);
            while (TryTake(out long number))
            {
                abort.Token.ThrowIfCancellationRequested();
                await CheckPageAsync(number, chunks, abort.Token).ConfigureAwait(false);
                _meter.AddDone(_manifest.Geometry.PageSize);
            }
        }

        bool TryTake(out long number)
        {
            lock (next)
            {
                bool isThere = numbers.MoveNext();
                number = isThere ? numbers.Current : 0;
                return isThere;
            }
        }
    }

    /// <summary>The pages mapped here or in the manifest before, but for those that are the same in both.</summary>
    private IEnumerable<long> NumbersToCheck()
    {
        PageTable? before = _previous?.Manifest.Pages;
        long end = Math.Max(_manifest.Pages.PageCount, before?.PageCount ?? 0);
        for (long number = FindMapped(0); number < end; number = FindMapped(number + 1))
        {
            bool isSame = before is not null && before[number] == _manifest.Pages[number];
            if (isSame && _previous!.Damage.TryGetValue(number, out IReadOnlyList<VerifyFinding>? damage))
                _damage[number] = [.. damage.Select(finding => finding with { BackupId = _backupId })];
            if (!isSame && (_sample >= 1 || Random.Shared.NextDouble() < _sample))
                yield return number;
        }

        long FindMapped(long from)
        {
            long here = _manifest.Pages.FindMapped(from);
            here = here < _manifest.Pages.PageCount ? here : end;
            long there = before?.FindMapped(from) ?? end;
            return Math.Min(here, before is not null && there < before.PageCount ? there : end);
        }
    }

    private async Task CheckPageAsync(long number, ChunkVerifier chunks, CancellationToken cancellationToken)
    {
        var page = new Page();
        try
        {
            await _pages.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e)
        {
            _isCountable = false;
            long offset = number * _manifest.Geometry.PageSize;
            _damage[number] = [new VerifyFinding(_backupId, e.Key, e.Offset, offset, Math.Min(_manifest.Geometry.PageSize, _manifest.Geometry.SizeBytes - offset), e.Problem)];
            return;
        }

        Page before = await ReadPreviousAsync(number, cancellationToken).ConfigureAwait(false);
        List<WantedChunk> wanted = Compare(number, page, before);
        List<VerifyFinding> damage = await chunks.CheckAsync(wanted, cancellationToken).ConfigureAwait(false);
        if (_previous is not null && _previous.Damage.TryGetValue(number, out IReadOnlyList<VerifyFinding>? known))
        {
            // A chunk that is damaged in both has not been read again.
            damage.AddRange(known.Where(finding => IsShared(finding, number, page, before)).Select(finding => finding with { BackupId = _backupId }));
        }

        if (damage.Count > 0)
            _damage[number] = damage;
    }

    private async ValueTask<Page> ReadPreviousAsync(long number, CancellationToken cancellationToken)
    {
        var page = new Page();
        if (_previousPages is null)
            return page;
        try
        {
            await _previousPages.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException)
        {
            // Reported when that one was checked. Without it everything here is read, and nothing can be counted by difference.
            _isCountable = false;
            page.Clear();
        }

        return page;
    }

    private List<WantedChunk> Compare(long number, Page page, Page before)
    {
        var wanted = new List<WantedChunk>(PageFormat.ChunksPerPage);
        Count(_manifest.Pages[number].Location, 1);
        Count(_previous?.Manifest.Pages[number].Location ?? default, -1);
        for (int index = 0; index < PageFormat.ChunksPerPage; index++)
        {
            if (page[index] == before[index])
                continue;
            Count(before[index].Location, -1);
            Count(page[index].Location, 1);
            if (!page[index].IsZero)
                wanted.Add(new WantedChunk((number * PageFormat.ChunksPerPage) + index, page[index].Location, page[index].Digest));
        }

        return wanted;
    }

    private bool IsShared(VerifyFinding finding, long number, Page page, Page before)
    {
        long index = ((finding.VolumeOffset ?? 0) / _manifest.Geometry.ChunkSize) - (number * PageFormat.ChunksPerPage);
        return index is >= 0 and < PageFormat.ChunksPerPage && !page[(int)index].IsZero && page[(int)index] == before[(int)index];
    }

    private void Count(FrameLocation location, int sign)
    {
        if (!location.IsZero && _isCountable)
            _usedBytes.AddOrUpdate(location.Pack, sign * (long)location.Length, (_, used) => used + (sign * (long)location.Length));
    }

    /// <summary>Deleting trusts the pack table, so it must be what the pages say.</summary>
    private void CheckPackTable()
    {
        foreach (PackId pack in _usedBytes.Keys.Concat(_manifest.Packs.Packs.Select(pack => pack.Key)).Distinct())
        {
            long counted = _usedBytes.GetValueOrDefault(pack);
            long told = _manifest.Packs.TryGet(pack, out PackUse use) ? use.UsedBytes : 0;
            if (counted != told)
            {
                string name = pack.BackupOrdinal < _manifest.Backups.Count ? _manifest.GetPackKey(pack) : $"a pack of backup {pack.BackupOrdinal} of a chain of {_manifest.Backups.Count}";
                _findings.Add(new VerifyFinding(_backupId, _manifest.Key, null, null, null, $"the pack table says that {told} bytes of {name} are used, the pages say {counted}"));
            }
        }
    }
}
