using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace BackupEngine.ObjectStores;

/// <summary>
/// A store that is written to only after a probe has shown that it honours conditions, or, in single-writer mode, one whose conditions this object checks itself before
/// each put. Disposing of it disposes of nothing.
/// </summary>
/// <param name="inner">The store that all calls go to.</param>
/// <param name="store">The store that the caller opened, by which results of probes are remembered.</param>
/// <param name="singleWriter">Whether a store that does not honour conditions may be written to.</param>
internal sealed class ContractObjectStore(IObjectStore inner, IObjectStore store, bool singleWriter) : IObjectStore
{
    private static readonly ConditionalWeakTable<IObjectStore, ObjectStoreReport> _byStore = [];
    private static readonly ConcurrentDictionary<string, ObjectStoreReport> _byServer = new(StringComparer.Ordinal);

    private readonly SemaphoreSlim _probing = new(1, 1);
    private volatile ObjectStoreReport? _report;

    public string Name => inner.Name;

    /// <summary>Counts a store as one that honours all conditions, without a probe.</summary>
    public static void Trust(IObjectStore store) => _byStore.AddOrUpdate(store, new ObjectStoreReport { StoreName = store.Name, HoldsRepository = true, Checks = [] });

    /// <summary>Returns what the store supports; the first call probes it by the repository file.</summary>
    /// <exception cref="UnsupportedObjectStoreException">The store does not honour conditions, and single-writer mode was not chosen.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public ValueTask<ObjectStoreReport> GetReportAsync(CancellationToken cancellationToken) =>
        _report is { } known ? ValueTask.FromResult(known) : new(ProbeAsync(ObjectStoreProbe.ProbeRepositoryAsync, cancellationToken));

    /// <summary>Does the same in a container that holds no repository yet.</summary>
    /// <inheritdoc cref="GetReportAsync" path="/exception"/>
    public Task<ObjectStoreReport> ProbeEmptyAsync(CancellationToken cancellationToken) => ProbeAsync(ObjectStoreProbe.ProbeEmptyAsync, cancellationToken);

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        ObjectStoreReport report = await GetReportAsync(cancellationToken).ConfigureAwait(false);
        if (!report.IsSafe)
            condition = await CheckConditionAsync(key, condition, report, cancellationToken).ConfigureAwait(false);
        await inner.PutAsync(key, content, condition, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        inner.GetAsync(key, offset, destination, cancellationToken);

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        if (keys.Count > 0)
            await GetReportAsync(cancellationToken).ConfigureAwait(false);
        await inner.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<ObjectStoreReport> ProbeAsync(Func<IObjectStore, IObjectStore, CancellationToken, Task<ObjectStoreReport>> probe, CancellationToken cancellationToken)
    {
        await _probing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectStoreReport report = _report ?? Recall() ?? await probe(inner, store, cancellationToken).ConfigureAwait(false);
            if (!report.IsSafe && !singleWriter)
                throw UnsupportedObjectStoreException.ForWrite(report);

            // What was found missing is not remembered beyond this repository: the server may be mended meanwhile. Nor is what could not be checked.
            if (report.Checks.All(check => check.Result == ObjectStoreCheckResult.Supported || check.Feature == ObjectStoreFeature.Delete))
                Remember(report);
            _report = report;
            return report;
        }
        finally
        {
            _probing.Release();
        }
    }

    private ObjectStoreReport? Recall() =>
        _byStore.TryGetValue(store, out ObjectStoreReport? report) || (store is IDescribedObjectStore described && _byServer.TryGetValue(described.ServerId, out report)) ? report : null;

    private void Remember(ObjectStoreReport report)
    {
        _byStore.AddOrUpdate(store, report);
        if (store is IDescribedObjectStore described)
            _byServer[described.ServerId] = report;
    }

    /// <summary>Checks a condition in the place of a store that does not. Only the caller's promise that nobody else writes makes the put that follows safe.</summary>
    /// <returns>The condition that is left to the store.</returns>
    private async Task<PutCondition> CheckConditionAsync(string key, PutCondition condition, ObjectStoreReport report, CancellationToken cancellationToken)
    {
        if (condition.IsAbsent && report.Lacks(ObjectStoreFeature.PutIfAbsent, ObjectStoreFeature.SimultaneousPuts))
        {
            return await inner.HeadAsync(key, cancellationToken).ConfigureAwait(false) is null
                ? PutCondition.None
                : throw new ObjectStoreException(ObjectStoreError.AlreadyExists, key, $"{Name}: cannot store {key}: it exists already");
        }

        if (condition.Expected is { } expected && report.Lacks(ObjectStoreFeature.ReplaceIfUnchanged, ObjectStoreFeature.RefuseIfChanged, ObjectStoreFeature.RefuseIfMissing))
        {
            return await FindAsync(key, expected.Length + 1, cancellationToken).ConfigureAwait(false) is { } there && there.AsSpan().SequenceEqual(expected.Span)
                ? PutCondition.None
                : throw new ObjectStoreException(ObjectStoreError.Changed, key, $"{Name}: cannot store {key}: what it was to replace is not there any more");
        }

        return condition;
    }

    private async Task<byte[]?> FindAsync(string key, int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.GetAllAsync(key, maxBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CorruptionException or ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            return null;
        }
    }
}
