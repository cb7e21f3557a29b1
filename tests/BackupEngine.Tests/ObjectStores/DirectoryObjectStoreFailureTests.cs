using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.ObjectStores;

/// <summary>What directories do to a store that buckets do not.</summary>
public sealed class DirectoryObjectStoreFailureTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("objects").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Temporary => Path.Join(_path, DirectoryWriter.TemporaryFolder);

    public void Dispose()
    {
        if (Directory.Exists(_path))
            Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such_and_leaves_no_trace()
    {
        using MountedDirectory mounted = MountedDirectory.Create(1 << 20);
        await using DirectoryObjectStore store = new(mounted.DirectoryPath);
        await store.PutAsync("small", new byte[100_000], cancellationToken: Cancellation);
        foreach (PutCondition condition in new[] { PutCondition.None, PutCondition.IfAbsent })
        {
            ObjectStoreException e = await FailsAsync(ObjectStoreError.OutOfSpace, () => store.PutAsync("a/b/large", new byte[2 << 20], condition, Cancellation).AsTask());
            Assert.Equal($"{mounted.DirectoryPath}: cannot store a/b/large: No space left on device", e.Message);
            Assert.Equal("a/b/large", e.Key);
        }

        Assert.Equal(["small"], await KeysAsync(store));
        await store.PutAsync("small2", new byte[700_000], cancellationToken: Cancellation);
        Assert.Equal(["small", "small2"], await KeysAsync(store));
    }

    [Fact]
    public async Task PutAsync_FullDisk_StoresWhatFreesSpaceFromTheReserve()
    {
        using MountedDirectory mounted = MountedDirectory.Create(8 << 20);
        await using DirectoryObjectStore store = new(mounted.DirectoryPath);
        await store.PutAsync("volumes/v/x", new byte[10], cancellationToken: Cancellation);
        string reserve = Path.Join(mounted.DirectoryPath, DirectoryReserve.FileName);
        Assert.Equal(DirectoryReserve.SizeBytes, new FileInfo(reserve).Length);
        Assert.Equal(["volumes/v/x"], await KeysAsync(store));

        FillUp(mounted.DirectoryPath);
        await FailsAsync(ObjectStoreError.OutOfSpace, () => store.PutAsync("volumes/v/y", new byte[5000], cancellationToken: Cancellation).AsTask());
        await FailsAsync(ObjectStoreError.OutOfSpace, () => store.PutAsync($"intents/v/{Guid.NewGuid()}.json", new byte[5000], PutCondition.IfAbsent, Cancellation).AsTask());
        Assert.True(File.Exists(reserve));
        string mark = StoreKeys.Deletion("v", Guid.NewGuid(), Guid.NewGuid());
        await store.PutAsync(mark, new byte[5000], PutCondition.IfAbsent, Cancellation);
        Assert.Equal(0, new FileInfo(reserve).Length);
        Assert.Equal([mark, "volumes/v/x"], await KeysAsync(store));

        // What was freed is for the next mark, and not for data.
        await FailsAsync(ObjectStoreError.OutOfSpace, () => store.PutAsync("volumes/v/y", new byte[5000], cancellationToken: Cancellation).AsTask());
        await store.PutAsync(StoreKeys.Deletion("v", Guid.NewGuid(), Guid.NewGuid()), new byte[5000], PutCondition.IfAbsent, Cancellation);

        // Others may take it all.
        FillUp(mounted.DirectoryPath);
        await FailsAsync(ObjectStoreError.OutOfSpace, () => store.PutAsync(StoreKeys.Deletion("v", Guid.NewGuid(), Guid.NewGuid()), new byte[5000], PutCondition.IfAbsent, Cancellation).AsTask());

        // The reserve is filled when there is room again.
        File.Delete(Path.Join(mounted.DirectoryPath, "filler1~"));
        await FailsAsync(ObjectStoreError.OutOfSpace, () => store.PutAsync("volumes/v/y", new byte[5000], cancellationToken: Cancellation).AsTask());
        File.Delete(Path.Join(mounted.DirectoryPath, "filler0~"));
        await store.PutAsync("volumes/v/y", new byte[10], cancellationToken: Cancellation);
        Assert.Equal(DirectoryReserve.SizeBytes, new FileInfo(reserve).Length);

        static void FillUp(string directory)
        {
            int number = 0;
            while (File.Exists(Path.Join(directory, $"filler{number}~")))
                number++;
            using FileStream filler = File.Create(Path.Join(directory, $"filler{number}~"), bufferSize: 0);
            try
            {
                for (byte[] block = new byte[4096]; ;)
                    filler.Write(block);
            }
            catch (IOException)
            {
                // Full.
            }
        }
    }

    [Fact]
    public async Task A_read_only_directory_reads_and_refuses_changes()
    {
        using MountedDirectory mounted = MountedDirectory.Create(1 << 20);
        await using (DirectoryObjectStore writable = new(mounted.DirectoryPath))
            await writable.PutAsync("a/k", new byte[10], cancellationToken: Cancellation);
        mounted.MakeReadOnly();

        await using DirectoryObjectStore store = new(mounted.DirectoryPath);
        Assert.Equal(["a/k"], await KeysAsync(store));
        Assert.Equal(10, (await store.GetAllAsync("a/k", 100, Cancellation)).Length);
        await FailsAsync(ObjectStoreError.AccessDenied, () => store.PutAsync("b", new byte[1], cancellationToken: Cancellation).AsTask());
        ObjectStoreException e = await FailsAsync(ObjectStoreError.AccessDenied, () => store.DeleteAsync("a/k", Cancellation).AsTask());
        Assert.Contains("a/k", e.Message, StringComparison.Ordinal);
        await FailsAsync(ObjectStoreError.AccessDenied, () => Task.Run(() => new DirectoryObjectStore(Path.Join(mounted.DirectoryPath, "new"))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_directory_that_vanishes_is_named_and_not_made_again(bool usedBefore)
    {
        await using DirectoryObjectStore store = new(_path);
        if (usedBefore)
            await store.PutAsync("k", new byte[1], cancellationToken: Cancellation);
        Directory.Delete(_path, recursive: true);
        await EveryCallMissesTheContainerAsync(store);
    }

    [Fact]
    public async Task A_missing_directory_is_not_made_unless_wanted()
    {
        string missing = Path.Join(_path, "not", "there");
        await using DirectoryObjectStore store = new(new DirectoryObjectStoreOptions { Path = missing, Create = false });
        await EveryCallMissesTheContainerAsync(store);
        Assert.False(Directory.Exists(missing));

        await using DirectoryObjectStore made = new(missing);
        Assert.Empty(await KeysAsync(made));
        Assert.True(Directory.Exists(missing));
    }

    [Fact]
    public async Task A_disk_unmounted_under_the_store_gets_no_objects_into_its_mount_point()
    {
        await using DirectoryObjectStore store = new(_path);
        await store.PutAsync("k", new byte[1], cancellationToken: Cancellation);
        Directory.Delete(_path, recursive: true);
        Directory.CreateDirectory(_path);
        await FailsAsync(ObjectStoreError.ContainerNotFound, () => store.PutAsync("l", new byte[1], cancellationToken: Cancellation).AsTask());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_path));
    }

    [Fact]
    public void A_file_is_no_directory()
    {
        string file = Path.Join(_path, "file");
        File.WriteAllText(file, "");
        ObjectStoreException e = Assert.Throws<ObjectStoreException>(() => new DirectoryObjectStore(file));
        Assert.Contains(file, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_a_crash_left_are_no_objects_and_go_when_they_are_old()
    {
        Directory.CreateDirectory(Temporary);
        string old = Path.Join(Temporary, "old"), young = Path.Join(Temporary, "young");
        File.WriteAllText(old, "half");
        File.WriteAllText(young, "half");
        File.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2));

        await using DirectoryObjectStore store = new(_path);
        Assert.Empty(await KeysAsync(store));
        Assert.True(File.Exists(old));
        await store.PutAsync("k", new byte[1], cancellationToken: Cancellation);
        Assert.Equal(["k"], await KeysAsync(store));
        Assert.Equal([young], Directory.EnumerateFiles(Temporary));
    }

    [Fact]
    public async Task No_put_leaves_a_temporary_file_whether_it_won_lost_or_was_cancelled()
    {
        await using DirectoryObjectStore store = new(new DirectoryObjectStoreOptions { Path = _path, Durable = false });
        await store.PutAsync("k", new byte[1], PutCondition.IfAbsent, Cancellation);
        await store.PutAsync("k", new byte[2], cancellationToken: Cancellation);
        await FailsAsync(ObjectStoreError.AlreadyExists, () => store.PutAsync("k", new byte[3], PutCondition.IfAbsent, Cancellation).AsTask());
        await FailsAsync(ObjectStoreError.Failed, () => store.PutAsync("k/below-a-file", new byte[3], cancellationToken: Cancellation).AsTask());
        using CancellationTokenSource stop = new();
        Task put = store.PutAsync("l", new byte[20_000_000], cancellationToken: stop.Token).AsTask();
        await stop.CancelAsync();
        await Task.WhenAny(put);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Temporary));
    }

    [Fact]
    public async Task Odd_names_are_not_listed()
    {
        await using DirectoryObjectStore store = new(_path);
        await store.PutAsync("a/k", new byte[1], cancellationToken: Cancellation);
        foreach (string odd in new[] { "a b", "ü", "line\nbreak", "back\\slash", "~" })
            File.WriteAllText(Path.Join(_path, "a", odd), "");
        Directory.CreateDirectory(Path.Join(_path, "lost+found"));
        Directory.CreateDirectory(Path.Join(_path, "empty", "folder"));

        Assert.Equal(["a/k"], await KeysAsync(store));
        Assert.Equal(["a/k"], await KeysAsync(store, "a/"));
    }

    /// <summary>What is behind them was taken to be gone, and the packs of records behind a link to be nobody's.</summary>
    [Theory]
    [InlineData("k", "v/1/link")]
    [InlineData("/nowhere/at/all", "v/1/dangling")]
    [InlineData("link", "v/1/link")]
    [InlineData(".", "v/1/link")]
    [InlineData("..", "v/link")]
    public async Task A_link_is_an_error_that_names_it_and_stays(string target, string path)
    {
        await using DirectoryObjectStore store = new(_path);
        await store.PutAsync("v/1/k", new byte[1], cancellationToken: Cancellation);
        string link = Path.Join(_path, path);
        File.CreateSymbolicLink(link, target);

        await FailsAsync(ObjectStoreError.Failed, () => KeysAsync(store));
        await FailsAsync(ObjectStoreError.Failed, () => KeysAsync(store, "v/"));
        await FailsAsync(ObjectStoreError.Failed, () => KeysAsync(store, path + "/"));
        await FailsAsync(ObjectStoreError.Failed, () => store.HeadAsync(path, Cancellation).AsTask());
        ObjectStoreException refused = await Assert.ThrowsAsync<ObjectStoreException>(() => store.DeleteAsync(path, Cancellation).AsTask());
        Assert.Contains($"{path} is a symbolic link", refused.Message, StringComparison.Ordinal);
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    [Fact]
    public async Task A_prune_removes_nothing_while_records_are_behind_a_link()
    {
        await using DirectoryObjectStore store = new(_path);
        await using BackupRepository repository = await Repositories.OpenAsync(store);
        await repository.FullAsync(new MemoryVolume(Repositories.Noise(100_000)));
        IReadOnlyList<string> before = await store.ListKeysAsync();
        string records = Path.Join(_path, "records", Repositories.VolumeId);
        Directory.Move(records, records + "~");
        Directory.CreateSymbolicLink(records, records + "~");

        await FailsAsync(ObjectStoreError.Failed, () => repository.PruneAsync(cancellationToken: Cancellation));
        Directory.Delete(records);
        Directory.Move(records + "~", records);
        Assert.Equal(before, await store.ListKeysAsync());
    }

    [Fact]
    public async Task The_directory_itself_may_be_a_link()
    {
        string link = _path + "-link";
        await using (DirectoryObjectStore store = new(_path))
            await store.PutAsync("v/1/k", new byte[1], cancellationToken: Cancellation);
        Directory.CreateSymbolicLink(link, _path);
        try
        {
            await using DirectoryObjectStore linked = new(link);
            Assert.Equal(["v/1/k"], await KeysAsync(linked));
        }
        finally
        {
            Directory.Delete(link);
        }
    }

    [Fact]
    public async Task Directories_left_empty_by_a_delete_go_and_others_stay()
    {
        await using DirectoryObjectStore store = new(_path);
        await store.PutAsync("v/1/packs/p/1", new byte[1], cancellationToken: Cancellation);
        await store.PutAsync("v/1/packs/p/2", new byte[1], cancellationToken: Cancellation);
        await store.PutAsync("v/2/records/r", new byte[1], cancellationToken: Cancellation);
        await store.DeleteAsync("v/1/packs/p/1", Cancellation);
        Assert.True(Directory.Exists(Path.Join(_path, "v/1/packs/p")));
        await store.DeleteAsync("v/1/packs/p/2", Cancellation);
        Assert.False(Directory.Exists(Path.Join(_path, "v/1")));
        await store.DeleteAsync("v/2/records/r", Cancellation);
        Assert.False(Directory.Exists(Path.Join(_path, "v")));
        Assert.True(Directory.Exists(_path));
    }

    private static async Task EveryCallMissesTheContainerAsync(DirectoryObjectStore store)
    {
        Func<Task>[] calls =
        [
            () => store.PutAsync("k", new byte[1], cancellationToken: Cancellation).AsTask(),
            () => store.PutAsync("k", new byte[1], PutCondition.IfAbsent, Cancellation).AsTask(),
            () => store.GetAsync("k", 0, new byte[1], Cancellation).AsTask(),
            () => store.HeadAsync("k", Cancellation).AsTask(),
            () => store.DeleteAsync("k", Cancellation).AsTask(),
            () => KeysAsync(store),
            () => KeysAsync(store, "v/"),
        ];
        foreach (Func<Task> call in calls)
        {
            ObjectStoreException e = await FailsAsync(ObjectStoreError.ContainerNotFound, call);
            Assert.Contains(store.Name, e.Message, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(store.Name));
    }

    private static async Task<List<string>> KeysAsync(DirectoryObjectStore store, string prefix = "")
    {
        List<string> keys = [];
        await foreach (ObjectInfo info in store.ListAsync(prefix, Cancellation))
            keys.Add(info.Key);
        return keys;
    }

    private static async Task<ObjectStoreException> FailsAsync(ObjectStoreError error, Func<Task> call)
    {
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(call);
        Assert.True(e.Error == error, $"{e.Error} instead of {error}: {e.Message}");
        Assert.DoesNotContain('\n', e.Message);
        return e;
    }
}
