// A backup that is kept in two places, and restored when the first has lost its data:
// dotnet run --project samples/CustomStore -- VOLUME FIRST-STORE SECOND-STORE NEW-FILE
using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;
using CustomStore;

if (args is not [string volumePath, string firstPath, string secondPath, string restoredPath])
{
    Console.Error.WriteLine("Usage: CustomStore VOLUME FIRST-STORE SECOND-STORE NEW-FILE");
    return 2;
}

await using var store = new MirroredObjectStore(new DirectoryObjectStore(firstPath), new DirectoryObjectStore(secondPath));
await using var repository = await BackupRepository.OpenOrCreateAsync(store);
await using var volume = FileVolume.OpenRead(volumePath);
Backup backup = await repository.BackupAsync(volume, new BackupOptions { VolumeId = "mirrored" });

Directory.Delete(Path.Join(firstPath, "volumes"), recursive: true);

await using var target = FileVolume.Create(restoredPath, backup.SizeBytes);
RestoreResult restored = await repository.RestoreAsync(backup.Id, target);
Console.WriteLine($"{restored.BytesRestored} bytes restored");
return 0;
