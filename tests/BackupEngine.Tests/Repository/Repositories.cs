using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>Short ways to say what most tests of the repository do.</summary>
internal static class Repositories
{
    public const string VolumeId = "volume-1";

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Opens a repository in a store that counts as checked, so that tests which count calls, or make one fail, see the operation's own calls only.</summary>
    public static Task<BackupRepository> OpenAsync(IObjectStore store)
    {
        ContractObjectStore.Trust(store);
        return OpenCheckedAsync(store);
    }

    /// <summary>Opens a repository as a program does: the store is checked when the repository is made, or before the first write.</summary>
    public static Task<BackupRepository> OpenCheckedAsync(IObjectStore store, RepositoryOptions? options = null) => BackupRepository.OpenOrCreateAsync(store, options, Token);

    public static Task<Backup> FullAsync(this BackupRepository repository, IVolume volume, BackupOptions? options = null) =>
        repository.BackupAsync(volume, options ?? new BackupOptions { VolumeId = VolumeId }, cancellationToken: Token);

    public static Task<Backup> IncrementalAsync(this BackupRepository repository, IVolume volume) =>
        repository.BackupAsync(volume, new BackupOptions { VolumeId = VolumeId, Incremental = true }, cancellationToken: Token);

    /// <summary>Restores into memory full of other data, and gives back what the target then holds.</summary>
    public static async Task<byte[]> RestoreOverAsync(this BackupRepository repository, Backup backup, bool differential = false)
    {
        byte[] other = new byte[backup.SizeBytes];
        new Random(1).NextBytes(other);
        var target = new MemoryVolume(other);
        await repository.RestoreAsync(backup.Id, target, new RestoreOptions { Differential = differential }, cancellationToken: Token);
        return target.ToArray();
    }

    public static async Task<List<string>> ListKeysAsync(this IObjectStore store)
    {
        var keys = new List<string>();
        await foreach (ObjectInfo info in store.ListAsync("", Token))
            keys.Add(info.Key);
        return keys;
    }

    /// <summary>Bytes that no compression makes smaller.</summary>
    public static byte[] Noise(int length, int seed = 7)
    {
        byte[] noise = new byte[length];
        new Random(seed).NextBytes(noise);
        return noise;
    }
}
