// What somebody writes who has the packages and nothing else: full, incremental, restore of both, in a directory and in a bucket.
using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.S3;
using BackupEngine.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

if (args is not [string directory, string bucket])
    return 2;

await BackUpAndRestoreAsync(_ => new(new DirectoryObjectStore(Path.Combine(directory, "backups"))), "directory");
await BackUpAndRestoreAsync(_ => new(new S3ObjectStore(S3ObjectStoreOptions.Parse(bucket))), "S3");
return 0;

async Task BackUpAndRestoreAsync(Func<CancellationToken, ValueTask<IObjectStore>> openStore, string kind)
{
    var limits = new OperationLimits(new OperationLimitOptions { MaxMemoryBytes = 128 << 20 });
    await using var host = new RepositoryHost(openStore, TimeProvider.System, NullLoggerFactory.Instance, limits);
    BackupRepository repository = await host.GetAsync();
    var options = new BackupOptions { VolumeId = "disk" };

    string disk = Path.Combine(directory, $"{kind}.img");
    byte[] first = new byte[5_000_000];
    new Random(1).NextBytes(first.AsSpan(1_000_000, 2_000_000));
    await File.WriteAllBytesAsync(disk, first);
    Backup full = await BackUpAsync(options);

    byte[] second = [.. first];
    new Random(2).NextBytes(second.AsSpan(4_000_000, 100_000));
    await File.WriteAllBytesAsync(disk, second);
    Backup incremental = await BackUpAsync(options with { Incremental = true });

    bool same = await IsRestoredAsync(full, first) && await IsRestoredAsync(incremental, second);
    bool less = incremental.ParentId == full.Id && incremental.BytesStored < full.BytesStored / 4;
    Console.WriteLine($"{kind}: {(same ? "identical" : "different")}, {(less ? "incremental" : "full")}");

    async Task<Backup> BackUpAsync(BackupOptions how)
    {
        await using FileVolume volume = FileVolume.OpenRead(disk);
        return await repository.BackupAsync(volume, how);
    }

    async Task<bool> IsRestoredAsync(Backup backup, byte[] expected)
    {
        string path = Path.Combine(directory, $"{kind}-{backup.Id}.img");
        await using (FileVolume target = FileVolume.Create(path, backup.SizeBytes))
            await repository.RestoreAsync(backup.Id, target);
        byte[] restored = await File.ReadAllBytesAsync(path);
        return expected.AsSpan().SequenceEqual(restored);
    }
}
