using BackupEngine.Catalog;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>Looks at a store from outside: copies it, and says what objects it should hold.</summary>
internal static class StoreState
{
    public static async Task<InMemoryObjectStore> CloneAsync(this IObjectStore store, TimeProvider? time = null)
    {
        var copy = new InMemoryObjectStore(time);
        foreach (string key in await store.ListKeysAsync())
            await copy.PutAsync(key, await store.GetAllAsync(key, 1 << 30, Repositories.Token), cancellationToken: Repositories.Token);
        return copy;
    }

    /// <summary>The repository file, and of every record: itself, its manifest, and the packs that the manifest's pack table names.</summary>
    /// <param name="store">The store.</param>
    /// <param name="lost">Manifests whose records a test has removed: with their packs they stay until a person decides.</param>
    public static async Task<List<string>> ListReferencedAsync(this IObjectStore store, params string[] lost)
    {
        var keys = new HashSet<string> { StoreKeys.Repository };
        foreach (Backup backup in await new RecordStore(store).ListRecordsAsync(null, Repositories.Token))
        {
            keys.Add(StoreKeys.Record(backup.VolumeId, backup.Id));
            Add(await store.ReadManifestAsync(backup, Repositories.Token));
        }

        foreach (string key in lost)
        {
            if (await store.HeadAsync(key, Repositories.Token) is not null)
                Add(ManifestDecoder.Decode(key, await store.GetAllAsync(key, 1 << 30, Repositories.Token)));
        }

        return [.. keys.Order(StringComparer.Ordinal)];

        void Add(Manifest manifest)
        {
            keys.Add(manifest.Key);
            keys.UnionWith(manifest.Packs.Packs.Select(pack => manifest.GetPackKey(pack.Key)));
        }
    }

    /// <summary>Prunes, and checks that exactly what is referred to is left.</summary>
    public static async Task AssertPruneLeavesOnlyWhatIsNeededAsync(IObjectStore store, string what, params string[] lost)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        PruneReport report = await repository.PruneAsync(cancellationToken: Repositories.Token);
        List<string> referenced = await store.ListReferencedAsync(lost);
        List<string> stored = await store.ListKeysAsync();
        Assert.True(referenced.SequenceEqual(stored), $"{what}: after prune ({string.Join("; ", report.Kept)}; {string.Join("; ", report.Unreferenced)}) left over [{string.Join(", ", stored.Except(referenced))}], missing [{string.Join(", ", referenced.Except(stored))}]");
    }

    /// <summary>
    /// Prunes, and checks that nothing is missing and that whatever is left over is reported; then that it goes when that is asked for. For data that came after everything that
    /// could tell what it was.
    /// </summary>
    public static async Task AssertPruneReportsOrphansAsync(IObjectStore store, string what, params string[] lost)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        var options = new PruneOptions { VolumesWithoutRecords = [Repositories.VolumeId] };
        PruneReport report = await repository.PruneAsync(options, Repositories.Token);
        List<string> referenced = await store.ListReferencedAsync(lost);
        List<string> stored = await store.ListKeysAsync();
        Assert.True(referenced.All(stored.Contains), $"{what}: after prune missing [{string.Join(", ", referenced.Except(stored))}]");
        string[] unreported = await store.ListUnreportedAsync(stored.Except(referenced), report.Unreferenced);
        Assert.True(unreported.Length == 0, $"{what}: left over and not reported [{string.Join(", ", unreported)}]");
        if (lost.Length > 0)
            return;
        await repository.PruneAsync(options with { RemoveOrphans = true, OrphanAge = TimeSpan.Zero }, Repositories.Token);
        Assert.Equal(referenced, await store.ListKeysAsync());
    }

    /// <summary>Lists those of the objects left over that a prune has not reported: neither by their own id nor as part of a manifest without a record.</summary>
    public static async Task<string[]> ListUnreportedAsync(this IObjectStore store, IEnumerable<string> leftOver, IReadOnlyList<UnreferencedData> reported)
    {
        UnreferencedData[] kept = [.. reported.Where(data => !data.Removed)];
        List<string> known = await store.ListReferencedAsync(
            [.. kept.Where(data => data.Kind == UnreferencedKind.ManifestWithoutRecord).Select(data => StoreKeys.Manifest(data.VolumeId, data.BackupId))]);
        return [.. leftOver.Except(known).Where(key => !kept.Any(data => IsOf(key, data)))];

        static bool IsOf(string key, UnreferencedData data) =>
            (StoreKeys.TryParsePack(key, out string volumeId, out Guid id, out _) || StoreKeys.TryParseManifest(key, out volumeId, out id))
            && data.VolumeId == volumeId && data.BackupId == id;
    }
}
