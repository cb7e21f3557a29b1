using System.Runtime.InteropServices;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace BackupEngine.Tests.Volumes;

/// <summary>Volumes that change, or may change, while they are read; and targets that others use.</summary>
public sealed class ChangingVolumeTests : IAsyncLifetime
{
    private const int Size = 16 << 20;
    private readonly InMemoryObjectStore _store = new();
    private readonly ScratchDirectory _directory = new();
    private BackupRepository _repository = null!;
    private List<string> _keys = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _keys = await _store.ListKeysAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Backup_CustomVolumeChangesMeanwhile_FailsUnlessAllowed()
    {
        var volume = new VersionedVolume { ChangesAfterFirstLook = true };
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync(volume));
        Assert.Contains("changed while it was read", e.Message, StringComparison.Ordinal);
        Assert.Equal(_keys, await _store.ListKeysAsync());

        Backup backup = await BackupAsync(new VersionedVolume { ChangesAfterFirstLook = true }, allow: true);
        Assert.False(backup.IsConsistent);
        Assert.False((await _repository.GetAsync(backup.Id, Repositories.Token)).IsConsistent);
    }

    [Fact]
    public async Task Backup_CustomVolumeHasWriter_FailsUnlessAllowed()
    {
        var volume = new VersionedVolume { Writer = "virtual machine 12 runs" };
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync(volume));
        Assert.Contains("is in use (virtual machine 12 runs)", e.Message, StringComparison.Ordinal);
        Assert.Equal(_keys, await _store.ListKeysAsync());
        Assert.False((await BackupAsync(volume, allow: true)).IsConsistent);
    }

    [Fact]
    public async Task Backup_VolumeThatDoesNotChange_HasNoConsistentMember()
    {
        Backup backup = await BackupAsync(new VersionedVolume(), allow: true);
        Assert.Null(backup.IsConsistent);
        byte[] record = await _store.GetAllAsync(StoreKeys.Record(backup.VolumeId, backup.Id), 1 << 20, Repositories.Token);
        Assert.DoesNotContain("consistent", System.Text.Encoding.UTF8.GetString(record), StringComparison.Ordinal);
    }

    [LongRunning]
    [Theory]
    [InlineData("content")]
    [InlineData("size")]
    [InlineData("content, and the time is set back")]
    public async Task Backup_ImageChangesMeanwhile_FailsUnlessAllowed(string what)
    {
        foreach (bool allow in new[] { false, true })
        {
            string path = await ImageAsync();
            await using FileVolume volume = FileVolume.OpenRead(path);
            var progress = new OnFirstReport(() => Change(path, what));
            Task<Backup> backup = BackupAsync(volume, allow, progress);
            if (allow)
                Assert.False((await backup).IsConsistent);
            else
                await Assert.ThrowsAsync<VolumeException>(() => backup);
            Assert.True(progress.HasRun);
        }

        static void Change(string path, string what)
        {
            DateTime before = File.GetLastWriteTimeUtc(path);
            using (FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            {
                if (what == "size")
                    file.SetLength(Size + 4096);
                else
                    file.WriteByte(77);
            }

            if (what.EndsWith("back", StringComparison.Ordinal))
                File.SetLastWriteTimeUtc(path, before);
        }
    }

    [Fact]
    public async Task Backup_MountedDevice_FailsUnlessAllowedOrReadOnly()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(Size);
        device.Format();
        MountPoint mount = device.Mount();
        await using (FileVolume volume = FileVolume.OpenRead(device.Path))
        {
            VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync(volume));
            Assert.Contains($"it is mounted read-write at {mount.Path}", e.Message, StringComparison.Ordinal);
            Assert.False((await BackupAsync(volume, allow: true)).IsConsistent);
        }

        mount.MakeReadOnly();
        await using FileVolume frozen = FileVolume.OpenRead(device.Path);
        Assert.Null((await BackupAsync(frozen)).IsConsistent);
    }

    [Fact]
    public async Task Backup_ClaimedDevice_Fails()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(Size);
        await using FileVolume volume = FileVolume.OpenRead(device.Path);
        await using (FileVolume.OpenWrite(device.Path))
        {
            VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync(volume));
            Assert.Contains("claimed it exclusively", e.Message, StringComparison.Ordinal);
        }

        Assert.Null((await BackupAsync(volume)).IsConsistent);
    }

    [Fact]
    public async Task Backup_DeviceIsWrittenMeanwhile_FailsUnlessAllowed()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(Size);
        foreach (bool allow in new[] { false, true })
        {
            await using FileVolume volume = FileVolume.OpenRead(device.Path);
            Task<Backup> backup = BackupAsync(volume, allow, new OnFirstReport(() =>
            {
                using FileStream file = new(device.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                file.Write(Repositories.Noise(4096));
                file.Flush(flushToDisk: true);
            }));
            if (allow)
                Assert.False((await backup).IsConsistent);
            else
                await Assert.ThrowsAsync<VolumeException>(() => backup);
        }
    }

    [Fact]
    public async Task BackupAndRestore_ImageOfALoopDevice_AreRefusedUnlessAllowed()
    {
        Requires.LoopDevices();
        string path = await ImageAsync();
        Backup backup;
        await using (FileVolume quiet = FileVolume.OpenRead(path))
            backup = await BackupAsync(quiet);
        using (LoopDevice device = LoopDevice.Attach(path))
        {
            await using FileVolume volume = FileVolume.OpenRead(path);
            VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync(volume));
            Assert.Contains($"it is attached to {device.Path}", e.Message, StringComparison.Ordinal);
            Assert.False((await BackupAsync(volume, allow: true)).IsConsistent);
            e = Assert.Throws<VolumeException>(() => FileVolume.OpenWrite(path));
            Assert.Contains($"it is attached to {device.Path}", e.Message, StringComparison.Ordinal);
        }

        using (LoopDevice.Attach(path, readOnly: true))
        {
            await using (FileVolume volume = FileVolume.OpenRead(path))
                Assert.Null((await BackupAsync(volume)).IsConsistent);
            Assert.Throws<VolumeException>(() => FileVolume.OpenWrite(path));
            await using FileVolume forced = FileVolume.OpenWrite(path, allowInUse: true);
            await _repository.RestoreAsync(backup.Id, forced, cancellationToken: Repositories.Token);
        }
    }

    [Fact]
    public async Task BackupAndRestore_MountedImage_NameTheMount()
    {
        Requires.LoopDevices();
        string path = await ImageAsync();
        using LoopDevice device = LoopDevice.Attach(path);
        device.Format();
        MountPoint mount = device.Mount();
        await using FileVolume volume = FileVolume.OpenRead(path);
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync(volume));
        Assert.Contains($"is mounted at {mount.Path}", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<VolumeException>(() => FileVolume.OpenWrite(path));
        Assert.Contains($"is mounted at {mount.Path}", e.Message, StringComparison.Ordinal);
    }

    [LongRunning]
    [Theory]
    [InlineData(101, true, true)]
    [InlineData(103, true, true)]
    [InlineData(100, false, true)]
    [InlineData(201, false, true)]
    [InlineData(50, false, false)]
    public async Task BackupAndRestore_ImageLockedByQemu_AreRefused(int lockedByte, bool isWriter, bool isUser)
    {
        Requires.Linux("A lock of an open file description");
        string path = await ImageAsync();
        using SafeFileHandle machine = SharedLock.Take(path, lockedByte);
        await using (FileVolume volume = FileVolume.OpenRead(path))
        {
            if (isWriter)
                Assert.Contains("QEMU", (await Assert.ThrowsAsync<VolumeException>(() => BackupAsync(volume))).Message, StringComparison.Ordinal);
            else
                Assert.Null((await BackupAsync(volume)).IsConsistent);
        }

        if (isUser)
            Assert.Contains("QEMU", Assert.Throws<VolumeException>(() => FileVolume.OpenWrite(path)).Message, StringComparison.Ordinal);
        else
            await FileVolume.OpenWrite(path).DisposeAsync();
        await using FileVolume forced = FileVolume.OpenWrite(path, allowInUse: true);
    }

    [Fact]
    public async Task Read_DeviceWithStaleCache_ReturnsWhatTheStorageHolds()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(Size);
        byte[] content = Repositories.Noise(Size);

        // Held open, or the kernel would drop the cache itself.
        await using FileVolume first = FileVolume.OpenRead(device.Path);
        await VolumeAssert.HoldsAsync(new byte[Size], first, "the device before", Repositories.Token);
        using (FileStream storage = new(device.BackingFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            storage.Write(content);
            storage.Flush(flushToDisk: true);
        }

        await using FileVolume second = FileVolume.OpenRead(device.Path);
        await VolumeAssert.HoldsAsync(content, second, "the device whose storage another machine has written to", Repositories.Token);
    }

    private async Task<string> ImageAsync()
    {
        string path = _directory.File($"{Guid.NewGuid()}.img");
        await File.WriteAllBytesAsync(path, Repositories.Noise(Size), Repositories.Token);

        // File times advance with the clock of the kernel's timer.
        await Task.Delay(20, Repositories.Token);
        return path;
    }

    private Task<Backup> BackupAsync(IVolume volume, bool allow = false, IProgress<BackupProgress>? progress = null) =>
        _repository.BackupAsync(volume, new BackupOptions { VolumeId = Repositories.VolumeId, AllowInconsistent = allow }, progress, Repositories.Token);

    private sealed class OnFirstReport(Action action) : IProgress<BackupProgress>
    {
        private int _reports;

        public bool HasRun => _reports > 0;

        public void Report(BackupProgress value)
        {
            if (Interlocked.Increment(ref _reports) == 1)
                action();
        }
    }

    private sealed class VersionedVolume : IVolume, IVolumeVersion
    {
        private readonly MemoryVolume _inner = new(Repositories.Noise(1_000_000));
        private int _looks;

        public bool ChangesAfterFirstLook { get; init; }

        public string? Writer { get; init; }

        public string Name => "versioned";

        public long SizeBytes => _inner.SizeBytes;

        public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default) => _inner.ReadAsync(destination, offset, cancellationToken);

        public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) => _inner.FindAllocatedAsync(offset, cancellationToken);

        public ValueTask<string?> GetChangeTokenAsync(CancellationToken cancellationToken = default) =>
            new(_looks++ == 0 || !ChangesAfterFirstLook ? "1" : "2");

        public ValueTask<string?> FindWriterAsync(CancellationToken cancellationToken = default) => new(Writer);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>A lock as QEMU takes it: shared, of the open file, on one byte.</summary>
    private static class SharedLock
    {
        private const int ReadWrite = 2;
        private const int OpenFileSetLock = 37;

        public static SafeFileHandle Take(string path, long position)
        {
            // Not by .NET, which takes a lock of the whole file as well.
            var handle = new SafeFileHandle(Open(path, ReadWrite), ownsHandle: true);
            var request = new FileLock { Start = position, Length = 1 };
            Assert.Equal(0, Control(handle, OpenFileSetLock, ref request));
            return handle;
        }

        [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
        private static extern int Open(string path, int flags);

        [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
        private static extern int Control(SafeFileHandle handle, int command, ref FileLock request);

        [StructLayout(LayoutKind.Explicit, Size = 32)]
        private struct FileLock
        {
            [FieldOffset(8)]
            public long Start;

            [FieldOffset(16)]
            public long Length;
        }
    }
}
