// The ten lines of README.md, as a program:
// dotnet run --project samples/Embedding -- VOLUME STORE NEW-FILE
using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

if (args is not [string volumePath, string storePath, string restoredPath])
{
    Console.Error.WriteLine("Usage: Embedding VOLUME STORE NEW-FILE");
    return 2;
}

// <readme>
await using var store = new DirectoryObjectStore(storePath); // or new S3ObjectStore(S3ObjectStoreOptions.Parse("s3://bucket/prefix"))
await using var repository = await BackupRepository.OpenOrCreateAsync(store);
await using var volume = FileVolume.OpenRead(volumePath); // a disk image or a block device
var options = new BackupOptions { VolumeId = VolumeIds.FromPath(volumePath).ToString(), Name = "sunday" };

Backup full = await repository.BackupAsync(volume, options);
Backup monday = await repository.BackupAsync(volume, options with { Name = "monday", Incremental = true });

await using var target = FileVolume.Create(restoredPath, monday.SizeBytes);
RestoreResult restored = await repository.RestoreAsync(monday.Id, target);
Console.WriteLine($"full {full.BytesStored}, incremental {monday.BytesStored} bytes stored; {restored.BytesRestored} bytes restored");
// </readme>
return 0;
