using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Backups that read holes like data.</summary>
public sealed class ReadHolesTests
{
    [Fact]
    public async Task Full_FalseHolesAndReadHoles_HasAllData()
    {
        byte[] content = Repositories.Noise(10_000_000);
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        var volume = new HookedVolume(new MemoryVolume(content)) { Find = _ => new((VolumeExtent?)null) };
        Backup backup = await repository.FullAsync(volume, new BackupOptions { VolumeId = Repositories.VolumeId, ReadHoles = true });
        VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), "the backup of a volume that reports only holes");
        Assert.Equal(content.Length, backup.BytesRead);
    }
}
