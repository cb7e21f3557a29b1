using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.Catalog;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>A repository says that older engines must refuse it before it holds anything that they would misread, and not sooner.</summary>
public sealed class FormatVersionTests : IAsyncDisposable
{
    private const string VersionOne = """
        {
          "format_version": 1,
          "minimum_reader_version": 1,
          "required_features": [],
          "repository_id": "5e0f3bd4-0a43-4f0c-8d53-6a1ee3dcd6a4",
          "created_at": "2026-01-01T00:00:00Z",
          "later": {"kept": true}
        }
        """;

    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(200_000);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Create_NewRepository_HasVersionTwo()
    {
        await Repositories.OpenAsync(_store);
        Assert.Equal((2, 2), await ReadVersionsAsync());
    }

    [Theory]
    [InlineData(ChunkHash.XxHash128, 1)]
    [InlineData(ChunkHash.Sha256, 1)]
    [InlineData(null, 2)]
    [InlineData(ChunkHash.Blake3, 2)]
    [InlineData(ChunkHash.Blake3Bits256, 2)]
    public async Task Full_RepositoryOfVersionOne_RaisesTheVersionOnlyWhenTheHashNeedsIt(ChunkHash? hash, int version)
    {
        BackupRepository repository = await OpenVersionOneAsync();
        Backup full = await repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Hash = hash });
        Assert.Equal((version, version), await ReadVersionsAsync());
        Assert.True((bool)(await ReadFileAsync())["later"]!["kept"]!);
        Assert.Equal(version, (await _store.GetAllAsync(full.ManifestKey!, 1 << 20, Repositories.Token))[ManifestFormat.Header.Version]);
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(full), "the full");
    }

    [Fact]
    public async Task Full_RepositoryOfVersionOne_RaisesTheVersionBeforeAnyObjectIsStored()
    {
        await OpenVersionOneAsync();
        List<string> puts = [];
        var watched = new WatchedPuts(_store, puts);
        BackupRepository repository = await Repositories.OpenAsync(watched);
        await repository.FullAsync(new MemoryVolume(_content));
        Assert.Equal(StoreKeys.Repository, puts[0]);
        Assert.Equal(1, puts.Count(key => key == StoreKeys.Repository));

        puts.Clear();
        await repository.IncrementalAsync(new MemoryVolume(_content));
        Assert.DoesNotContain(StoreKeys.Repository, puts);
    }

    [Fact]
    public async Task RequireVersion_FileChangesBeforeItIsReplaced_KeepsTheChange()
    {
        await OpenVersionOneAsync();
        byte[] changed = Encoding.UTF8.GetBytes(VersionOne.Replace("\"later\"", "\"rival\": 7,\n  \"later\"", StringComparison.Ordinal));
        var rival = new WatchedPuts(_store, []) { BeforePut = () => _store.PutAsync(StoreKeys.Repository, changed, cancellationToken: Repositories.Token).AsTask() };
        Assert.Equal(2, await RepositoryFile.RequireVersionAsync(rival, 2, Repositories.Token));
        Assert.Equal((2, 2), await ReadVersionsAsync());
        Assert.Equal(7, (int)(await ReadFileAsync())["rival"]!);
        Assert.Equal(2, await RepositoryFile.RequireVersionAsync(_store, 1, Repositories.Token));
        Assert.Equal((2, 2), await ReadVersionsAsync());
    }

    [Fact]
    public async Task Import_KeyedHashIntoRepositoryOfVersionOne_RaisesTheVersion()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await repository.FullAsync(new MemoryVolume(_content));
        ExportedRecord record = await repository.ExportRecordAsync(full.Id, Repositories.Token);
        await _store.DeleteAsync(StoreKeys.Record(full.VolumeId, full.Id), Repositories.Token);
        repository = await OpenVersionOneAsync();
        await repository.ImportRecordAsync(record, Repositories.Token);
        Assert.Equal((2, 2), await ReadVersionsAsync());
    }

    [Fact]
    public async Task Incremental_ChainWithXxh128_KeepsTheHashAndWarnsOnceForEachVolume()
    {
        var warnings = new List<string>();
        using var loggers = new Warnings(warnings);
        await OpenVersionOneAsync();
        BackupRepository repository = await BackupRepository.OpenAsync(_store, new RepositoryOptions { LoggerFactory = loggers }, Repositories.Token);
        await repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Hash = ChunkHash.XxHash128 });
        Assert.Empty(warnings);
        Backup chosen = await repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, Hash = ChunkHash.XxHash128 });
        Assert.Empty(warnings);
        for (int count = 0; count < 2; count++)
        {
            _content[count]++;
            Backup next = await repository.IncrementalAsync(new MemoryVolume(_content));
            Assert.Equal(ChunkHash.XxHash128, next.Hash);
            VolumeAssert.Same(_content, await repository.RestoreOverAsync(next), "the incremental");
        }

        string warning = Assert.Single(warnings);
        Assert.Contains("full backup", warning, StringComparison.Ordinal);
        Assert.Contains(Repositories.VolumeId, warning, StringComparison.Ordinal);
        Assert.Equal((1, 1), await ReadVersionsAsync());
        Assert.Equal(ChunkHash.XxHash128, chosen.Hash);
    }

    private async Task<BackupRepository> OpenVersionOneAsync()
    {
        await _store.PutAsync(StoreKeys.Repository, Encoding.UTF8.GetBytes(VersionOne), cancellationToken: Repositories.Token);
        return await Repositories.OpenAsync(_store);
    }

    private async Task<JsonNode> ReadFileAsync() => JsonNode.Parse(await _store.GetAllAsync(StoreKeys.Repository, 1 << 20, Repositories.Token))!;

    private async Task<(int, int)> ReadVersionsAsync()
    {
        JsonNode file = await ReadFileAsync();
        return ((int)file["format_version"]!, (int)file["minimum_reader_version"]!);
    }

    /// <summary>Notes the keys that are put, and may let another go first.</summary>
    private sealed class WatchedPuts(IObjectStore store, List<string> puts) : IObjectStore
    {
        public Func<Task>? BeforePut { get; init; }

        public string Name => store.Name;

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
        {
            if (BeforePut is not null && puts.Count == 0)
            {
                puts.Add(key);
                await BeforePut();
            }
            else
            {
                puts.Add(key);
            }

            await store.PutAsync(key, content, condition, cancellationToken);
        }

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            store.GetAsync(key, offset, destination, cancellationToken);

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => store.HeadAsync(key, cancellationToken);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => store.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => store.DeleteAsync(keys, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Warnings(List<string> warnings) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                warnings.Add(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
