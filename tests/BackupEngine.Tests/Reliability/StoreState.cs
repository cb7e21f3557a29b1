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
    public static async Task<List<string>> ListReferencedAsync(this IObjectStore store)
    {
        var keys = new HashSet<string> { StoreKeys.Repository };
        foreach (Backup backup in await new RecordStore(store).ListRecordsAsync(null, Repositories.Token))
        {
            keys.Add(StoreKeys.Record(backup.VolumeId, backup.Id));
            Manifest manifest = await store.ReadManifestAsync(backup, Repositories.Token);
            keys.Add(manifest.Key);
            keys.UnionWith(manifest.Packs.Packs.Select(pack => manifest.GetPackKey(pack.Key)));
        }

        return [.. keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>Prunes, and checks that exactly what is referred to is left.</summary>
    public static async Task AssertPruneLeavesOnlyWhatIsNeededAsync(IObjectStore store, string what)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        PruneReport report = await repository.PruneAsync(cancellationToken: Repositories.Token);
        List<string> referenced = await store.ListReferencedAsync();
        List<string> stored = await store.ListKeysAsync();
        Assert.True(referenced.SequenceEqual(stored), $"{what}: after prune ({string.Join("; ", report.Kept)}) left over [{string.Join(", ", stored.Except(referenced))}], missing [{string.Join(", ", referenced.Except(stored))}]");
    }
}
