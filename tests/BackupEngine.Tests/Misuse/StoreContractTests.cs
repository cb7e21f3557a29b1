using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Exceptions of a custom store are errors of the store; only the caller's own token means that an operation was cancelled.</summary>
public sealed class StoreContractTests
{
    private readonly byte[] _content = Repositories.Noise(300_000);

    [Theory]
    [InlineData("put", ObjectStoreError.Unavailable)]
    [InlineData("get", ObjectStoreError.Unavailable)]
    [InlineData("head", ObjectStoreError.Unavailable)]
    [InlineData("list", ObjectStoreError.Unavailable)]
    [InlineData("delete", ObjectStoreError.Unavailable)]
    public async Task Operation_StoreTimesOut_ThrowsTransientObjectStoreException(string call, ObjectStoreError expected)
    {
        await using var inner = new InMemoryObjectStore();
        var store = new HookedStore(inner);
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content));
        store.Before = (name, _) => name == call ? Task.FromException(new TaskCanceledException("The request was canceled due to the configured HttpClient.Timeout.")) : Task.CompletedTask;

        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => call switch
        {
            "get" => repository.RestoreAsync(backup.Id, new MemoryVolume(300_000), cancellationToken: Repositories.Token),
            "list" => repository.ListAsync(cancellationToken: Repositories.Token),
            "delete" => repository.DeleteAsync(backup.Id, Repositories.Token),
            _ => repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = "another", BackupId = Guid.NewGuid() }),
        });

        Assert.Equal((expected, true), (e.Error, e.IsTransient));
        Assert.IsType<TaskCanceledException>(e.InnerException);
        store.Before = null;
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(backup.Status == BackupStatus.Available && call != "delete" ? backup : await repository.FullAsync(new MemoryVolume(_content))), "a backup");
    }

    [Fact]
    public async Task Backup_StoreThrowsForeignException_IsNotTransient()
    {
        await using var inner = new InMemoryObjectStore();
        var store = new HookedStore(inner);
        BackupRepository repository = await Repositories.OpenAsync(store);
        var error = new InvalidOperationException("not connected");
        store.Before = (_, key) => key.Contains("/packs/", StringComparison.Ordinal) ? Task.FromException(error) : Task.CompletedTask;
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => repository.FullAsync(new MemoryVolume(_content)));
        Assert.Equal((ObjectStoreError.Failed, false), (e.Error, e.IsTransient));
        Assert.Same(error, e.InnerException);
        Assert.Contains("not connected", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backup_CallerCancels_ThrowsOperationCanceledException()
    {
        await using var inner = new InMemoryObjectStore();
        var store = new HookedStore(inner);
        BackupRepository repository = await Repositories.OpenAsync(store);
        using var cancel = new CancellationTokenSource();
        store.Before = (_, key) =>
        {
            if (!key.Contains("/packs/", StringComparison.Ordinal))
                return Task.CompletedTask;
            cancel.Cancel();
            return Task.FromCanceled(cancel.Token);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => repository.BackupAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId }, cancellationToken: cancel.Token));
    }
}
