using System.Text;
using BackupEngine.Catalog;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>Every error that the repository reports on purpose, and that nothing is lost by it.</summary>
public sealed class RepositoryErrorTests : IAsyncLifetime
{
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(300_000);
    private BackupRepository _repository = null!;
    private Backup _full = null!;
    private List<string> _keys = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _full = await _repository.FullAsync(new MemoryVolume(_content));
        _keys = await _store.ListKeysAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // Whatever went wrong: what was committed restores.
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(_full), "the committed backup");
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Opening_a_store_that_is_no_repository_is_refused()
    {
        await using var other = new InMemoryObjectStore();
        RepositoryException e = await Assert.ThrowsAsync<RepositoryException>(() => BackupRepository.OpenAsync(other, cancellationToken: Repositories.Token));
        Assert.Contains("is not a backup repository", e.Message, StringComparison.Ordinal);

        await other.PutAsync("holiday.jpg", new byte[3], cancellationToken: Repositories.Token);
        e = await Assert.ThrowsAsync<RepositoryException>(() => Repositories.OpenAsync(other));
        Assert.Contains("holiday.jpg", e.Message, StringComparison.Ordinal);
        Assert.Equal(["holiday.jpg"], await other.ListKeysAsync());
    }

    [Fact]
    public async Task Creating_a_repository_twice_is_refused() =>
        await Assert.ThrowsAsync<RepositoryException>(() => BackupRepository.CreateAsync(_store, cancellationToken: Repositories.Token));

    [Theory]
    [InlineData("""{"format_version": 9, "minimum_reader_version": 7, "repository_id": "5e0f3bd4-0a43-4f0c-8d53-6a1ee3dcd6a4", "created_at": "2026-01-01T00:00:00Z"}""", "version 9")]
    [InlineData("""{"format_version": 1, "minimum_reader_version": 1, "required_features": ["telepathy"], "repository_id": "5e0f3bd4-0a43-4f0c-8d53-6a1ee3dcd6a4", "created_at": "2026-01-01T00:00:00Z"}""", "telepathy")]
    [InlineData("""{"format_version": 1}""", "cannot be read")]
    [InlineData("no json", "cannot be read")]
    [InlineData("null", "is empty")]
    [InlineData("", "cannot be read")]
    public async Task A_repository_of_a_later_version_or_a_damaged_file_is_refused(string json, string expected)
    {
        await using var other = new InMemoryObjectStore();
        await other.PutAsync(StoreKeys.Repository, Encoding.UTF8.GetBytes(json), cancellationToken: Repositories.Token);
        RepositoryException e = await Assert.ThrowsAsync<RepositoryException>(() => Repositories.OpenAsync(other));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_incremental_needs_a_parent()
    {
        BackupStateException e = await Assert.ThrowsAsync<BackupStateException>(() => _repository.BackupAsync(
            new MemoryVolume(_content), new BackupOptions { VolumeId = "another", Incremental = true }, cancellationToken: Repositories.Token));
        Assert.Contains("do a full one first", e.Message, StringComparison.Ordinal);
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task A_named_parent_must_exist_and_be_of_the_same_volume()
    {
        await Assert.ThrowsAsync<BackupNotFoundException>(() => BackupAsync(new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = Guid.NewGuid() }));
        await Assert.ThrowsAsync<BackupStateException>(() => BackupAsync(new BackupOptions { VolumeId = "another", ParentId = _full.Id }));
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task A_chain_keeps_its_chunk_size_and_hash()
    {
        var incremental = new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true };
        await Assert.ThrowsAsync<BackupStateException>(() => BackupAsync(incremental with { ChunkSize = 4096 }));
        await Assert.ThrowsAsync<BackupStateException>(() => BackupAsync(incremental with { Hash = ChunkHash.Sha256 }));
        Backup same = await BackupAsync(incremental with { ChunkSize = 65_536, Hash = ChunkHash.Blake3 });
        Assert.Equal(_full.Id, same.ParentId);
    }

    [Fact]
    public async Task An_id_is_used_once()
    {
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, BackupId = _full.Id };
        await Assert.ThrowsAsync<BackupStateException>(() => BackupAsync(options));
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    public static TheoryData<string, BackupOptions> WrongOptions => new()
    {
        { "empty volume id", new BackupOptions { VolumeId = "" } },
        { "path as volume id", new BackupOptions { VolumeId = "../x" } },
        { "slash in volume id", new BackupOptions { VolumeId = "a/b" } },
        { "dot volume id", new BackupOptions { VolumeId = "." } },
        { "long volume id", new BackupOptions { VolumeId = new string('a', 129) } },
        { "zero id", new BackupOptions { VolumeId = "v", BackupId = Guid.Empty } },
        { "small chunk", new BackupOptions { VolumeId = "v", ChunkSize = 2048 } },
        { "large chunk", new BackupOptions { VolumeId = "v", ChunkSize = 8 << 20 } },
        { "odd chunk", new BackupOptions { VolumeId = "v", ChunkSize = 65_537 } },
        { "negative chunk", new BackupOptions { VolumeId = "v", ChunkSize = -4096 } },
        { "no workers", new BackupOptions { VolumeId = "v", Workers = 0 } },
        { "too many workers", new BackupOptions { VolumeId = "v", Workers = 257 } },
        { "little memory", new BackupOptions { VolumeId = "v", MaxMemoryBytes = 1 << 20 } },
        { "changes of a full", new BackupOptions { VolumeId = "v", ChangedExtents = [] } },
        { "changes since no named backup", new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, ChangedExtents = [] } },
    };

    [Theory]
    [InlineData(299_999, 2)]
    [InlineData(-1, 2)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public async Task Backup_ChangedExtentsBeyondTheVolume_Throws(long offset, long length)
    {
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = _full.Id, ChangedExtents = [new VolumeExtent(offset, length)] };
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => BackupAsync(options));
        Assert.DoesNotContain("ParentId", error.Message, StringComparison.Ordinal);
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Theory]
    [MemberData(nameof(WrongOptions), DisableDiscoveryEnumeration = true)]
    public async Task Options_out_of_bounds_are_refused(string what, BackupOptions options)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => BackupAsync(options));
        Assert.True(_keys.SequenceEqual(await _store.ListKeysAsync()), what);
    }

    [Fact]
    public async Task A_volume_that_cannot_be_read_fails_the_backup_and_leaves_nothing()
    {
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => _repository.BackupAsync(
            new FailingVolume(40_000_000, failFrom: 20_000_000), new BackupOptions { VolumeId = Repositories.VolumeId }, cancellationToken: Repositories.Token));
        Assert.Equal("bad sector", e.Message);
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task A_cancelled_backup_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        var volume = new FailingVolume(100_000_000, failFrom: long.MaxValue) { OnRead = offset => { if (offset > 30_000_000) cancel.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _repository.BackupAsync(volume, new BackupOptions { VolumeId = Repositories.VolumeId }, cancellationToken: cancel.Token));
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Restoring_needs_a_backup_and_a_target_that_is_large_enough()
    {
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.RestoreAsync(Guid.NewGuid(), new MemoryVolume(_content), cancellationToken: Repositories.Token));
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => _repository.RestoreAsync(_full.Id, new MemoryVolume(299_999), cancellationToken: Repositories.Token));
        Assert.Contains("299999", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(0, 300_001)]
    [InlineData(300_000, 1)]
    [InlineData(5, -1)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public async Task A_range_outside_the_volume_is_refused(long offset, long length) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _repository.RestoreAsync(
            _full.Id, new MemoryVolume(_content), new RestoreOptions { Range = new VolumeExtent(offset, length) }, cancellationToken: Repositories.Token));

    [Fact]
    public async Task A_range_may_be_restored_to_a_target_that_only_reaches_its_end()
    {
        foreach (bool differential in new[] { false, true })
        {
            var target = new MemoryVolume(Repositories.Noise(100_001, seed: 9));
            await _repository.RestoreAsync(
                _full.Id, target, new RestoreOptions { Range = new VolumeExtent(50_000, 50_001), Differential = differential }, cancellationToken: Repositories.Token);
            VolumeAssert.Same(_content.AsMemory(50_000, 50_001), target.ToArray().AsMemory(50_000), "the range");
        }
    }

    [Fact]
    public async Task A_parent_cannot_be_deleted()
    {
        Backup child = await _repository.IncrementalAsync(new MemoryVolume(_content));
        BackupHasDependentsException e = await Assert.ThrowsAsync<BackupHasDependentsException>(() => _repository.DeleteAsync(_full.Id, Repositories.Token));
        Assert.Equal([child.Id], e.Dependents);
        Assert.Equal(BackupStatus.Available, (await _repository.GetAsync(_full.Id, Repositories.Token)).Status);
        Assert.True((await _repository.GetAsync(_full.Id, Repositories.Token)).HasDependentBackups);
        await _repository.DeleteAsync(child.Id, Repositories.Token);
        Assert.False((await _repository.GetAsync(_full.Id, Repositories.Token)).HasDependentBackups);
    }

    [Fact]
    public async Task Backups_are_found_by_id_prefix_and_latest()
    {
        var prefixed = new BackupOptions { VolumeId = "other", BackupId = Guid.Parse("abcdef00-0000-0000-0000-000000000001") };
        Backup first = await BackupAsync(prefixed);
        Backup second = await BackupAsync(prefixed with { BackupId = Guid.Parse("abcdef00-0000-0000-0000-000000000002") });

        Assert.Equal(first.Id, (await _repository.FindAsync(first.Id.ToString(), cancellationToken: Repositories.Token)).Id);
        Assert.Equal(first.Id, (await _repository.FindAsync("ABCDEF00-0000-0000-0000-000000000001", cancellationToken: Repositories.Token)).Id);
        Assert.Equal(_full.Id, (await _repository.FindAsync(_full.Id.ToString()[..9], cancellationToken: Repositories.Token)).Id);
        Assert.Equal(second.Id, (await _repository.FindAsync("latest", "other", Repositories.Token)).Id);
        await Assert.ThrowsAsync<AmbiguousBackupException>(() => _repository.FindAsync("abcdef", cancellationToken: Repositories.Token));
        await Assert.ThrowsAsync<AmbiguousBackupException>(() => _repository.FindAsync("abc", cancellationToken: Repositories.Token));
        await Assert.ThrowsAsync<AmbiguousBackupException>(() => _repository.FindAsync("latest", cancellationToken: Repositories.Token));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.FindAsync("latest", "nobody", Repositories.Token));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.FindAsync("0123456789", cancellationToken: Repositories.Token));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.FindAsync("../../etc", cancellationToken: Repositories.Token));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.GetAsync(Guid.NewGuid(), Repositories.Token));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.DeleteAsync(Guid.NewGuid(), Repositories.Token));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.ExportRecordAsync(Guid.NewGuid(), Repositories.Token));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => _repository.OpenReadAsync(Guid.NewGuid(), cancellationToken: Repositories.Token));
    }

    [Theory]
    [InlineData("another.driver", "e30=", "another.driver")]
    [InlineData(ExportedRecord.ServiceName, "not base64", "cannot be read")]
    [InlineData(ExportedRecord.ServiceName, "", "cannot be read")]
    [InlineData(ExportedRecord.ServiceName, "e30=", "cannot be read")]
    [InlineData(ExportedRecord.ServiceName, "bnVsbA==", "is empty")]
    public async Task Importing_nonsense_is_refused(string service, string url, string expected)
    {
        RecordFormatException e = await Assert.ThrowsAsync<RecordFormatException>(() => _repository.ImportRecordAsync(new ExportedRecord(service, url), Repositories.Token));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task A_record_without_its_data_or_with_a_taken_id_is_not_imported()
    {
        ExportedRecord record = await _repository.ExportRecordAsync(_full.Id, Repositories.Token);
        await Assert.ThrowsAsync<BackupStateException>(() => _repository.ImportRecordAsync(record, Repositories.Token));

        await using var empty = new InMemoryObjectStore();
        BackupRepository elsewhere = await Repositories.OpenAsync(empty);
        RecordFormatException e = await Assert.ThrowsAsync<RecordFormatException>(() => elsewhere.ImportRecordAsync(record, Repositories.Token));
        Assert.Contains("does not hold the data", e.Message, StringComparison.Ordinal);
        Assert.Equal([StoreKeys.Repository], await empty.ListKeysAsync());
    }

    [Fact]
    public async Task A_backup_whose_manifest_was_cut_off_says_so_and_the_others_are_listed()
    {
        Backup child = await _repository.IncrementalAsync(new MemoryVolume(Repositories.Noise(300_000, seed: 3)));
        byte[] manifest = await _store.GetAllAsync(child.ManifestKey!, 1 << 20, Repositories.Token);
        await _store.PutAsync(child.ManifestKey!, manifest.AsMemory(0, manifest.Length - 7), cancellationToken: Repositories.Token);
        CorruptionException e = await Assert.ThrowsAsync<CorruptionException>(() => _repository.RestoreOverAsync(child));
        Assert.Equal(child.ManifestKey, e.Key);

        await _store.PutAsync(StoreKeys.Record(child.VolumeId, child.Id), "{"u8.ToArray(), cancellationToken: Repositories.Token);
        IReadOnlyList<Backup> listed = await _repository.ListAsync(cancellationToken: Repositories.Token);
        Assert.Equal(BackupStatus.Error, listed.Single(backup => backup.Id == child.Id).Status);
        Assert.Equal(BackupStatus.Available, listed.Single(backup => backup.Id == _full.Id).Status);
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.GetAsync(child.Id, Repositories.Token));
    }

    private Task<Backup> BackupAsync(BackupOptions options) =>
        _repository.BackupAsync(new MemoryVolume(_content), options, cancellationToken: Repositories.Token);

    private sealed class FailingVolume(long sizeBytes, long failFrom) : IVolume
    {
        public Action<long>? OnRead { get; init; }

        public string Name => "failing";

        public long SizeBytes => sizeBytes;

        public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            OnRead?.Invoke(offset);
            if (offset >= failFrom)
                throw new VolumeException(Name, "bad sector");
            new Random((int)(offset >> 10)).NextBytes(destination.Span);
            return ValueTask.CompletedTask;
        }

        public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult<VolumeExtent?>(offset < sizeBytes ? new VolumeExtent(offset, sizeBytes - offset) : null);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
