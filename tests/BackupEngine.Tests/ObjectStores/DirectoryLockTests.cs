using BackupEngine.ObjectStores;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.ObjectStores;

public sealed class DirectoryLockTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("objects").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Theory]
    [InlineData("put")]
    [InlineData("replace")]
    [InlineData("delete")]
    public async Task A_change_waits_for_another_that_is_between_looking_and_replacing(string change)
    {
        await using DirectoryObjectStore store = new(_path);
        await store.PutAsync("k", new byte[] { 1 }, cancellationToken: Cancellation);
        using CancellationTokenSource impatient = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task waiting;
        await using (new FileStream(Path.Join(_path, DirectoryLock.FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            Task given = ChangeAsync(impatient.Token);
            waiting = ChangeAsync(Cancellation);
            await Task.Delay(100, Cancellation);
            Assert.False(waiting.IsCompleted);
            Assert.Equal(new byte[] { 1 }, await store.GetAllAsync("k", 10, Cancellation));
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        }

        await waiting;
        Assert.Equal(change == "delete" ? [] : ["k"], await store.ListKeysAsync());
        if (change != "delete")
            Assert.Equal(new byte[] { 2 }, await store.GetAllAsync("k", 10, Cancellation));

        Task ChangeAsync(CancellationToken token) => change switch
        {
            "put" => store.PutAsync("k", new byte[] { 2 }, cancellationToken: token).AsTask(),
            "replace" => store.PutAsync("k", new byte[] { 2 }, PutCondition.IfUnchanged(new byte[] { 1 }), token).AsTask(),
            _ => store.DeleteAsync("k", token).AsTask(),
        };
    }

    [Fact]
    public async Task Who_waits_for_another_for_a_minute_is_told_so_and_may_try_again()
    {
        var clock = new HastyClock();
        await using DirectoryObjectStore store = new(new DirectoryObjectStoreOptions { Path = _path, TimeProvider = clock });
        await store.PutAsync("k", new byte[] { 1 }, cancellationToken: Cancellation);
        await using (new FileStream(Path.Join(_path, DirectoryLock.FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            foreach (Func<Task> change in new Func<Task>[] { () => ReplaceAsync().AsTask(), () => store.PutAsync("k", new byte[] { 2 }, cancellationToken: Cancellation).AsTask(), () => store.DeleteAsync("k", Cancellation).AsTask() })
            {
                ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(change);
                Assert.Equal((ObjectStoreError.Unavailable, true), (e.Error, e.IsTransient));
                Assert.Contains($"{_path}/.lock~ has been locked by others for a minute", e.Message, StringComparison.Ordinal);
            }

            // What is new replaces nothing.
            await store.PutAsync("new", new byte[] { 2 }, cancellationToken: Cancellation);
        }

        await ReplaceAsync();

        ValueTask ReplaceAsync() => store.PutAsync("k", new byte[] { 2 }, PutCondition.IfUnchanged(new byte[] { 1 }), Cancellation);
    }

    /// <summary>Each look at it is ten seconds after the one before.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => 10 * Interlocked.Increment(ref _looks);
    }
}
