namespace BackupEngine.ObjectStores;

/// <summary>
/// Finds out whether an object store keeps the promises of <see cref="IObjectStore"/> that a repository relies on. It does no harm, whatever the store does: it puts nothing
/// in the place of an object but the bytes that the object has, and deletes only objects that it made under random keys.
/// </summary>
public static class ObjectStoreProbe
{
    private const int SimultaneousPuts = 8;

    /// <summary>Attempts to replace an unchanged object: another probe that replaces it at the same moment can make one fail.</summary>
    private const int MaxReplaceAttempts = 5;

    private const int MaxRepositoryFileBytes = 4 << 20;
    private static readonly TimeSpan _cleanUpTimeout = TimeSpan.FromSeconds(30);

    private static readonly string[] _notChecked =
    [
        "Whether stored objects survive a power failure or the loss of a disk.",
        "Whether a large object becomes visible as a whole while it is being stored.",
        "Whether other machines see a finished put at once (replicas, caches, network file systems).",
        "Whether lifecycle rules, object locks, versioning or other programs remove, keep or change objects.",
        "Whether the credentials of other machines allow the same operations.",
    ];

    /// <summary>Checks a store. The container may hold a repository, or be empty; it is left as it was.</summary>
    /// <param name="store">The store to check.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>What the store supports, and what was not checked.</returns>
    /// <exception cref="ObjectStoreException">The store failed, or does not allow reading and writing, so that nothing is known about it.</exception>
    public static async Task<ObjectStoreReport> CheckAsync(IObjectStore store, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var answers = new CheckedObjectStore(store);
        byte[]? repositoryFile = await FindRepositoryFileAsync(answers, cancellationToken).ConfigureAwait(false);
        string first = StoreKeys.NewProbe();
        string second = StoreKeys.NewProbe();
        List<ObjectStoreCheck> checks = [];
        try
        {
            byte[] content = NewContent();
            await answers.PutAsync(first, content, PutCondition.None, cancellationToken).ConfigureAwait(false);
            ObjectStoreCheck? unread = await FindUnreadAsync(answers, first, content, cancellationToken).ConfigureAwait(false);
            checks.AddRange(repositoryFile is null
                ? await CheckConditionsAsync(answers, first, content, [], cancellationToken).ConfigureAwait(false)
                : await CheckConditionsAsync(answers, StoreKeys.Repository, repositoryFile, [], cancellationToken).ConfigureAwait(false));
            if (checks.Find(check => check.Feature == ObjectStoreFeature.PutIfAbsent)?.Result == ObjectStoreCheckResult.Supported)
                checks.Add(await CheckSimultaneousPutsAsync(answers, second, cancellationToken).ConfigureAwait(false));
            await answers.DeleteAsync([first, second], cancellationToken).ConfigureAwait(false);
            checks.Add(unread ?? await CheckDeletedAsync(answers, first, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await TryDeleteAsync(answers, [first, second]).ConfigureAwait(false);
            throw;
        }

        return CreateReport(store, repositoryFile is not null, checks);
    }

    /// <summary>Checks the conditions by the repository file of a container, which keeps the bytes that it has.</summary>
    internal static async Task<ObjectStoreReport> ProbeRepositoryAsync(IObjectStore store, IObjectStore described, CancellationToken cancellationToken)
    {
        byte[] content = await store.GetAllAsync(StoreKeys.Repository, MaxRepositoryFileBytes, cancellationToken).ConfigureAwait(false);
        return CreateReport(described, true, await CheckConditionsAsync(store, StoreKeys.Repository, content, [], cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Checks the conditions in a container that holds no repository yet, by an object of its own, which it removes.</summary>
    internal static async Task<ObjectStoreReport> ProbeEmptyAsync(IObjectStore store, IObjectStore described, CancellationToken cancellationToken)
    {
        // Not the repository file: were it put before the store is known to be safe, another process could begin to use it.
        string key = StoreKeys.NewProbe();
        byte[] content = NewContent();
        try
        {
            await store.PutAsync(key, content, PutCondition.None, cancellationToken).ConfigureAwait(false);
            return CreateReport(described, false, await CheckConditionsAsync(store, key, content, [key], cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await TryDeleteAsync(store, [key]).ConfigureAwait(false);
            throw;
        }
    }

    private static ObjectStoreReport CreateReport(IObjectStore store, bool holdsRepository, IReadOnlyList<ObjectStoreCheck> checks) => new()
    {
        StoreName = store.Name,
        HoldsRepository = holdsRepository,
        Checks = checks,
        NotChecked = _notChecked,
        Properties = (store as IDescribedObjectStore)?.ServerProperties ?? new Dictionary<string, string>(),
    };

    /// <summary>Checks the conditions by an object that is there, and by a key that is free.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">The object's key.</param>
    /// <param name="content">The object's bytes. Nothing else is ever put in its place.</param>
    /// <param name="scratch">Objects that are deleted at the end.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    private static async Task<IReadOnlyList<ObjectStoreCheck>> CheckConditionsAsync(
        IObjectStore store, string key, byte[] content, IReadOnlyList<string> scratch, CancellationToken cancellationToken)
    {
        List<ObjectStoreCheck> checks = [];
        checks.Add(await CheckRefusedAsync(
            store, key, content, PutCondition.IfAbsent, ObjectStoreFeature.PutIfAbsent, "a put if absent (If-None-Match: *)", "an existing object", cancellationToken).ConfigureAwait(false));

        // The replacement that must succeed comes before those that must not: a store may learn by it how its server writes entity tags.
        checks.Add(await CheckReplacedAsync(store, key, content, cancellationToken).ConfigureAwait(false));
        checks.Add(await CheckRefusedAsync(
            store, key, content, PutCondition.Mismatch, ObjectStoreFeature.RefuseIfChanged, "a put if unchanged (If-Match)", "an object that is another one", cancellationToken).ConfigureAwait(false));
        string[] free = [StoreKeys.NewProbe(), StoreKeys.NewProbe()];
        try
        {
            checks.Add(await CheckRefusedAsync(
                store, free[0], content, PutCondition.Mismatch, ObjectStoreFeature.RefuseIfMissing, "a put if unchanged (If-Match)", "an object that does not exist", cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await TryDeleteAsync(store, free).ConfigureAwait(false);
            throw;
        }

        // Two keys, so that a store which deletes in batches makes one: none of them needs to exist.
        checks.Add(await CheckDeleteAsync(store, scratch.Count > 0 ? [free[0], .. scratch] : free, cancellationToken).ConfigureAwait(false));
        return checks;
    }

    private static async Task<ObjectStoreCheck> CheckRefusedAsync(
        IObjectStore store, string key, byte[] content, PutCondition condition, ObjectStoreFeature feature, string put, string place, CancellationToken cancellationToken)
    {
        try
        {
            await store.PutAsync(key, content, condition, cancellationToken).ConfigureAwait(false);
            return new ObjectStoreCheck(feature, ObjectStoreCheckResult.Missing, $"it accepts {put} in the place of {place}");
        }
        catch (ObjectStoreException e) when (e.Error is ObjectStoreError.AlreadyExists or ObjectStoreError.Changed)
        {
            return new ObjectStoreCheck(feature, ObjectStoreCheckResult.Supported, $"it refuses {put} in the place of {place}");
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Failed)
        {
            return new ObjectStoreCheck(feature, ObjectStoreCheckResult.Missing, $"it does not understand {put} ({e.Message})");
        }
    }

    private static async Task<ObjectStoreCheck> CheckReplacedAsync(IObjectStore store, string key, byte[] content, CancellationToken cancellationToken)
    {
        const string Put = "a put if unchanged (If-Match)";
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await store.PutAsync(key, content, PutCondition.IfUnchanged(content), cancellationToken).ConfigureAwait(false);
                return new ObjectStoreCheck(ObjectStoreFeature.ReplaceIfUnchanged, ObjectStoreCheckResult.Supported, $"it accepts {Put} in the place of the unchanged object");
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed)
            {
                if (attempt == MaxReplaceAttempts)
                    return new ObjectStoreCheck(ObjectStoreFeature.ReplaceIfUnchanged, ObjectStoreCheckResult.Missing, $"it refuses {Put} in the place of the unchanged object");
                await Task.Delay(Random.Shared.Next(attempt * 50), cancellationToken).ConfigureAwait(false);
                content = await store.GetAllAsync(key, MaxRepositoryFileBytes, cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Failed)
            {
                return new ObjectStoreCheck(ObjectStoreFeature.ReplaceIfUnchanged, ObjectStoreCheckResult.Missing, $"it does not understand {Put} ({e.Message})");
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.OutOfSpace)
            {
                // Making room must be possible. A store that refuses replacements is safe; they only fail.
                return new ObjectStoreCheck(ObjectStoreFeature.ReplaceIfUnchanged, ObjectStoreCheckResult.NotChecked, $"no space is left for {Put} ({e.Message})");
            }
        }
    }

    private static async Task<ObjectStoreCheck> CheckDeleteAsync(IObjectStore store, IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        try
        {
            await store.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
            return new ObjectStoreCheck(ObjectStoreFeature.Delete, ObjectStoreCheckResult.Supported, "it deletes objects");
        }
        catch (ObjectStoreException e) when (e.Error is ObjectStoreError.AccessDenied or ObjectStoreError.Failed)
        {
            // Backups are possible without it, and nothing is unsafe: what cannot be deleted stays.
            return new ObjectStoreCheck(ObjectStoreFeature.Delete, ObjectStoreCheckResult.NotChecked, $"nothing could be deleted ({e.Message})");
        }
    }

    /// <returns>Null when the object is seen as it was put.</returns>
    private static async Task<ObjectStoreCheck?> FindUnreadAsync(CheckedObjectStore store, string key, byte[] content, CancellationToken cancellationToken)
    {
        string? problem = null;
        try
        {
            byte[] read = await store.GetAllAsync(key, content.Length, cancellationToken).ConfigureAwait(false);
            byte[] range = new byte[content.Length / 2];
            await store.GetExactlyAsync(key, 3, range, cancellationToken).ConfigureAwait(false);
            bool isListed = false;
            await foreach (ObjectInfo info in store.ListAsync(key, cancellationToken).ConfigureAwait(false))
                isListed |= info.Key == key && info.SizeBytes == content.Length;
            problem = !read.AsSpan().SequenceEqual(content) ? "a read does not give the bytes that were stored"
                : !content.AsSpan(3, range.Length).SequenceEqual(range) ? "a range read does not give the bytes that were stored"
                : (await store.HeadAsync(key, cancellationToken).ConfigureAwait(false))?.SizeBytes != content.Length ? "a head request does not show a stored object"
                : isListed ? null : "a list does not show a stored object";
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            problem = "a read does not find a stored object";
        }
        catch (CorruptionException e)
        {
            problem = $"a read does not give the bytes that were stored ({e.Message})";
        }

        return problem is null ? null : new ObjectStoreCheck(ObjectStoreFeature.ReadAfterWrite, ObjectStoreCheckResult.Missing, problem);
    }

    private static async Task<ObjectStoreCheck> CheckDeletedAsync(CheckedObjectStore store, string key, CancellationToken cancellationToken) =>
        await store.HeadAsync(key, cancellationToken).ConfigureAwait(false) is null
            ? new ObjectStoreCheck(ObjectStoreFeature.ReadAfterWrite, ObjectStoreCheckResult.Supported, "a finished put or delete is seen by the next read, range read, head and list")
            : new ObjectStoreCheck(ObjectStoreFeature.ReadAfterWrite, ObjectStoreCheckResult.Missing, "a head request shows a deleted object");

    private static async Task<ObjectStoreCheck> CheckSimultaneousPutsAsync(CheckedObjectStore store, string key, CancellationToken cancellationToken)
    {
        bool[] stored = await Task.WhenAll(Enumerable.Range(0, SimultaneousPuts).Select(_ => TryPutAsync())).ConfigureAwait(false);
        int count = stored.Count(isStored => isStored);
        return count == 1
            ? new ObjectStoreCheck(ObjectStoreFeature.SimultaneousPuts, ObjectStoreCheckResult.Supported, $"it accepts one of {SimultaneousPuts} simultaneous puts if absent")
            : new ObjectStoreCheck(ObjectStoreFeature.SimultaneousPuts, ObjectStoreCheckResult.Missing, $"it accepts {count} of {SimultaneousPuts} simultaneous puts if absent, not one");

        async Task<bool> TryPutAsync()
        {
            try
            {
                await store.PutAsync(key, NewContent(), PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
            {
                return false;
            }
        }
    }

    private static async Task<byte[]?> FindRepositoryFileAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAllAsync(StoreKeys.Repository, MaxRepositoryFileBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            return null;
        }
    }

    private static async Task TryDeleteAsync(IObjectStore store, IReadOnlyCollection<string> keys)
    {
        using var timeout = new CancellationTokenSource(_cleanUpTimeout);
        try
        {
            await store.DeleteAsync(keys, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupEngineException or OperationCanceledException)
        {
            // The error that ended the probe matters more; what is left is a small object that no operation looks at.
        }
    }

    private static byte[] NewContent() => System.Text.Encoding.ASCII.GetBytes($"backup-engine checks this store {Guid.NewGuid():N}");
}
