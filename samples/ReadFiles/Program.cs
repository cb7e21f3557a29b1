// Reads a file out of a backup without restoring it: the volume holds a zip archive, and only what the archive reads of it is fetched.
// A library that reads file systems (ext4, NTFS, FAT) takes the same stream.
// dotnet run --project samples/ReadFiles -- STORE BACKUP [FILE-IN-ARCHIVE]
using System.IO.Compression;
using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;

if (args is not [string storePath, string reference, .. string[] files])
{
    Console.Error.WriteLine("Usage: ReadFiles STORE BACKUP [FILE-IN-ARCHIVE]");
    return 2;
}

await using var store = new DirectoryObjectStore(storePath);
await using var repository = await BackupRepository.OpenAsync(store);
Backup backup = await repository.FindAsync(reference);

await using Stream stream = await repository.OpenReadAsync(backup.Id);
using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
if (files is [])
{
    foreach (ZipArchiveEntry entry in archive.Entries)
        Console.WriteLine($"{entry.Length,12} {entry.FullName}");
    return 0;
}

foreach (string file in files)
{
    using Stream content = archive.GetEntry(file)?.Open() ?? throw new FileNotFoundException($"{file} is not in backup {backup.Id}.");
    await content.CopyToAsync(Console.OpenStandardOutput());
}

return 0;
