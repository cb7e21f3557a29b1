using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>A backup is taken to be dead and resumed by another, and lives after all.</summary>
public sealed class TakenOverTests : IAsyncDisposable
{
    /// <summary>The writer's call before which it stops: by then some packs are there.</summary>
    private const int StopsBefore = 15;

    private static readonly BackupOptions _options = new() { VolumeId = Repositories.VolumeId, Workers = 1, MaxMemoryBytes = 16 << 20 };
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(30 << 20);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>The writer cleaned up what the other already referred to. It cleans up in one go, or has looked who needs its packs and is about to delete them while the other goes on.</summary>
    [LongRunning]
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_writer_that_fails_at_any_moment_of_its_being_taken_over_leaves_the_heir_whole(bool isFull, bool stopsBeforeItDeletes)
    {
        int resumed = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await _store.CloneAsync();
            await using StoppedBackup writer = await StoppedBackup.StartAsync(store, _content);
            writer.IsFull = isFull;
            int at = call;
            await using var interrupted = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? CancelAsync() : Task.CompletedTask };
            Backup? heir = null;
            try
            {
                heir = await (await Repositories.OpenAsync(interrupted)).BackupAsync(
                    new MemoryVolume(_content), _options with { ResumeId = writer.Id }, cancellationToken: Repositories.Token);
            }
            catch (BackupNotFoundException)
            {
                // It was gone before it could be taken over.
            }

            await writer.CancelAsync();
            BackupRepository after = await Repositories.OpenAsync(store);
            if (heir is not null)
            {
                VolumeAssert.Same(_content, await after.RestoreOverAsync(heir), $"cancelled before call {call} of the heir");
                resumed += heir.BytesStored < _content.Length ? 1 : 0;
            }

            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"cancelled before call {call} of the heir");

            Task CancelAsync()
            {
                isReached = true;
                return stopsBeforeItDeletes ? writer.CancelUntilItDeletesPacksAsync() : writer.CancelAsync();
            }
        }

        Assert.True(resumed > 0, "nothing was taken over");
    }

    /// <summary>The record in its place was deleted, with its packs, and then it was free to be committed.</summary>
    [Fact]
    public async Task What_was_declared_dead_cannot_be_deleted_while_it_may_still_be_committed()
    {
        await using StoppedBackup writer = await StoppedBackup.StartAsync(_store, _content);
        var records = new RecordStore(_store);
        Backup stone = RecordStore.CreateStub(Repositories.VolumeId, writer.Id, BackupStatus.Deleting, "a prune that was cut off") with { ManifestKey = StoreKeys.Manifest(Repositories.VolumeId, writer.Id) };
        await records.AddRecordAsync(stone, Repositories.Token);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        BackupStateException refused = await Assert.ThrowsAsync<BackupStateException>(() => repository.DeleteAsync(writer.Id, Repositories.Token));
        Assert.Contains("may still be being written", refused.Message, StringComparison.Ordinal);

        await Assert.ThrowsAsync<BackupStateException>(writer.GoOnAsync);
        await repository.DeleteAsync(writer.Id, Repositories.Token);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after the delete");
    }

    /// <summary>A backup that has stopped in its middle.</summary>
    private sealed class StoppedBackup : IAsyncDisposable
    {
        private readonly CancellationTokenSource _cancel = new();
        private readonly Stop _inItsMiddle = new();
        private readonly Stop _beforeItDeletes = new();
        private readonly FaultInjectingObjectStore _store;
        private readonly FullStore _room;
        private Task<Backup>? _task;

        private StoppedBackup(IObjectStore store)
        {
            _room = new FullStore(store) { BeforeDelete = keys => keys.Any(key => key.Contains("/packs/", StringComparison.Ordinal)) ? _beforeItDeletes.WaitAsync() : Task.CompletedTask };
            _store = new FaultInjectingObjectStore(_room, 1) { BeforeCall = call => call == StopsBefore ? _inItsMiddle.WaitAsync() : Task.CompletedTask };
        }

        /// <summary>Whether it finds no room any more, not even for the sign that it cleans up.</summary>
        public bool IsFull
        {
            get => _room.PutsLeft <= 0;
            set => _room.PutsLeft = value ? 0 : int.MaxValue;
        }

        public Guid Id { get; } = Guid.NewGuid();

        public static async Task<StoppedBackup> StartAsync(IObjectStore store, byte[] content)
        {
            var backup = new StoppedBackup(store);
            BackupRepository repository = await Repositories.OpenAsync(backup._store);
            backup._task = repository.BackupAsync(new MemoryVolume(content), _options with { BackupId = backup.Id }, cancellationToken: backup._cancel.Token);
            await backup._inItsMiddle.Reached;
            return backup;
        }

        public async Task CancelUntilItDeletesPacksAsync()
        {
            await _cancel.CancelAsync();
            _inItsMiddle.GoOn();
            await Task.WhenAny(_beforeItDeletes.Reached, _task!);
        }

        public async Task CancelAsync()
        {
            await _cancel.CancelAsync();
            _inItsMiddle.GoOn();
            _beforeItDeletes.GoOn();
            Exception? failed = await Record.ExceptionAsync(() => _task!);
            Assert.True(failed is OperationCanceledException or ObjectStoreException { Error: ObjectStoreError.OutOfSpace }, failed?.ToString());
        }

        public Task<Backup> GoOnAsync()
        {
            _inItsMiddle.GoOn();
            return _task!;
        }

        public async ValueTask DisposeAsync()
        {
            _inItsMiddle.GoOn();
            _beforeItDeletes.GoOn();
            await Task.WhenAny(_task!);
            await _store.DisposeAsync();
            _cancel.Dispose();
        }
    }
}
