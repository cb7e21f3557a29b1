using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>What the checks of volumes cost, and what they let through.</summary>
public sealed class CheckedVolumeTests
{
    [Fact]
    public async Task ReadAndWrite_CallsThatFinishAtOnce_AllocateNothing()
    {
        var inner = new MemoryVolume(Repositories.Noise(1 << 20));
        CheckedWritableVolume volume = CheckedWritableVolume.Of(inner);
        byte[] buffer = new byte[4096];
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 5; attempt++)
        {
            // The first attempts may compile code.
            long before = GC.GetAllocatedBytesForCurrentThread();
            ValueTask pending = RunAsync(10_000);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.True(pending.IsCompletedSuccessfully);
        }

        Assert.InRange(least, 0, 1000);

        async ValueTask RunAsync(int calls)
        {
            for (int call = 0; call < calls; call++)
            {
                await volume.ReadAsync(buffer, 4096);
                await volume.WriteAsync(buffer, 4096);
            }
        }
    }

    [Fact]
    public async Task Read_DisposedVolume_ThrowsObjectDisposedException()
    {
        using var directory = new ScratchDirectory();
        string path = directory.File("disk.img");
        await File.WriteAllBytesAsync(path, new byte[4096], Repositories.Token);
        FileVolume file = FileVolume.OpenRead(path);
        CheckedVolume volume = CheckedVolume.Of(file);
        await file.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await volume.ReadAsync(new byte[10], 0, Repositories.Token));
    }
}
