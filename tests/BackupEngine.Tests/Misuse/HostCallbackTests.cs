using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Callbacks of the host that throw: before the commit they fail the operation, and after it they change nothing.</summary>
public sealed class HostCallbackTests : IAsyncLifetime
{
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(300_000);
    private BackupRepository _repository = null!;
    private List<string> _keys = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _keys = await _store.ListKeysAsync();
    }

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task Backup_ProgressThrowsAfterCommit_Succeeds()
    {
        // The last report comes when the record is there.
        var progress = new ThrowingProgress(async () => (await _store.ListKeysAsync()).Exists(key => key.StartsWith(StoreKeys.Records, StringComparison.Ordinal)));
        Backup backup = await _repository.BackupAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId }, progress, Repositories.Token);
        Assert.True(progress.HasThrown);
        Assert.Equal(BackupStatus.Available, backup.Status);
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(backup), "the backup");
    }

    [Fact]
    public async Task Backup_ProgressThrowsBeforeCommit_ThrowsTheCallersExceptionAndLeavesNothing()
    {
        var progress = new ThrowingProgress(() => Task.FromResult(true));
        await Assert.ThrowsAsync<HostException>(() => _repository.BackupAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId }, progress, Repositories.Token));
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task RestoreAndVerify_LastProgressThrows_Succeed()
    {
        Backup backup = await _repository.FullAsync(new MemoryVolume(_content));
        var target = new MemoryVolume(300_000);
        var progress = new ThrowingProgress(() => Task.FromResult(target.Flushes > 0));
        await _repository.RestoreAsync(backup.Id, target, progress: progress, cancellationToken: Repositories.Token);
        Assert.True(progress.HasThrown);
        VolumeAssert.Same(_content, target.ToArray(), "the target");
    }

    [Fact]
    public async Task Operations_LoggerThrows_Succeed()
    {
        using var loggers = new ThrowingLoggers();
        await using BackupRepository repository = await BackupRepository.OpenAsync(_store, new RepositoryOptions { LoggerFactory = loggers }, Repositories.Token);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content));
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(backup), "the backup");
        await repository.DeleteAsync(backup.Id, Repositories.Token);
        await repository.PruneAsync(cancellationToken: Repositories.Token);
        Assert.Equal(_keys, await _store.ListKeysAsync());
        Assert.True(loggers.Calls > 3);
    }

    [Fact]
    public async Task Operations_TimersOfTheHostFail_Succeed()
    {
        await using BackupRepository repository = await BackupRepository.OpenAsync(_store, new RepositoryOptions { TimeProvider = new ClockWithoutTimers() }, Repositories.Token);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content));
        Assert.Equal(BackupStatus.Available, backup.Status);
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(backup), "the backup");
        await repository.DeleteAsync(backup.Id, Repositories.Token);
        await repository.PruneAsync(cancellationToken: Repositories.Token);
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    private sealed class HostException : Exception;

    private sealed class ThrowingProgress(Func<Task<bool>> isTime) : IProgress<BackupProgress>
    {
        public bool HasThrown { get; private set; }

        public void Report(BackupProgress value)
        {
            if (!isTime().GetAwaiter().GetResult())
                return;
            HasThrown = true;
            throw new HostException();
        }
    }

    private sealed class ThrowingLoggers : ILoggerFactory, ILogger
    {
        private int _calls;

        public int Calls => _calls;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new HostException();

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Interlocked.Increment(ref _calls);
            throw new HostException();
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    private sealed class ClockWithoutTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => throw new HostException();
    }
}
