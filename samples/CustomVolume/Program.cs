// Backups of snapshots of an image that never stands still, the second by what its owner knows has changed:
// dotnet run --project samples/CustomVolume -- STORE
using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using CustomVolume;

if (args is not [string storePath])
{
    Console.Error.WriteLine("Usage: CustomVolume STORE");
    return 2;
}

var image = new LiveImage(blocks: 65_536);
for (int block = 0; block < 2000; block++)
    image.Write(block, RandomBlock());

await using var store = new DirectoryObjectStore(storePath);
await using var repository = await BackupRepository.OpenOrCreateAsync(store);
var options = new BackupOptions { VolumeId = "live" };

(SnapshotVolume first, _) = image.Snapshot("live@1");
Backup full = await repository.BackupAsync(first, options with { SnapshotId = "1" });

image.Write(40_000, RandomBlock());
(SnapshotVolume second, var changed) = image.Snapshot("live@2");
Backup incremental = await repository.BackupAsync(second, options with { SnapshotId = "2", ParentId = full.Id, ChangedExtents = changed });

Console.WriteLine($"full: {full.BytesRead} bytes read; incremental: {incremental.BytesRead} bytes read");
return 0;

static byte[] RandomBlock()
{
    byte[] block = new byte[LiveImage.BlockSize];
    Random.Shared.NextBytes(block);
    return block;
}
